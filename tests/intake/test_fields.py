"""Answers are ciphertext at rest, and found again by keyed hashes alone."""

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from intake.fields import Undecryptable, blind, folded
from intake.models import ConsultationRequest
from intake.submission import ANSWERS
from tests.factories import ConsultationRequestFactory, submitted


def column(name, lead):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM intake_consultationrequest WHERE id = %s", [lead.pk])
        return cursor.fetchone()[0]


def overwrite(name, lead, value):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE intake_consultationrequest SET {name} = %s WHERE id = %s", [value, lead.pk])


def test_every_answer_is_ciphertext_in_the_database_even_an_empty_one(db):
    lead = submitted(relation="")
    for name in ANSWERS:
        stored = column(name, lead)
        assert stored.startswith("gAAAA"), name
        answer = getattr(lead, name)
        # A code of a few letters can stand in base64 by chance.
        assert len(answer) < 6 or answer not in stored
    assert ConsultationRequest.objects.get().message == lead.message


def test_equal_answers_do_not_look_equal(db):
    first, second = submitted(), submitted()
    assert column("message", first) != column("message", second)


def test_every_encrypted_field_of_a_request_is_an_answer_and_the_other_way_round():
    lead = ConsultationRequest()
    assert [name for name, _ in lead._answers()] == list(ANSWERS)


@pytest.mark.parametrize("lookup", ["exact", "icontains", "in", "gt", "startswith"])
def test_comparing_ciphertext_is_refused(db, lookup):
    with pytest.raises(TypeError, match="blind index"):
        ConsultationRequest.objects.filter(**{f"name__{lookup}": ["Sam"] if lookup == "in" else "Sam"}).exists()


def test_an_old_key_still_opens_and_the_newest_one_seals(db, settings):
    lead = submitted()
    new = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]
    lead = ConsultationRequest.objects.get()
    assert lead.name == "Sam Sample"
    lead.save()
    settings.ENCRYPTION_KEYS = [new]
    assert ConsultationRequest.objects.get().name == "Sam Sample"


@pytest.mark.parametrize("damage", ["", "plain text", "gAAAAA", "geändert", "\x00"[:0] + "gAAAA" + "B" * 120])
def test_an_altered_answer_is_reported_not_shown_and_no_error(db, damage):
    lead = submitted()
    overwrite("message", lead, damage)
    found = ConsultationRequest.objects.get()
    assert isinstance(found.message, Undecryptable)
    assert not damage or damage not in found.message
    assert found.unreadable_fields() == ["message"]
    assert found.shown("message") == found.message
    assert found.name == "Sam Sample"


def test_saving_a_row_leaves_an_unreadable_answer_as_it_was(db):
    lead = submitted()
    original = column("message", lead)
    overwrite("message", lead, original[:-4] + "AAAA")
    ConsultationRequest.objects.get().save()
    assert column("message", lead) == original[:-4] + "AAAA"
    overwrite("message", lead, original)
    assert ConsultationRequest.objects.get().message == lead.message


def test_without_the_key_nothing_is_readable(db, settings):
    submitted()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert ConsultationRequest.objects.get().unreadable_fields() == list(ANSWERS)


def test_keyed_hashes_depend_on_key_and_purpose(settings):
    first = blind("sam@example.org", "email")
    assert first != blind("sam@example.org", "phone")
    settings.SEARCH_KEY = Fernet.generate_key().decode()
    assert first != blind("sam@example.org", "email")


def test_folding_drops_accents_case_and_punctuation():
    assert folded("  María-José  O’Neill ") == "maria jose o neill"


@pytest.mark.parametrize(
    "text",
    [
        "sam@example.org",
        " SAM@Example.ORG ",
        "(703) 555-0163",
        "+1 703 555 0163",
        "7035550163",
        "703.555.0163",
        "Samuel José Sample",
        "jose",
        "SAMPLE",
        "sample samuel",
        "Pat",
    ],
)
def test_staff_find_a_request_by_what_they_were_told(db, text):
    lead = submitted(name="Samuel José Sample", patient_name="Pat Sample", on_behalf_of="other")
    submitted(name="Another Person", email="other@example.org", phone="+17035550199")
    assert list(ConsultationRequest.objects.matching(text)) == [lead]


def test_staff_find_a_request_by_its_reference_however_it_is_typed(db):
    lead = submitted()
    submitted(name="Another Person")
    for text in (
        lead.reference,
        lead.shown_reference,
        lead.shown_reference.lower(),
        f" {lead.reference[:4]} {lead.reference[4:]} ",
    ):
        assert list(ConsultationRequest.objects.matching(text)) == [lead]


@pytest.mark.parametrize("text", ["", " ", "sam", "example", "0163", "nobody@example.org", "'; DROP TABLE", "\x00", "Sam\ud800"])
def test_what_matches_nothing_finds_nothing(db, text):
    submitted(name="Samuel Sample")
    assert not ConsultationRequest.objects.matching(text).exists()


def test_a_number_with_an_extension_is_found_by_the_number(db):
    lead = submitted(phone="+17035550142;ext=5")
    assert list(ConsultationRequest.objects.matching("703 555 0142")) == [lead]
    assert lead.shown("phone") == "(703) 555-0142 ext. 5"


def test_codes_are_shown_in_words(content):
    lead = ConsultationRequestFactory(imaging="xray,mri", red_flags="bladder,fever", phone="+34600123456", best_time="")
    assert lead.shown("imaging") == "X-ray; MRI scan"
    assert lead.shown("red_flags").startswith("New trouble passing urine")
    assert lead.shown("phone") == "+34 600 12 34 56"
    assert lead.shown("best_time") == ""


def test_an_answer_that_the_clinic_no_longer_lists_is_still_shown(content):
    lead = ConsultationRequestFactory(pain_area="elbow", red_flags="bladder,rash")
    assert lead.shown("pain_area") == "elbow"
    assert lead.shown("red_flags") == "New trouble passing urine, or loss of bladder or bowel control; rash"
