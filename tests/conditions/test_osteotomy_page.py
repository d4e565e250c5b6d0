"""The first page, about spinal osteotomy: what was asked for stands to the letter, with its drawings, risks, sources and PDF."""

import json
import re
import zlib

import pytest

from conditions.models import Page, Reference, Section
from conditions.rich_text import plain_text
from tests.reading import links, text_of, texts, within

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]

OSTEOTOMY = "/procedures/spinal-osteotomy/"


def inflated(stream):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


@pytest.fixture
def osteotomy(read):
    return read(OSTEOTOMY).tree


def test_the_title_of_the_osteotomy_page(osteotomy):
    assert texts(osteotomy, "h1") == ["Spinal osteotomy for spinal deformity"]


@pytest.mark.parametrize(
    ("heading", "tags"),
    [
        ("What To Expect", ["h2"]),
        ("Pre-Operative Assessment", ["h3"]),
        ("What’s Involved in a Spinal Osteotomy", ["h2"]),
        ("Osteotomy Techniques", ["h2", "h3"]),
        ("Related Symptoms & Conditions", ["h2"]),
        ("Patient Testimonials", ["h2"]),
    ],
)
def test_required_headings_stand_to_the_letter(osteotomy, heading, tags):
    assert heading in [text for tag in tags for text in texts(osteotomy, tag)]


@pytest.mark.parametrize(
    ("label", "target"),
    [
        ("stop smoking", "/guides/preparing-for-spine-surgery/#stop-smoking"),
        ("Preparing for Spine Surgery", "/guides/preparing-for-spine-surgery/"),
        ("Possible Complications from Spine Surgery", "/guides/possible-complications-of-spine-surgery/"),
        ("Recovery from Spine Surgery", "/guides/recovery-from-spine-surgery/"),
        ("Spinal Deformity Packet", "/guides/spinal-deformity-packet/"),
        ("Learn if you are a candidate for this surgery", "/consultation/?about=spinal-osteotomy"),
        ("Back to the Top", "#top"),
    ],
)
def test_required_links_stand_to_the_letter_and_lead_where_they_say(osteotomy, read, label, target):
    assert target in [href for text, href in links(osteotomy) if text.rstrip(".") == label]
    if target.startswith("/"):
        assert read(target.partition("#")[0]).status == 200


def test_the_links_of_a_packet_name_it_to_those_who_hear_them_alone(osteotomy):
    names = [text for text, href in links(osteotomy) if href.startswith("/guides/spinal-deformity-packet/")]
    assert names and all("spinal deformity packet" in name.lower() for name in names)


def test_the_call_to_action_carries_the_procedure_along(client, osteotomy):
    labels = [text for text, href in links(osteotomy) if href == "/consultation/?about=spinal-osteotomy"]
    assert any("consultation" in label.lower() for label in labels)
    assert "Spinal osteotomy" in client.get("/consultation/?about=spinal-osteotomy").content.decode()


def test_exactly_two_figures_show_the_techniques_each_with_words(osteotomy):
    figures = [figure for figure in osteotomy.iter("figure") if "compare" in (figure.get("class") or "")]
    assert len(figures) == 2
    for figure in figures:
        pictures = [svg for svg in within(figure, "svg") if svg.get("role") == "img"]
        assert len(pictures) == 2
        assert all(within(svg, "title") and within(svg, "desc") for svg in pictures)
        assert "Your surgery is planned from your own scans." in text_of(figure)
        assert within(figure, "details")
        [name] = [text_of(element) for element in figure.iter() if element.get("id") == figure.get("aria-labelledby")]
        assert re.fullmatch(r"Figure \d\. .{10,50}", name)  # a screen reader says it before all that stands in the figure


def test_the_words_beside_a_drawing_count_the_bones_that_it_shows(osteotomy):
    wedge = [figure for figure in osteotomy.iter("figure") if "compare" in (figure.get("class") or "")][1]
    assert "five bones of the low back" in text_of(within(wedge, "desc")[0])
    assert "five bones of the low back" in text_of(within(wedge, "details")[0])


def test_the_distances_under_the_posture_drawing_say_whose_they_are(osteotomy):
    posture = next(figure for figure in osteotomy.iter("figure") if "115 mm" in text_of(figure))
    assert "averages of 13 people before surgery and about 6 years after" in text_of(posture)


def test_the_osteotomy_page_is_as_long_as_planned():
    sections = Section.objects.filter(page__slug="spinal-osteotomy").exclude(kind="clinicians")
    assert 1200 <= sum(len(plain_text(section.body_en).split()) for section in sections) <= 1800


def test_risks_are_shown_as_people_with_the_same_in_words(osteotomy):
    risks = [element for element in osteotomy.iter() if "risk" in (element.get("class") or "").split()]
    assert len(risks) >= 4
    for risk in risks:
        assert re.search(r"\d+ (out of|in) 100", text_of(risk))
        assert any("people" in (svg.get("class") or "") for svg in within(risk, "svg"))


def test_each_cell_of_a_wide_table_names_its_column_and_keeps_its_role(osteotomy):
    [table] = [table for table in osteotomy.iter("table") if table.get("aria-label") == "Osteotomy Techniques"]
    head, *rows = table.iter("tr")
    columns = [text_of(cell) for cell in head]
    assert len(columns) == 4 and {cell.get("role") for cell in head} == {"columnheader"}
    for row in rows:
        assert [row[0].get("role"), *[cell.get("data-column") for cell in row[1:]]] == ["rowheader", *columns[1:]]
        assert {cell.get("role") for cell in row[1:]} == {"cell"}


def test_a_list_of_sources_says_once_when_they_were_read_unless_days_differ(osteotomy, client):
    said = "".join(osteotomy.itertext())
    assert said.count("All of these were read on November 2, 2026.") == 1 and "Read on" not in said
    one = Page.objects.get(slug="spinal-osteotomy").cited_keys[0]
    Reference.objects.filter(key=one).update(checked_on="2026-10-01")
    said = client.get(OSTEOTOMY + "?uncached=1").content.decode()
    assert said.count("Read on October 1, 2026.") == 1 and "All of these were read" not in said


def test_related_pages_are_those_of_the_plan(osteotomy):
    found = {href: text for text, href in links(osteotomy)}
    for path in (
        "/conditions/adult-spinal-deformity/",
        "/conditions/kyphosis/",
        "/conditions/flatback-syndrome/",
        "/conditions/scoliosis/",
        "/symptoms/stooped-posture-loss-of-balance/",
        "/symptoms/difficulty-walking/",
        "/symptoms/low-back-pain/",
        "/symptoms/uneven-shoulders-hips/",
    ):
        assert path in found


def test_samples_say_so_where_they_stand(osteotomy):
    quotes = [figure for figure in osteotomy.iter("figure") if "quote" in (figure.get("class") or "")]
    assert quotes and all("Sample – not a real patient" in text_of(quote) for quote in quotes)
    assert "Christian" not in text_of(osteotomy) and "Dr. Good" not in text_of(osteotomy)


def test_the_packet_is_named_with_its_surgeon_and_can_be_taken_as_pdf(osteotomy, client):
    assert "Sample Surgeon A" in text_of(osteotomy)
    response = client.get("/guides/spinal-deformity-packet/handout.pdf")
    assert response.status_code == 200 and response["Content-Type"] == "application/pdf"
    objects = b"".join(inflated(stream) for stream in re.findall(rb"stream\n(.*?)\nendstream", response.content, re.S))
    assert response.content.startswith(b"%PDF-") and b"/StructTreeRoot" in objects and b"/Lang" in objects


def test_the_osteotomy_page_is_a_medical_procedure_to_machines(osteotomy):
    [block] = [json.loads(script.text) for script in osteotomy.iter("script") if script.get("type") == "application/ld+json"]
    kinds = {graph["@type"]: graph for graph in block["@graph"]}
    assert {"MedicalWebPage", "SurgicalProcedure", "BreadcrumbList"} <= set(kinds)
    assert kinds["SurgicalProcedure"]["howPerformed"] and kinds["SurgicalProcedure"]["preparation"]
    assert "Pedicle subtraction osteotomy (PSO)" in kinds["SurgicalProcedure"]["alternateName"]


def test_sharing_names_a_real_picture_and_the_canonical_address(client, osteotomy):
    properties = {meta.get("property"): meta.get("content") for meta in osteotomy.iter("meta") if meta.get("property")}
    assert properties["og:title"] and properties["og:description"] and properties["og:url"] == f"http://testserver{OSTEOTOMY}"
    assert properties["og:image"] == f"http://testserver{OSTEOTOMY}share.png"
    assert [link.get("href") for link in osteotomy.iter("link") if link.get("rel") == "canonical"] == [
        f"http://testserver{OSTEOTOMY}"
    ]
