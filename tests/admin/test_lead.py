"""What staff can rely on at one request: all answers, none of them changeable, every move recorded, every look too."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from conditions.models import Page
from intake import presentation, services
from intake.models import (
    AccessAction,
    AttemptChannel,
    AttemptOutcome,
    ConsultationRequest,
    ContactAttempt,
    LeadAccess,
    LeadEvent,
    LeadStatus,
    Outbox,
    OutboxState,
)
from intake.submission import ANSWERS
from tests.admin.addresses import MARKER, lead_url, messages_of, text_of, title_of, url
from tests.factories import submission, submitted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]

EVERYTHING = {
    "name": "Sam Sample",
    "phone": "+17035550163",
    "email": "sam@example.org",
    "on_behalf_of": "other",
    "patient_name": "Luz Sample",
    "relation": "daughter of the patient",
    "patient_is_minor": "yes",
    "message": "First line\nSecond line <b>not bold</b>",
    "spoken_language": "Spanish, from Peru",
    "needs_interpreter": "yes",
    "access_needs": "A wheelchair",
}


def the(lead):
    return ConsultationRequest.objects.get(pk=lead.pk)


def test_every_answer_has_a_place_on_the_page():
    placed = [name for _heading, names in presentation.GROUPS for name in names]
    assert sorted(placed) == sorted(ANSWERS)


def test_requests_from_the_same_phone_or_email_name_each_other(desk):
    first = submitted(name="Ana Sample", email="")
    again = submitted(name="Ana María Sample", phone="+17035550163", email="ana@example.org")
    by_mail = submitted(name="A. Sample", phone="", email="Ana@Example.org")
    stranger = submitted(name="Ana Sample", phone="+17035550999", email="")
    text = text_of(desk.get(lead_url(again)))
    assert first.shown_reference in text and by_mail.shown_reference in text and stranger.shown_reference not in text
    assert "This phone or email also sent" not in text_of(desk.get(lead_url(stranger)))


def test_what_was_left_empty_takes_one_line_and_no_section_of_its_own(desk):
    text = text_of(desk.get(lead_url(submitted(referral_source="", email="", language="es"))))
    assert "How they found us" not in text and "Language of the site Spanish" in text
    left_empty = text[text.index("Left empty:") :][:200]
    assert "heard of us through" in left_empty and "email" in left_empty and "phone" not in left_empty


def test_the_page_holds_all_answers_in_words(desk):
    lead = submitted(**EVERYTHING, origin="spinal-osteotomy")
    page = desk.get(lead_url(lead))
    text = text_of(page)
    for shown in (
        "Sam Sample",
        "(703) 555-0163",
        "sam@example.org",
        "Someone I help care for",
        "Luz Sample",
        "daughter of the patient",
        "Lower back",
        "Spinal osteotomy",
        "X-ray; MRI scan",
        "A doctor or therapist",
        "Spanish, from Peru",
        "A wheelchair",
        "No voicemail",
        "Wants an interpreter",
        lead.consent_version,
        lead.consent_text,
        "Notice to staff",
        "Acknowledgement to the person",
        "Received",
    ):
        assert shown in text, shown
    html = page.content.decode()
    assert "Second line &lt;b&gt;not bold&lt;/b&gt;" in html
    assert 'href="tel:+17035550163"' in html
    assert f'href="{Page.objects.get(slug="spinal-osteotomy").get_absolute_url()}"' in html


def test_whoever_dials_reads_first_for_whom_the_person_asks(desk):
    def beside_the_number(**answers):
        page = text_of(desk.get(lead_url(submitted(**answers))))
        return page[: page.index("The problem")]

    everything = beside_the_number(**EVERYTHING)
    assert "Asks for: Luz Sample" in everything and "daughter of the patient" in everything and "Under 18" in everything
    assert "Asks for: Someone else" in beside_the_number(on_behalf_of="other", name="Ana Sample")
    assert "Asks for" not in beside_the_number(name="Ola Sample")


def test_nothing_that_was_typed_can_be_changed(desk):
    lead = submitted(**EVERYTHING)
    html = desk.get(lead_url(lead)).content.decode()
    for name in ANSWERS:
        assert f'name="{name}"' not in html


def test_the_title_holds_the_reference_and_no_answer(desk):
    lead = submitted(**dict.fromkeys(["name", "message", "patient_name", "relation", "spoken_language", "access_needs"], MARKER))
    page = desk.get(lead_url(lead))
    assert title_of(page) == f"{lead.shown_reference} | Staff"
    assert "no-store" in page["Cache-Control"]


def test_every_look_is_recorded_not_only_the_first(desk, dana):
    lead = submitted()
    for _ in range(3):
        desk.get(lead_url(lead))
    looks = LeadAccess.objects.filter(request=lead)
    assert [(look.user, look.action, look.via) for look in looks] == [(dana, AccessAction.VIEW, "lead page")] * 3


def test_staff_see_who_looked_before_them(desk, lee):
    lead = submitted()
    services.record_access([lead], by=lee, action=AccessAction.VIEW, via="lead page")
    services.record_access([lead], by=lee, action=AccessAction.LIST, via="queue")
    text = text_of(desk.get(lead_url(lead)))
    assert "Opened: lee" in text
    assert "Seen in a list 1 time." in text


def test_a_warning_sign_is_said_first(desk):
    lead = submitted(red_flags="bladder,fever")
    text = text_of(desk.get(lead_url(lead)))
    assert "They ticked a warning sign:" in text
    assert "loss of bladder or bowel control" in text
    assert "The advice to call 911 was shown to them" in text
    assert text.index("They ticked a warning sign:") < text.index("Sam Sample")


def test_no_warning_where_none_was_ticked(desk):
    assert "They ticked a warning sign" not in text_of(desk.get(lead_url(submitted())))


def test_voicemail_is_fine_only_where_the_person_said_so(desk):
    lead = submitted(may_leave_voicemail="yes")
    assert "Voicemail is fine" in text_of(desk.get(lead_url(lead)))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE intake_consultationrequest SET may_leave_voicemail = 'altered'")
    assert "Voicemail is fine" not in text_of(desk.get(lead_url(lead)))


def test_altered_answers_are_said_so_and_the_rest_is_shown(desk, dana):
    lead = submitted()
    services.log_contact(lead.pk, by=dana, outcome=AttemptOutcome.VOICEMAIL, note="Call again")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE intake_consultationrequest SET message = 'altered', phone = 'altered', red_flags = 'altered', interest = 'x'"
        )
        cursor.execute("UPDATE intake_contactattempt SET note = 'altered'")
    page = desk.get(lead_url(lead))
    assert page.status_code == 200
    text = text_of(page)
    assert "4 answers of this request could not be read." in text
    assert "Could not be read" in text
    assert "Sam Sample" in text
    assert "tel:" not in page.content.decode()


def test_answers_put_there_from_another_request_are_said_not_to_be_those_that_were_sent(desk):
    said = "These answers are not those that were sent."
    lead, other = submitted(), submitted(phone="+17035550164")
    assert said not in text_of(desk.get(lead_url(lead)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM intake_consultationrequest WHERE id = %s", [other.pk])
        cursor.execute("UPDATE intake_consultationrequest SET phone = %s WHERE id = %s", [cursor.fetchone()[0], lead.pk])
    assert said in text_of(desk.get(lead_url(lead)))
    assert said not in text_of(desk.get(lead_url(other)))


def test_requests_of_the_same_person_are_linked_both_ways(desk):
    earlier = submitted()
    receipt = services.submit_consultation_request(submission(submission_id=earlier.submission_id, message="Now worse."))
    later = ConsultationRequest.objects.get(reference=receipt.reference)
    assert lead_url(later) in desk.get(lead_url(earlier)).content.decode()
    assert lead_url(earlier) in desk.get(lead_url(later)).content.decode()


def test_the_page_costs_the_same_number_of_queries_however_long_its_history(desk, dana, django_assert_num_queries, kept_clinic):
    lead = submitted(origin="spinal-osteotomy")
    desk.get(lead_url(lead))
    with django_assert_num_queries(16) as queries:
        desk.get(lead_url(lead))
    for _ in range(30):
        services.log_contact(lead.pk, by=dana, outcome=AttemptOutcome.NO_ANSWER, note="Nobody there")
        services.record_access([lead], by=dana, action=AccessAction.VIEW)
    with django_assert_num_queries(len(queries)):
        desk.get(lead_url(lead))


# --- moving


def move(client, lead, status, seen=None):
    return client.post(url("move", lead.pk), {"status": status, "seen": seen or lead.status}, follow=True)


def test_a_move_is_made_and_recorded(desk, dana):
    lead = submitted()
    response = move(desk, lead, LeadStatus.CONTACTED)
    assert the(lead).status == LeadStatus.CONTACTED
    event = LeadEvent.objects.latest("pk")
    assert (event.actor, event.from_status, event.to_status) == (dana, LeadStatus.NEW, LeadStatus.CONTACTED)
    assert messages_of(response) == [("success", "Moved to: Contacted.")]
    assert "Moved: New → Contacted, Dana" in text_of(response)


@pytest.mark.parametrize("start", list(LeadStatus))
def test_the_page_offers_exactly_the_allowed_moves(desk, start):
    lead = submitted()
    ConsultationRequest.objects.update(status=start)
    html = desk.get(lead_url(lead)).content.decode()
    offered = {status for status in LeadStatus if f'name="status" value="{status}"' in html}
    assert offered == set(the(lead).next_statuses())


def test_a_refused_move_comes_back_as_a_warning(desk):
    lead = submitted()
    ConsultationRequest.objects.update(status=LeadStatus.CLOSED)
    response = move(desk, lead, LeadStatus.SCHEDULED, seen=LeadStatus.CLOSED)
    assert the(lead).status == LeadStatus.CLOSED
    assert [tag for tag, _words in messages_of(response)] == ["warning"]


def test_a_stale_page_overwrites_nothing_even_where_the_step_exists(desk, lee):
    lead = submitted()
    services.change_status(lead.pk, LeadStatus.CONTACTED, by=lee)
    events = LeadEvent.objects.count()
    response = move(desk, lead, LeadStatus.CLOSED, seen=LeadStatus.NEW)
    assert the(lead).status == LeadStatus.CONTACTED
    assert LeadEvent.objects.count() == events
    assert [tag for tag, _words in messages_of(response)] == ["warning"]


@pytest.mark.parametrize(
    "data", [{}, {"status": "nonsense", "seen": "new"}, {"status": "closed"}, {"status": "closed", "seen": "x"}]
)
def test_a_bent_move_changes_nothing(desk, data):
    lead = submitted()
    response = desk.post(url("move", lead.pk), data, follow=True)
    assert the(lead).status == LeadStatus.NEW
    assert [tag for tag, _words in messages_of(response)] == ["warning"]


def test_suspected_spam_says_why_and_is_restored_with_one_click(desk):
    lead = submitted(spam_reasons=["honeypot", "links"])
    page = text_of(desk.get(lead_url(lead)))
    assert "a field that people cannot see was filled in; the text holds a link" in page
    assert not Outbox.objects.exists()
    move(desk, lead, LeadStatus.NEW)
    assert the(lead).status == LeadStatus.NEW
    assert Outbox.objects.count() == 2


def test_someone_who_may_only_look_finds_no_buttons(desk, dana):
    dana.groups.get().permissions.remove(*dana.groups.get().permissions.filter(codename="change_consultationrequest"))
    lead = submitted()
    page = desk.get(lead_url(lead))
    assert page.status_code == 200
    assert "data-once" not in page.content.decode()
    assert desk.post(url("move", lead.pk), {"status": "closed", "seen": "new"}).status_code == 403


# --- assigning


def assign(client, lead, to, seen=""):
    return client.post(url("assign", lead.pk), {"to": to, "seen": seen}, follow=True)


@pytest.mark.parametrize("number", ["9" * 5000, "-1", "x"])
def test_a_bent_colleague_is_nobody_and_no_error(desk, lee, number):
    lead = submitted()
    assert "This colleague cannot take requests" in text_of(assign(desk, lead, number))
    assert assign(desk, lead, lee.pk, seen=number).status_code == 200


def test_a_request_is_taken_given_and_let_go(desk, dana, lee):
    lead = submitted()
    assign(desk, lead, dana.pk)
    assert the(lead).assigned_to == dana
    assign(desk, lead, lee.pk, seen=dana.pk)
    assert the(lead).assigned_to == lee
    assign(desk, lead, "", seen=lee.pk)
    assert the(lead).assigned_to is None


def test_colleagues_are_offered_by_name_whoever_signed_in_last(desk, dana, lee):
    User.objects.filter(pk=lee.pk).update(first_name="Abe")
    User.objects.filter(pk=dana.pk).update(last_login=timezone.now())
    options = re.findall(r'<option value="\d+">(\w+)', desk.get(lead_url(submitted())).content.decode())
    assert options == ["Abe", "Dana"]


def test_a_stale_page_takes_nothing_from_a_colleague(desk, dana, lee):
    lead = submitted()
    services.assign(lead.pk, lee, by=lee)
    response = assign(desk, lead, dana.pk)
    assert the(lead).assigned_to == lee
    assert [tag for tag, _words in messages_of(response)] == ["warning"]


@pytest.mark.parametrize("to", ["999999", "99999999999999999999999", "x"])
def test_only_colleagues_of_the_front_desk_are_given_requests(desk, editor, to):
    lead = submitted()
    response = assign(desk, lead, to)
    assert the(lead).assigned_to is None
    assert [tag for tag, _words in messages_of(response)] == ["warning"]


# --- contacts


def log(client, lead, **data):
    return client.post(url("contact", lead.pk), {"channel": "phone", "note": ""} | data, follow=True)


def test_a_contact_is_logged_with_its_note_encrypted(desk, dana):
    lead = submitted()
    response = log(desk, lead, outcome="reached", note=f"Sounds worse, {MARKER}")
    attempt = ContactAttempt.objects.get()
    assert (attempt.by, attempt.channel, attempt.outcome) == (dana, AttemptChannel.PHONE, AttemptOutcome.REACHED)
    assert the(lead).status == LeadStatus.CONTACTED
    assert the(lead).first_contact_at
    assert f"Sounds worse, {MARKER}" in text_of(response)
    with connection.cursor() as cursor:
        cursor.execute("SELECT note FROM intake_contactattempt")
        assert MARKER not in cursor.fetchone()[0]


def test_a_contact_without_an_outcome_comes_back_with_what_was_typed(desk):
    lead = submitted()
    response = log(desk, lead, note="Typed already")
    assert response.status_code == 422
    assert title_of(response).startswith("Error:")
    assert "Choose what came of it" in text_of(response)
    assert re.search(r'id="outcome-error"[^>]* autofocus', response.content.decode())
    assert "Typed already" in response.content.decode()
    assert not ContactAttempt.objects.exists()


@pytest.mark.parametrize(
    "data", [{"outcome": "nonsense"}, {"outcome": "reached", "channel": "pigeon"}, {"outcome": "reached", "note": "x" * 3000}]
)
def test_a_bent_contact_is_not_logged(desk, data):
    assert log(desk, submitted(), **data).status_code == 422
    assert not ContactAttempt.objects.exists()


def test_no_contact_is_logged_on_suspected_spam(desk):
    response = log(desk, submitted(spam_reasons=["honeypot"]), outcome="reached")
    assert [tag for tag, _words in messages_of(response)] == ["warning"]
    assert not ContactAttempt.objects.exists()


# --- mails


def test_a_failed_mail_shows_its_error_and_is_sent_again(desk):
    lead = submitted()
    row = lead.notices.get(kind="acknowledgement")
    Outbox.objects.filter(pk=row.pk).update(state=OutboxState.FAILED, attempts=8, last_error="SMTPRecipientsRefused 550")
    text = text_of(desk.get(lead_url(lead)))
    assert "Failed" in text
    assert "8 tries, given up. Last error: SMTPRecipientsRefused 550" in text
    response = desk.post(url("send", lead.pk, row.pk), follow=True)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (OutboxState.PENDING, 0)
    assert [tag for tag, _words in messages_of(response)] == ["success"]


# --- what stays behind


def test_no_answer_stays_in_admins_own_log_messages_or_session(desk):
    lead = submitted(name=MARKER, message=MARKER)
    move(desk, lead, LeadStatus.CONTACTED)
    log(desk, lead, outcome="reached", note=MARKER)
    desk.post(url("contact", lead.pk), {"note": MARKER})
    assert not LogEntry.objects.exists()
    assert MARKER not in str(dict(desk.session))
    assert MARKER not in str(desk.cookies)


def test_those_who_check_can_read_the_record_of_looks_and_change_nothing(boss, dana):
    lead = submitted(name=MARKER)
    services.record_access([lead], by=dana, action=AccessAction.VIEW, via="lead page")
    page = boss.get("/admin/intake/leadaccess/")
    assert "dana" in text_of(page)
    for term, found in ((lead.shown_reference.lower(), 1), ("dana", 1), ("ZZZZ-ZZZZ", 0)):
        assert boss.get("/admin/intake/leadaccess/", {"q": term}).context_data["cl"].result_count == found, term
    assert lead.shown_reference in text_of(page)
    assert MARKER not in page.content.decode()
    access = LeadAccess.objects.get()
    assert boss.post(f"/admin/intake/leadaccess/{access.pk}/delete/", {"post": "yes"}).status_code == 403
    assert boss.get("/admin/intake/leadaccess/add/").status_code == 403
