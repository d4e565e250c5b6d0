"""What a feed reader can rely on: new and revised pages, in each language, and only what anyone may find."""

import datetime
from xml.etree import ElementTree

import pytest
from django.utils import timezone
from django.utils.translation import override

from clinic_site import site_record
from clinic_site.models import Clinic
from conditions import services
from conditions.models import SPANISH, Page, ReviewState, RevisionAction, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
ATOM = "{http://www.w3.org/2005/Atom}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
FEED = "/feed/"
SPANISH_FEED = "/es/novedades/"


def feed_of(client, path=FEED):
    return ElementTree.fromstring(client.get(path).content)


def entries_of(client, path=FEED):
    return {entry.find(f"{ATOM}link").get("href"): entry for entry in feed_of(client, path).iter(f"{ATOM}entry")}


@pytest.fixture
def kyphosis():
    """A page whose words changed last of all."""
    later = timezone.now() + datetime.timedelta(minutes=1)
    Page.objects.filter(slug="kyphosis").update(revised_at=later, revised_at_es=later)
    return Page.objects.get(slug="kyphosis")


@pytest.mark.parametrize(("path", "language"), [(FEED, "en"), (SPANISH_FEED, "es")])
def test_the_feed_is_atom_in_its_language_with_absolute_links(client, path, language):
    answer = client.get(path, headers={"Host": "testserver"})
    assert answer["Content-Type"].startswith("application/atom+xml")
    feed = feed_of(client, path)
    assert feed.get(XML_LANG) == language
    assert [link.get("href") for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"] == [f"http://testserver{path}"]
    for element in ("id", "title", "updated"):
        assert feed.findtext(f"{ATOM}{element}")
    for href, entry in entries_of(client, path).items():
        assert href.startswith("http://testserver/es/" if language == "es" else "http://testserver/")
        assert all(entry.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated", "published", "summary")), href
        assert client.get(href.removeprefix("http://testserver")).status_code == 200


def test_the_page_changed_last_comes_first(client, kyphosis):
    assert next(iter(entries_of(client))) == f"http://testserver{kyphosis.get_absolute_url()}"
    with override(SPANISH):
        assert next(iter(entries_of(client, SPANISH_FEED))) == f"http://testserver{kyphosis.get_absolute_url()}"


def test_saving_a_page_as_it_was_makes_no_news(client, kyphosis):
    before = client.get(FEED).content
    kyphosis.save()
    Clinic.bump_content_revision()
    site_record.forget()
    assert client.get(FEED).content == before


def test_new_words_in_one_language_are_news_in_that_language_alone():
    page = Page.objects.get(slug="kyphosis")
    english, spanish = page.revised_at, page.revised_at_es
    page.sections.filter(anchor="symptoms").update(body_es="<p>Palabras nuevas.</p>")
    services.record_revision(page, by=None, action=RevisionAction.SAVED)
    page.refresh_from_db()
    assert page.revised_at == english and page.revised_at_es > spanish


def test_a_change_that_no_reader_sees_is_no_news():
    page = Page.objects.get(slug="kyphosis")
    before = page.revised_at, page.revised_at_es
    page.search_terms, page.next_review_on = ["hump"], datetime.date(2030, 1, 1)
    page.save()
    services.record_revision(page, by=None, action=RevisionAction.SAVED)
    page.refresh_from_db()
    assert (page.revised_at, page.revised_at_es) == before


def test_a_page_in_spanish_alone_is_news_in_spanish_alone(client, kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(status=Status.DRAFT)
    assert any("cifosis" in href for href in entries_of(client, SPANISH_FEED))
    assert not any("kyphosis" in href for href in entries_of(client))


@pytest.mark.parametrize(
    "changes",
    [{"status": Status.DRAFT, "status_es": Status.DRAFT}, {"review_state": ReviewState.UNREVIEWED, "reviewed_by": None}],
    ids=["draft", "unreviewed"],
)
def test_what_search_engines_may_not_list_is_no_news(client, kyphosis, changes):
    Page.objects.filter(pk=kyphosis.pk).update(**changes)
    for path in (FEED, SPANISH_FEED):
        assert not any("kyphosis" in href or "cifosis" in href for href in entries_of(client, path))


def test_a_page_without_spanish_is_in_the_english_feed_alone(client, kyphosis):
    with override(SPANISH):
        spanish = kyphosis.get_absolute_url()
    Page.objects.filter(pk=kyphosis.pk).update(status_es=Status.DRAFT)
    assert f"http://testserver{spanish}" not in entries_of(client, SPANISH_FEED)
    assert "http://testserver/conditions/kyphosis/" in entries_of(client)


def test_an_entry_stays_the_same_when_its_page_moves(client, kyphosis):
    before = next(iter(entries_of(client).values())).findtext(f"{ATOM}id")
    kyphosis.slug = "rounded-back"
    kyphosis.save()
    Clinic.bump_content_revision()
    site_record.forget()
    entry = entries_of(client)["http://testserver/conditions/rounded-back/"]
    assert entry.findtext(f"{ATOM}id") == before


def test_every_page_names_the_feed_of_its_language(client):
    assert b'<link rel="alternate" type="application/atom+xml" href="/feed/"' in client.get("/conditions/kyphosis/").content
    assert b'<link rel="alternate" type="application/atom+xml" href="/es/novedades/"' in client.get("/es/").content
    assert b'<a href="/feed/"' in client.get("/").content


def test_the_feed_comes_from_memory(client, django_assert_num_queries):
    first = client.get(FEED)
    with django_assert_num_queries(0):
        assert client.get(FEED).content == first.content
