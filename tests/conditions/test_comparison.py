"""Procedures side by side: the same facts in the same order, shareable, and clear about what cannot be shown."""

import pytest

from conditions.addresses import public_paths
from conditions.models import Page, ProcedureFacts
from tests.reading import text_of, tree_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]

COMPARE = "/procedures/compare/"
TWO = {"with": ["spinal-osteotomy", "spinal-fusion"]}


def test_two_procedures_stand_side_by_side_with_heads_for_rows_and_columns(client):
    response = client.get(COMPARE, TWO)
    [table] = tree_of(response).iter("table")
    columns = [text_of(th) for th in table.iter("th") if th.get("scope") == "col"]
    rows = [text_of(th) for th in table.iter("th") if th.get("scope") == "row"]
    assert columns == ["Spinal osteotomy", "Spinal fusion"]
    assert rows[:6] == ["What it does", "Anesthesia", "Cuts", "Hospital stay", "Recovery", "Main risks"]
    assert "70 out of 100 had at least one problem" in text_of(table)
    assert "Sample review" in text_of(table)
    # On phones the heads of the columns are not seen: a link in them would take the focus out of sight.
    assert not [a for th in table.iter("th") for a in th.iter("a")]


def test_every_number_in_the_table_leads_to_its_source(client):
    tree = tree_of(client.get(COMPARE, TWO))
    ids = {element.get("id") for element in tree.iter()}
    cited = [a.get("href")[1:] for a in tree.iter("a") if a.get("class") == "cite"]
    assert cited and set(cited) <= ids


def test_no_two_sources_have_links_of_one_name(client):
    tree = tree_of(client.get(COMPARE, {"with": ["spinal-osteotomy", "disc-replacement"]}))
    sources = [a for a in tree.iter("a") if a.get("rel") == "external"]
    names = [a.get("aria-label") for a in sources]
    assert len(names) > 4 and len(set(names)) == len(names) > len({text_of(a) for a in sources})
    assert all(a.get("aria-label").startswith(text_of(a)) for a in sources)


def test_a_comparison_in_spanish_is_the_same_one(client):
    english = tree_of(client.get(COMPARE, TWO))
    [address] = [a.get("href") for a in english.iter("a") if a.get("hreflang") == "es"]
    assert address.startswith("/es/procedimientos/comparar/?")
    spanish = tree_of(client.get(address))
    columns = [text_of(th) for th in spanish.iter("th") if th.get("scope") == "col"]
    assert columns == ["Osteotomía vertebral", "Fusión vertebral"]
    assert "70 de cada 100" in text_of(spanish)


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ([], 200, "Choose two or three"),
        (["spinal-fusion"], 200, "Choose at least one more"),
        (["spinal-fusion", "spinal-fusion"], 200, "Choose at least one more"),
        (["spinal-fusion", "no-such-thing"], 422, "not on this site"),
        (["spinal-fusion", "kyphosis"], 422, "not on this site"),
        (['"><script>alert(1)</script>', "\0"], 422, "not on this site"),
        (["spinal-fusion", "spinal-osteotomy", "microdiscectomy", "disc-replacement"], 422, "more than 3"),
    ],
)
def test_what_cannot_be_shown_is_said_and_the_choice_is_kept(client, asked, status, words):
    response = client.get(COMPARE, {"with": asked})
    tree = tree_of(response)
    assert response.status_code == status and words in text_of(tree) and not list(tree.iter("table"))
    kept = {box.get("value") for box in tree.iter("input") if box.get("name") == "with" and "checked" in box.attrib}
    assert kept == set(asked) & set(ProcedureFacts.objects.values_list("page__slug", flat=True))
    assert b"<script>alert" not in response.content


def test_only_the_choice_itself_is_for_search_engines(client):
    assert b"noindex" in client.get(COMPARE, TWO).content
    from clinic_site import site_record
    from clinic_site.models import Clinic

    Clinic.objects.update(is_sample=False)
    site_record.forget()
    assert b"noindex" not in client.get(COMPARE).content


def test_a_clinic_with_one_procedure_to_compare_has_no_such_page(client):
    assert COMPARE in public_paths()
    ProcedureFacts.objects.exclude(page__slug="spinal-osteotomy").delete()
    assert COMPARE not in public_paths()
    assert client.get(f"{COMPARE}?uncached=1").status_code == 404
    assert "/procedures/" in public_paths()


def test_a_draft_is_not_compared(client):
    Page.objects.filter(slug="spinal-fusion").update(status="draft")
    response = client.get(COMPARE, TWO)
    assert response.status_code == 422 and b"After fusion in the neck" not in response.content


def test_each_procedure_leads_to_itself_beside_others(client):
    for page in Page.objects.filter(kind="procedure"):
        tree = tree_of(client.get(page.get_absolute_url()))
        [address] = [a.get("href") for a in tree.iter("a") if (a.get("href") or "").startswith(COMPARE)]
        assert f"with={page.slug}" in address and 1 <= address.count("&with=") <= 2
        assert list(tree_of(client.get(address)).iter("table"))


def test_every_procedure_has_every_fact_in_both_languages():
    for page in Page.objects.filter(kind="procedure"):
        for language in ("en", "es"):
            assert all(getattr(page.facts, f"{name}_{language}") for name in ProcedureFacts.SHOWN), page.slug


def test_the_list_of_procedures_offers_the_choice_without_script(client):
    [form] = [form for form in tree_of(client.get("/procedures/")).iter("form") if form.get("action") == COMPARE]
    assert len([box for box in form.iter("input") if box.get("type") == "checkbox"]) == 12


def test_a_comparison_asks_the_database_little(client, django_assert_max_num_queries):
    client.get(COMPARE, TWO)
    with django_assert_max_num_queries(12):
        client.get(COMPARE, TWO)


def test_a_spanish_text_falls_behind_when_an_english_fact_changes():
    from conditions.content_pack import is_behind_english

    page = Page.objects.get(slug="spinal-fusion")
    assert not is_behind_english(page)
    page.facts.stay_en = "Two days. Your surgeon sets it."
    page.facts.save()
    assert is_behind_english(Page.objects.get(slug="spinal-fusion"))


def test_a_changed_fact_is_in_the_history_of_its_page_and_can_be_had_back():
    from conditions import services
    from conditions.differences import differences
    from conditions.models import RevisionAction

    page = Page.objects.get(slug="spinal-fusion")
    before = services.keep_present(page)
    told = page.facts.stay_en
    ProcedureFacts.objects.filter(page=page).update(stay_en="Two days. Your surgeon sets it.")
    after = services.record_revision(page, by=None, action=RevisionAction.SAVED)
    [change] = [change for part in differences(before.data, after.data) for change in part.items]
    assert "Facts to compare" in change.label and "hospital stay" in change.label
    services.restore(before, by=None)
    assert ProcedureFacts.objects.get(page=page).stay_en == told
