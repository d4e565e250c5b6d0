"""What machines can rely on: every page says what it is about in the words of schema.org, and in no other."""

import datetime
import json
import re

import html5lib
import pytest
from django.urls import reverse
from django.utils.translation import override

from clinic_site import site_record
from clinic_site.models import Clinic
from conditions.models import SPANISH, Page, Physician, ReviewState
from tests import schemaorg

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
LISTS = ("home", "procedure_index", "condition_index", "symptom_index", "guide_index", "physician_index", "glossary", "search")


def graphs_of(client, path):
    scripts = re.findall(r'<script type="application/ld\+json">(.*?)</script>', client.get(path).content.decode(), re.S)
    return [graph for text in scripts for graph in json.loads(text)["@graph"]]


def one(graphs, kind):
    [found] = [graph for graph in graphs if kind in schemaorg.types_of(graph)]
    return found


@pytest.fixture
def real_people():
    """A clinic that is no sample, whose physician has signed every page, so that machines are told of people too."""
    Physician.objects.update(is_sample=False)
    Page.objects.filter(review_state=ReviewState.SAMPLE).update(review_state=ReviewState.REVIEWED)
    Clinic.objects.update(is_sample=False)
    Clinic.bump_content_revision()
    site_record.forget()


@pytest.fixture
def paths(real_people):
    """Every public page, in both languages."""
    found = []
    for language in ("en", SPANISH):
        with override(language):
            found += [reverse(f"conditions:{name}") for name in LISTS] + [reverse("conditions:search") + "?q=fusion"]
            found += [page.get_absolute_url() for page in Page.objects.published()]
            found += [physician.get_absolute_url() for physician in Physician.objects.filter(is_published=True)]
    return found


@pytest.mark.once
def test_every_type_property_and_value_is_one_of_schema_org(client, paths):
    graphs = {path: graphs_of(client, path) for path in paths}
    known = {key: types for found in graphs.values() for key, types in schemaorg.ids_in(found).items()}
    known |= {f"http://testserver{path}": ["WebPage"] for path in paths if f"http://testserver{path}" not in known}
    failures = {path: found for path in paths if (found := schemaorg.problems(graphs[path], known))}
    assert not failures, json.dumps(failures, indent=1)[:6000]
    assert len([path for path in paths if graphs[path]]) > 90


@pytest.mark.parametrize(
    ("graph", "complaint"),
    [
        ({"@type": "Cure"}, "no type Cure"),
        ({"@type": "MedicalSymptom", "cause": {"@type": "MedicalCause"}}, "no property cause"),
        ({"@type": "MedicalCondition", "howPerformed": "Slowly"}, "howPerformed is for MedicalProcedure"),
        ({"@type": "Physician", "medicalSpecialty": "Spine surgeon"}, "none of MedicalSpecialty"),
        ({"@type": "Physician", "medicalSpecialty": "https://schema.org/Monday"}, "none of MedicalSpecialty"),
        ({"@type": "MedicalWebPage", "lastReviewed": "yesterday"}, "none of Date"),
        ({"@type": "MedicalWebPage", "about": {"@id": "http://testserver/nowhere"}}, "none of Thing"),
        ({"@type": "MedicalSymptom", "@reverse": {"signOrSymptom": [{"@type": "Physician"}]}}, "signOrSymptom is for"),
    ],
)
def test_the_check_sees_what_is_not_in_the_vocabulary(graph, complaint):
    [found] = schemaorg.problems([graph], {})
    assert complaint in found


def test_a_symptom_names_the_conditions_behind_it(client):
    symptom = one(graphs_of(client, "/symptoms/low-back-pain/"), "MedicalSymptom")
    assert {"@type": "MedicalCondition"}.items() <= symptom["@reverse"]["signOrSymptom"][0].items()


@pytest.mark.parametrize("kind", ["condition", "procedure", "symptom"])
def test_a_page_whose_type_nobody_chose_is_about_what_its_kind_is_about(client, kind):
    page = Page.objects.filter(kind=kind, status="published").first()
    chosen = Page._meta.get_field("schema_type").default
    Page.objects.filter(pk=page.pk).update(schema_type=chosen)
    [about] = [graph for graph in graphs_of(client, page.get_absolute_url()) if graph.get("@id", "").endswith("#about")]
    assert schemaorg.problems([about], {}) == []
    assert about["@type"] == {"condition": "MedicalCondition", "procedure": "MedicalProcedure"}.get(kind, "MedicalSignOrSymptom")


def test_the_glossary_is_a_set_of_terms_each_at_its_place(client):
    terms = one(graphs_of(client, "/glossary/"), "DefinedTermSet")["hasDefinedTerm"]
    assert {"@type", "@id", "name", "description"} <= set(terms[0])
    assert terms[0]["@id"].startswith("http://testserver/glossary/#")


def test_a_real_physician_is_named_with_languages_and_whether_new_patients_are_taken(client, real_people):
    physician = one(graphs_of(client, "/physicians/sample-surgeon-a/"), "Physician")
    assert physician["knowsLanguage"] and physician["isAcceptingNewPatients"] in (True, False)
    page = one(graphs_of(client, "/conditions/kyphosis/"), "MedicalWebPage")
    assert page["reviewedBy"]["@type"] == "Physician" and page["lastReviewed"]


@pytest.mark.parametrize(
    ("path", "question"),
    [
        ("/procedures/spinal-fusion/", "Can I still bend after a fusion?"),
        ("/es/procedimientos/fusion-vertebral/", "¿Podré doblarme después de una fusión?"),
    ],
)
def test_questions_of_a_page_are_told_with_the_answers_that_readers_see(client, path, question):
    html = client.get(path).content.decode()
    page = one(graphs_of(client, path), "FAQPage")
    asked = {entry["name"]: entry["acceptedAnswer"]["text"] for entry in page["mainEntity"]}
    assert 4 <= len(asked) <= 6 and question in asked
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    headings = {" ".join("".join(heading.itertext()).split()) for heading in tree.iter("h3")}
    assert set(asked) <= headings
    shown = " ".join("".join(tree.itertext()).split())
    for answer in asked.values():
        assert answer.split(". ")[0] in shown and "[" not in answer


def test_a_page_without_questions_is_no_page_of_questions(client):
    for graph in graphs_of(client, "/conditions/kyphosis/"):
        assert "FAQPage" not in schemaorg.types_of(graph)


def test_a_page_changed_late_in_the_evening_is_as_new_to_machines_as_to_readers(client):
    late = datetime.datetime(2026, 3, 10, 2, 30, tzinfo=datetime.UTC)
    Page.objects.filter(slug="kyphosis").update(revised_at=late)
    assert one(graphs_of(client, "/conditions/kyphosis/"), "MedicalWebPage")["dateModified"] == "2026-03-09"


def test_an_address_names_a_state_only_where_there_is_one(client, real_people):
    assert one(graphs_of(client, "/"), "MedicalClinic")["address"]["addressRegion"] == "VA"
    Clinic.objects.update(state="")
    Clinic.bump_content_revision()
    site_record.forget()
    address = one(graphs_of(client, "/"), "MedicalClinic")["address"]
    assert "addressRegion" not in address and address["postalCode"]
