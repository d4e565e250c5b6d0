"""Two people who have the same record open never undo each other's work unseen. Pages have more: see test_history.py."""

import pytest

from clinic_site.models import Clinic
from conditions.models import GlossaryTerm, Physician, PhysicianHours, Testimonial
from tests.admin.forms import form_values

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
REFUSED = "somebody else changed this while you had it open"


def address(row):
    return f"/admin/{row._meta.label_lower.replace('.', '/')}/{row.pk}/change/"


def test_a_withdrawal_is_not_undone_by_a_colleague_who_had_the_form_open(admin_client):
    quote = Testimonial.objects.shown().first()
    opened = form_values(admin_client.get(address(quote)))
    admin_client.post(address(quote), opened | {"consent_withdrawn_on": "2026-11-25"})
    answer = admin_client.post(address(quote), opened | {"descriptor_en": "Gardener, typed"})
    page = answer.content.decode()
    assert page.count(REFUSED) == 1 and "Gardener, typed" in page and "<title>Error: " in page and "errornote" not in page
    assert not Testimonial.objects.shown().filter(pk=quote.pk).exists()
    # Whoever has looked, and saves again, has decided.
    assert admin_client.post(address(quote), form_values(answer)).status_code == 302
    assert Testimonial.objects.get(pk=quote.pk).descriptor_en == "Gardener, typed"


@pytest.mark.parametrize(("model", "theirs"), [(Clinic, {"phone": "+17035550199"}), (GlossaryTerm, {"definition_en": "Theirs."})])
def test_the_first_of_two_saves_stands(admin_client, model, theirs):
    row = model.objects.first()
    opened = form_values(admin_client.get(address(row)))
    assert admin_client.post(address(row), opened | theirs).status_code == 302
    assert REFUSED in admin_client.post(address(row), opened).content.decode()
    row.refresh_from_db()
    assert {name: getattr(row, name) for name in theirs} == theirs


def test_hours_and_links_that_a_colleague_changed_count_too(admin_client):
    doctor = Physician.objects.get(slug="sample-surgeon-a")
    opened = form_values(admin_client.get(address(doctor)))
    PhysicianHours.objects.filter(physician=doctor).first().delete()
    assert REFUSED in admin_client.post(address(doctor), opened).content.decode()
    opened = form_values(admin_client.get(address(doctor)))
    doctor.interests.remove(doctor.interests.first())
    assert REFUSED in admin_client.post(address(doctor), opened).content.decode()


def test_who_saves_twice_in_a_row_is_not_held_up(admin_client):
    term = GlossaryTerm.objects.first()
    for _ in range(2):
        assert admin_client.post(address(term), form_values(admin_client.get(address(term)))).status_code == 302


@pytest.mark.parametrize("pk", ["abc", "4" * 30, "__7"])
@pytest.mark.parametrize("model", [Clinic, GlossaryTerm])
def test_an_address_of_no_record_leads_back_with_a_word_about_it(admin_client, model, pk):
    answer = admin_client.get(f"/admin/{model._meta.label_lower.replace('.', '/')}/{pk}/change/", follow=True)
    assert answer.status_code == 200 and "Perhaps it was deleted" in answer.content.decode()
