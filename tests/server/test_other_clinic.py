"""The same code serves another clinic: the sample knee pack on a real server, with nothing of the spine clinic left."""

import filecmp
import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest

from tests.live import Visitor
from tests.sites import KNEE_PACK

OF_THE_SPINE = re.compile(
    r"\b(spine|spinal|vertebra\w*|neck|back pain|lumbar|cervical|osteotomy|columna|cuello|espalda|vértebra\w*|virginia)\b", re.I
)


@pytest.fixture(scope="module")
def pages(knee_site):
    """Every page that links lead to, from both front pages on: path to status and text."""
    visitor, found, waiting = Visitor(knee_site), {}, ["/", "/es/"]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        if path.endswith(".pdf"):
            found[path] = (knee_site.ask("GET", path)[0], "")
            continue
        status, final, text = visitor.open(path)
        found[path] = (status, text)
        for href in re.findall(r'<a\b[^>]*?\bhref="([^"]+)"', text):
            goal = urlsplit(urljoin(final, unescape(href)))
            if goal.scheme == "http" and goal.netloc == f"127.0.0.1:{knee_site.port}" and not goal.path.startswith("/admin"):
                waiting.append(goal.path + (f"?{goal.query}" if goal.query else ""))
    return found


def test_no_link_of_the_other_clinic_is_dead(pages):
    assert {path: status for path, (status, _) in pages.items() if status != 200} == {}
    assert len(pages) > 40


def test_nothing_of_the_spine_clinic_is_left(knee_site, pages):
    texts = {path: text for path, (_, text) in pages.items()}
    for path in ("/no-such-page/", "/search/?q=zzzz", "/site.webmanifest", "/sitemap.xml", "/robots.txt"):
        texts[path] = Visitor(knee_site).open(path)[2]
    left = {path: sorted({word.lower() for word in OF_THE_SPINE.findall(text)}) for path, text in texts.items()}
    assert {path: words for path, words in left.items() if words} == {}


def test_both_languages_have_every_page(pages):
    names = {
        "knee-osteoarthritis": "artrosis-de-rodilla",
        "knee-replacement": "reemplazo-de-rodilla",
        "knee-pain": "dolor-de-rodilla",
    }
    paths = " ".join(pages)
    for english, spanish in names.items():
        assert f"/{english}/" in paths
        assert f"/{spanish}/" in paths
    assert "Entienda su rodilla" in pages["/es/"][1]


def test_it_says_that_it_is_a_sample_and_not_reviewed(pages):
    for path, (_, text) in pages.items():
        if "<!doctype html>" in text:
            assert 'class="sample-bar"' in text, path
    assert "Sample Harbor" in pages["/es/novedades/"][1]
    assert "Not yet medically reviewed" in pages["/procedures/knee-replacement/"][1]
    assert 'content="noindex"' in pages["/procedures/knee-replacement/"][1]


def test_its_colours_font_and_logo_are_its_own_and_kept_for_good(knee_site, pages):
    head = pages["/"][1].partition("</head>")[0]
    sheet = re.search(r'<link rel="stylesheet" href="(/brand/[^"]+/theme\.css)"', head)[1]
    status, headers, css = knee_site.ask("GET", sheet)
    assert status == 200
    assert headers["Content-Type"].startswith("text/css")
    assert "immutable" in headers["Cache-Control"]
    assert b"--petrol: #5b2b63" in css
    for kind, wanted in (("woff2", "font/woff2"), ("svg", "image/svg+xml")):
        address = re.search(rf'href="(/brand/[^"]+\.{kind})"', head)[1]
        status, headers, _ = knee_site.ask("GET", address)
        assert (status, headers["Content-Type"]) == (200, wanted)
        assert "immutable" in headers["Cache-Control"]
    assert "brygada" not in head
    assert '<meta name="theme-color" content="#2f1738">' in head


def test_its_form_asks_for_its_own_parts_of_the_body_and_signs(knee_site):
    visitor = Visitor(knee_site)
    _, _, form = visitor.open("/consultation/")
    for words in ("Front of the knee", "Behind the knee", "The foot is cold, numb, pale or blue"):
        assert words in form
    status, final, text = visitor.send(visitor.fill_in(pain_area="front"))
    assert status == 200
    assert "/consultation/received/" in final
    assert "Your first step toward answers about your knee is done" in text
    _, _, refused = visitor.send(visitor.fill_in(pain_area="lumbar"))
    assert "Choose one of the answers in the list" in refused


def test_its_form_warns_of_its_own_signs(knee_site):
    visitor = Visitor(knee_site)
    status, _, text = visitor.send(visitor.fill_in(red_flags="cold"))
    assert status == 200
    assert "Call 911 or go to an emergency room now" in text


def test_its_pages_need_nothing_more_but_a_physician(knee_site):
    lines = knee_site.manage("readiness", check=False).stdout.splitlines()
    assert lines
    assert [line for line in lines if "has_reviewer" not in line] == []


def test_written_back_its_pack_is_the_same(knee_site, tmp_path):
    knee_site.manage("export_content", str(tmp_path))
    for file in KNEE_PACK.rglob("*"):
        # A licence lies beside the font.
        if file.is_file() and file.suffix != ".txt":
            assert filecmp.cmp(file, tmp_path / file.relative_to(KNEE_PACK), shallow=False), file.name


def test_a_clinic_with_the_houses_look_asks_for_nothing_more(site_server):
    assert "/brand/" not in Visitor(site_server).open("/")[2]
