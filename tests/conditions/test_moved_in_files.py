"""A page gets another address in its files: it moves, whoever edited it, and what once led to it still does."""

import pytest

from conditions.content_pack import PackError, export_pack, load_pack
from conditions.models import FormerAddress, Page, Section
from tests.conditions.test_content_pack import PAGE, SPANISH, pack, rewrite  # noqa: F401

pytestmark = pytest.mark.django_db
OLD, NEW = "a-test-guide", "a-better-name"


def write(folder, slug, english, spanish=""):
    for language, text in (("en", english), ("es", spanish)):
        if text:
            (folder / "pages" / f"{slug}.{language}.md").write_text(text)


def move(folder, old=OLD, new=NEW):
    """Renames both files of a page and what they call it."""
    for language in ("en", "es"):
        path = folder / "pages" / f"{old}.{language}.md"
        if path.exists():
            text = path.read_text().replace(f"slug: {old}\n", f"slug: {new}\n")
            if language == "en":
                text = text.replace("title:", f"former_slugs: [{old}]\ntitle:", 1)
            (folder / "pages" / f"{new}.{language}.md").write_text(text)
            path.unlink()


def leads_to(client, path, target):
    answer = client.get(path)
    return (answer.status_code, answer.headers.get("Location")) == (301, target)


@pytest.fixture
def loaded(pack):  # noqa: F811
    """A page in two languages, loaded, and another that links to it."""
    write(pack, OLD, PAGE, SPANISH)
    write(
        pack, "z-other", PAGE.replace(OLD, "z-other").replace("status:", f"links:\n- {{relation: read_next, to: {OLD}}}\nstatus:")
    )
    load_pack(pack)
    return pack


def test_a_page_under_a_new_name_in_its_files_is_the_same_page(loaded, client):
    pk = Page.objects.get(slug=OLD).pk
    move(loaded)
    other = loaded / "pages" / "z-other.en.md"
    other.write_text(other.read_text().replace(f"to: {OLD}", f"to: {NEW}").replace("Plain words.", "Other words."))
    report = load_pack(loaded)
    assert report.moved == [f"page:{OLD} to page:{NEW}"] and not report.kept and not report.added
    assert Page.objects.get(slug=NEW).pk == pk
    assert leads_to(client, f"/guides/{OLD}/", f"/guides/{NEW}/")
    assert "Other words." in Section.objects.get(page__slug="z-other", anchor="first").body_en
    again = load_pack(loaded)
    assert not again.moved and not again.updated and not again.kept


def test_words_that_staff_edited_move_with_the_page(loaded, client):
    Section.objects.filter(page__slug=OLD, anchor="first").update(body_en="<p>Staff words.</p>")
    move(loaded)
    report = load_pack(loaded)
    assert f"page:{NEW}" in report.kept
    assert Section.objects.get(page__slug=NEW, anchor="first").body_en == "<p>Staff words.</p>"
    assert leads_to(client, f"/guides/{OLD}/", f"/guides/{NEW}/")


def test_a_page_that_staff_moved_is_kept_where_they_put_it(loaded):
    page = Page.objects.get(slug=OLD)
    page.slug = "as-staff-call-it"
    page.save()
    rewrite(loaded, "Plain words.", "File words.")
    report = load_pack(loaded)
    assert set(report.kept) >= {f"page:{OLD}", f"spanish:{OLD}"} and not report.added
    assert not Page.objects.filter(slug=OLD).exists()


def test_former_addresses_of_both_languages_and_other_kinds_are_loaded_and_written_again(pack, client, tmp_path):  # noqa: F811
    english = PAGE.replace("title:", "former_slugs: [notice/older, old]\ntitle:", 1)
    write(pack, OLD, english, SPANISH.replace("title:", "former_slugs: [guia-vieja]\ntitle:", 1))
    load_pack(pack)
    assert leads_to(client, "/guides/old/", f"/guides/{OLD}/")
    assert leads_to(client, "/older/", f"/guides/{OLD}/")
    assert leads_to(client, "/es/guias/guia-vieja/", "/es/guias/una-guia/")
    export_pack(tmp_path / "out")
    assert "former_slugs: [notice/older, old]\n" in (tmp_path / "out" / "pages" / f"{OLD}.en.md").read_text()
    assert "former_slugs: [guia-vieja]\n" in (tmp_path / "out" / "pages" / f"{OLD}.es.md").read_text()


def test_a_former_address_can_be_added_to_a_page_that_is_loaded_and_is_never_taken_away(loaded, client):
    added = rewrite(loaded, "title:", "former_slugs: [old]\ntitle:")
    assert load_pack(loaded).updated == [f"page:{OLD}"]
    added.write_text(PAGE)
    assert not load_pack(loaded).kept
    assert leads_to(client, "/guides/old/", f"/guides/{OLD}/")


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        ("former_slugs: old", "must be a list"),
        ("former_slugs: [Not an address]", "takes addresses like"),
        ("former_slugs: [recipe/old]", "takes addresses like"),
        (f"former_slugs: [{OLD}]", "where the page stands now"),
        ("former_slugs: [z-other]", "where another page of this pack stands"),
        ("former_slugs: [claimed]", "z-other.en.md, line 4: .* as does a-test-guide.en.md"),
    ],
)
def test_a_former_address_that_cannot_be_one_is_refused_with_its_line(loaded, entry, cause):
    other = loaded / "pages" / "z-other.en.md"
    other.write_text(other.read_text().replace("title:", "former_slugs: [claimed]\ntitle:", 1))
    path = rewrite(loaded, "title:", f"{entry}\ntitle:")
    with pytest.raises(PackError, match=cause) as caught:
        load_pack(loaded)
    assert "line 4: " in str(caught.value) and str(path.parent) in str(caught.value)
    assert not FormerAddress.objects.exists()


@pytest.mark.parametrize(("kind", "slug"), [("procedure", "compare"), ("notice", "search")])
def test_an_address_of_the_site_itself_is_refused_with_file_and_line(pack, kind, slug):  # noqa: F811
    write(pack, slug, PAGE.replace("kind: guide", f"kind: {kind}").replace(OLD, slug))
    with pytest.raises(PackError, match=rf"{slug}.en.md, line 3: slug: The site itself has something at this address"):
        load_pack(pack)


def test_an_address_of_the_site_itself_is_refused_in_spanish_too(pack):  # noqa: F811
    write(pack, OLD, PAGE.replace("kind: guide", "kind: procedure"), SPANISH.replace("una-guia", "comparar"))
    with pytest.raises(PackError, match=r"es.md, line 3: slug_es: The site itself has something at this address"):
        load_pack(pack)
