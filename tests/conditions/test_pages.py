"""What a patient can rely on when reading: the words are there, in order, linked, sourced and open to all."""

import json
import re
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from clinic_site import site_record
from clinic_site.models import Clinic
from conditions.models import Kind, Page, PageLink, Reference, ReviewState, Section
from conditions.rich_text import plain_text, unbroken
from tests.reading import links, text_of, texts, tree_of, within

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]

OSTEOTOMY = "/procedures/spinal-osteotomy/"
LISTS = [
    "/",
    "/procedures/",
    "/procedures/compare/",
    "/conditions/",
    "/symptoms/",
    "/guides/",
    "/physicians/",
    "/glossary/",
    "/search/?q=stooping",
]


def public_paths():
    return [*LISTS, *(page.get_absolute_url() for page in Page.objects.published()), "/physicians/sample-surgeon-a/"]


def test_a_page_says_how_its_name_is_said_and_what_else_it_is_called(client):
    page = client.get("/conditions/spinal-stenosis/").content.decode()
    assert 'Say it: <span class="nowrap">stuh-NOH-sis</span>' in page
    assert "Names you may hear: Lumbar spinal stenosis, Cervical stenosis, Foraminal stenosis, Neurogenic claudication" in page
    spanish = client.get("/es/enfermedades/estenosis-espinal/").content.decode()
    assert "stuh-NOH-sis" not in spanish
    english = '<span lang="en">Spinal stenosis</span>'
    assert f"Nombres que quizá oiga: Estenosis del canal, Estrechamiento del canal vertebral, {english}" in spanish
    osteotomy = client.get(OSTEOTOMY).content.decode()
    assert "Names you may hear: Smith-Petersen osteotomy (SPO)" in osteotomy  # its own title is no other name
    assert "Names you may hear" not in client.get("/symptoms/neck-pain/").content.decode()


def test_every_page_is_valid_html(read):
    for path in public_paths():
        assert read(path).status == 200, path
        assert read(path).tree is not None


def test_every_internal_link_and_anchor_resolves(read):
    ids, wanted, papers = {}, [], {page.pdf_url for page in Page.objects.published() if page.kind != Kind.NOTICE}
    for path in public_paths():
        tree = read(path).tree
        ids[urlsplit(path).path] = {element.get("id") for element in tree.iter() if element.get("id")}
        for text, href in links(tree):
            parts = urlsplit(href)
            if parts.scheme in ("tel", "mailto", "https"):
                continue
            assert not parts.scheme and not parts.netloc, f"{path}: {href}"
            assert href, f"{path}: a link without a target: {text}"
            wanted.append((path, parts.path or urlsplit(path).path, parts.fragment))
    for page, target, fragment in wanted:
        # A PDF of each kind of page is made in test_handout.py.
        if target not in ids and target not in papers:
            assert read(target).status == 200, f"{page} links to {target}"
            if read(target).response["Content-Type"].startswith("text/html"):
                ids[target] = {element.get("id") for element in read(target).tree.iter() if element.get("id")}
        if fragment:
            assert fragment in ids[target], f"{page} links to {target}#{fragment}"


def test_titles_and_descriptions_are_there_and_unique(read):
    seen_titles, seen_descriptions = {}, {}
    for path in public_paths():
        tree = read(path).tree
        title = texts(tree, "title")[0]
        [description] = [meta.get("content") for meta in tree.iter("meta") if meta.get("name") == "description"]
        assert title not in seen_titles, f"{path} and {seen_titles.get(title)}: {title}"
        assert description and description not in seen_descriptions, f"{path} and {seen_descriptions.get(description)}"
        seen_titles[title], seen_descriptions[description] = path, path


def test_each_page_has_one_h1_and_no_skipped_level(read):
    for path in public_paths():
        levels = [int(element.tag[1]) for element in read(path).tree.iter() if element.tag in ("h1", "h2", "h3", "h4", "h5")]
        assert levels.count(1) == 1, path
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False)), f"{path}: {levels}"


def test_no_inline_style_script_or_handler_and_nothing_from_elsewhere(read):
    for path in [*public_paths(), "/consultation/", "/no-such-page/"]:
        html = read(path).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html), path
        for script in re.findall(r"<script[^>]*>", html):
            assert "src=" in script or "application/ld+json" in script, f"{path}: {script}"
        for source in re.findall(r'\s(?:src|srcset|poster|action)="([^"]*)"', html) + re.findall(r'<link[^>]*href="([^"]*)"', html):
            assert source.startswith(("/", "#", "http://testserver/")), f"{path}: {source}"


def test_content_pages_set_no_cookie(read):
    for path in public_paths():
        assert not read(path).response.cookies, path


def test_structured_data_is_there_and_says_nothing_of_samples(read):
    for path in [path for path in public_paths() if not path.startswith("/search")]:
        tree = read(path).tree
        blocks = [json.loads(script.text) for script in tree.iter("script") if script.get("type") == "application/ld+json"]
        assert blocks, path
        printed = json.dumps(blocks)
        assert '"@context": "https://schema.org"' in printed
        assert "Sample" not in printed or path in ("/", "/physicians/sample-surgeon-a/", "/physicians/"), path
        assert not re.search(r"aggregateRating|\"review\"|lastReviewed|reviewedBy", printed), path


def test_the_sitemap_lists_published_pages_and_no_sample_people(client):
    Page.objects.update(next_review_on="2099-01-01")  # one overdue for long is not listed
    body = client.get("/sitemap.xml").content.decode()
    assert OSTEOTOMY in body and "/physicians/sample" not in body
    Page.objects.filter(slug="kyphosis").update(review_state=ReviewState.UNREVIEWED, reviewed_by=None)
    Page.objects.filter(slug="scoliosis").update(status="draft")
    body = client.get("/sitemap.xml").content.decode()
    assert "/conditions/kyphosis/" not in body and "/conditions/scoliosis/" not in body


def test_a_page_without_medical_review_says_so_and_stays_out_of_search_engines(client):
    Page.objects.filter(slug="kyphosis").update(review_state=ReviewState.UNREVIEWED, reviewed_by=None)
    html = client.get("/conditions/kyphosis/").content.decode()
    assert "Not yet medically reviewed" in html and "noindex" in html


def test_a_passed_review_date_is_said(client):
    Page.objects.filter(slug="kyphosis").update(next_review_on="2026-01-01")
    assert "A new review has been due since" in client.get("/conditions/kyphosis/").content.decode()


def test_a_notice_was_checked_on_the_day_it_was_checked_not_when_its_row_was_written(client):
    Page.objects.filter(slug="privacy").update(reviewed_on="2026-03-05")
    head = within(tree_of(client.get("/privacy/")), "time")[0]
    assert (head.get("datetime"), text_of(head)) == ("2026-03-05", "March 5, 2026")


@pytest.mark.parametrize(
    ("state", "said", "unsaid"), [("sample", "is a sample", "a doctor checked it"), ("reviewed", "a doctor checked it", "sample")]
)
def test_a_sample_review_is_never_told_as_a_review_by_a_doctor(client, state, said, unsaid):
    Page.objects.filter(slug="spinal-osteotomy").update(review_state=state)
    foot = next(text_of(box) for box in tree_of(client.get(OSTEOTOMY)).iter("div") if box.get("class") == "made")
    assert said in foot and unsaid not in foot


def test_every_list_of_pages_ends_with_a_way_to_ask(client):
    for path in ("/procedures/", "/conditions/", "/symptoms/", "/guides/"):
        main = next(tree_of(client.get(path)).iter("main"))
        assert [href for words, href in links(main) if words == "Request a consultation"] == ["/consultation/"], path


@pytest.mark.parametrize("missing", ["phone", "email"])
def test_a_clinic_with_only_a_phone_or_only_an_email_is_reached_by_that(client, missing):
    Clinic.objects.update(**{missing: ""})
    site_record.forget()
    targets = {href.partition(":")[0] for _, href in links(tree_of(client.get("/about/"))) if not href.startswith("tel:911")}
    assert {"phone": "mailto", "email": "tel"}[missing] in targets
    assert {"phone": "tel", "email": "mailto"}[missing] not in targets


def test_drafts_are_for_staff_only_and_marked(client, admin_client):
    Page.objects.filter(slug="kyphosis").update(status="draft")
    assert client.get("/conditions/kyphosis/").status_code == 404
    response = admin_client.get("/conditions/kyphosis/")
    assert response.status_code == 200 and b"noindex" in response.content
    assert response["Cache-Control"] == "no-store"
    assert "/conditions/kyphosis/" not in client.get("/conditions/").content.decode()


def test_no_page_leads_to_one_that_was_taken_off_the_site_and_the_words_stay(client):
    both = {"/guides/preparing-for-spine-surgery/": "en", "/es/guias/como-prepararse-para-una-cirugia-de-columna/": "es"}
    words = {"en": "Home medicines guide", "es": "Guía de medicinas"}
    medicines = Page.objects.create(
        kind="guide", slug="home-medicines", title_en="M", name_en="M", status="published", summary_en="M."
    )
    section = Section.objects.filter(page__slug="preparing-for-spine-surgery", kind="prose").first()
    for language, text in words.items():
        setattr(section, f"body_{language}", f'<p>See the <a href="/guides/home-medicines/#a">{text}</a>.</p>')
    section.save()
    for path, language in both.items():
        assert f'<a href="/guides/home-medicines/#a">{words[language]}</a>' in client.get(path).content.decode()
    Page.objects.filter(pk=medicines.pk).update(status="draft")
    Clinic.bump_content_revision()
    site_record.forget()
    for path, language in both.items():
        page = client.get(path).content.decode()
        assert words[language] in page and "home-medicines" not in page
    Page.objects.filter(pk=medicines.pk).update(status="published", slug="medicines-at-home")
    medicines.former_addresses.create(language="en", kind="guide", slug="home-medicines")
    Clinic.bump_content_revision()
    site_record.forget()
    assert "home-medicines" in client.get("/guides/preparing-for-spine-surgery/").content.decode()


@pytest.mark.parametrize(
    ("kind", "body", "drawn"),
    [
        ("glance", "<p>Before.</p><ul><li><strong>Stay:</strong> Listed.</li></ul><p>After.</p>", "<dt>"),
        ("glance", "<p>No list.</p>", ""),
        (
            "risks",
            "<ul><li><strong>3 out of 100</strong> listed.</li><li>Infection, unnumbered.</li></ul><p>After.</p>",
            "3 of 100 people",
        ),
        ("risks", "<ul><li><strong>Death</strong> can happen.</li><li><strong>300 out of 100</strong> typo.</li></ul>", ""),
        ("risks", "<ul><li><strong>3 out of 100</strong> one.</li></ul><ul><li><strong>4 out of 100</strong> two.</li></ul>", ""),
        ("steps", "<ol><li><strong>Cut.</strong> One.</li></ol><p>Between.</p><ol><li>Two.</li></ol>", ""),
        ("timeline", "<p>Before.</p><ol><li><strong>Day 1</strong> Walk.</li></ol>", ""),
    ],
)
def test_however_a_section_is_shown_every_word_of_it_is_there_once(client, kind, body, drawn):
    section = Section.objects.filter(page__slug="kyphosis", kind="prose").first()
    Section.objects.filter(pk=section.pk).update(kind=kind, body_en=body)
    page = client.get("/conditions/kyphosis/").content.decode()
    shown = page[page.index(f'<h2 id="{section.anchor}"') :].partition("<h2")[2].partition("<h2")[0]
    assert drawn in shown
    for word in re.findall(r"[A-Z][a-z]+|unnumbered|typo|listed|one\.|two\.", plain_text(body)):
        assert plain_text(re.sub(r'<span class="vh">.*?</span>', "", shown)).count(word) == 1, word


def test_a_page_is_found_only_under_its_own_kind(client):
    assert client.get("/conditions/spinal-osteotomy/").status_code == 404


def test_every_procedure_and_condition_is_explained_by_a_drawing_with_a_name_in_both_languages(read):
    for page in Page.objects.filter(kind__in=[Kind.PROCEDURE, Kind.CONDITION]):
        names = {}
        for language in ("en", "es"):
            with translation.override(language):
                tree = read(page.get_absolute_url()).tree
            pictures = [svg for figure in within(tree, "figure") for svg in within(figure, "svg") if svg.get("role") == "img"]
            names[language] = [text_of(within(svg, "title")[0]) for svg in pictures]
            assert len(pictures) >= 2 and all(names[language]), page.slug
        assert not set(names["en"]) & set(names["es"]), page.slug


@pytest.mark.parametrize(
    ("path", "shown", "unshown"),
    [
        ("/conditions/cervical-myelopathy/", ["spine--cervical"], ["spine--lumbar", "#person"]),
        ("/conditions/flatback-syndrome/", ["spine--lumbar"], ["spine--cervical", "#person"]),
        ("/conditions/adult-spinal-deformity/", ["spine--cervical", "spine--thoracic", "spine--lumbar", "spine--sacral"], []),
        ("/symptoms/leg-pain-numbness/", ["#person", "#leg", "spine--lumbar", "spine--sacral"], ["#arm", "spine--cervical"]),
        ("/symptoms/arm-pain-numbness/", ["#person", "#arm", "spine--cervical"], ["#leg", "spine--lumbar"]),
        ("/conditions/sciatica-radiculopathy/", ["#person", "#leg", "#arm", "spine--lumbar"], ["spine--thoracic"]),
        ("/guides/preparing-for-spine-surgery/", ["#checklist"], ["spine.svg", "spine--"]),
        ("/es/guias/que-sucede-en-su-primera-consulta/", ["#calendar"], ["spine.svg", "spine--"]),
    ],
)
def test_a_page_opens_with_where_it_is_about_or_what_it_is_for(read, path, shown, unshown):
    tree = read(path).tree
    [panel] = [element for element in tree.iter("div") if "panel" in (element.get("class") or "").split()]
    assert panel.get("aria-hidden") == "true"
    drawn = " ".join(str(value) for element in panel.iter() for value in element.attrib.values())
    assert [part for part in shown if part not in drawn] == [] and [part for part in unshown if part in drawn] == []


def test_every_shape_that_a_page_takes_from_a_drawing_file_is_in_it(read):
    files = {path.stem: path.read_text() for path in (settings.BASE_DIR / "static/img").glob("*.svg")}
    used = set()
    for path in public_paths():
        used |= set(re.findall(r'href="[^"#]*/img/([\w-]+)(?:\.\w+)?\.svg#([\w-]+)"', read(path).text))
    assert {name for name, _shape in used} >= {"icons", "figure", "spine", "openings", "posture"}
    assert [(name, shape) for name, shape in sorted(used) if f'id="{shape}"' not in files[name]] == []


def test_procedures_stand_under_surgery_or_other_treatments(client):
    listed = list(within(tree_of(client.get("/procedures/")), "main")[0].iter())
    order = [text_of(element) for element in listed if element.tag in {"h2", "h3"}]
    other, surgery = order.index("Treatments other than surgery"), order.index("Surgery")
    assert other < order.index("Physical therapy") < surgery < order.index("Spinal osteotomy")
    assert "Surgery" not in texts(tree_of(client.get("/conditions/")), "h2")


@pytest.mark.parametrize(
    ("path", "stages"),
    [
        ("/guides/", ["Finding out and deciding", "Getting ready for surgery", "Getting better, and when to call"]),
        ("/es/guias/", ["Informarse y decidir", "Prepararse para la cirugía", "Recuperarse, y cuándo llamar"]),
    ],
)
def test_guides_stand_along_the_way_of_a_patient(client, path, stages):
    listed = list(within(tree_of(client.get(path)), "main")[0].iter())
    headings = [element.get("class") for element in listed if element.tag in {"h2", "h3"}]
    assert [text_of(element) for element in listed if element.tag == "h2"][: len(stages)] == stages
    assert headings[:3] == ["mt-l", "topic__h", "topic__h"]
    links = [element.get("href") for element in listed if element.get("class") == "card__link"]
    slugs = [link.strip("/").split("/")[-1] for link in links]
    english = {page.slug_es or page.slug: page.slug for page in Page.objects.filter(kind=Kind.GUIDE)} if "/es/" in path else {}
    assert [english.get(slug, slug) for slug in slugs] == [
        "first-consultation",
        "possible-complications-of-spine-surgery",
        "preparing-for-spine-surgery",
        "spinal-deformity-packet",
        "recovery-from-spine-surgery",
        "when-to-get-emergency-help",
    ]


def test_pages_without_a_place_follow_from_a_to_z_and_without_a_stage_come_last(client):
    Page.objects.filter(kind=Kind.CONDITION, slug="whiplash-neck-strain").update(position=1)
    conditions = [page.name for page in Page.objects.of_kind(Kind.CONDITION)]
    assert conditions[0].startswith("Whiplash") and conditions[1:] == sorted(conditions[1:])
    Page.objects.filter(slug="first-consultation").update(stage_en="", position=None)
    shown = [text for text in texts(tree_of(client.get("/guides/")), "h2") if text != "Menu"]
    assert shown[3] == "More guides"
    Page.objects.filter(kind=Kind.GUIDE).update(stage_en="", stage_es="")
    # A query string goes past the kept pages.
    assert "More guides" not in texts(tree_of(client.get("/guides/?uncached=1")), "h2")


def test_a_line_to_write_on_ends_without_a_stop(client):
    packet = text_of(tree_of(client.get("/guides/spinal-deformity-packet/")))
    assert "My surgeon: ____________blank My nurse: " in packet and "____________blank. Bring" in packet


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/guides/spinal-deformity-packet/", "blank"),
        ("/es/guias/paquete-informativo-sobre-deformidad-de-la-columna/", "espacio en blanco"),
    ],
)
def test_a_line_to_write_on_is_a_word_to_those_who_hear_the_page(client, path, word):
    packet = client.get(path).content.decode()
    said = rf'<span aria-hidden="true">_{{3,}}</span><span class="vh">{word}</span>'
    assert len(re.findall(said, packet)) > 40
    assert "___" not in re.sub(said, "", packet)


def test_the_index_filters_by_region_in_a_shareable_address(client):
    neck = client.get("/conditions/?region=cervical").content.decode()
    assert "/conditions/cervical-myelopathy/" in neck and "/conditions/flatback-syndrome/" not in neck


def test_search_finds_by_other_names_and_plain_words(client):
    for query, path in [
        ("PSO", OSTEOTOMY),
        ("stooping", "/symptoms/stooped-posture-loss-of-balance/"),
        ("rounded back", "/conditions/kyphosis/"),
    ]:
        found = [href for _, href in links(tree_of(client.get("/search/", {"q": query})))]
        assert path in found, query


def test_search_shows_what_was_typed_as_text_only(client):
    html = client.get("/search/", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in html


@pytest.mark.parametrize("path", ["/robots.txt", "/site.webmanifest", "/.well-known/security.txt", "/sitemap.xml"])
def test_small_files_for_browsers_and_robots_exist(client, path):
    assert client.get(path).status_code == 200


def test_an_unknown_address_gets_a_helpful_404(client):
    response = client.get("/procedures/no-such-thing/")
    html = response.content.decode()
    assert response.status_code == 404 and 'action="/search/"' in html and "tel:" in html


def test_every_condition_and_symptom_page_carries_the_same_emergency_list(read):
    [shared] = Section.objects.filter(page__slug="when-to-get-emergency-help", kind="emergency")
    first_sign = plain_text(shared.body_en.split("<li>")[1])
    for page in Page.objects.published().filter(kind__in=[Kind.CONDITION, Kind.SYMPTOM]):
        assert first_sign in text_of(read(page.get_absolute_url()).tree), page.slug


def test_every_page_of_the_plan_exists_with_content_of_its_own():
    for page in Page.objects.exclude(kind=Kind.NOTICE):
        words = sum(len(plain_text(section.body_en).split()) for section in page.sections.all())
        assert words >= 600, page.slug
    assert Page.objects.filter(kind=Kind.PROCEDURE).count() == 12
    assert Page.objects.filter(kind=Kind.CONDITION).count() == 13
    assert Page.objects.filter(kind=Kind.SYMPTOM).count() == 8
    assert Page.objects.filter(kind=Kind.GUIDE).count() == 6


def test_links_between_pages_are_stored_once():
    pairs = set()
    for link in PageLink.objects.filter(relation__in=["alternative_to", "related_condition"]):
        pair = (frozenset((link.source_id, link.target_id)), link.relation)
        assert pair not in pairs, link
        pairs.add(pair)


def test_pages_that_editors_linked_from_both_sides_name_each_other_once(client):
    for relation in ("alternative_to", "related_condition"):
        link = PageLink.objects.filter(relation=relation).select_related("source", "target").first()
        PageLink.objects.create(source=link.target, target=link.source, relation=relation)
        lists = tree_of(client.get(link.source.get_absolute_url())).iterfind(".//div[@class='rel wide']")
        named = [address for box in lists for _words, address in links(box)]
        assert named.count(link.target.get_absolute_url()) == 1


def test_every_citation_names_a_known_source():

    known = set(Reference.objects.values_list("key", flat=True))
    for page in Page.objects.prefetch_related("sections"):
        assert set(page.cited_keys) <= known, page.slug


def test_no_line_ends_within_an_x_ray_or_a_number_to_call(client):
    def kept(path):
        return re.findall(r'<span class="nowrap">([^<]*)</span>', client.get(path).content.decode())

    assert {"X-ray", "full-length"} & set(kept("/conditions/adult-spinal-deformity/")) == {"X-ray"}
    assert "1-800-QUIT-NOW" in kept("/guides/preparing-for-spine-surgery/")
    assert "Call 911" in kept("/guides/when-to-get-emergency-help/")
    assert "long-lasting" in kept("/procedures/spinal-cord-stimulation/")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Code of Virginia § 32.1-127.1:03", "Code of Virginia § 32.1-127.1:03"),
        ("Take an X-ray, not low-dose", 'Take an <span class="nowrap">X-ray</span>, not low-dose'),
        ('<a href="/a/x-ray/">X-rays</a>', '<a href="/a/x-ray/"><span class="nowrap">X-rays</span></a>'),
        ("Between L4-L5 - or not", "Between L4-L5 - or not"),
        ("Date: X-", "Date: X-"),
        ("at 800-537-7697 (TDD)", 'at <span class="nowrap">800-537-7697</span> (TDD)'),
        ("Call 911 or", '<span class="nowrap">Call 911</span> or'),
        ("<b>Llame al\n911</b>.", '<b>Llame <span class="nowrap">al\n911</span></b>.'),
    ],
)
def test_what_is_kept_on_one_line(written, shown):
    assert unbroken(written) == shown


def test_the_notices_that_the_law_asks_for_are_linked_from_every_page(read):
    for path in (OSTEOTOMY, "/"):
        found = [href for _, href in links(read(path).tree)]
        for slug in (
            "privacy",
            "notice-of-privacy-practices",
            "nondiscrimination",
            "language-assistance",
            "accessibility",
            "about",
        ):
            assert reverse("conditions:notice", args=[slug]) in found


@pytest.mark.parametrize("path", ["/", OSTEOTOMY, "/feed/"])
def test_a_sample_site_stays_out_of_search_engines_and_a_real_one_does_not(client, path):
    assert client.get(path)["X-Robots-Tag"] == "noindex"
    Clinic.objects.update(is_sample=False)
    Clinic.bump_content_revision()
    site_record.forget()
    assert "X-Robots-Tag" not in client.get(path)
