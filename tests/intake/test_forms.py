"""What the form lets through, what it refuses, and how it says so."""

import re
import uuid

import pytest
from crispy_forms.utils import render_crispy_form
from django.http import QueryDict

from conditions.models import Kind
from intake.forms import MESSAGE_LENGTH, ConsultationForm
from intake.published_pages import PublishedPage, published_pages
from intake.submission import ANSWERS
from tests.factories import kept_clinic

CLINIC = kept_clinic()
PAGES = {
    "spinal-osteotomy": PublishedPage(
        "spinal-osteotomy", Kind.PROCEDURE, "Spinal osteotomy", "Spinal osteotomy for spinal deformity"
    ),
    "kyphosis": PublishedPage("kyphosis", Kind.CONDITION, "Kyphosis", "Kyphosis"),
    "low-back-pain": PublishedPage("low-back-pain", Kind.SYMPTOM, "Low back pain", "Low back pain"),
}
LEAST = {"name": "Sam Sample", "phone": "(703) 555-0142", "consent": "on", "on_behalf_of": "me", "best_time": "any"}


def form(pages=PAGES, without=(), clinic=CLINIC, **changes):
    """A posted form with the least it asks for, and changes; a list stands for a repeated key."""
    data = QueryDict(mutable=True)
    for name, value in (LEAST | changes).items():
        if name not in without:
            data.setlist(name, value if isinstance(value, list) else [value])
    return ConsultationForm(data, clinic=clinic, pages=pages)


def answers(**changes):
    posted = form(**changes)
    assert posted.is_valid(), posted.errors.as_data()
    return posted.answers()


def refused(field, **changes):
    posted = form(**changes)
    assert not posted.is_valid()
    assert field in posted.errors, posted.errors.as_data()
    return " ".join(posted.errors[field])


# --- what is asked


def test_a_name_one_contact_and_consent_are_enough():
    assert form().is_valid()
    assert form(without=["phone"], email="sam@example.org").is_valid()
    assert form(without=["on_behalf_of", "best_time"]).is_valid()


def test_each_required_answer_is_asked_for_in_plain_words():
    assert refused("name", without=["name"]) == "Enter your full name"
    assert refused("consent", without=["consent"]) == "Tick the box if you agree that we may contact you"
    assert refused("phone", without=["phone"]) == "Enter a phone number or an email, so that we can answer you"


def test_only_spaces_are_no_answer():
    assert refused("name", name="   ")
    assert refused("phone", phone="  ", email=" ")


def test_the_layout_names_every_field():
    blank = ConsultationForm(clinic=CLINIC, pages=PAGES)
    named = [pointer.name for pointer in blank.helper.layout.get_field_names()]
    assert sorted(named) == sorted(blank.fields)


def folded(shown):
    """The names of the fields that a form shows folded away."""
    parts = re.findall(r'<details class="optional"( open)?>(.*?)</details>', render_crispy_form(shown), re.S)
    assert len(parts) == 3
    return {name for is_open, part in parts if not is_open for name in re.findall(r' name="(\w+)"', part)}


def test_contact_warning_signs_and_consent_are_in_sight_and_the_rest_is_folded(db):
    blank = ConsultationForm(clinic=CLINIC, pages=PAGES, origin="kyphosis")
    assert set(blank.fields) - folded(blank) == {"name", "phone", "email", "red_flags", "consent"}


def test_answers_go_under_the_names_that_are_stored():
    assert set(answers()) == set(ANSWERS)


def test_consent_names_the_clinic_and_is_not_ticked():
    blank = ConsultationForm(clinic=CLINIC, pages=PAGES)
    assert "Sample Spine" in blank.fields["consent"].label
    assert not blank["consent"].value()


def test_consent_is_a_tick_not_a_word():
    assert refused("consent", consent="false")


# --- telephone and e-mail as people type them


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("(703) 555-0142", "+17035550142"),
        ("703.555.0142 ext 5", "+17035550142;ext=5"),
        ("1-703-555-0142 x12", "+17035550142;ext=12"),
        ("  703 555 0142  ", "+17035550142"),
        ("+34 600 123 456", "+34600123456"),
        ("011 34 600 123 456", "+34600123456"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("tel:+1-703-555-0142", "+17035550142"),
        ("７０３５５５０１４２", "+17035550142"),
    ],
)
def test_a_phone_number_is_taken_as_people_type_it(typed, kept):
    assert answers(phone=typed)["phone"] == kept


@pytest.mark.parametrize(
    "typed", ["555-0142", "703 555 01", "12", "call me", "+999 123", "0" * 30, "703 555 0142 703 555 0142", "+"]
)
def test_a_number_that_cannot_be_dialled_is_a_field_error(typed):
    assert "all its digits" in refused("phone", phone=typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("sam@example.org", "sam@example.org"),
        (" Sam.Sample+spine@Example.ORG ", "Sam.Sample+spine@example.org"),
        ("sam@bücher.example", "sam@bücher.example"),
    ],
)
def test_an_email_is_taken_as_people_type_it(typed, kept):
    assert answers(email=typed)["email"] == kept


@pytest.mark.parametrize(
    "typed",
    [
        "sam",
        "sam@",
        "@example.org",
        "sam@example",
        "sam sample@example.org",
        "a@b@example.org",
        "sam@example..org",
        "<sam@example.org>",
    ],
)
def test_what_is_no_email_is_a_field_error(typed):
    assert "name@example.com" in refused("email", email=typed)


@pytest.mark.parametrize("typed", ["sam@example.org\r\nBcc: all@example.org", "sam@example.org\nSubject: x", "Sam\r\nTo: x"])
def test_a_header_cannot_be_smuggled_in(typed):
    assert refused("email", email=typed)
    assert refused("name", name=typed)


def test_asking_for_an_email_needs_one():
    assert "Enter your email" in refused("email", preferred_contact="email")
    assert answers(preferred_contact="email", email="sam@example.org")["preferred_contact"] == "email"


# --- characters, lengths, keys


TEXT_FIELDS = ["name", "email", "phone", "patient_name", "relation", "message", "spoken_language", "access_needs"]


@pytest.mark.parametrize("field", TEXT_FIELDS)
@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\ud800"])
def test_unreadable_characters_are_a_field_error(field, char):
    assert "cannot read" in refused(field, **{field: f"a{char}b", "on_behalf_of": "other"})


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_too_long_an_answer_is_a_field_error_with_both_lengths(field):
    assert "characters or fewer. You have 5000" in refused(field, **{field: "9" * 5000})


@pytest.mark.parametrize(
    "choice", ["pain_area", "best_time", "on_behalf_of", "preferred_contact", "imaging", "referral_source", "red_flags", "interest"]
)
@pytest.mark.parametrize("code", ["nonsense", "\x00", "<b>", "../x"])
def test_a_choice_that_was_not_offered_is_a_field_error(choice, code):
    assert refused(choice, **{choice: code}) == "Choose one of the answers in the list"


@pytest.mark.parametrize("field", ["name", "phone", "message", "pain_area", "best_time"])
def test_a_key_sent_twice_with_different_answers_is_a_field_error(field):
    value = {"pain_area": ["lumbar", "whole"], "best_time": ["any", "morning"], "phone": ["703 555 0142", "703 555 0163"]}
    assert "sent twice" in refused(field, **{field: value.get(field, ["First", "Second"])})


def test_a_key_sent_twice_with_the_same_answer_is_no_trouble():
    assert answers(name=["Sam Sample", "Sam Sample"])["name"] == "Sam Sample"


def test_unknown_keys_are_ignored():
    assert "is_staff" not in answers(is_staff="1", status="closed", spam_score="-5")


def test_names_of_the_whole_world_are_kept():
    for name in ("María-José O’Neill", "Nguyễn Thị Ánh", "李小龍", "محمد علی", "X Æ A-12", "Zoë van ’t Hof"):
        assert answers(name=name)["name"] == name


def test_spaces_are_trimmed_and_line_breaks_count_as_one():
    assert answers(name="  Sam \t Sample ")["name"] == "Sam Sample"
    text = "line\r\n" * 400
    assert len(text.replace("\r\n", "\n")) <= MESSAGE_LENGTH < len(text)
    assert answers(message=text)["message"] == text.strip().replace("\r\n", "\n")


def test_the_longest_message_fits():
    assert len(answers(message="x" * MESSAGE_LENGTH)["message"]) == MESSAGE_LENGTH
    assert refused("message", message="x" * (MESSAGE_LENGTH + 1))


@pytest.mark.parametrize(
    "text", ["{{ 7|add:7 }}", "'; DROP TABLE intake_consultationrequest; --", "<script>alert(1)</script>", "%s %(x)s {0}"]
)
def test_markup_templates_and_sql_are_just_text(text):
    assert answers(message=text)["message"] == text


# --- choices


def test_several_scans_and_signs_are_kept_together_and_none_gives_way():
    assert answers(imaging=["mri", "ct"])["imaging"] == "mri,ct"
    assert answers(imaging=["none", "ct"])["imaging"] == "ct"
    assert answers(red_flags=["none"])["red_flags"] == "none"
    assert answers(red_flags=["bladder", "none"])["red_flags"] == "bladder"


@pytest.mark.parametrize(("flags", "urgent"), [([], False), (["none"], False), (["fever"], True), (["none", "fever"], True)])
def test_any_ticked_sign_counts(flags, urgent):
    posted = form(red_flags=flags)
    assert posted.is_valid()
    assert posted.has_red_flag is urgent


def test_details_of_another_person_count_only_for_another_person():
    about = {"patient_name": "Pat Sample", "relation": "daughter", "patient_is_minor": "on"}
    other = answers(on_behalf_of="other", **about)
    assert (other["patient_name"], other["relation"], other["patient_is_minor"]) == ("Pat Sample", "daughter", "yes")
    me = answers(on_behalf_of="me", **about)
    assert (me["patient_name"], me["relation"], me["patient_is_minor"]) == ("", "", "")


def test_boxes_become_yes_or_no():
    assert answers()["may_leave_voicemail"] == "no"
    assert answers(may_leave_voicemail="on", needs_interpreter="on")["needs_interpreter"] == "yes"


# --- the page it came from


def test_a_procedure_or_condition_is_carried_over_as_the_interest():
    for slug in ("spinal-osteotomy", "kyphosis"):
        blank = ConsultationForm(clinic=CLINIC, pages=PAGES, origin=slug)
        assert blank["interest"].value() == slug
        assert blank.origin_page.slug == slug


def test_a_symptom_is_kept_as_the_origin_only():
    blank = ConsultationForm(clinic=CLINIC, pages=PAGES, origin="low-back-pain")
    assert blank["interest"].value() == ""
    assert blank.origin_page.title == "Low back pain"


@pytest.mark.parametrize("origin", ["no-such-page", "<script>", "a" * 500, "\x00", "../admin"])
def test_an_origin_that_is_no_page_is_dropped(origin):
    assert ConsultationForm(clinic=CLINIC, pages=PAGES, origin=origin).origin_page is None


def test_published_procedures_and_conditions_are_offered(db, content):
    pages = published_pages()
    offered = dict(ConsultationForm(clinic=CLINIC, pages=pages).fields["interest"].choices)
    assert "spinal-osteotomy" in dict(offered["Procedures"])
    assert pages["kyphosis"].kind == Kind.CONDITION


def test_the_list_of_pages_is_the_last_good_one_while_the_database_is_away(database, monkeypatch):
    monkeypatch.setattr("intake.published_pages._last_good", {})
    before = published_pages()
    database.goes_away()
    assert published_pages() == before


def test_an_interest_chosen_before_the_outage_is_kept_by_a_process_that_never_saw_the_pages():
    assert answers(pages={}, interest="spinal-osteotomy")["interest"] == "spinal-osteotomy"
    assert refused("interest", pages={}, interest="<b>not a page</b>")


# --- how it is shown again


@pytest.mark.parametrize(
    ("changes", "opened"),
    [
        ({"phone": "12"}, None),
        ({"message": "Hello", "phone": "12"}, "imaging"),
        ({"pain_area": "nonsense"}, "imaging"),
        ({"imaging": "mri", "phone": "12"}, "imaging"),
        ({"access_needs": "wheelchair", "without": ["consent"]}, "spoken_language"),
        ({"on_behalf_of": "other", "without": ["name"]}, "best_time"),
    ],
)
def test_a_refused_form_opens_only_the_parts_with_an_error_or_an_answer_in_them(db, changes, opened):
    posted = form(**changes)
    assert not posted.is_valid()
    assert {"imaging", "spoken_language", "best_time"} - folded(posted) == ({opened} if opened else set())


def test_problems_are_listed_in_the_order_of_the_page_with_their_place():
    posted = form(without=["name", "consent"], phone="12", pain_area="nonsense")
    posted.is_valid()
    assert [place for place, _ in posted.problems] == ["id_name", "id_phone", "id_pain_area", "id_consent"]


def test_every_blank_form_has_an_id_of_its_own():
    first, second = (ConsultationForm(clinic=CLINIC, pages=PAGES).submission_token for _ in range(2))
    assert first != second
    assert uuid.UUID(first.split(":")[0])


# --- what the clinic's record lists


def test_the_parts_of_the_body_and_the_warning_signs_are_the_clinics_own():
    knee = kept_clinic(regions=["kneecap"], signs=["locked"])
    blank = ConsultationForm(clinic=knee, pages=PAGES)
    assert [key for key, _ in blank.fields["pain_area"].choices] == ["kneecap", "unsure"]
    assert [key for key, _ in blank.fields["red_flags"].choices] == ["locked", "none"]
    assert refused("pain_area", clinic=knee, pain_area="lumbar")
    assert form(clinic=knee, pain_area="kneecap", red_flags=["locked"]).is_valid()


def test_a_form_opened_before_the_record_was_lost_can_still_be_sent():
    lost = kept_clinic(regions=[], signs=[])
    posted = form(clinic=lost, pain_area="lumbar", red_flags=["bladder"])
    assert posted.is_valid(), posted.errors
    assert posted.has_red_flag
    assert refused("pain_area", clinic=lost, pain_area="<b>lumbar</b>")


def test_a_clinic_that_lists_no_signs_is_not_asked_for_them():
    blank = ConsultationForm(clinic=kept_clinic(signs=[]), pages=PAGES)
    assert "red_flags" not in [pointer.name for pointer in blank.helper.layout.get_field_names()]
