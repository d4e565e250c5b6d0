"""A page on paper says what the page on the web says, and can be read by those who cannot see it."""

import io
import re
import sys
import types
import unicodedata
from functools import cache
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from django.utils.translation import override
from PIL import Image
from pypdf import PdfReader

from clinic_site import site_record
from clinic_site.models import BrandFile, Clinic
from clinic_site.paper import house_tokens, on_paper
from conditions import handout
from conditions.models import Page, Physician
from tests.reading import tree_of

pytestmark = [pytest.mark.once, pytest.mark.django_db, pytest.mark.usefixtures("content")]

PAGES = ["spinal-osteotomy", "kyphosis", "low-back-pain", "recovery-from-spine-surgery", "spinal-deformity-packet"]
BLOCKS = {"p", "li", "td", "th", "dt", "dd", "h2", "h3"}
NUMBERED = re.compile(r"(?:Page|Página) \d+ (?:of|de) \d+")
LEFT_OUT = {"no-print", "vh", "download", "compare__by"}


@cache
def read(content):
    """A PDF as pypdf reads it; the same one once for all tests."""
    return PdfReader(io.BytesIO(content))


def fetched(client, slug, language):
    with override(language):
        page = Page.objects.get(slug=slug)
        web, pdf = client.get(page.get_absolute_url()), client.get(page.pdf_url)
    assert pdf.status_code == 200 and pdf["Content-Type"] == "application/pdf"
    return web, read(pdf.content)


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
    tree = tree_of(web)
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


@cache
def text_of(pdf):
    """What the PDF says from first to last page, without its running heads and feet and the numbers of lists and drawings."""
    pages = [[NUMBERED.sub("", line).strip() for line in page.extract_text().splitlines()] for page in pdf.pages]
    running = {line for line in set(chain(*pages)) if sum(line in lines for lines in pages) > len(pages) / 2}
    found = []
    for lines in pages:
        lines = [line for line in lines if line not in running]
        # Marks in drawings and lists are drawn last, and would stand in a paragraph that goes on overleaf.
        while lines and re.fullmatch(r"\d+\.?", lines[-1]):
            lines.pop()
        found += lines
    return pressed("\n".join(found))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("slug", PAGES)
def test_the_pdf_says_all_that_the_page_says(client, slug, language):
    web, pdf = fetched(client, slug, language)
    printed = text_of(pdf)
    missing = [block for block in blocks_of(web) if block not in printed]
    assert len(blocks_of(web)) > 30 and not missing, missing[:5]


def test_no_foot_takes_two_lines_and_no_line_begins_with_the_number_of_a_source(client):
    _web, pdf = fetched(client, "spinal-osteotomy", "es")
    pages = [page.extract_text() for page in pdf.pages]
    assert len(pages) > 9
    for number, text in enumerate(pages, 1):
        assert "En una emergencia, llame al 911." in text and f"Página {number} de {len(pages)}" in text
    assert not re.search(r"^14 En ", "\n".join(pages), re.M)


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


DRAWINGS = sorted(path.stem for path in Path("templates/conditions/drawings").glob("*.html"))


@pytest.mark.parametrize(
    ("slug", "language", "drawings"),
    [("spinal-osteotomy", "en", 5), ("spinal-osteotomy", "es", 5), ("kyphosis", "es", 2), ("laminectomy-decompression", "en", 2)],
)
def test_the_pdf_shows_the_drawings_of_the_page_and_names_each_in_words(client, slug, drawings, language):
    web, pdf = fetched(client, slug, language)
    tree = tree_of(web)
    drawn = [
        svg for figure in tree.iter("figure") for svg in figure.iter() if svg.get("role") == "img" and "art" in svg.get("class", "")
    ]
    titles = [svg.find("{*}title").text for svg in drawn]
    named = [str(figure["/Alt"]) for figure in elements(pdf.trailer["/Root"]["/StructTreeRoot"]["/K"], "/Figure")]
    assert len(titles) == drawings and [alt for alt in named if alt in titles] == titles


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_on_paper_holds_all_it_needs_and_nothing_the_pdf_library_misdraws(name):
    tokens = house_tokens() | {"art-disc": "#123456"}
    html = on_paper(render_to_string(f"conditions/drawings/{name}.html"), tokens, name=name, alt="")
    svgs = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.S)]
    assert svgs and not re.search(r"var\(|color-mix|<mask", html)
    known = [element.get("id") for svg in svgs for element in svg.iter() if element.get("id")]
    assert len(known) == len(set(known))
    for svg in svgs:
        own = {element.get("id") for element in svg.iter()}
        used = re.findall(r"""(?:href="#|url\(["']?#)([\w-]+)""", ElementTree.tostring(svg, encoding="unicode"))
        assert set(used) <= own and not [element for element in svg.iter() if "is-off" in element.get("class", "").split()]
        painted = [element for element in svg.iter("path") if "d-disc" in element.get("class", "")]
        assert not painted or ".d-disc { fill: #123456" in svg.find("style").text


def small(slug="kyphosis"):
    """A page of a few lines, for what does not hang on its length."""
    page = Page.objects.get(slug=slug)
    page.sections.all().delete()
    return page


def changed(**values):
    if values:
        Clinic.objects.update(**values)
    Clinic.bump_content_revision()
    site_record.forget()


KNEE = Path("conditions/sample_packs/knee/brand")


def test_a_pdf_is_set_in_the_fonts_colours_and_logo_of_the_clinic(client):
    page = small()
    house = read(client.get(page.pdf_url).content)
    for key, path in (("atkinson", "atkinson.woff2"), ("logo", "logo.svg")):
        file = BrandFile(key=key, content=(KNEE / path).read_bytes())
        file.clean_fields()
        file.save()
    changed(heading_font="atkinson", text_font="atkinson", theme={"light": {"signal": "#9c3b12", "accent": "#5b2b63"}})
    theirs = read(client.get(page.pdf_url).content)

    def fonts(pdf):
        return " ".join(str(font["/BaseFont"]) for page in pdf.pages for font in page["/Resources"]["/Font"].values())

    def painted(pdf):
        return pdf.pages[0].get_contents().get_data().decode("latin-1")

    assert "atkinson" in fonts(theirs) and "brygada" not in fonts(theirs) and "hanken" not in fonts(theirs)
    assert "brygada" in fonts(house) and "hanken" in fonts(house) and "atkinson" not in fonts(house)
    for colour, pdf in (
        ("0.356863 0.168627 0.388235", theirs),
        ("0.611765 0.231373 0.070588", theirs),
        ("0.058824 0.298039 0.32549", house),
    ):
        assert f"{colour} rg" in painted(pdf)
    assert "0.058824 0.298039 0.32549 rg" not in painted(theirs)
    [mark] = list(elements(theirs.trailer["/Root"]["/StructTreeRoot"]["/K"], "/Figure"))
    assert str(mark["/Alt"]) == Clinic.current().name


def test_a_wide_logo_is_as_wide_as_it_should_be_and_named(client):
    out = io.BytesIO()
    Image.new("RGB", (400, 100), "#8822aa").save(out, "PNG")
    file = BrandFile(key="logo", content=out.getvalue())
    file.clean_fields()
    file.save()
    changed()
    [mark] = elements(read(client.get(small().pdf_url).content).trailer["/Root"]["/StructTreeRoot"]["/K"], "/Figure")
    left, top, right, bottom = (float(side) for side in mark["/A"]["/BBox"])
    assert str(mark["/Alt"]) == Clinic.current().name
    assert right - left > 150 and abs((right - left) / (bottom - top) - 4) < 0.1


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


def test_a_draft_is_a_pdf_for_staff_only_and_is_never_kept(client, admin_client, settings, tmp_path):
    settings.HANDOUT_DIR = tmp_path / "handouts"
    small()
    Page.objects.filter(slug="kyphosis").update(status="draft")
    assert client.get("/conditions/kyphosis/handout.pdf").status_code == 404
    response = admin_client.get("/conditions/kyphosis/handout.pdf")
    assert response.status_code == 200 and response["Cache-Control"] == "no-store"
    assert not settings.HANDOUT_DIR.exists()
    Page.objects.filter(slug="kyphosis").update(summary_en="Another summary.")
    again = admin_client.get("/conditions/kyphosis/handout.pdf")
    assert "Another summary." in PdfReader(io.BytesIO(again.content)).pages[0].extract_text()


class WithoutPango(types.ModuleType):
    """The PDF library where the system lacks what it loads."""

    def __getattr__(self, name):
        raise OSError("cannot load library 'libpango-1.0-0'")


@pytest.fixture
def no_library(monkeypatch):
    """From here on no PDF can be made."""

    def take_away():
        monkeypatch.setitem(sys.modules, "weasyprint", WithoutPango("weasyprint"))

    return take_away


def test_without_pango_the_answer_says_so_and_leads_to_the_page(client, no_library, settings, tmp_path):
    settings.HANDOUT_DIR = tmp_path / "handouts"
    no_library()
    response = client.get("/conditions/kyphosis/handout.pdf")
    html = response.content.decode()
    assert response.status_code == 503 and "The PDF cannot be made right now" in html and "/conditions/kyphosis/" in html
    assert "/es/enfermedades/cifosis/" in client.get("/es/enfermedades/cifosis/handout.pdf").content.decode()


def test_a_published_pdf_is_made_once_until_what_it_says_or_its_look_changes(client, no_library):
    page = small()
    first = client.get(page.pdf_url).content
    no_library()
    handout.forget()  # as after a restart, or in another process
    changed(phone="+17035550143", description_en="Said on other pages alone.")
    Page.objects.filter(slug="kyphosis").update(summary_en=page.summary_en)
    assert client.get(page.pdf_url).status_code == 503  # the number stands in it
    changed(phone="+17035550142")
    assert client.get(page.pdf_url).content == first
    changed(theme={"light": {"signal": "#9c3b12"}})
    assert client.get(page.pdf_url).status_code == 503


def test_who_asks_while_many_are_made_is_asked_to_come_back_and_kept_ones_are_still_given(client, settings, tmp_path):
    page = small()
    kept = client.get(page.pdf_url).content
    for _place in range(handout.MAX_WAITING):
        handout._places.acquire()
    try:
        assert client.get(page.pdf_url).content == kept
        settings.HANDOUT_DIR = tmp_path / "handouts"
        answer = client.get(page.pdf_url)
    finally:
        handout._places.release(handout.MAX_WAITING)
    assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"]) == (503, "5", "no-store")
    assert client.get(page.pdf_url).status_code == 200


def test_nobody_waits_long_for_a_pdf_while_another_is_made(client, monkeypatch, settings, tmp_path):
    settings.HANDOUT_DIR = tmp_path / "handouts"
    monkeypatch.setattr(handout, "PATIENCE_SECONDS", 0.01)
    with handout._lock:
        assert client.get(small().pdf_url).status_code == 503


def test_a_disk_that_cannot_be_written_costs_no_reader_the_pdf(client, settings, tmp_path):
    (tmp_path / "taken").write_text("a file where the folder should be")
    settings.HANDOUT_DIR = tmp_path / "taken"
    assert client.get(small().pdf_url).content.startswith(b"%PDF-")


def test_the_oldest_pdfs_make_room(client, settings, tmp_path, monkeypatch):
    settings.HANDOUT_DIR = tmp_path / "handouts"
    monkeypatch.setattr(handout, "MAX_FILES", 1)
    page = small()
    for phone in ("+17035550141", "+17035550142"):
        changed(phone=phone)
        assert client.get(page.pdf_url).status_code == 200
    assert len(list(settings.HANDOUT_DIR.iterdir())) == 1
