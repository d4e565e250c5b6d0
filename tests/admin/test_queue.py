"""What staff can rely on in the queue: what is due comes first, nothing of the illness shows, every look is recorded."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic_site import site_record
from clinic_site.models import Clinic
from intake import services
from intake.models import (
    AccessAction,
    AttemptOutcome,
    ConsultationRequest,
    LeadAccess,
    LeadEvent,
    LeadStatus,
    Outbox,
    OutboxState,
)
from tests.admin.addresses import MARKER, QUEUE, lead_url, messages_of, references_in, text_of, title_of, url
from tests.factories import submitted
from tests.reading import tree_of

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def fail_a_mail(lead):
    Outbox.objects.filter(pk=lead.notices.first().pk).update(state=OutboxState.FAILED, last_error="SMTPRecipientsRefused 550")


def test_what_is_due_comes_first(desk, dana):
    later = submitted(received_at=NOW - timedelta(hours=1))
    late = submitted(received_at=NOW - timedelta(days=9), name="Ana Sample")
    urgent = submitted(received_at=NOW, red_flags="bladder", name="Uma Sample")
    done = submitted(received_at=NOW - timedelta(days=20), name="Ola Sample")
    services.log_contact(done.pk, by=dana, outcome=AttemptOutcome.REACHED)
    assert references_in(desk.get(QUEUE)) == [lead.reference for lead in (urgent, late, later, done)]


def test_an_empty_view_says_so(desk):
    assert "Nothing here. Good." in text_of(desk.get(QUEUE))


def test_no_column_claims_an_order_that_the_list_is_not_in(desk):
    old = submitted(received_at=NOW - timedelta(days=9), name="Sam Sample")
    urgent = submitted(received_at=NOW, red_flags="bladder")
    for page in (desk.get(QUEUE), desk.get(QUEUE, {"view": "all"}), desk.post(url("search"), {"term": "sam"}, follow=True)):
        assert 'class="sortremove"' not in page.content.decode()
        assert references_in(page) == [urgent.reference, old.reference]
    chosen = desk.get(QUEUE, {"o": "3"})
    assert 'class="sortremove"' in chosen.content.decode()
    assert references_in(chosen) == [old.reference, urgent.reference]


def test_a_new_urgent_request_stays_on_top_after_a_voicemail(desk, dana):
    waiting = submitted(received_at=NOW - timedelta(days=9))
    urgent = submitted(received_at=NOW, red_flags="bladder", name="Uma Sample")
    services.log_contact(urgent.pk, by=dana, outcome=AttemptOutcome.VOICEMAIL)
    assert references_in(desk.get(QUEUE)) == [urgent.reference, waiting.reference]


def test_staff_read_times_where_the_clinic_is(desk):
    Clinic.objects.update(time_zone="America/Los_Angeles")
    site_record.forget()
    lead = submitted(received_at=datetime(2026, 11, 24, 15, 42, tzinfo=UTC))
    for page in (desk.get(QUEUE), desk.get(lead_url(lead))):
        assert re.search(r"\bby [^:]{5,20}, 5 p\.m\.", text_of(page))
        assert "7:42 a.m." in text_of(page)


def row_of(response, lead):
    return next(
        words
        for row in tree_of(response).iter("tr")
        if lead.shown_reference in (words := " ".join(" ".join(row.itertext()).split()))
    )


def test_a_request_with_a_warning_sign_is_to_be_called_first_however_long_the_promise_runs(desk):
    urgent = submitted(received_at=NOW, red_flags="bladder")
    quiet = submitted(received_at=NOW, name="Quiet Sample")
    page = desk.get(QUEUE)
    assert "Call first" in row_of(page, urgent) and "left" not in row_of(page, urgent)
    assert "Call first" not in row_of(page, quiet) and "left" in row_of(page, quiet)


def test_a_row_says_in_words_that_it_is_fresh_and_that_nobody_has_it(desk):
    fresh = submitted(received_at=timezone.now())
    older = submitted(received_at=timezone.now() - timedelta(minutes=5), name="Older Sample")
    page = desk.get(QUEUE)
    assert "Just now" in row_of(page, fresh) and "Nobody yet" in row_of(page, fresh)
    assert "5\xa0minutes ago" in row_of(page, older) or "5 minutes ago" in row_of(page, older)


@pytest.mark.parametrize(
    ("outcome", "next_step"),
    [
        (AttemptOutcome.NO_ANSWER, "Try again No answer, today"),
        (AttemptOutcome.VOICEMAIL, "Waits for an answer Left a voicemail, today"),
        (AttemptOutcome.WRONG_CONTACT, "Find another way Wrong number or address, today"),
    ],
)
def test_whoever_was_not_reached_stays_in_sight_with_what_to_do_next(desk, dana, outcome, next_step):
    waiting = submitted(received_at=NOW, name="Waiting Sample")
    tried = submitted(received_at=NOW - timedelta(days=9))
    reached = submitted(received_at=NOW - timedelta(days=9), name="Reached Sample")
    services.log_contact(reached.pk, by=dana, outcome=AttemptOutcome.REACHED)
    services.log_contact(tried.pk, by=dana, outcome=outcome)
    page = desk.get(QUEUE)
    assert references_in(page) == [waiting.reference, tried.reference, reached.reference]
    assert next_step in row_of(page, tried) and "Answered" not in row_of(page, tried)
    assert references_in(desk.get(QUEUE, {"view": "again"})) == [tried.reference]
    assert next_step.split(" ")[0] in text_of(desk.get(lead_url(tried)))
    services.log_contact(tried.pk, by=dana, outcome=AttemptOutcome.REACHED)
    assert references_in(desk.get(QUEUE, {"view": "again"})) == []


def test_the_queue_says_how_to_answer_and_what_to_arrange_before_the_call(desk):
    asked = submitted(received_at=NOW, preferred_contact="email")
    phone_only = submitted(received_at=NOW, preferred_contact="", email="", name="Phone Sample")
    either = submitted(received_at=NOW, preferred_contact="", needs_interpreter="yes", name="Either Sample")
    page = desk.get(QUEUE)
    assert "Answer by Email" in row_of(page, asked)
    assert "Answer by Phone" in row_of(page, phone_only) and "email" not in row_of(page, phone_only)
    assert "Answer by Phone or email Wants an interpreter" in row_of(page, either)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("open", {"new", "mine", "urgent", "late", "mail"}),
        ("", {"new", "mine", "urgent", "late", "mail"}),
        ("nonsense", {"new", "mine", "urgent", "late", "mail"}),
        ("mine", {"mine"}),
        ("new", {"new", "urgent", "late", "mail"}),
        ("urgent", {"urgent"}),
        ("late", {"late"}),
        ("waiting", {"new", "urgent", "late", "mail"}),
        ("mail", {"mail"}),
        ("spam", {"spam"}),
        ("all", {"new", "mine", "urgent", "late", "mail", "spam", "closed"}),
    ],
)
def test_each_quick_view_holds_what_it_says(desk, dana, view, expected):
    leads = {
        "new": submitted(received_at=NOW),
        "mine": submitted(received_at=NOW, name="Mine Sample"),
        "urgent": submitted(received_at=NOW, red_flags="bladder"),
        "late": submitted(received_at=NOW - timedelta(days=9), name="Late Sample"),
        "mail": submitted(received_at=NOW, name="Mail Sample"),
        "spam": submitted(received_at=NOW, name="Spam Sample", spam_reasons=["honeypot"]),
        "closed": submitted(received_at=NOW, name="Gone Sample"),
    }
    services.log_contact(leads["mine"].pk, by=dana, outcome=AttemptOutcome.REACHED)
    services.assign(leads["mine"].pk, dana, by=dana)
    services.change_status(leads["closed"].pk, LeadStatus.CLOSED, by=dana)
    fail_a_mail(leads["mail"])
    response = desk.get(QUEUE, {"view": view} if view else {})
    assert set(references_in(response)) == {leads[name].reference for name in expected}


def test_a_failed_mail_turns_the_row_red_and_opens_a_view_of_its_own(desk):
    lead = submitted()
    assert "view=mail" not in desk.get(QUEUE).content.decode()
    fail_a_mail(lead)
    page = desk.get(QUEUE).content.decode()
    assert '<span class="chip chip--late">Mail failed</span>' in page
    assert "view=mail" in page


def test_a_row_tells_who_how_and_by_when_and_nothing_of_the_illness(desk):
    lead = submitted(
        received_at=NOW,
        name="Sam Sample",
        message=MARKER,
        red_flags="bladder",
        patient_name=MARKER,
        relation=MARKER,
        spoken_language=MARKER,
        access_needs=MARKER,
    )
    response = desk.get(QUEUE)
    text = text_of(response)
    for shown in (lead.shown_reference, "New", "Warning sign", "Sam Sample", "Call first", "Phone"):
        assert shown in text
    for hidden in (MARKER, "Lower back", "osteotomy", "bladder", "X-ray", "555", "example.org"):
        assert hidden not in response.content.decode()
    assert title_of(response) == "Consultation requests | Staff"


def test_a_name_that_no_key_opens_is_said_so(desk):
    submitted()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE intake_consultationrequest SET name = 'altered', preferred_contact = 'altered'")
    response = desk.get(QUEUE)
    assert response.status_code == 200
    assert "Could not be read" in text_of(response)


def test_each_request_on_each_page_of_the_queue_that_is_shown_is_recorded(desk, dana):
    leads = [submitted(), submitted(name="Ana Sample")]
    desk.get(QUEUE)
    desk.get(QUEUE)
    desk.get(QUEUE, {"view": "spam"})
    for lead in leads:
        looks = LeadAccess.objects.filter(request=lead)
        assert [(look.username, look.action, look.via) for look in looks] == [("dana", AccessAction.LIST, "queue")] * 2
    assert LeadAccess.objects.count() == 4


def test_the_queue_costs_the_same_number_of_queries_however_long_it_is(desk, dana, django_assert_num_queries, kept_clinic):
    for number in range(3):
        services.assign(submitted(name=f"Sam Sample {number}").pk, dana, by=dana)
    desk.get(QUEUE)
    with django_assert_num_queries(15) as queries:
        desk.get(QUEUE)
    for number in range(20):
        services.assign(submitted(name=f"Ana Sample {number}").pk, dana, by=dana)
    with django_assert_num_queries(len(queries)):
        desk.get(QUEUE)


def test_a_colleagues_requests_can_be_looked_at(desk, lee):
    theirs, free = submitted(), submitted(name="Ana Sample")
    services.assign(theirs.pk, lee, by=lee)
    assert references_in(desk.get(QUEUE, {"colleague": lee.pk})) == [theirs.reference]
    assert references_in(desk.get(QUEUE, {"colleague": "nobody"})) == [free.reference]
    assert len(references_in(desk.get(QUEUE, {"colleague": "99999999999999999999999"}))) == 2


# --- several at once


def act(client, action, *leads):
    return client.post(f"{QUEUE}?view=all", {"action": action, "_selected_action": [lead.pk for lead in leads]}, follow=True)


def test_several_requests_are_taken_at_once_but_none_from_a_colleague(desk, dana, lee):
    free, taken = submitted(), submitted(name="Ana Sample")
    services.assign(taken.pk, lee, by=lee)
    response = act(desk, "assign_to_me", free, taken)
    assert ConsultationRequest.objects.get(pk=free.pk).assigned_to == dana
    assert ConsultationRequest.objects.get(pk=taken.pk).assigned_to == lee
    assert [tag for tag, _words in messages_of(response)] == ["success", "warning"]
    assert taken.shown_reference in messages_of(response)[1][1]


def test_several_suspected_spam_requests_are_restored_at_once(desk):
    spam = submitted(spam_reasons=["honeypot"])
    fine = submitted(name="Ana Sample")
    response = act(desk, "restore", spam, fine)
    assert ConsultationRequest.objects.get(pk=spam.pk).status == LeadStatus.NEW
    assert spam.notices.count() == 2
    assert [tag for tag, _words in messages_of(response)] == ["success", "warning"]


def test_moving_to_suspected_spam_says_who_did_it(desk, dana):
    lead = submitted()
    act(desk, "move_to_spam", lead)
    event = LeadEvent.objects.latest("pk")
    assert (event.actor, event.from_status, event.to_status) == (dana, LeadStatus.NEW, LeadStatus.SPAM)


# --- finding a person


@pytest.mark.parametrize(
    "term", ["María Fernández Sample", "fernandez", "MARIA@example.org", "(703) 555-0163", "+1 703 555 0163", "703.555.0163"]
)
def test_a_person_is_found_by_what_they_say_on_the_phone(desk, term):
    lead = submitted(name="María Fernández Sample", email="maria@example.org")
    submitted(name="Ana Sample", email="ana@example.org", phone="+17035550100")
    response = desk.post(url("search"), {"term": term}, follow=True)
    assert references_in(response) == [lead.reference]
    assert "1 request found" in text_of(response)


def test_a_reference_opens_its_request(desk):
    lead = submitted()
    spoken = lead.shown_reference.lower().replace("-", " ")
    assert desk.post(url("search"), {"term": spoken})["Location"] == lead_url(lead)


def test_a_search_finds_closed_and_suspected_requests_too(desk, dana):
    closed = submitted()
    services.change_status(closed.pk, LeadStatus.CLOSED, by=dana)
    spam = submitted(name="Sam Other", spam_reasons=["honeypot"])
    response = desk.post(url("search"), {"term": "sam"}, follow=True)
    assert set(references_in(response)) == {closed.reference, spam.reference}
    assert LeadAccess.objects.filter(action=AccessAction.LIST, via="search").count() == 2


def test_what_was_searched_for_stands_in_no_address_and_on_no_page(desk):
    submitted(email="zorblaxia@example.org", name="Sam Sample")
    answer = desk.post(url("search"), {"term": "zorblaxia@example.org"})
    assert "zorblaxia" not in answer["Location"].lower()
    page = desk.get(answer["Location"])
    assert "zorblaxia" not in page.content.decode().lower()
    assert "zorblaxia" not in str(dict(desk.session)).lower()


@pytest.mark.parametrize("term", ["", "   ", "nobody at all", "\0", "x" * 5000, "%' OR 1=1 --"])
def test_a_search_without_a_match_says_so(desk, term):
    submitted()
    response = desk.post(url("search"), {"term": term}, follow=True)
    assert response.status_code == 200
    assert len(references_in(response)) == (0 if term.strip(" \0") else 1)
    if term.strip(" \0"):
        assert "No request found" in text_of(response) and "Nothing here. Good." not in text_of(response)


@pytest.mark.parametrize("found", ["forged", "WzFd:1abc:xyz"])
def test_a_forged_or_old_result_shows_nothing(desk, found):
    submitted()
    response = desk.get(QUEUE, {"found": found})
    assert references_in(response) == []
    assert "This search is over" in text_of(response)


def test_a_result_is_over_after_a_working_day(desk, monkeypatch):
    submitted()
    location = desk.post(url("search"), {"term": "sam"})["Location"]
    monkeypatch.setattr("intake.queue.SEARCH_SECONDS", -1)
    assert references_in(desk.get(location)) == []
