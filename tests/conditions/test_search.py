"""People find pages however they write, in their language, and what they typed stays theirs."""

import datetime
import logging
import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError
from django.urls import reverse
from django.utils.translation import override

from clinic_site import site_record
from clinic_site.models import Clinic
from conditions.models import Kind, Page, SearchMiss, Section
from conditions.search import forget, index, misses, search
from conditions.search.words import distance, fold, stem
from tests.factories import UserFactory

from .search_queries import ENGLISH, SPANISH

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2026, 11, 24)


@pytest.fixture(autouse=True)
def _fresh_index(content):
    """No test searches the pages of another."""
    forget()
    misses._written.clear()
    yield
    forget()


@pytest.fixture
def away(monkeypatch):
    """A database that fails from now on, whatever is asked of it."""

    def fail(*args, **kwargs):
        raise OperationalError("server closed the connection")

    def go():
        monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", fail)
        monkeypatch.setattr(site_record, "REFRESH_SECONDS", 0)

    return go


def slugs(query, language="en", **options):
    with override(language):
        return [result.page.slug for result in search(query, **options).results]


def changed():
    """Tell the site that pages changed, as every edit does."""
    Clinic.bump_content_revision()
    site_record.forget()


def new_page(slug="zebra-page", body="<p>Zebras graze.</p>", **fields):
    values = {"kind": Kind.CONDITION, "title": "Zebra page", "name": "Zebra page", "summary": "About it.", "status": "published"}
    page = Page.objects.create(slug=slug, **(values | fields))
    Section.objects.create(page=page, heading="What it is", anchor="what-it-is", body_en=body, body_es=body)
    changed()
    return page


def misplaced(queries, language, published):
    return [
        (query, slug, slugs(query, language)[:3])
        for query, expected in queries
        for slug in expected
        if slug in published and slug not in slugs(query, language)[:3]
    ]


# --- finding -------------------------------------------------------------------------


def test_sixty_things_that_people_type_lead_to_the_right_pages():
    assert len({query for query, _ in ENGLISH}) == 60
    assert misplaced(ENGLISH, "en", {slug for _, expected in ENGLISH for slug in expected}) == []


def test_things_that_people_type_in_spanish_lead_to_the_pages_published_in_spanish():
    assert len({query for query, _ in SPANISH}) == 15
    assert misplaced(SPANISH, "es", set(Page.objects.published("es").values_list("slug", flat=True))) == []


def test_the_end_of_a_title_is_not_taken_for_the_name_of_its_page():
    # "Disc replacement: an artificial disc for the neck or back" is not called "back".
    assert slugs("back")[0] == "low-back-pain"
    assert slugs("espalda", "es")[0] == "low-back-pain"


@pytest.mark.parametrize(
    ("one", "other"), [("deformity", "deformities"), ("osteotomy", "OSTÉOTOMY"), ("disk", "discs"), ("can't walk", "cant walk")]
)
def test_forms_and_accents_of_a_word_find_the_same(one, other):
    assert slugs(one)[:5] == slugs(other)[:5] != []


@pytest.mark.parametrize("beginning", ["osteot", "spondylolis", "myelop"])
def test_the_beginning_of_a_word_is_enough(beginning):
    assert slugs(beginning)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("siatica", "sciatica"), ("kifosis", "kyphosis"), ("laminectamy", "laminectomy"), ("bak pian", "back pain")],
)
def test_a_misspelled_word_finds_pages_and_the_better_spelling_is_offered(client, typed, meant):
    html = client.get("/search/", {"q": typed}).content.decode()
    assert f'<a href="?q={meant.replace(" ", "%20")}">{meant}</a>' in html
    assert "<mark>" in html


@pytest.mark.parametrize(("typed", "meant"), [("siatica", "ciática"), ("sifosis", "cifosis"), ("hernea", "hernia")])
def test_a_spanish_reader_is_offered_the_spanish_word(client, typed, meant):
    html = client.get("/es/buscar/", {"q": typed}).content.decode()
    assert f">{meant}</a>?" in html


def test_words_written_apart_or_together_find_each_other():
    assert slugs("flat back")[0] == slugs("flatback")[0] == "flatback-syndrome"
    assert slugs("herniateddisc")[0] == "herniated-disc"
    assert set(slugs("xray")) & set(slugs("x-ray"))


def test_the_page_of_that_name_comes_before_pages_that_mention_it():
    for page in Page.objects.published("en").exclude(kind=Kind.NOTICE):
        assert page.slug in slugs(page.name_en)[:2], page.slug


def test_a_word_that_no_page_has_finds_nothing_at_all():
    found = search("zzqx")
    assert found.is_miss and not found.results and not found.did_you_mean


@pytest.mark.parametrize(
    ("query", "language", "slug"),
    [
        ("nerve burning zzqx", "en", "radiofrequency-ablation"),
        ("pins and needles in hands", "en", "arm-pain-numbness"),
        ("will i be paralyzed", "en", "possible-complications-of-spine-surgery"),
        ("sudden incontinence", "en", "when-to-get-emergency-help"),
        ("orina incontinencia", "es", "when-to-get-emergency-help"),
        ("quedar paralitico", "es", "possible-complications-of-spine-surgery"),
    ],
)
def test_a_word_that_no_page_has_hides_no_answer_to_the_others(query, language, slug):
    assert slug in [result.page.slug for result in search(query, language=language).results[:3]]


def test_pages_that_lack_a_word_are_said_to_lack_it(client):
    assert search("knee replacement").is_partial
    assert "No page has all of these words" in client.get("/search/", {"q": "knee replacement"}).content.decode()


def test_the_glossary_answers_with_the_meaning_of_a_word(client):
    html = unescape(client.get("/search/", {"q": "stenosis"}).content.decode())
    href, term = re.search(r'<a href="(/glossary/#[\w-]+)">([^<]*[Ss]tenosis[^<]*)</a>', html).groups()
    assert term and f'id="{href.partition("#")[2]}"' in client.get("/glossary/").content.decode()


def test_results_can_be_narrowed_to_one_kind_in_a_shareable_address(client):
    assert {result.page.kind for result in search("scoliosis", "procedure").results} == {"procedure"}
    html = client.get("/search/?q=scoliosis&kind=procedure").content.decode()
    assert "/procedures/scoliosis-correction-surgery/" in html and 'href="/conditions/scoliosis/"' not in html


def test_an_unknown_kind_is_no_filter(client):
    assert client.get("/search/?q=scoliosis&kind=%27").content == client.get("/search/?q=scoliosis").content


@pytest.mark.parametrize("query", ["((", "%", "…", "боль", "\ud800", "a" * 5000, " ", "the of and", "\x00", "1=1 --", "<b>"])
def test_whatever_is_typed_gets_an_answer(client, query):
    assert client.get("/search/", {"q": query.encode("utf-8", "surrogatepass")}).status_code == 200


# --- what is shown -------------------------------------------------------------------


def test_words_found_are_marked_and_everything_else_is_text():
    new_page(body="<p>Beware: &lt;script&gt;alert(1)&lt;/script&gt; &amp; zebras.</p>", summary="One <b> & another.")
    [result] = search("zebras beware").results
    assert "<mark>Beware</mark>" in result.snippet and "<mark>zebras</mark>" in result.snippet
    assert "&lt;script&gt;" in result.snippet and "<script" not in result.snippet and "<b>" not in result.snippet


def test_marking_never_breaks_an_entity():
    new_page(body="<p>Salt &amp; amp meter zebra.</p>")
    assert "Salt &amp; <mark>amp</mark>" in search("amp zebra").results[0].snippet


def test_another_name_that_was_searched_for_is_shown(client):
    assert "Also called: Pedicle subtraction osteotomy (<mark>PSO</mark>)" in client.get("/search/?q=PSO").content.decode()


def test_citations_and_placed_figures_are_no_words():
    new_page(body="<p>Zebra stripes [SMITH16].</p><p>[figure:posture]</p>")
    assert "SMITH16" not in search("zebra").results[0].snippet and not search("smith16").results


def test_an_excerpt_sets_cells_apart_and_shows_no_lines_to_write_on():
    row = '<tr><th><a href="/x/">Zebra</a></th><td>striped</td></tr>'
    new_page(body=f"<table>{row}</table><p>Zebra herd: ________. Done.</p>")
    snippet = search("zebra").results[0].snippet
    assert "<mark>Zebra</mark> · striped" in snippet and "herd: … Done" in snippet


# --- language ------------------------------------------------------------------------


def test_each_language_finds_its_own_pages(client):
    page = new_page(
        slug_es="el-ornitorrinco", title_es="El ornitorrinco", name_es="Ornitorrinco", summary_es="Sobre él.", status_es="published"
    )
    assert slugs("ornitorrinco", "es") == [page.slug] and slugs("ornitorrinco") == []
    with override("es"):
        [result] = search("ornitorrinco").results
        assert result.page.title == "El ornitorrinco" and result.page.url == page.get_absolute_url()
        assert result.page.url.startswith("/es/")


def test_a_page_whose_spanish_is_a_draft_is_not_found_in_spanish():
    new_page(
        slug_es="el-ornitorrinco", title_es="El ornitorrinco", name_es="Ornitorrinco", summary_es="Sobre él.", status_es="draft"
    )
    assert slugs("ornitorrinco", "es") == [] and slugs("zebra") == ["zebra-page"]


# --- drafts and changes --------------------------------------------------------------


def test_drafts_are_never_found_not_even_by_staff(client, admin_client):
    new_page(status="draft")
    for person in (client, admin_client):
        assert "/conditions/zebra-page/" not in person.get("/search/?q=zebra").content.decode()


def test_what_is_published_is_found_and_what_is_withdrawn_is_not():
    page = new_page()
    assert slugs("zebra") == ["zebra-page"]
    Page.objects.filter(pk=page.pk).update(status="draft")
    changed()
    assert slugs("zebra") == []


def test_a_withdrawn_page_is_gone_at_once_and_nobody_waits_for_the_next_index(monkeypatch):
    page = new_page()
    assert slugs("zebra") == ["zebra-page"]
    later = []
    monkeypatch.setattr(index, "start", later.append)
    Page.objects.filter(pk=page.pk).update(status="draft")
    new_page("quagga-page", "<p>Quaggas graze.</p>", title="Quagga page", name="Quagga page")
    assert slugs("zebra") == [] and slugs("quagga") == [] and slugs("kyphosis")
    assert slugs("zebra", kind="condition") == [] and len(later) == 1
    later.pop()()
    assert slugs("quagga") == ["quagga-page"]


# --- without the database ------------------------------------------------------------


def test_a_search_asks_the_database_nothing(client, monkeypatch, django_assert_num_queries):
    client.get("/search/?q=sciatica")
    monkeypatch.setattr(site_record, "REFRESH_SECONDS", 3600)
    with django_assert_num_queries(0):
        assert b"/conditions/sciatica-radiculopathy/" in client.get("/search/?q=pinched+nerve").content


def test_searching_goes_on_while_the_database_is_away(client, away):
    client.get("/search/?q=sciatica")
    away()
    assert b"/conditions/kyphosis/" in client.get("/search/?q=kyphosis").content
    assert client.get("/search/?q=zzqx").status_code == 200


def test_the_last_good_index_answers_when_a_new_one_cannot_be_read(monkeypatch):
    assert slugs("kyphosis")
    changed()

    def fail(*args):
        raise OperationalError

    monkeypatch.setattr(index, "build", fail)
    assert slugs("kyphosis")


def test_a_process_that_never_had_an_index_says_that_the_site_is_unavailable(client, away):
    away()
    assert client.get("/search/?q=kyphosis").status_code == 503


# --- searches without results --------------------------------------------------------


def test_a_search_without_results_is_counted_with_its_words_and_days_alone(client, monkeypatch):
    monkeypatch.setattr("conditions.views.timezone.localdate", lambda: TODAY)
    client.get("/search/", {"q": "  Zzqx  ÚQZXER "})
    client.get("/search/", {"q": "zzqx uqzxer"})
    [miss] = SearchMiss.objects.all()
    assert (miss.query, miss.language, miss.count, miss.first_on, miss.last_on) == ("zzqx uqzxer", "en", 2, TODAY, TODAY)
    assert {field.name for field in SearchMiss._meta.fields} == {"id", "query", "language", "count", "first_on", "last_on"}


def test_the_languages_are_counted_apart(client):
    for language in ("en", "es"):
        with override(language):
            address = reverse("conditions:search")
        client.get(address, {"q": "zzqx"})
    assert set(SearchMiss.objects.values_list("language", "count")) == {("en", 1), ("es", 1)}


@pytest.mark.parametrize(
    "query",
    [
        "zzqx@example.org",
        "https://zzqx.example",
        "zzqx.com",
        "703 555 0163",
        "(703) 555-0163 zzqx",
        "zzqx 01/02/1960",
        "zzqx 22031",
        "zzqx " * 13,
        "zzqx one two three four five six",
        "…",
    ],
)
def test_what_could_tell_who_searched_is_never_kept(query):
    assert misses.as_kept(query) == ""
    misses.record(query, "en", TODAY)
    assert not SearchMiss.objects.exists()


def test_ordinary_words_with_a_few_digits_are_kept():
    assert misses.as_kept("L4-L5 zzqx, 2019") == "l4 l5 zzqx 2019"
    assert misses.as_kept("z" * 60) == "z" * 60 and misses.as_kept("z" * 61) == ""


def test_a_search_with_results_is_not_kept(client):
    client.get("/search/?q=kyphosis")
    client.get("/search/?q=kifosis")
    client.get("/search/?q=kyphosis&kind=guide")
    client.get("/search/")
    assert not SearchMiss.objects.exists()


def test_a_miss_that_cannot_be_written_breaks_nothing_and_leaves_no_word_in_the_log(client, monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise OperationalError("zzqx")

    monkeypatch.setattr(misses, "_count", fail)
    with caplog.at_level(logging.DEBUG):
        assert client.get("/search/?q=zzqx").status_code == 200
    assert "OperationalError" in caplog.text and "zzqx" not in caplog.text


def test_no_flood_of_searches_fills_the_table(monkeypatch):
    monkeypatch.setattr(misses, "MOST_ROWS", 2)
    for number in range(5):
        misses.record(f"zzqx {number}", "en", TODAY)
    assert SearchMiss.objects.count() == 2
    monkeypatch.setattr(misses, "MOST_A_MINUTE", 5)
    misses.record("zzqx 0", "en", TODAY)
    assert SearchMiss.objects.get(query="zzqx 0").count == 1


def test_searches_that_nobody_makes_any_more_are_forgotten_after_ninety_days():
    misses.record("zzqx old", "en", TODAY - datetime.timedelta(days=91))
    misses.record("zzqx new", "en", TODAY - datetime.timedelta(days=90))
    assert misses.forget_expired(TODAY) == 1
    assert list(SearchMiss.objects.values_list("query", flat=True)) == ["zzqx new"]


def test_editors_see_the_searches_and_can_change_none(client):
    misses.record("zzqx", "en", TODAY)
    editor = UserFactory()
    editor.user_permissions.add(*Permission.objects.filter(codename__in=["view_searchmiss", "change_searchmiss", "add_searchmiss"]))
    client.force_login(editor)
    assert "zzqx" in client.get("/admin/conditions/searchmiss/").content.decode()
    assert client.get("/admin/conditions/searchmiss/add/").status_code == 403


# --- from where it hurts -------------------------------------------------------------


def test_the_map_of_the_spine_is_links_with_names_that_need_no_script(client):
    html = client.get("/").content.decode()
    [drawing] = re.findall(r'<svg class="map-art.*?</svg>', html, re.S)
    opening = drawing.partition(">")[0]
    assert "aria-hidden" not in opening and "aria-label" in opening and "tabindex" not in drawing
    found = dict(re.findall(r'<a class="map-region"[^>]*href="([^"]+)" aria-label="([^"]+)"', drawing))
    beside = dict(re.findall(r'<li><a data-region="\w+" href="([^"]+)"><strong>([^<]+)</strong>', html))
    assert found == beside and len(found) == 4
    for address, name in found.items():
        there = client.get(unescape(address)).content.decode()
        assert f"<h1>Symptoms: {name}</h1>" in there and f"<title>Symptoms: {name} |" in there
        assert f'id="{urlsplit(address).fragment}"' in there


def test_a_part_of_the_spine_leads_to_symptoms_conditions_and_procedures(client, django_assert_max_num_queries):
    client.get("/symptoms/?region=lumbar")
    with django_assert_max_num_queries(12):
        html = client.get("/symptoms/?region=lumbar").content.decode()
    for path in ("/symptoms/low-back-pain/", "/conditions/spinal-stenosis/", "/procedures/laminectomy-decompression/"):
        assert f'href="{path}"' in html
    assert "/conditions/cervical-myelopathy/" not in html
    assert "What may be behind it" not in client.get("/symptoms/").content.decode()


def test_drafts_are_not_among_what_may_be_behind_a_symptom(client):
    Page.objects.filter(slug__in=["spinal-stenosis", "laminectomy-decompression"]).update(status="draft")
    html = client.get("/symptoms/?region=lumbar").content.decode()
    assert "/conditions/spinal-stenosis/" not in html and "/procedures/laminectomy-decompression/" not in html


# --- words ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["deformity", "deformities"]),
        ("en", ["fusion", "fused", "fusing"]),
        ("en", ["numb", "numbness"]),
        ("en", ["injection", "injections", "injected"]),
        ("en", ["vertebra", "vertebrae"]),
        ("en", ["stenosis", "stenoses"]),
        ("en", ["slip", "slipped", "slipping"]),
        ("es", ["dolor", "dolores"]),
        ("es", ["operacion", "operaciones", "operar", "operado"]),
        ("es", ["enderezar", "enderezarme", "enderezado"]),
        ("es", ["vertebra", "vertebras", "vertebral"]),
        ("es", ["pierna", "piernas"]),
        ("es", ["adormecido", "adormecidas", "adormecimiento"]),
    ],
)
def test_forms_of_a_word_share_a_stem(language, words):
    assert len({stem(fold(word), language) for word in words}) == 1


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("disc", "disc", 0),
        ("disc", "disk", 1),
        ("pian", "pain", 1),
        ("bak", "back", 1),
        ("siatica", "sciatica", 1),
        ("a", "xyz", 3),
    ],
)
def test_distance_counts_letters_to_change(one, other, apart):
    assert distance(one, other, 2) == apart == distance(other, one, 2)
