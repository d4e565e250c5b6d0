"""What editors can rely on: every version of a page is kept, and any of them can be had back."""

import pytest

from conditions import services
from conditions.content_pack import load_pack
from conditions.content_pack.states import page_state
from conditions.differences import differences
from conditions.models import FormerAddress, Page, PageLink, RevisionAction, Section, Status
from tests.conditions.test_content_pack import PAGE, SPANISH
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]


@pytest.fixture
def osteotomy():
    """The page with most to it: figures, links, tables, Spanish."""
    return Page.objects.get(slug="spinal-osteotomy")


@pytest.fixture
def ada():
    return UserFactory(username="ada", first_name="Ada", last_name="Sample")


def rewrite(page, **words):
    Section.objects.filter(page=page, anchor="risks").update(**words)


def saved(page, by):
    return services.record_revision(page, by=by, action=RevisionAction.SAVED)


def test_a_loaded_page_starts_its_history(osteotomy):
    (revision,) = osteotomy.revisions.all()
    assert (revision.action, revision.made_by, revision.data["page"]["slug"]) == ("loaded", None, "spinal-osteotomy")


def test_a_change_is_kept_once_and_with_its_author(osteotomy, ada):
    rewrite(osteotomy, body_en="<p>New words.</p>")
    first = saved(osteotomy, ada)
    assert saved(osteotomy, ada) == first
    assert osteotomy.revisions.count() == 2
    assert (first.made_by, first.author) == (ada, "Ada Sample")


def test_the_name_of_an_author_outlives_the_account(osteotomy, ada):
    rewrite(osteotomy, body_en="<p>New words.</p>")
    revision = saved(osteotomy, ada)
    ada.delete()
    revision.refresh_from_db()
    assert (revision.made_by, revision.author) == (None, "Ada Sample")


@pytest.mark.parametrize(
    "slug", ["spinal-osteotomy", "first-consultation", "spinal-deformity-packet", "sciatica-radiculopathy", "privacy"]
)
def test_a_restored_page_is_in_everything_what_it_was(slug, ada):
    page = Page.objects.get(slug=slug)
    before = page_state(page)
    first = page.revisions.get()
    page.sections.first().delete()
    page.sections.update(body_en="<p>Gone.</p>", body_es="", heading_es="", level=2)
    page.figures.all().delete()
    page.links_out.all().delete()
    page.title_en, page.slug, page.slug_es, page.alternate_names_es = "Other", "other-address", "", []
    page.save()
    services.restore(first, by=ada)
    after = page_state(page)
    # The address it had meanwhile was public, and goes on leading to it.
    assert after["page"].pop("former_slugs") == ["other-address"]
    assert after == before


def test_a_restore_keeps_what_a_page_could_not_say_yet_when_the_version_was_kept(osteotomy, ada):
    first = osteotomy.revisions.get()
    first.data["known_keys"]["page"].remove("pronunciation")
    del first.data["page"]["pronunciation"]
    first.save()
    rewrite(osteotomy, body_en="<p>New words.</p>")
    services.restore(first, by=ada)
    osteotomy.refresh_from_db()
    assert osteotomy.pronunciation
    assert "New words." not in str(page_state(osteotomy))


def test_a_version_from_before_versions_noted_what_a_page_can_say_is_restored_too(osteotomy, ada):
    first = osteotomy.revisions.get()
    del first.data["known_keys"], first.data["page"]["pronunciation"]
    first.save()
    services.restore(first, by=ada)
    osteotomy.refresh_from_db()
    assert osteotomy.pronunciation


def test_a_restore_empties_what_was_empty(ada):
    page = Page.objects.get(slug="privacy")
    first = page.revisions.get()
    Page.objects.filter(pk=page.pk).update(pronunciation="PRY-vuh-see")
    services.restore(first, by=ada)
    page.refresh_from_db()
    assert not page.pronunciation


def test_a_restore_loses_nothing_of_the_present(osteotomy, ada):
    first = osteotomy.revisions.get()
    rewrite(osteotomy, body_en="<p>Not in any revision yet.</p>")
    restored = services.restore(first, by=ada)
    newest, found, oldest = osteotomy.revisions.all()
    assert (newest, oldest) == (restored, first)
    assert (newest.action, newest.digest) == ("restored", oldest.digest)
    assert "Not in any revision yet." in str(found.data)


def test_a_restore_neither_publishes_nor_takes_off_the_site(osteotomy, ada):
    first = osteotomy.revisions.get()
    Page.objects.filter(pk=osteotomy.pk).update(status=Status.DRAFT, status_es=Status.DRAFT, title_en="Other")
    services.restore(first, by=ada)
    osteotomy.refresh_from_db()
    assert (osteotomy.status, osteotomy.status_es) == (Status.DRAFT, Status.DRAFT)
    assert osteotomy.title_en != "Other"


def test_a_restore_leaves_out_links_to_pages_that_are_gone_and_says_so(ada):
    page = Page.objects.get(slug="sciatica-radiculopathy")
    first = page.revisions.get()
    target = Page.objects.create(kind="guide", slug="short-lived", title_en="Short", name_en="Short")
    PageLink.objects.create(source=page, target=target, relation="read_next", position=9)
    page.sections.update(body_en="<p>Words that come back.</p>")
    with_link = saved(page, ada)
    services.restore(first, by=ada)
    target.delete()
    restored = services.restore(with_link, by=ada)
    assert "short-lived" in restored.comment
    assert restored.data["page"]["links"] == first.data["page"]["links"]
    assert restored.data["page"]["sections"] == with_link.data["page"]["sections"]


def test_a_restore_keeps_links_to_pages_that_moved_since(ada):
    page = Page.objects.get(slug="sciatica-radiculopathy")
    first = page.revisions.get()
    target = page.links_out.first().target
    target.slug = "another-name"
    target.save()
    page.links_out.all().delete()
    saved(page, ada)
    restored = services.restore(first, by=ada)
    assert "left out" not in restored.comment
    links = [link["to"] for link in first.data["page"]["links"]]
    assert [link["to"] for link in restored.data["page"]["links"]] == ["another-name", *links[1:]]


def test_a_restore_never_takes_the_address_of_another_page(osteotomy, ada):
    first = osteotomy.revisions.get()
    Page.objects.filter(pk=osteotomy.pk).update(slug="moved")
    other = Page.objects.create(kind="procedure", slug="spinal-osteotomy", title_en="Other", name_en="Other")
    count = osteotomy.revisions.count()
    with pytest.raises(services.CannotRestore, match="Address"):
        services.restore(first, by=ada)
    other.refresh_from_db()
    osteotomy.refresh_from_db()
    assert (other.title_en, osteotomy.slug, osteotomy.revisions.count()) == ("Other", "moved", count)


def test_loading_a_changed_file_is_in_the_history_and_loading_it_again_is_not(tmp_path):
    (tmp_path / "pages").mkdir()
    english = tmp_path / "pages" / "a-test-guide.en.md"
    english.write_text(PAGE)
    load_pack(tmp_path)
    page = Page.objects.get(slug="a-test-guide")
    (tmp_path / "pages" / "a-test-guide.es.md").write_text(SPANISH)
    load_pack(tmp_path)
    english.write_text(PAGE.replace("Plain words.", "Other words."))
    load_pack(tmp_path)
    load_pack(tmp_path)
    assert [revision.action for revision in page.revisions.all()] == ["loaded"] * 3
    bodies = [revision.data["page"]["sections"][0]["body"] for revision in page.revisions.all()]
    assert bodies == ["<p>Other words.</p>", "<p>Plain words.</p>", "<p>Plain words.</p>"]


def test_a_stage_and_a_former_address_that_are_taken_away_are_told_in_the_history(ada):
    page = Page.objects.get(slug="first-consultation")
    FormerAddress.objects.create(page=page, language="en", kind=page.kind, slug="new-patients")
    before = services.keep_present(page)
    page.former_addresses.all().delete()
    Page.objects.filter(pk=page.pk).update(stage_en="", stage_es="")
    after = saved(page, ada)
    told = {
        (part.language, change.label): (change.before, change.after)
        for part in differences(before.data, after.data)
        for change in part.items
    }
    assert told[("en", "Stage")] == ("Finding out and deciding", None)
    assert told[("es", "Stage")] == ("Informarse y decidir", None)
    assert told[("", "Former addresses")] == (["new-patients"], [])
