"""Signs of spam add up to a score; a person is never turned away for them."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from intake import spam
from intake.models import ConsultationRequest, LeadStatus, Outbox, RateBucket
from intake.services import replay_spool, submit_consultation_request
from tests.factories import RECEIVED_AT, submission, submitted


@pytest.mark.parametrize(
    ("texts", "honeypot", "seconds", "reasons"),
    [
        (["My back hurts."], "", 60, []),
        (["My back hurts."], "", None, []),
        (["My back hurts."], "", 1, ["too_fast"]),
        (["My back hurts."], "", -86400, []),
        (["My back hurts."], "http://", 60, ["honeypot"]),
        (["See https://example.org/scan"], "", 60, ["links"]),
        (["http://a.example http://b.example www.c.example"], "", 60, ["many_links"]),
        (["[url=http://a.example]buy[/url]"], "", 60, ["links", "markup"]),
    ],
)
def test_each_sign_has_its_reason(texts, honeypot, seconds, reasons):
    took = None if seconds is None else timedelta(seconds=seconds)
    assert spam.reasons_in(texts, honeypot=honeypot, took=took) == reasons


def test_one_weak_sign_is_not_enough():
    assert spam.score(["too_fast"]) < spam.THRESHOLD
    assert spam.score(["links"]) < spam.THRESHOLD
    assert spam.score(["busy_network"]) < spam.THRESHOLD
    assert spam.score(["honeypot"]) >= spam.THRESHOLD
    assert spam.score(["too_fast", "many_links"]) >= spam.THRESHOLD


def test_suspected_spam_is_kept_without_mails(db):
    lead = submitted(spam_reasons=["honeypot"])
    assert lead.status == LeadStatus.SPAM
    assert lead.spam_reasons == ["honeypot"]
    assert lead.message
    assert not Outbox.objects.exists()


def test_the_same_answers_over_and_over_from_fresh_forms_are_a_sign(db):
    for _ in range(2):
        assert submitted().spam_reasons == []
    assert submitted().spam_reasons == ["repeat"]


def test_a_family_on_one_network_stays_far_below_every_limit(db):
    for number in range(5):
        submit_consultation_request(submission(name=f"Sample {number}", network="192.0.2.7"))
    assert set(ConsultationRequest.objects.values_list("status", "spam_score")) == {(LeadStatus.NEW, 0)}


def test_a_busy_network_is_a_sign_and_a_flood_is_refused_with_the_time_to_wait(db, settings):
    settings.FLOOD_LIMIT = 4
    for number in range(4):
        submit_consultation_request(submission(name=f"Sample {number}", network="192.0.2.7"))
    assert ConsultationRequest.objects.filter(spam_score__gt=0).count() == 2
    with pytest.raises(spam.FloodLimit) as refused:
        submit_consultation_request(submission(name="Fifth Sample", network="192.0.2.7"))
    assert timedelta(0) < refused.value.retry_after <= timedelta(hours=1)
    assert ConsultationRequest.objects.count() == 4


def test_a_flood_from_one_network_leaves_others_alone(db, settings):
    settings.FLOOD_LIMIT = 1
    submit_consultation_request(submission(network="192.0.2.7"))
    submit_consultation_request(submission(network="192.0.2.8"))
    with pytest.raises(spam.FloodLimit):
        submit_consultation_request(submission(network="192.0.2.7"))


def test_the_limit_is_exact_when_many_send_at_once(transactional_db, settings):
    settings.FLOOD_LIMIT = 10
    refused = []

    def send(number):
        try:
            submit_consultation_request(submission(name=f"Sample {number}", network="192.0.2.7"))
        except spam.FloodLimit:
            refused.append(number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=[number]) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (ConsultationRequest.objects.count(), len(refused)) == (10, 14)


def test_a_repeated_press_above_the_limit_still_gets_its_receipt(db, settings):
    settings.FLOOD_LIMIT = 1
    first = submission(network="192.0.2.7")
    receipt = submit_consultation_request(first)
    assert submit_consultation_request(first).reference == receipt.reference


def test_a_flood_that_came_through_an_outage_is_kept_and_suspected_and_mails_nobody(database, settings):
    settings.FLOOD_LIMIT = 2
    for number in range(4):
        if number == 2:
            database.goes_away()
        press = submission(name=f"Sample {number}", network="192.0.2.7")
        assert submit_consultation_request(press).is_spooled == (number >= 2)
    assert submit_consultation_request(submission(name="Pat Sample", network="192.0.2.8")).is_spooled
    database.comes_back()
    replay_spool()
    suspected = ConsultationRequest.objects.filter(status=LeadStatus.SPAM)
    assert (ConsultationRequest.objects.count(), suspected.count()) == (5, 2)
    assert {tuple(lead.spam_reasons) for lead in suspected} == {("flood",)}
    assert not Outbox.objects.filter(request__in=suspected).exists()
    assert Outbox.objects.filter(request__in=ConsultationRequest.objects.exclude(pk__in=suspected)).count() == 6


def test_counters_hold_no_address_and_go_after_their_hour(db):
    submit_consultation_request(submission(network="192.0.2.7"))
    assert "192.0.2.7" not in RateBucket.objects.get().key
    assert spam.forget_expired(RECEIVED_AT) == 0
    assert spam.forget_expired(RECEIVED_AT + timedelta(hours=1)) == 1
