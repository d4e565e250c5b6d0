"""A doctor's profile is filled in as text, row by row, in both languages, without a script."""

import pytest
from django.contrib import admin
from django.forms import JSONField
from django.test import RequestFactory

from conditions.models import Physician
from tests.admin.addresses import text_of
from tests.admin.forms import form_values
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
NEW = {"what": "Fellowship, invented", "where": "Sample Hospital", "year": "2009"}


@pytest.fixture
def surgeon():
    return Physician.objects.get(slug="sample-surgeon-a")


@pytest.fixture
def save(editor, surgeon):
    """Changes fields of the profile in its form."""
    address = f"/admin/conditions/physician/{surgeon.pk}/change/"

    def act(**changes):
        answer = editor.post(address, form_values(editor.get(address)) | changes)
        surgeon.refresh_from_db()
        return answer

    return act


def row(language, number, **step):
    return {f"training_{language}-{number}-{part}": text for part, text in step.items()}


def test_saving_a_profile_as_it_is_changes_no_training(save, surgeon):
    before = surgeon.training_en, surgeon.training_es
    assert len(before[0]) == 3
    assert save().status_code == 302
    assert (surgeon.training_en, surgeon.training_es) == before


def test_training_is_added_above_and_below_in_each_language(save, surgeon, client):
    english, spanish = surgeon.training_en, surgeon.training_es
    save(**row("en", 0, **NEW), **row("es", 4, **NEW | {"what": "Especialidad inventada", "year": ""}))
    assert surgeon.training_en == [NEW, *english]
    assert surgeon.training_es == [*spanish, {"what": "Especialidad inventada", "where": "Sample Hospital"}]
    Physician.objects.filter(pk=surgeon.pk).update(is_published=True)
    assert "Fellowship, invented Sample Hospital, 2009" in text_of(client.get(surgeon.get_absolute_url()))


def test_training_is_taken_away_by_emptying_or_ticking_its_row(save, surgeon):
    kept = surgeon.training_en[2]
    save(**row("en", 1, what="", where="", year=""), **{"training_en-2-remove": "on"})
    assert surgeon.training_en == [kept]


@pytest.mark.parametrize("step", [{"what": "Only what"}, {"year": "2009"}])
def test_half_a_row_is_refused_beside_the_table_and_everything_typed_comes_back(save, surgeon, step):
    before = surgeon.training_en
    answer = save(**row("en", 0, **step), name="Another name")
    typed = next(iter(step.values()))
    assert list(answer.context_data["adminform"].form.errors) == ["training_en"]
    assert f"“{typed}”: say both what and where." in text_of(answer)
    values = form_values(answer)
    assert values[f"training_en-1-{next(iter(step))}"] == typed and values["name"] == "Another name"
    assert surgeon.training_en == before


@pytest.mark.parametrize("stored", [None, ["words"]])
def test_a_profile_without_training_gets_blank_rows(save, surgeon, stored):
    Physician.objects.filter(pk=surgeon.pk).update(training_en=stored)
    assert save(**row("en", 2, **NEW)).status_code == 302
    assert surgeon.training_en == [NEW]


def test_no_form_of_the_staff_asks_for_code():
    """The box that Django gives a JSON field is in no form of pages, people or the clinic."""
    request = RequestFactory().get("/")
    request.user = UserFactory(is_superuser=True)
    shown = [held for model, held in admin.site._registry.items() if model._meta.app_label in ("conditions", "clinic_site")]
    fields = []
    for held in (held for held in shown if held.has_change_permission(request)):
        inlines = [inline.get_formset(request).form for inline in held.get_inline_instances(request)]
        fields += [field for form in (held.get_form(request), *inlines) for field in form.base_fields.values()]
    assert len(fields) > 100
    assert not [field.label for field in fields if isinstance(field, JSONField)]
