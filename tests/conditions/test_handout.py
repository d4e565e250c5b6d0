"""A page on paper says what the page on the web says, and can be read by those who cannot see it."""

import io
import re
import sys
import types
import unicodedata

import html5lib
import pytest
from django.utils.translation import override
from pypdf import PdfReader

from conditions import handout
from conditions.models import Page, Physician

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]

PAGES = ["spinal-osteotomy", "kyphosis", "low-back-pain", "recovery-from-spine-surgery", "spinal-deformity-packet"]
BLOCKS = {"p", "li", "td", "th", "dt", "dd", "h2", "h3"}
LEFT_OUT = {"no-print", "vh", "download", "compare__by"}


def fetched(client, slug, language):
    with override(language):
        page = Page.objects.get(slug=slug)
        web, pdf = client.get(page.get_absolute_url()), client.get(page.pdf_url)
    assert pdf.status_code == 200 and pdf["Content-Type"] == "application/pdf"
    return web, PdfReader(io.BytesIO(pdf.content))


def pressed(text):
    """A text without its spaces and line ends, which paper sets anew."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def said(element, skip=()):
    """The words of an element, without what is not for paper and without the parts named."""
    classes = set((element.get("class") or "").split())
    tag = str(element.tag).rsplit("}", 1)[-1]
    if classes & LEFT_OUT or tag in ("svg", "button", "summary", *skip) or "hidden" in element.attrib:
        return ""
    return (element.text or "") + "".join(said(child, skip) + (child.tail or "") for child in element)


def blocks_of(web):
    """Every paragraph, item, cell and heading of a page's own sections, in order."""
    tree = html5lib.parse(web.content.decode(), namespaceHTMLElements=False)
    [body, *_rest] = [div for div in tree.iter("div") if div.get("class") == "prose"]

    def walk(element):
        classes = set((element.get("class") or "").split())
        if classes & LEFT_OUT or "data-compare" in element.attrib or str(element.tag) == "summary":
            return
        if element.tag in BLOCKS:
            yield said(element, skip=("ul", "ol", "p") if element.tag == "li" else ())
        for child in element:
            yield from walk(child)

    return [text for text in map(pressed, walk(body)) if text]


def text_of(pdf):
    """What the PDF says from first to last page, without its running heads and feet."""
    pages = [page.extract_text().splitlines() for page in pdf.pages]
    running = {line for line in pages[-1] if sum(line in lines for lines in pages) > len(pages) / 2}
    for lines in pages:
        for line in running & set(lines):
            lines.remove(line)
    found = "\n".join(line for lines in pages for line in lines)
    return pressed(re.sub(r"(?:Page|Página) \d+ (?:of|de) \d+", "", found))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("slug", PAGES)
def test_the_pdf_says_all_that_the_page_says(client, slug, language):
    web, pdf = fetched(client, slug, language)
    printed = text_of(pdf)
    missing = [block for block in blocks_of(web) if block not in printed]
    assert len(blocks_of(web)) > 30 and not missing, missing[:5]


def elements(node, kind):
    """Every structure element of a kind below a node of the PDF's tree."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for child in node:
            yield from elements(child, kind)
    elif isinstance(node, dict):
        if node.get("/S") == kind:
            yield node
        yield from elements(node.get("/K", []), kind)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("slug", ["spinal-osteotomy", "spinal-deformity-packet"])
def test_the_pdf_is_tagged_named_and_can_be_walked_by_its_headings(client, slug, language):
    web, pdf = fetched(client, slug, language)
    root = pdf.trailer["/Root"]
    with override(language):
        page = Page.objects.get(slug=slug)
        assert pdf.metadata.title == page.title
        headings = [section.heading for section in page.sections.all() if section.kind != "clinicians"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == language
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert re.search(rb"pdfuaid:part(?:>1<|=\"1\")", root["/Metadata"].get_data())
    tree = root["/StructTreeRoot"]
    assert len(list(elements(tree["/K"], "/H1"))) == 1
    assert len(list(elements(tree["/K"], "/H2"))) >= sum(section.level == 2 for section in page.sections.all())
    assert all(figure.get("/Alt") for figure in elements(tree["/K"], "/Figure"))
    assert list(elements(tree["/K"], "/Figure"))

    def titles(entries):
        for entry in entries:
            yield from titles(entry) if isinstance(entry, list) else [entry.title]

    assert set(headings) <= set(titles(pdf.outline))


def test_a_packet_names_its_surgeons_and_version_and_every_handout_its_review(client):
    _web, pdf = fetched(client, "spinal-deformity-packet", "en")
    cover = pdf.pages[0].extract_text()
    surgeon = Physician.objects.get(slug="sample-surgeon-a")
    assert surgeon.name in cover and "Version" in cover and "Sample profile" in cover
    _web, pdf = fetched(client, "kyphosis", "es")
    first = pdf.pages[0].extract_text()
    assert "Revisión de ejemplo" in first and "/es/enfermedades/cifosis/" in first.replace("\n", "")
    assert re.search(r"Página 1 de \d+", first) and "llame al 911" in first


def test_addresses_of_old_and_of_the_other_language_lead_to_the_pdf(client):
    for old, new in (
        ("/guides/spinal-deformity-packet/packet.pdf", "/guides/spinal-deformity-packet/handout.pdf"),
        ("/es/condiciones/kyphosis/handout.pdf", ""),
        ("/es/enfermedades/kyphosis/handout.pdf", "/es/enfermedades/cifosis/handout.pdf"),
    ):
        response = client.get(old)
        assert (response.status_code, response.get("Location", "")) == (301 if new else 404, new)
    Page.objects.filter(slug="kyphosis").update(status_es="draft")
    assert client.get("/es/enfermedades/cifosis/handout.pdf").status_code in (302, 404)
    assert client.get("/es/enfermedades/kyphosis/handout.pdf")["Location"] == "/conditions/kyphosis/handout.pdf"


def test_each_page_offers_its_pdf_once(client):
    for slug in PAGES:
        page = Page.objects.get(slug=slug)
        html = client.get(page.get_absolute_url()).content.decode()
        head = html[: html.index('<div class="wrap article">')]
        assert head.count(f'href="{page.pdf_url}"') == 1, slug
    assert "handout.pdf" not in client.get("/about/").content.decode()
    assert client.get("/about/handout.pdf").status_code == 404


def test_a_draft_is_a_pdf_for_staff_only_and_is_never_kept(client, admin_client):
    Page.objects.filter(slug="kyphosis").update(status="draft")
    assert client.get("/conditions/kyphosis/handout.pdf").status_code == 404
    response = admin_client.get("/conditions/kyphosis/handout.pdf")
    assert response.status_code == 200 and response["Cache-Control"] == "no-store"
    Page.objects.filter(slug="kyphosis").update(summary_en="Another summary.")
    again = admin_client.get("/conditions/kyphosis/handout.pdf")
    assert "Another summary." in PdfReader(io.BytesIO(again.content)).pages[0].extract_text()


class WithoutPango(types.ModuleType):
    """The PDF library where the system lacks what it loads."""

    def __getattr__(self, name):
        raise OSError("cannot load library 'libpango-1.0-0'")


def test_without_pango_the_answer_says_so_and_leads_to_the_page(client, monkeypatch):
    monkeypatch.setattr(handout, "_made", {})
    monkeypatch.setitem(sys.modules, "weasyprint", WithoutPango("weasyprint"))
    response = client.get("/conditions/kyphosis/handout.pdf")
    html = response.content.decode()
    assert response.status_code == 503 and "The PDF cannot be made right now" in html and "/conditions/kyphosis/" in html
    assert "/es/enfermedades/cifosis/" in client.get("/es/enfermedades/cifosis/handout.pdf").content.decode()
