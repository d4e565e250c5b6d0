"""Fixed, plainly invented people and requests for tests."""

import datetime
import uuid

import factory
from django.contrib.auth import get_user_model

from clinic_site.models import BodyRegion, Clinic, WarningSign
from conditions.models import Page, Physician, Testimonial
from intake import services
from intake.consent import CONSENT_VERSION, consent_text
from intake.models import ConsultationRequest
from intake.submission import ALPHABET, Submission
from tests.live import hidden_values

RECEIVED_AT = datetime.datetime(2026, 11, 24, 15, 42, tzinfo=datetime.UTC)
ANSWERS = {
    "name": "Sam Sample",
    "email": "sam@example.org",
    "phone": "+17035550163",
    "preferred_contact": "phone",
    "best_time": "afternoon",
    "may_leave_voicemail": "no",
    "on_behalf_of": "me",
    "pain_area": "lumbar",
    "interest": "spinal-osteotomy",
    "message": "Stooped more and more since a fusion in 2019.",
    "imaging": "xray,mri",
    "referral_source": "doctor",
    "needs_interpreter": "no",
    "red_flags": "none",
}


def reference_number(number):
    """The n-th of a row of references."""
    letters = []
    for _ in range(8):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(reversed(letters))


class UserFactory(factory.django.DjangoModelFactory):
    """A member of the staff who may do nothing yet."""

    class Meta:
        model = get_user_model()

    username = factory.Sequence(lambda number: f"dana{number}")
    is_staff = True


class ConsultationRequestFactory(factory.django.DjangoModelFactory):
    """A stored request, without the mails and search keys that `submitted` writes."""

    class Meta:
        model = ConsultationRequest

    reference = factory.Sequence(reference_number)
    submission_id = factory.LazyFunction(uuid.uuid4)
    answers_digest = factory.Sequence(lambda number: f"{number:064x}")
    received_at = RECEIVED_AT
    respond_by = RECEIVED_AT + datetime.timedelta(days=1)
    consent_version = CONSENT_VERSION
    consent_text = "I agree that Sample clinic may use these answers to contact me about my care."
    consented_at = RECEIVED_AT
    name = ANSWERS["name"]
    email = ANSWERS["email"]
    phone = ANSWERS["phone"]
    message = ANSWERS["message"]


def submission(*, submission_id=None, received_at=RECEIVED_AT, origin="", language="en", spam_reasons=(), network="", **answers):
    """A valid form, ready to be stored; `answers` change the usual ones."""
    return Submission(
        submission_id=submission_id or uuid.uuid4(),
        answers=ANSWERS | answers,
        received_at=received_at,
        consent_version=CONSENT_VERSION,
        consent_text=consent_text("Sample clinic"),
        origin=origin,
        language=language,
        spam_reasons=tuple(spam_reasons),
        network=network,
    )


def submitted(**changes):
    """A request that went the whole way into the database."""
    receipt = services.submit_consultation_request(submission(**changes))
    return ConsultationRequest.objects.get(reference=receipt.reference)


def form_data(client, about="", **answers):
    """What a browser posts after a person opened the form and gave the least it asks for, plus `answers`."""
    page = client.get("/consultation/", {"about": about} if about else {})
    least = {"name": "Sam Sample", "phone": "(703) 555-0163", "consent": "on", "on_behalf_of": "me", "best_time": "any"}
    if about:
        least["interest"] = about
    return hidden_values(page.content.decode()) | least | answers


def signed_draft(slug):
    """A page of the content, finished and signed, that nobody may read yet."""
    today = datetime.date.today()
    Physician.objects.update(is_sample=False)
    Testimonial.objects.update(is_published=False)
    Page.objects.filter(slug=slug).update(
        status="draft",
        status_es="draft",
        review_state="reviewed",
        review_state_es="reviewed",
        reviewed_by=Physician.objects.first(),
        reviewed_on=today,
        next_review_on=today + datetime.timedelta(days=180),
    )
    return Page.objects.get(slug=slug)


def kept_clinic(regions=("lumbar", "cervical"), signs=("bladder", "fever")):
    """The clinic's record as memory holds it while the database is away: with its lists, and never asked for again."""
    clinic = Clinic(pk=1, name="Sample Spine", phone="+17035550142", email="newpatients@clinic.example")
    clinic._state.adding = False
    clinic._prefetched_objects_cache = {
        "body_regions": [BodyRegion(key=key, name=key.title()) for key in regions],
        "warning_signs": [WarningSign(key=key, text=f"A sign: {key}") for key in signs],
    }
    return clinic
