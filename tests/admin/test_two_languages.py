"""What editors can rely on while they write in two languages: each field says which, and nothing pretends to be up to date."""

import pytest

from clinic_site import staff_groups
from conditions.content_pack import is_behind_english
from conditions.models import Page
from tests.admin.addresses import text_of
from tests.admin.conftest import member, signed_in
from tests.admin.forms import form_values
from tests.admin.test_history import address, anchors, index_of, opened, send, whole_page  # noqa: F401
from tests.reading import tree_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]


@pytest.fixture
def page(whole_page):  # noqa: F811
    return whole_page


@pytest.fixture
def ada(db):
    return signed_in(member(staff_groups.EDITORS, username="ada"))


def section_marks(response):
    """What the form says of each section's Spanish, by anchor."""
    tree = tree_of(response)
    marks = {}
    for row in tree.iter("div"):
        if (row.get("id") or "").startswith("sections-") and "inline-related" in (row.get("class") or ""):
            anchor = next(field.get("value", "") for field in row.iter("input") if (field.get("name") or "").endswith("-anchor"))
            chips = ["".join(chip.itertext()) for chip in row.iter("span") if "chip" in (chip.get("class") or "").split()]
            marks[anchor] = chips[0] if chips else ""
    return marks


def test_every_field_for_words_says_its_language_to_machines_and_in_its_label(ada, page):
    tree = tree_of(ada.get(address(page)))
    labels = {label.get("for"): "".join(label.itertext()).strip() for label in tree.iter("label")}
    seen = 0
    for field in tree.iter():
        name = field.get("name") or ""
        if field.tag in ("input", "textarea") and name.endswith(("_en", "_es")) and field.get("lang"):
            language = name[-2:]
            assert field.get("lang") == language
            assert {"en": "(English)", "es": "(Spanish)"}[language] in labels[field.get("id")]
            seen += 1
    assert seen > 4 * page.sections.count()


def test_lists_are_typed_one_entry_a_line(ada, page):
    values = opened(ada, page)
    assert values["alternate_names_en"].splitlines() == page.alternate_names_en
    assert values["codes"].splitlines() == page.codes["icd10cm"]
    changes = {"alternate_names_en": " Slipped disk \r\n\r\nPinched nerve", "search_terms_es": "", "codes": "m54.3\nM54.16"}
    assert send(ada, page, values, **changes).status_code == 302
    page.refresh_from_db()
    assert page.alternate_names_en == ["Slipped disk", "Pinched nerve"]
    assert page.search_terms_es == []
    assert page.codes == {"icd10cm": ["M54.3", "M54.16"]}


def test_a_section_whose_english_changed_is_marked_until_an_editor_says_that_the_spanish_matches(ada, page):
    anchor = anchors(page)[2]
    values = opened(ada, page)
    send(ada, page, values, **{f"sections-{index_of(values, anchor)}-body_en": "<p>Other words.</p>"})
    response = ada.get(address(page))
    assert "The English changed since it was made" in text_of(response)
    assert [key for key, mark in section_marks(response).items() if mark == "English changed since"] == [anchor]
    values = form_values(response)
    changes = {f"sections-{index_of(values, anchor)}-body_es": "<p>Otras palabras.</p>"}
    send(ada, page, values, **changes)
    page = Page.objects.get(pk=page.pk)
    assert is_behind_english(page)
    send(ada, page, opened(ada, page), spanish_matches="on")
    page = Page.objects.get(pk=page.pk)
    assert not is_behind_english(page)
    response = ada.get(address(page))
    assert "Made from this English" in text_of(response)
    assert "English changed since" not in section_marks(response).values()
    assert "Marked as saying the same." in text_of(ada.get(address(page, f"history/{page.revisions.first().pk}/")))


def test_a_section_without_spanish_is_marked(ada, page):
    anchor = anchors(page)[2]
    values = opened(ada, page)
    send(ada, page, values, **{f"sections-{index_of(values, anchor)}-body_es": ""})
    assert section_marks(ada.get(address(page)))[anchor] == "Missing"


def test_spanish_that_is_just_begun_is_made_from_the_english_of_that_day(ada):
    new = Page.objects.create(kind="condition", slug="a-new-one", title_en="A new one", name_en="New one")
    assert "Not begun" in text_of(ada.get(address(new)))
    send(ada, new, opened(ada, new), slug_es="una-nueva", title_es="Una nueva", name_es="Nueva")
    new = Page.objects.get(pk=new.pk)
    assert new.english_digest and not is_behind_english(new)
    send(ada, new, opened(ada, new), title_en="Another title")
    assert is_behind_english(Page.objects.get(pk=new.pk))


def test_text_that_is_written_in_both_languages_at_once_matches_and_a_later_edit_does_not(ada):
    new = Page.objects.create(kind="condition", slug="a-new-one", title_en="A new one", name_en="New one")
    send(ada, new, opened(ada, new), slug_es="una-nueva", title_es="Una nueva", name_es="Nueva")
    section = {"position": "", "level": "2", "kind": "prose", "anchor": "what-it-is"}
    texts = {"heading_en": "What it is", "heading_es": "Qué es", "body_en": "<p>Words.</p>", "body_es": "<p>Palabras.</p>"}
    changes = {f"sections-0-{name}": value for name, value in (section | texts).items()} | {"sections-TOTAL_FORMS": "1"}
    assert send(ada, new, opened(ada, new), **changes).status_code == 302
    assert not is_behind_english(Page.objects.get(pk=new.pk))
    changes = {"sections-0-body_en": "<p>Other words.</p>", "sections-0-body_es": "<p>Otras palabras.</p>"}
    assert send(ada, new, opened(ada, new), **changes).status_code == 302
    assert is_behind_english(Page.objects.get(pk=new.pk))


def test_english_alone_leaves_the_spanish_behind(ada):
    new = Page.objects.create(kind="condition", slug="a-new-one", title_en="A new one", name_en="New one")
    send(ada, new, opened(ada, new), slug_es="una-nueva", title_es="Una nueva", name_es="Nueva")
    assert send(ada, new, opened(ada, new), summary_en="A summary.").status_code == 302
    assert is_behind_english(Page.objects.get(pk=new.pk))


def test_a_new_section_without_a_number_goes_to_the_end(ada, page):
    before = anchors(page)
    values = opened(ada, page)
    total = int(values["sections-TOTAL_FORMS"])
    new = {"position": "", "level": "2", "kind": "prose", "heading_en": "Last words", "anchor": "last-words", "body_en": ""}
    changes = {f"sections-{total}-{name}": value for name, value in new.items()} | {"sections-TOTAL_FORMS": str(total + 1)}
    assert send(ada, page, values, **changes).status_code == 302
    assert anchors(page) == [*before, "last-words"]
