"""What a Spanish reader can rely on: whole pages in Spanish, at Spanish addresses, that lead to each other."""

import ast
import gettext
import html
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils.translation import activate, override

from clinic_site.models import Clinic
from clinic_site.templatetags.site import hours
from conditions import addresses, models
from conditions.models import SPANISH, GlossaryTerm, Packet, Page, Physician, Section
from conditions.rich_text import plain_text
from intake import outbox
from intake.models import ConsultationRequest
from tests.factories import submitted
from tests.live import hidden_values
from tests.reading import tree_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]

CATALOGUE = Path(settings.LOCALE_PATHS[0]) / "es" / "LC_MESSAGES"
# Words that an English sentence of the site's own can hardly do without, and Spanish never needs.
ENGLISH = re.compile(
    r"\b(the|and|of|you|your|we|our|with|this|that|for|from|what|when|where|which|all|read|find|call|back|next|home|pages?|search"
    r"|request|visit|symptoms?|conditions?|procedures?|physicians?|guides?|reviewed|minutes?|about|please|optional|send|reach)\b",
    re.I,
)
UNSEEN = {"script", "style", "head", "defs"}
SPOKEN = ("aria-label", "alt", "title", "placeholder")


@pytest.fixture(autouse=True)
def _english_again():
    """A request leaves its language to the thread; the next test starts in English."""
    yield
    activate("en")


def spanish(name, *args):
    with override(SPANISH):
        return reverse(name, args=args)


def published():
    """Pages that are published in Spanish, with their Spanish address."""
    with override(SPANISH):
        return [(page, page.get_absolute_url()) for page in Page.objects.published()]


def lists():
    return [spanish(name) for name in addresses.LISTS]


@pytest.fixture
def site(read):
    """Every page that a Spanish reader can open: its address and its tree."""
    people = [spanish("conditions:physician", slug) for slug in Physician.objects.values_list("slug", flat=True)]
    paths = [*lists(), *people, *(path for _, path in published()), spanish("conditions:search") + "?q=ciatica"]
    assert {path: read(path).status for path in paths if read(path).status != 200} == {}
    return {path: read(path).tree for path in paths}


def heard(element, is_spanish=True):
    """Each piece of text that a reader sees or a screen reader says, where the page does not mark it as another language."""
    if not isinstance(element.tag, str) or element.tag.rsplit("}", 1)[-1] in UNSEEN:
        return
    is_spanish = element.get("lang", SPANISH if is_spanish else "en") == SPANISH
    if is_spanish:
        pieces = [element.text, *(value for name, value in element.items() if name in SPOKEN or name.startswith("data-"))]
        yield from (" ".join(piece.split()) for piece in pieces if piece and piece.strip())
    for child in element:
        yield from heard(child, is_spanish)
        if is_spanish and child.tail and child.tail.strip():
            yield " ".join(child.tail.split())


def links(tree):
    return [a for a in tree.iter("a") if a.get("href", "").startswith("/")]


def catalogue():
    """The entries of django.po: context, English, English plural, and the Spanish texts."""
    for block in (CATALOGUE / "django.po").read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        entry, key = {}, ""
        for line in lines:
            if not line.startswith('"'):
                key, _, line = line.partition(" ")
            entry[key] = entry.get(key, "") + ast.literal_eval(line)
        if entry.get("msgid"):
            yield entry


def as_shown(msgid):
    """A pattern for an English text of the catalogue with anything where a value goes."""
    parts = re.split(r"%\(\w+\)[sd]|%[sd]|\{\w+\}", plain_text(msgid))
    return re.compile(".+".join(re.escape(html.unescape(part)) for part in parts))


# --- addresses -----------------------------------------------------------------------------


def test_most_pages_can_be_read_in_spanish():
    assert len(published()) > 30


def test_no_page_promises_the_spanish_that_is_there():
    for section in Section.objects.select_related("page"):
        words = f"{section.body_en} {section.body_es}"
        assert "being prepared" not in words and "preparando" not in words, section.page.slug


def test_every_page_published_in_spanish_opens_at_its_spanish_address(read):
    for page, path in published():
        assert path.startswith("/es/") and page.slug_es in path
        assert read(path).status == 200, path


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("conditions:home", "/es/"),
        ("conditions:procedure_index", "/es/procedimientos/"),
        ("conditions:condition_index", "/es/enfermedades/"),
        ("conditions:symptom_index", "/es/sintomas/"),
        ("conditions:guide_index", "/es/guias/"),
        ("conditions:physician_index", "/es/medicos/"),
        ("conditions:glossary", "/es/glosario/"),
        ("conditions:search", "/es/buscar/"),
        ("intake:consultation", "/es/consulta/"),
    ],
)
def test_addresses_of_lists_are_spanish_words(name, path):
    assert spanish(name) == path


def test_a_page_of_a_spanish_path_with_the_english_name_leads_to_the_spanish_one(client):
    for page, path in published():
        response = client.get(spanish(f"conditions:{page.kind}", page.slug))
        if page.slug != page.slug_es:
            assert (response.status_code, response.headers["Location"]) == (301, path)


def test_a_page_without_published_spanish_sends_a_spanish_reader_to_the_english_one_for_now(client):
    page, _ = published()[0]
    Page.objects.filter(pk=page.pk).update(status_es="draft")
    english = addresses.of_page(page)["en"]
    response = client.get(spanish(f"conditions:{page.kind}", page.slug))
    assert (response.status_code, response.headers["Location"]) == (302, english)


# --- both languages know each other ------------------------------------------------------------


def declared(tree):
    links = [link for link in tree.iter("link") if link.get("rel") == "alternate" and link.get("hreflang")]
    return {link.get("hreflang"): link.get("href") for link in links}


def switch(tree, language):
    """Where the language switch leads: a link, or on the form a button that takes along what was typed."""
    links = [a.get("href") for a in tree.iter("a") if a.get("hreflang") == language and a.get("lang") == language]
    return links + [button.get("formaction") for button in tree.iter("button") if button.get("lang") == language]


def test_every_spanish_page_says_that_it_is_spanish(site):
    for path, tree in site.items():
        assert tree.get("lang") == "es", path


def test_both_languages_of_a_page_name_each_other_and_offer_a_switch(site, read):
    pairs = [(addresses.of_page(page)["en"], path) for page, path in published()]
    with override("en"):
        pairs += [(reverse(name), path) for name, path in zip(addresses.LISTS, lists(), strict=True)]
    for english, path in pairs:
        twin = read(english).tree
        expected = {
            "en": settings.SITE_URL + english,
            "es": settings.SITE_URL + path,
            "x-default": settings.SITE_URL + english,
        }
        assert declared(site[path]) == declared(twin) == expected, path
        assert english in switch(site[path], "en")
        assert path in switch(twin, "es")


def test_an_english_page_without_spanish_offers_help_in_spanish(client):
    page, _ = published()[0]
    Page.objects.filter(pk=page.pk).update(status_es="draft")
    tree = tree_of(client.get(addresses.of_page(page)["en"]))
    assert declared(tree) == {}
    assert switch(tree, "es") == ["/language-assistance/#es"]


def test_links_on_spanish_pages_lead_to_spanish_addresses(site):
    known = addresses.spanish_paths()
    for path, tree in site.items():
        for a in links(tree):
            if a.get("hreflang") != "en":
                assert urlsplit(a.get("href")).path not in known, f"{path} leads to {a.get('href')}"


def test_no_link_of_a_spanish_page_is_dead(site, read, client):
    found = {}
    for path, tree in site.items():
        for a in links(tree):
            found.setdefault(urlsplit(a.get("href")).path, path)
    documents = [target for target in found if target.startswith("/es/") and not target.endswith(".pdf")]
    others = [target for target in documents if read(target).status != 200]
    dead = {target: found[target] for target in others if client.get(target, follow=True).status_code != 200}
    assert not dead


def test_a_packet_is_printed_in_the_language_it_is_asked_for_in(client):
    page = Packet.objects.first().page
    Page.objects.filter(pk=page.pk).update(status_es="published", slug_es=page.slug_es or "paquete", title_es="Paquete")
    page.refresh_from_db()
    with override("en"):
        english = client.get(page.pdf_url)
    with override("es"):
        translated = client.get(page.pdf_url)
    assert english.status_code == translated.status_code == 200
    assert english.content != translated.content


# --- words -------------------------------------------------------------------------------------


def test_every_text_of_the_interface_is_translated_and_compiled():
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    source = (CATALOGUE / "django.po").read_text()
    assert "#, fuzzy" not in source and "#~" not in source
    for entry in catalogue():
        context = f"{entry['msgctxt']}\x04" if "msgctxt" in entry else ""
        if "msgid_plural" in entry:
            given = [compiled.ngettext(context + entry["msgid"], entry["msgid_plural"], number) for number in (1, 2)]
            assert [entry["msgstr[0]"], entry["msgstr[1]"]] == given
        else:
            assert compiled.gettext(context + entry["msgid"]) == entry["msgstr"]
            assert entry["msgstr"], entry["msgid"]


def test_no_spanish_page_shows_an_untranslated_text_of_the_interface(site):
    english = {entry["msgid"] for entry in catalogue() if entry.get("msgstr") != entry["msgid"]}
    english |= {entry["msgid_plural"] for entry in catalogue() if "msgid_plural" in entry}
    # A text of values alone, such as "%(days)s, %(times)s", would match anything.
    patterns = [as_shown(text) for text in english if len(re.sub(r"%\(\w+\)[sd]|[^a-zA-Z]", "", text)) > 2]
    assert len(patterns) > 500
    pieces = {piece: path for path, tree in site.items() for piece in heard(tree)}
    names = {person.name for person in Physician.objects.all()}
    assert not {piece: path for piece, path in pieces.items() if piece not in names and any(p.fullmatch(piece) for p in patterns)}


def test_no_spanish_page_shows_english_words_of_its_own(site):
    """Content that still awaits its Spanish is left out: `readiness` reports it."""
    waiting = " ".join(plain_text(text) for text in _english_content())
    pieces = {piece: path for path, tree in site.items() for piece in heard(tree) if ENGLISH.search(piece)}
    own = {piece: path for piece, path in pieces.items() if piece not in waiting and not _is_proper_name(piece)}
    assert not own


def _english_content():
    for section in Section.objects.all():
        yield f"{section.heading_en} {section.body_en}"
    for term in GlossaryTerm.objects.all():
        yield f"{term.term_en} {term.definition_en}"
    for person in Physician.objects.all():
        yield " ".join([person.role_en, person.lead_en, person.bio_en, person.days_en, person.board])
        yield from (step[key] for step in person.training for key in step)
    for testimonial in models.Testimonial.objects.all():
        yield f"“{testimonial.quote_en}” {testimonial.descriptor_en}"
    for packet in Packet.objects.all():
        yield f"{packet.label_en} {packet.intro_en}"


def _is_proper_name(piece):
    """Whether only names are English: of people, of the clinic, of addresses, or a term in brackets that a surgeon will say."""
    offices = ["US Department of Health and Human Services", "Office for Civil Rights"]
    for name in [Clinic.current().name, *Physician.objects.values_list("name", flat=True), *offices]:
        piece = piece.replace(name, "")
    return not ENGLISH.search(re.sub(r"\([^)]*\)|\S+@\S+|https?://\S+|\S+\.(?:gov|org|com)\b", "", piece))


def test_an_english_word_in_a_spanish_text_is_said_in_english(site):
    pages = {path: site[path] for _, path in published()}
    said = {path: [text for text in heard(tree) if re.search(r"en inglés, \w", text)] for path, tree in pages.items()}
    assert {path: texts for path, texts in said.items() if texts} == {}
    assert any(span.get("lang") == "en" and span.text == "MRI" for tree in pages.values() for span in tree.iter("span"))


@pytest.mark.parametrize("word", ["ciatica", "Ciática", "CIÁTICA"])
def test_search_finds_spanish_pages_with_or_without_accents(client, word):
    tree = tree_of(client.get("/es/buscar/", {"q": word}))
    assert any(a.get("href", "").startswith("/es/enfermedades/") for a in links(tree))


def test_opening_hours_and_dates_read_as_spanish(client):
    with override(SPANISH):
        assert (
            hours(Clinic.current())
            == "de lunes a viernes, de 8\N{NO-BREAK SPACE}a.\N{NO-BREAK SPACE}m. a 5\N{NO-BREAK SPACE}p.\N{NO-BREAK SPACE}m."
        )
    page, path = next((page, path) for page, path in published() if page.kind == "procedure")
    Page.objects.filter(pk=page.pk).update(first_published_on="2026-11-02")
    assert "Publicada por primera vez el 2 de noviembre de 2026." in client.get(path).content.decode()


@pytest.mark.parametrize("path", ["/es/medicos/", "/es/medicos/sample-surgeon-a/"])
def test_days_and_languages_of_a_doctor_are_written_as_spanish_writes_them(client, path):
    text = plain_text(client.get(path).content.decode())
    assert "Lunes, martes y jueves" in text and "Inglés y español" in text


def test_the_glossary_puts_accented_letters_with_their_plain_ones(client):
    tree = tree_of(client.get("/es/glosario/"))
    letters = [element.text for element in tree.iter("h2") if (element.get("id") or "").startswith("letter-")]
    assert letters == sorted(letters) and "Á" not in letters


# --- asking for a consultation -------------------------------------------------------------------


def fill_in(client, **answers):
    page = client.get("/es/consulta/").content.decode()
    return client.post("/es/consulta/", hidden_values(page) | {"on_behalf_of": "me", "best_time": "any"} | answers)


def test_the_form_asks_and_complains_in_spanish(client):
    response = fill_in(client, phone="12")
    text = plain_text(response.content.decode())
    assert response.status_code == 422
    for words in ("Revise 3 respuestas, por favor", "Escriba su nombre y apellido", "Marque la casilla si acepta"):
        assert words in text


def test_a_request_in_spanish_gets_a_spanish_receipt_and_keeps_the_spanish_consent(client):
    response = fill_in(client, name="Ana Muestra", phone="703 555 0163", consent="on")
    assert response.headers["Location"].startswith("/es/consulta/recibida/")
    text = plain_text(client.get(response.headers["Location"]).content.decode())
    assert re.search(r"a más tardar el (lunes|martes|miércoles|jueves|viernes) \d+ de [a-z]+, 5 p.\sm\.", text)
    lead = ConsultationRequest.objects.get()
    assert lead.language == "es"
    assert lead.consent_text.startswith("Acepto que ")


def test_the_warning_about_emergencies_is_spanish(client):
    response = fill_in(client, name="Ana Muestra", phone="703 555 0163", consent="on", red_flags="bladder")
    assert "Llame al 911 o vaya a una sala de emergencias ahora" in plain_text(response.content.decode())


def test_the_acknowledgement_is_written_in_the_language_of_the_request(mailoutbox):
    submitted(language="es", email="ana@example.org")
    outbox.send_due()
    (mail,) = [mail for mail in mailoutbox if mail.to == ["ana@example.org"]]
    assert mail.subject.startswith("Tenemos su solicitud ")
    assert "Gracias por elegir " in mail.body and "a más tardar el miércoles 25 de noviembre, 5 p." in mail.body


def test_a_spanish_address_is_its_pages_own_even_where_another_has_it_in_english(client):
    one, other = Page.objects.filter(kind="symptom", status_es="published").order_by("-slug")[:2]
    Page.objects.filter(pk=one.pk).update(slug_es=other.slug)
    one.refresh_from_db()
    response = client.get(f"/es/sintomas/{other.slug}/")
    assert response.status_code == 200
    assert f"<h1>{one.title_es}</h1>" in response.content.decode().replace("\xa0", " ")
