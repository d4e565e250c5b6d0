"""What a person sees: the form, the receipt, the honest failure. Never two of them at once."""

import re
import threading
import time
from datetime import UTC, datetime

import pytest
from django.db import connections
from django.test import Client
from django.utils.html import escape

from clinic_site import site_record
from clinic_site.models import FOLLOW_UP, HEADLINE, NOT_SENT, Clinic
from intake import services, spool
from intake.models import ConsultationRequest, LeadStatus, Outbox, Priority
from intake.tokens import receipt_token
from tests.factories import form_data
from tests.live import hidden_values

THANKS = "Thank you for choosing {}!"
SUCCESS = (HEADLINE, FOLLOW_UP, "Thank you for choosing")
MARKER = "Zebra-marker"
CONTENT_TYPE = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _clinic(db, content):
    site_record.forget()


def page(response):
    return response.content.decode()


def title(response):
    return re.search(r"<title>(.*?)</title>", page(response), re.S)[1].strip()


def post(client, **answers):
    return client.post("/consultation/", form_data(client, **answers))


def assert_no_success(response):
    for text in SUCCESS:
        assert escape(text) not in page(response)
        assert text not in page(response)


def assert_not_stored_anywhere(response):
    assert response.headers.get("Location") is None
    assert "no-store" in response.headers["Cache-Control"]
    assert_no_success(response)


# --- the form


def test_the_form_opens_and_is_never_cached(client):
    response = client.get("/consultation/")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store, private"
    assert title(response).startswith("Request a consultation")
    assert 'autocomplete="name"' in page(response)
    assert 'autocomplete="tel"' in page(response)
    assert 'autocomplete="email"' in page(response)
    assert_no_success(response)


def test_the_form_carries_the_page_it_was_opened_from_and_can_drop_it(client):
    text = page(client.get("/consultation/", {"about": "spinal-osteotomy"}))
    assert "<b>Spinal osteotomy for spinal deformity</b>" in text
    assert '<option value="spinal-osteotomy" selected>' in text
    assert hidden_values(text)["origin"] == "spinal-osteotomy"
    assert 'href="/consultation/">Ask about something else' in text


def test_no_two_forms_look_alike_to_a_browser_that_remembers_what_was_typed(client):
    firsts = {
        re.findall(r'name="([\w-]+)"', page(client.get("/consultation/")).split('id="consultation-form"')[1])[1] for _ in range(3)
    }
    assert len(firsts) == 3


@pytest.mark.parametrize("about", ["<script>alert(1)</script>", "\x00", "a" * 3000, "../admin", "no-such-page"])
def test_a_wrong_page_in_the_address_is_ignored(client, about):
    response = client.get("/consultation/", {"about": about})
    assert response.status_code == 200
    assert "alert(1)" not in page(response)
    assert "About:" not in page(response)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_refused(client, method):
    assert getattr(client, method)("/consultation/").status_code == 405
    assert getattr(client, method)("/consultation/received/x/").status_code == 405


def test_head_works_where_get_does(client):
    assert client.head("/consultation/").status_code == 200
    assert client.post("/consultation/received/x/").status_code == 405


def test_the_form_needs_its_csrf_token():
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/consultation/", form_data(strict)).status_code == 403
    assert not ConsultationRequest.objects.exists()


@pytest.mark.parametrize("path", ["/consultation/", "/es/consulta/"])
def test_without_the_cookie_nothing_is_sent_nothing_typed_is_lost_and_the_next_press_goes_through(path):
    strict = Client(enforce_csrf_checks=True)
    data = form_data(strict, message=MARKER, pain_area="lumbar")
    del strict.cookies["csrftoken"]
    refused = strict.post(path, data)
    text = page(refused)
    assert refused.status_code == 403
    assert_not_stored_anywhere(refused)
    assert MARKER in text
    assert re.search(r'value="lumbar"[^>]* checked', text)
    assert 'href="tel:' in text
    assert not ConsultationRequest.objects.exists()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]*)"', text)[1]
    again = strict.post(path, data | hidden_values(text) | {"csrfmiddlewaretoken": token})
    assert again.status_code == 303
    assert ConsultationRequest.objects.get().message == MARKER


# --- received


def test_a_request_is_stored_and_confirmed_on_an_address_of_its_own(client):
    response = post(client, about="spinal-osteotomy", message="Numb left foot")
    assert response.status_code == 303
    lead = ConsultationRequest.objects.get()
    assert (lead.name, lead.phone, lead.message) == ("Sam Sample", "+17035550163", "Numb left foot")
    assert lead.origin_path == "/procedures/spinal-osteotomy/"
    assert lead.status == LeadStatus.NEW
    assert "no-store" in response.headers["Cache-Control"]
    assert lead.reference in response.headers["Location"]


def test_the_receipt_says_the_three_messages_in_order_with_reference_and_date(client):
    receipt = page(client.get(post(client).headers["Location"]))
    name = Clinic.current().name
    positions = [receipt.index(escape(text)) for text in (HEADLINE, THANKS.format(name), FOLLOW_UP)]
    assert positions == sorted(positions)
    assert f'<h1 tabindex="-1" data-focus>{escape(HEADLINE)}</h1>' in receipt
    lead = ConsultationRequest.objects.get()
    assert f'<p class="ticket__ref">{lead.shown_reference}</p>' in receipt
    assert "within one working day" in receipt
    assert re.search(r"We answer within one working day: by (Mon|Tues|Wednes|Thurs|Fri)day, \w+ \d+, 5 p.m.<", receipt)
    assert "If this is an emergency, call 911" in re.sub("<[^>]+>", "", receipt)
    assert escape(NOT_SENT) not in receipt
    assert "not sent" not in receipt


def test_the_thanks_line_follows_the_clinics_name(client):
    Clinic.objects.update(name="Harbor Back & Neck")
    site_record.forget()
    assert escape(THANKS.format("Harbor Back & Neck")) in page(client.get(post(client).headers["Location"]))


def test_the_receipt_shows_none_of_the_answers_however_often_it_is_opened(client):
    address = post(client, message=MARKER, email="sam@example.org").headers["Location"]
    for _ in range(2):
        response = client.get(address)
        assert response.status_code == 200
        assert "no-store" in response.headers["Cache-Control"]
        for answer in (MARKER, "Sam Sample", "sam@example.org", "555-0163", "5550163"):
            assert answer not in page(response)
    assert ConsultationRequest.objects.count() == 1


def test_the_receipt_gives_times_in_the_clinics_time_zone(client):
    address = receipt_token("7KQ4M2XB", datetime(2026, 11, 24, 15, 42, tzinfo=UTC))
    Clinic.objects.update(time_zone="America/Los_Angeles")
    site_record.forget()
    text = page(client.get(f"/consultation/received/{address}/"))
    assert "Saved Tuesday, November 24, 2026, at 7:42 a.m." in text
    assert "By Wednesday, November 25, 5" in text
    assert "7KQ4-M2XB" in text


@pytest.mark.parametrize("token", ["x", "7KQ4M2XB", "7KQ4M2XB.1abc.AAAA", "%00", "a" * 2000])
def test_a_receipt_that_is_not_ours_is_not_found(client, token):
    response = client.get(f"/consultation/received/{token}/")
    assert response.status_code == 404
    assert_no_success(response)


def test_the_receipt_opens_without_the_database(client, database):
    address = post(client).headers["Location"]
    database.goes_away()
    response = client.get(address)
    assert response.status_code == 200
    assert escape(HEADLINE) in page(response)


# --- errors


def test_errors_are_summed_up_first_tied_to_their_fields_and_keep_what_was_typed(client):
    data = form_data(client, name="", phone="12", message=MARKER, about="kyphosis", pain_area="lumbar") | {"consent": ""}
    response = client.post("/consultation/", data)
    text = page(response)
    assert response.status_code == 422
    assert title(response).startswith("Error: ")
    assert 'class="error-summary" role="alert" tabindex="-1" aria-labelledby="error-summary-title" data-focus' in text
    assert text.index("error-summary") < text.index('id="consultation-form"')
    assert "Please check 3 answers" in text and "It takes about 90 seconds" not in text
    for field in ("name", "phone", "consent"):
        assert f'<a href="#id_{field}">' in text
        control = re.search(rf'<input[^>]* id="id_{field}"[^>]*>', text)[0]
        assert 'aria-invalid="true"' in control
        assert f"id_{field}_error" in re.search(r'aria-describedby="([^"]*)"', control)[1].split()
        assert f'id="id_{field}_error"' in text
    assert 'value="12"' in text
    assert MARKER in text
    assert '<option value="kyphosis" selected>' in text
    assert re.search(r'value="lumbar"[^>]* checked', text)
    assert text.count('<details class="optional" open>') == 1
    assert hidden_values(text)["submission"] == data["submission"]
    assert_not_stored_anywhere(response)
    assert not ConsultationRequest.objects.exists()


def test_a_group_of_choices_can_be_reached_from_the_summary(client):
    text = page(post(client, pain_area="nonsense"))
    assert '<a href="#id_pain_area">' in text
    assert re.search(
        r'<fieldset class="field field--invalid" id="id_pain_area" tabindex="-1" aria-describedby="id_pain_area_error">', text
    )


def test_what_was_typed_is_never_markup(client):
    attack = '"><script>alert(1)</script>{{ 7|add:7 }}<img src=x onerror=alert(1)>'
    text = page(post(client, name=attack, message=attack, phone="12", referral_source=attack))
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert text.count(escape(attack)) == 2


def test_an_empty_post_is_answered_with_errors_not_a_blank_form(client):
    response = client.post("/consultation/", {})
    assert response.status_code == 422
    assert "Enter your full name" in page(response)


def test_a_stale_form_is_shown_again_with_everything_kept_and_then_goes_through(client):
    data = form_data(client, message=MARKER) | {"submission": "0" * 32 + ":1abcde:forged"}
    response = client.post("/consultation/", data)
    assert response.status_code == 422
    assert "Please press the button once more" in page(response)
    assert MARKER in page(response)
    assert not ConsultationRequest.objects.exists()
    again = data | {"submission": hidden_values(page(response))["submission"]}
    assert client.post("/consultation/", again).status_code == 303
    assert ConsultationRequest.objects.get().message == MARKER


def test_a_press_repeated_days_later_is_still_the_same_request(client, monkeypatch):
    data = form_data(client)
    receipt = client.post("/consultation/", data).headers["Location"]
    real = time.time
    monkeypatch.setattr("django.core.signing.time.time", lambda: real() + 3 * 24 * 3600)
    late = client.post("/consultation/", data)
    assert late.status_code == 422
    again = client.post("/consultation/", data | hidden_values(page(late)))
    assert again.headers["Location"] == receipt
    assert ConsultationRequest.objects.count() == 1


# --- warning signs


def test_a_warning_sign_interrupts_once_and_the_request_can_still_be_sent(client):
    data = form_data(client, red_flags=["bladder", "fever"], message=MARKER)
    first = client.post("/consultation/", data)
    text = page(first)
    assert first.status_code == 200
    heading, _, below = text.partition("Call 911 or go to an emergency room now")
    assert heading != text
    assert re.match(r'</h1>\s*<p><a class="btn emergency-call" href="tel:911">', below)
    assert "I have read this. Send my request" in text
    assert MARKER in text
    assert re.search(r'value="bladder"[^>]* checked', text)
    assert not ConsultationRequest.objects.exists()
    assert_not_stored_anywhere(first)
    second = client.post("/consultation/", data | hidden_values(text))
    assert second.status_code == 303
    assert ConsultationRequest.objects.get().priority == Priority.URGENT


def test_a_read_warning_of_another_form_does_not_count(client):
    other = hidden_values(page(post(client, red_flags=["bladder"])))["warning"]
    response = post(client, red_flags=["bladder"], warning=other)
    assert response.status_code == 200
    assert "Call 911 or go to an emergency room now" in page(response)


def test_without_a_warning_sign_nobody_is_interrupted(client):
    assert post(client, red_flags=["none"]).status_code == 303
    assert ConsultationRequest.objects.get().priority == Priority.ROUTINE


# --- once


def test_a_double_click_makes_one_request_and_one_receipt(client):
    data = form_data(client)
    addresses = {client.post("/consultation/", data).headers["Location"] for _ in range(2)}
    assert len(addresses) == 1
    assert (ConsultationRequest.objects.count(), Outbox.objects.count()) == (1, 1)


def test_going_back_and_changing_an_answer_makes_an_amendment(client):
    data = form_data(client)
    client.post("/consultation/", data)
    client.post("/consultation/", data | {"message": "And the left leg"})
    first, second = ConsultationRequest.objects.order_by("pk")
    assert second.amends == first


def test_twenty_parallel_posts_make_one_row(transactional_db, client):
    data = form_data(client)
    addresses = []

    def send():
        addresses.append(Client().post("/consultation/", data).headers["Location"])
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(addresses) == 20
    assert len(set(addresses)) == 1
    assert ConsultationRequest.objects.count() == 1


# --- trouble


def test_with_the_database_away_the_form_opens_and_the_request_is_received(client, database):
    data = form_data(client, about="spinal-osteotomy", message=MARKER)
    database.goes_away()
    form = client.get("/consultation/", {"about": "spinal-osteotomy"})
    assert form.status_code == 200
    assert '<option value="spinal-osteotomy" selected>' in page(form)
    sent = client.post("/consultation/", data)
    assert sent.status_code == 303
    assert escape(HEADLINE) in page(client.get(sent.headers["Location"]))
    database.comes_back()
    services.replay_spool()
    lead = ConsultationRequest.objects.get()
    assert lead.message == MARKER
    assert lead.reference in sent.headers["Location"]
    assert lead.origin_path == "/procedures/spinal-osteotomy/"
    assert client.post("/consultation/", data).headers["Location"] == sent.headers["Location"]


def test_when_nothing_can_be_stored_the_page_says_so_and_keeps_everything(client, database, no_spool):
    data = form_data(client, message=MARKER)
    message = Clinic.current().message_error
    database.goes_away()
    response = client.post("/consultation/", data)
    text = page(response)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "120"
    assert title(response).startswith("Error: ")
    assert "<h1>Your request was not sent</h1>" in text
    assert escape(message) in text
    assert 'href="tel:' in text
    assert 'href="mailto:' in text
    assert MARKER in text
    assert hidden_values(text)["submission"] == data["submission"]
    assert_not_stored_anywhere(response)
    database.comes_back()
    assert client.post("/consultation/", data).status_code == 303
    assert ConsultationRequest.objects.get().message == MARKER


def test_a_bug_while_storing_loses_nothing(client, monkeypatch):
    data = form_data(client)
    with monkeypatch.context() as broken:
        broken.setattr(services, "_insert", lambda *args: 1 / 0)
        response = client.post("/consultation/", data)
    assert response.status_code == 303
    assert spool.depth() == 1


def test_a_flood_is_asked_to_phone_and_keeps_what_was_typed(client, settings):
    settings.FLOOD_LIMIT = 2
    for _ in range(2):
        assert post(client).status_code == 303
    data = form_data(client, message=MARKER)
    response = client.post("/consultation/", data)
    text = page(response)
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 3600
    assert 'href="tel:' in text
    assert MARKER in text
    assert hidden_values(text)["submission"] == data["submission"]
    assert_not_stored_anywhere(response)
    assert client.post("/consultation/", data, REMOTE_ADDR="192.0.2.9").status_code == 303


def test_invalid_forms_count_towards_no_limit(client, settings):
    settings.FLOOD_LIMIT = 1
    for _ in range(5):
        assert post(client, name="").status_code == 422
    assert post(client).status_code == 303


def test_a_filled_trap_is_received_like_any_other_and_suspected(client):
    response = post(client, website="http://spam.example")
    assert response.status_code == 303
    lead = ConsultationRequest.objects.get()
    assert (lead.status, "honeypot" in lead.spam_reasons) == (LeadStatus.SPAM, True)


def test_pressing_send_at_once_is_noted_but_not_spam(client):
    post(client)
    lead = ConsultationRequest.objects.get()
    assert (lead.spam_reasons, lead.status) == (["too_fast"], LeadStatus.NEW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"name=%00%00",
        b"name=%ff%fe&phone=%c3%28",
        b"name=%ed%a0%80",
        b"&&&===&&",
        b"submission=&submission=x&warning[]=1",
        b"name=" + b"x" * 100_000,
        "name=Sam&message=‮".encode(),
    ],
)
def test_hostile_bodies_get_an_answer_not_a_crash(client, body):
    response = client.post("/consultation/", body, content_type=CONTENT_TYPE)
    assert response.status_code in {400, 422}


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x", "", "x/y; charset=utf-16"],
)
def test_odd_content_types_get_an_answer_not_a_crash(client, content_type):
    response = client.generic("POST", "/consultation/", b"name=Sam", content_type=content_type)
    assert response.status_code in {400, 403, 422}


# --- nothing leaks


def test_nothing_typed_reaches_a_log_an_address_a_cookie_or_a_session(client, database, no_spool, caplog):
    typed = {
        name: f"{MARKER}-{name}" for name in ("name", "message", "spoken_language", "access_needs", "patient_name", "relation")
    }
    typed |= {"email": f"{MARKER}@example.org", "on_behalf_of": "other"}
    with caplog.at_level("DEBUG"):
        sent = post(client, **typed)
        assert sent.status_code == 303
        post(client, **typed | {"phone": MARKER})
        data = form_data(client, **typed)
        database.goes_away()
        assert client.post("/consultation/", data).status_code == 503
        database.comes_back()
    assert MARKER.lower() not in caplog.text.lower()
    assert MARKER not in sent.headers["Location"]
    assert MARKER not in str(client.cookies)
    assert "sessionid" not in client.cookies
