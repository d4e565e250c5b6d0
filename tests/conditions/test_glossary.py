"""Medical words are explained where they are first used, and nowhere in the way."""

import gzip
import re

import pytest
from django.urls import reverse
from django.utils.translation import override

from conditions.glossary import MOST_ON_A_PAGE, GlossaryLinks, written_forms
from conditions.models import GlossaryTerm, Kind, Page


def links(*terms, language="en", page_name=""):
    rows = [GlossaryTerm(slug=slug, term_en=term, term_es=term) for slug, term in terms]
    with override(language):
        return GlossaryLinks(rows, language, "/glossary/", page_name)


DISC, HERNIATED = ("disc", "Disc"), ("herniated-disc", "Herniated disc")


def test_the_first_use_of_a_word_leads_to_its_meaning_and_later_ones_stay_text():
    made = links(DISC)
    assert made.link("<p>A disc and a disc.</p>") == '<p>A <a class="term" href="/glossary/#disc">disc</a> and a disc.</p>'
    assert made.link("<p>A disc.</p>") == "<p>A disc.</p>"


def test_the_longest_term_wins():
    assert '#herniated-disc">herniated disc</a>' in links(DISC, HERNIATED).link("<p>A herniated disc</p>")


@pytest.mark.parametrize(
    "html",
    [
        '<p><a href="/x/">a disc</a></p>',
        '<p>Text<sup><a class="cite" href="#ref-1">disc</a></sup></p>',
        "<p><strong>Disc</strong></p>",
        '<table><tr><th scope="col">Disc</th></tr></table>',
        "<p>discography, mini-disc, disc-like</p>",
        '<p lang="en" dir="ltr">5 &lt; 6 &amp; 7&nbsp;mm<br>next</p>',
    ],
)
def test_links_names_parts_of_words_and_marks_stay_byte_for_byte(html):
    assert links(DISC).link(html) == html


def test_words_of_the_pages_own_name_are_left_to_the_page():
    assert "<a" not in links(DISC, page_name="Herniated disc").link("<p>A disc</p>")


@pytest.mark.parametrize(
    ("term", "language", "text"),
    [
        ("Vertebra (plural: vertebrae)", "en", "Vertebrae"),
        ("Sacroiliac (SI) joint", "en", "SI joint"),
        ("Sacroiliac (SI) joint", "en", "sacroiliac joints"),
        ("Bone density test (DXA)", "en", "DXA"),
        ("Foraminotomy", "en", "foraminotomies"),
        ("Stenosis", "en", "stenoses"),
        ("NSAID", "en", "NSAIDs"),
        ("Spinal cord", "en", "spinal\ncord"),
        ("Raíz nerviosa", "es", "raíces nerviosas"),
        ("Hernia de disco", "es", "hernias de disco"),
        ("Fusión", "es", "Fusiones"),
        ("Barra o varilla", "es", "varilla"),
        ("Tornillo pedicular", "es", "tornillos pediculares"),
    ],
)
def test_a_term_is_known_in_the_forms_that_people_write(term, language, text):
    assert 'class="term"' in links(("it", term), language=language).link(f"<p>{text}</p>")


def test_an_abbreviation_keeps_its_capitals():
    assert written_forms("Pedicle subtraction osteotomy (PSO)", "en")[1] == ["PSO"]
    assert "<a" not in links(("rm", "Resonancia magnética (RM)"), language="es").link("<p>rm</p>")


def test_a_page_is_never_full_of_links():
    many = [(f"word{chr(97 + n)}", f"word{chr(97 + n)}") for n in range(20)]
    html = links(*many).link("<p>" + " ".join(word for word, _ in many) + "</p>")
    assert html.count("<a ") == MOST_ON_A_PAGE


@pytest.mark.django_db
@pytest.mark.usefixtures("content")
class TestPages:
    """The words in the real pages."""

    @pytest.mark.parametrize("language", ["en", "es"])
    def test_every_word_leads_to_its_place_in_the_glossary_of_its_language(self, read, language):
        with override(language):
            glossary = reverse("conditions:glossary")
            paths = [page.get_absolute_url() for page in Page.objects.published().exclude(kind=Kind.NOTICE)]
        places = set(re.findall(r'<div id="([\w-]+)"><dt>', read(glossary).text))
        for path in paths:
            found = re.findall(r'<a class="term" href="([^"#]*)#([^"]+)"', read(path).text)
            assert 0 < len(found) <= MOST_ON_A_PAGE, path
            assert {address for address, _ in found} == {glossary}, path
            assert {slug for _, slug in found} <= places and len(set(found)) == len(found), path

    def test_warnings_headings_and_links_hold_none(self, read):
        for page in Page.objects.published():
            for element in read(page.get_absolute_url()).tree.iter():
                closed = str(element.tag) in ("h1", "h2", "h3", "h4", "dt", "th", "a", "summary", "figure")
                if closed or "care" in (element.get("class") or "").split():
                    assert not [a for a in element.iter("a") if a is not element and a.get("class") == "term"], page.slug

    def test_the_meanings_are_given_once_for_each_language_and_may_be_kept(self, client):
        for path, more in (("/glossary/terms.json", "See the glossary"), ("/es/glosario/terms.json", "Ver el glosario")):
            response = client.get(path)
            body = response.json()
            assert body["more"] == more and len(body["terms"]) == GlossaryTerm.objects.count()
            assert response["Cache-Control"].startswith("public") and response["ETag"]
            assert client.get(path, headers={"If-None-Match": response["ETag"]}).status_code == 304
            assert all(term and meaning for term, meaning in body["terms"].values())

    def test_a_term_without_a_letter_of_the_alphabet_stands_under_its_own_sign(self, client):
        GlossaryTerm.objects.create(slug="micro", term_en="µ", definition_en="A millionth.")
        assert 'id="letter-Μ"' in client.get("/glossary/").content.decode()

    def test_the_heaviest_page_stays_within_its_size(self, client):
        for path in ("/procedures/spinal-osteotomy/", "/es/procedimientos/osteotomia-vertebral/"):
            assert len(gzip.compress(client.get(path).content)) <= 25 * 1024, path
