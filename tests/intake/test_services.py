"""A request is stored once, whole, and moved on by people who are named."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.utils import timezone

from conditions.models import Page
from intake import services, spool
from intake.models import (
    NEXT_STATUSES,
    AccessAction,
    AttemptOutcome,
    ConsultationRequest,
    ContactAttempt,
    EventKind,
    LeadAccess,
    LeadEvent,
    LeadStatus,
    NoticeKind,
    Outbox,
    OutboxState,
    Priority,
    SearchKey,
)
from intake.services import InvalidTransition, NotStored, submit_consultation_request
from tests.factories import RECEIVED_AT, UserFactory, submission, submitted


def stored():
    """What a new connection reads."""
    return ConsultationRequest.objects.count(), Outbox.objects.count(), LeadEvent.objects.count()


# --- receiving


def test_one_press_writes_the_request_its_event_and_its_pair_of_mails(db):
    lead = submitted()
    assert (lead.status, lead.priority, lead.received_at) == (LeadStatus.NEW, Priority.ROUTINE, RECEIVED_AT)
    assert lead.respond_by > RECEIVED_AT
    assert [event.kind for event in lead.events.all()] == [EventKind.RECEIVED]
    assert {row.kind for row in lead.notices.all()} == {NoticeKind.STAFF, NoticeKind.ACKNOWLEDGEMENT}
    assert len({row.message_id for row in lead.notices.all()}) == 2


def test_without_an_email_nobody_is_acknowledged_by_mail(db):
    assert [row.kind for row in submitted(email="").notices.all()] == [NoticeKind.STAFF]


@pytest.mark.parametrize(
    ("flags", "priority"), [("", "routine"), ("none", "routine"), ("bladder", "urgent"), ("fever,chest", "urgent")]
)
def test_a_warning_sign_makes_a_request_urgent(db, flags, priority):
    assert submitted(red_flags=flags).priority == priority


def test_the_page_it_came_from_is_kept(db, content):
    lead = submitted(origin="spinal-osteotomy")
    assert lead.origin_page == Page.objects.get(slug="spinal-osteotomy")
    assert lead.origin_path == "/procedures/spinal-osteotomy/"


@pytest.mark.parametrize("origin", ["", "no-such-page"])
def test_a_request_from_nowhere_has_no_page(db, origin):
    lead = submitted(origin=origin)
    assert (lead.origin_page, lead.origin_path) == (None, "")


def test_the_reference_can_be_read_aloud(db):
    lead = submitted()
    assert len(lead.reference) == 8
    assert not set(lead.reference) & set("01AEIOUL")
    assert lead.shown_reference == f"{lead.reference[:4]}-{lead.reference[4:]}"


def test_the_same_press_again_gives_the_same_receipt_and_no_second_row(db):
    press = submission()
    first = submit_consultation_request(press)
    later = submission(submission_id=press.submission_id, received_at=RECEIVED_AT + timedelta(minutes=5))
    again = submit_consultation_request(later)
    assert (again.reference, again.received_at) == (first.reference, first.received_at)
    assert (first.is_repeat, again.is_repeat) == (False, True)
    assert stored() == (1, 2, 1)


def test_changed_answers_make_a_second_request_that_amends_the_first(db):
    first = submitted()
    second = submitted(submission_id=first.submission_id, message="It is the left leg.")
    assert second.amends == first
    assert second.reference != first.reference
    assert [event.kind for event in first.events.all()] == [EventKind.RECEIVED, EventKind.AMENDED]


def test_a_family_may_share_an_address_and_a_number(db):
    first, second = submitted(), submitted(name="Pat Sample")
    assert first.email == second.email
    assert second.amends is None


def test_twenty_presses_at_the_same_moment_make_one_row_and_one_reference(transactional_db):
    press = submission(network="192.0.2.7")
    start = threading.Barrier(20)
    receipts, errors = [], []

    def send():
        try:
            start.wait()
            receipts.append(submit_consultation_request(press))
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert {(receipt.reference, receipt.is_spooled) for receipt in receipts} == {(press.reference(), False)}
    assert stored() == (1, 2, 1)


def test_two_people_never_share_a_reference(db, monkeypatch):
    first = submitted()
    second = submission(name="Pat Sample")
    own = type(second).reference
    monkeypatch.setattr(type(second), "reference", lambda self, attempt=0: own(self, attempt) if attempt else first.reference)
    receipt = submit_consultation_request(second)
    assert receipt.reference == own(second, 1)
    assert ConsultationRequest.objects.count() == 2


def test_a_receipt_from_the_spool_is_found_even_if_its_reference_was_taken_meanwhile(db, monkeypatch):
    first = submitted()
    second = submission(name="Pat Sample")
    spool.write(second)
    own = type(second).reference
    monkeypatch.setattr(type(second), "reference", lambda self, attempt=0: own(self, attempt) if attempt else first.reference)
    services.replay_spool()
    monkeypatch.undo()
    found = ConsultationRequest.objects.matching(first.reference)
    assert {lead.name for lead in found} == {"Sam Sample", "Pat Sample"}


@pytest.mark.parametrize(
    "step",
    [
        "intake.models.ConsultationRequest.objects.create",
        "intake.models.SearchKey.objects.bulk_create",
        "intake.models.LeadEvent.objects.create",
        "intake.models.Outbox.objects.bulk_create",
    ],
)
@pytest.mark.parametrize("fault", [OperationalError("disk I/O error"), RuntimeError("a bug")])
def test_a_fault_at_any_step_leaves_no_half_and_loses_nothing(transactional_db, monkeypatch, step, fault):
    press = submission()

    def fail(*args, **kwargs):
        raise fault

    target, name = step.rsplit(".", 1)
    with monkeypatch.context() as broken:
        broken.setattr(f"{target}.{name}", fail)
        receipt = submit_consultation_request(press)
    assert stored() == (0, 0, 0)
    assert SearchKey.objects.count() == 0
    assert receipt.is_spooled
    assert services.replay_spool() == services.Replay(stored=1)
    assert ConsultationRequest.objects.get().reference == receipt.reference
    assert stored() == (1, 2, 1)


def test_a_fault_in_the_commit_is_no_loss_and_no_double(transactional_db, monkeypatch):
    press = submission()
    commit = connection.commit
    monkeypatch.setattr(connection, "commit", lambda: (commit(), (_ for _ in ()).throw(OperationalError("gone")))[0])
    receipt = submit_consultation_request(press)
    monkeypatch.undo()
    services.replay_spool()
    assert ConsultationRequest.objects.get().reference == receipt.reference
    assert stored() == (1, 2, 1)
    assert spool.depth() == 0


def test_with_database_and_spool_failing_nobody_is_told_it_was_received(database, no_spool):
    database.goes_away()
    with pytest.raises(NotStored):
        submit_consultation_request(submission())
    database.comes_back()
    assert stored() == (0, 0, 0)


def test_a_request_keeps_the_wording_that_was_agreed_to(db):
    lead = submitted()
    assert (lead.consent_version, lead.consented_at) == ("2026-11", RECEIVED_AT)
    assert lead.consent_text.startswith("I agree that Sample clinic")


@pytest.mark.parametrize("field", ["status", "priority"])
def test_the_database_refuses_unknown_states(db, field):
    lead = submitted()
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsultationRequest.objects.filter(pk=lead.pk).update(**{field: "nonsense"})


# --- staff


@pytest.mark.parametrize("start", list(LeadStatus))
@pytest.mark.parametrize("target", list(LeadStatus))
def test_requests_move_only_along_the_workflow(db, start, target):
    dana = UserFactory()
    lead = submitted()
    ConsultationRequest.objects.update(status=start)
    before = LeadEvent.objects.count()
    if target in NEXT_STATUSES[start]:
        services.change_status(lead.pk, target, by=dana)
        event = LeadEvent.objects.latest("pk")
        assert (event.actor, event.from_status, event.to_status) == (dana, start, target)
        assert ConsultationRequest.objects.get().status == target
    else:
        with pytest.raises(InvalidTransition):
            services.change_status(lead.pk, target, by=dana)
        assert LeadEvent.objects.count() == before
        assert ConsultationRequest.objects.get().status == start


def test_restoring_suspected_spam_sends_the_mails_it_was_kept_from(db):
    lead = submitted(spam_reasons=["honeypot"])
    services.change_status(lead.pk, LeadStatus.NEW, by=UserFactory())
    lead.refresh_from_db()
    assert lead.status == LeadStatus.NEW
    assert lead.notices.count() == 2
    with pytest.raises(InvalidTransition):
        services.change_status(lead.pk, LeadStatus.NEW, by=UserFactory())


def test_a_request_moved_to_spam_and_back_does_not_mail_twice(db):
    lead, dana = submitted(), UserFactory()
    services.change_status(lead.pk, LeadStatus.SPAM, by=dana)
    services.change_status(lead.pk, LeadStatus.NEW, by=dana)
    assert lead.notices.count() == 2


def test_assigning_is_recorded_once(db):
    lead, dana = submitted(), UserFactory()
    services.assign(lead.pk, dana, by=dana)
    services.assign(lead.pk, dana, by=dana)
    services.assign(lead.pk, None, by=dana)
    assert [event.kind for event in lead.events.all()][1:] == [EventKind.ASSIGNED, EventKind.ASSIGNED]


def test_requests_outlive_the_account_they_are_assigned_to(db):
    lead, dana = submitted(), UserFactory(username="dana")
    services.assign(lead.pk, dana, by=dana)
    services.record_access([lead], by=dana, action=AccessAction.VIEW, via="admin")
    dana.delete()
    lead.refresh_from_db()
    assert lead.assigned_to is None
    assert LeadAccess.objects.get().username == "dana"


def test_the_first_contact_stops_the_clock_and_reaching_someone_moves_the_request(db):
    lead, dana = submitted(), UserFactory()
    assert lead in ConsultationRequest.objects.overdue(timezone.now() + timedelta(days=9000))
    services.log_contact(lead.pk, by=dana, outcome=AttemptOutcome.VOICEMAIL, note="Asked to call back")
    lead.refresh_from_db()
    first = lead.first_contact_at
    assert first
    assert lead.status == LeadStatus.NEW
    assert lead not in ConsultationRequest.objects.awaiting_first_contact()
    services.log_contact(lead.pk, by=dana, outcome=AttemptOutcome.REACHED)
    lead.refresh_from_db()
    assert (lead.first_contact_at, lead.status) == (first, LeadStatus.CONTACTED)
    assert ContactAttempt.objects.first().note == "Asked to call back"


def test_suspected_spam_is_restored_before_anyone_calls(db):
    with pytest.raises(InvalidTransition):
        services.log_contact(submitted(spam_reasons=["honeypot"]).pk, by=UserFactory(), outcome=AttemptOutcome.REACHED)


def test_every_look_is_recorded(db):
    lead, dana = submitted(), UserFactory()
    for _ in range(3):
        services.record_access([lead], by=dana, action=AccessAction.VIEW, via="admin")
    assert LeadAccess.objects.count() == 3


def test_a_failed_mail_can_be_sent_again(db):
    lead, dana = submitted(), UserFactory()
    row = lead.notices.first()
    Outbox.objects.filter(pk=row.pk).update(state=OutboxState.FAILED, attempts=17, last_error="SMTPRecipientsRefused 550")
    assert ConsultationRequest.objects.with_failed_notices().get().has_failed_notice
    services.resend_notice(row.pk, by=dana)
    again = Outbox.objects.get(pk=row.pk)
    assert (again.state, again.attempts, again.last_error, again.message_id) == (OutboxState.PENDING, 0, "", row.message_id)
    assert LeadEvent.objects.latest("pk").kind == EventKind.RESENT
    assert not ConsultationRequest.objects.with_failed_notices().get().has_failed_notice


def test_the_queue_shows_urgent_first_then_what_is_due_first(db):
    later = submitted(received_at=RECEIVED_AT + timedelta(days=3))
    sooner = submitted()
    urgent = submitted(received_at=RECEIVED_AT + timedelta(days=4), red_flags="bladder")
    assert list(ConsultationRequest.objects.by_what_is_due()) == [urgent, sooner, later]


def test_the_reference_is_the_same_in_every_process():
    fixed = uuid.UUID(int=7)
    assert submission(submission_id=fixed).reference() == submission(submission_id=fixed).reference()
    assert submission(submission_id=fixed).reference() != submission(submission_id=fixed, message="other").reference()
