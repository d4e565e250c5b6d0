"""What search engines are told: every page that may be found, in both languages, with its true last change."""

import datetime
from xml.etree import ElementTree

import pytest
from django.utils import timezone
from django.utils.translation import override

from conditions.models import SPANISH, Page, Physician, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = "{http://www.w3.org/1999/xhtml}link"
HOST = "http://testserver"


def entries_of(client):
    tree = ElementTree.fromstring(client.get("/sitemap.xml").content)
    return {entry.findtext(f"{MAP}loc"): entry for entry in tree.iter(f"{MAP}url")}


def others_of(entry):
    return {link.get("hreflang"): link.get("href") for link in entry.iter(LINK)}


def test_each_page_is_listed_in_each_language_with_the_other_and_english_for_everyone_else(client):
    entries = entries_of(client)
    for page in Page.objects.indexable(timezone.localdate()):
        english = HOST + page.get_absolute_url()
        with override(SPANISH):
            spanish = HOST + page.get_absolute_url()
        assert others_of(entries[english]) == others_of(entries[spanish]) == {"en": english, "es": spanish, "x-default": english}


@pytest.mark.parametrize(
    ("english", "spanish"), [("/", "/es/"), ("/glossary/", "/es/glosario/"), ("/consultation/", "/es/consulta/")]
)
def test_lists_and_the_form_are_listed_in_both_languages_too(client, english, spanish):
    entries = entries_of(client)
    for path in (english, spanish):
        assert others_of(entries[HOST + path]) == {"en": HOST + english, "es": HOST + spanish, "x-default": HOST + english}


def test_every_address_in_the_sitemap_opens_and_names_itself_as_the_one_to_keep(client, read):
    for address in entries_of(client):
        html = read(address.removeprefix(HOST)).text
        assert f'<link rel="canonical" href="{address}">' in html, address


def test_a_page_without_spanish_is_listed_in_english_alone(client):
    Page.objects.filter(slug="kyphosis").update(status_es=Status.DRAFT)
    entry = entries_of(client)[f"{HOST}/conditions/kyphosis/"]
    assert set(others_of(entry)) == {"en", "x-default"}


def test_a_page_without_english_is_listed_in_spanish_alone(client):
    page = Page.objects.get(slug="kyphosis")
    Page.objects.filter(pk=page.pk).update(status=Status.DRAFT)
    with override(SPANISH):
        path = page.get_absolute_url()
    entries = entries_of(client)
    assert f"{HOST}/conditions/kyphosis/" not in entries
    assert set(others_of(entries[HOST + path])) == {"es"}


def test_the_last_change_is_that_of_the_words_in_the_language(client):
    changed = [datetime.datetime(2026, month, 5, 12, tzinfo=datetime.UTC) for month in (3, 7)]
    page = Page.objects.get(slug="kyphosis")
    Page.objects.filter(pk=page.pk).update(revised_at=changed[0], revised_at_es=changed[1])
    entries = entries_of(client)
    with override(SPANISH):
        spanish = page.get_absolute_url()
    assert entries[f"{HOST}/conditions/kyphosis/"].findtext(f"{MAP}lastmod") == "2026-03-05"
    assert entries[HOST + spanish].findtext(f"{MAP}lastmod") == "2026-07-05"


def test_real_physicians_are_listed_and_samples_are_not(client):
    people = f"{HOST}/physicians/"
    assert [address for address in entries_of(client) if address.startswith(people)] == [people]
    physician = Physician.objects.filter(is_published=True).first()
    Physician.objects.filter(pk=physician.pk).update(is_sample=False)
    assert f"{people}{physician.slug}/" in entries_of(client)
