"""Pages as schema.org, printed as JSON-LD. Pure functions from rows to text; samples are never claimed as real."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic_site.models import Clinic, OpeningHours, PostalAddress, Weekday
from clinic_site.site_record import current_clinic

from .models import GlossaryTerm, Kind, Location, Page, Physician, PhysicianHours, ReviewState
from .presentation import Presented, ShownSection
from .rich_text import plain_text

Graph = dict[str, Any]
Trail = Sequence[tuple[str | Promise, str]]
# The number that stands for a source means nothing away from its page.
CITED = re.compile(r"<sup>.*?</sup>", re.S)
ENTITY_TYPES = {Kind.PROCEDURE: "MedicalProcedure", Kind.CONDITION: "MedicalCondition", Kind.SYMPTOM: "MedicalSignOrSymptom"}


def for_home() -> SafeString:
    """The clinic and its website."""
    site = {
        "@type": "WebSite",
        "@id": _url("/#website"),
        "url": _url("/"),
        "name": current_clinic().name,
        "inLanguage": get_language(),
        "publisher": {"@id": _url("/#clinic")},
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": _url(reverse("conditions:search")) + "?q={search_term_string}"},
            "query-input": "required name=search_term_string",
        },
    }
    return _print([clinic_graph(current_clinic()), site])


def for_index(kind: Kind, heading: str, pages: list[Page]) -> SafeString:
    """A list of pages of one kind."""
    entries = [
        {"@type": "ListItem", "position": position, "url": _url(page.get_absolute_url()), "name": page.name}
        for position, page in enumerate(pages, 1)
    ]
    path = reverse(f"conditions:{kind.value}_index")
    collection = {
        "@type": "CollectionPage",
        "@id": _url(path),
        "url": _url(path),
        "name": heading,
        "mainEntity": {"@type": "ItemList", "itemListElement": entries},
    }
    return _print([collection, breadcrumbs([_home(), (heading, path)])])


def for_glossary(heading: str, terms: Iterable[GlossaryTerm]) -> SafeString:
    """Every term of the glossary with its meaning, each at its place on the page."""
    path = reverse("conditions:glossary")
    entries = [
        {"@type": "DefinedTerm", "@id": f"{_url(path)}#{term.slug}", "name": term.term, "description": term.definition}
        for term in terms
    ]
    terms_graph = {
        "@type": "DefinedTermSet",
        "@id": _url(path),
        "url": _url(path),
        "name": heading,
        "inLanguage": get_language(),
        "hasDefinedTerm": entries,
    }
    return _print([terms_graph, breadcrumbs([_home(), (_("Glossary"), path)])])


def for_crumbs(trail: Trail) -> SafeString:
    """Only the way to this page."""
    return _print([breadcrumbs([_home(), *trail])])


def for_page(page: Page, presented: Presented, context: dict[str, Any]) -> SafeString:
    """One page: the medical web page, what it is about, and the way to it."""
    return _print(
        [
            web_page(page, presented),
            *([about(page, context)] if page.kind in ENTITY_TYPES else []),
            breadcrumbs(context["breadcrumbs"]),
        ]
    )


def for_physician(physician: Physician, interests: Iterable[Page]) -> SafeString:
    """A doctor and the procedures among their interests; a sample profile gives only the way to the page."""
    trail = [
        _home(),
        (_("Physicians"), reverse("conditions:physician_index")),
        (physician.name, physician.get_absolute_url()),
    ]
    person = {
        "@type": "Physician",
        "@id": _url(physician.get_absolute_url()),
        "url": _url(physician.get_absolute_url()),
        "name": physician.name,
        "description": physician.lead,
        "knowsLanguage": physician.languages,
        "isAcceptingNewPatients": physician.accepting_new_patients,
        "parentOrganization": {"@id": _url("/#clinic")},
        "telephone": current_clinic().phone,
    }
    if procedures := [page for page in interests if page.kind == Kind.PROCEDURE]:
        person["availableService"] = [
            {"@type": _entity_type(page), "name": page.name, "url": _url(page.get_absolute_url())} for page in procedures
        ]
    if physician.portrait and not physician.portrait.is_sample:
        person["image"] = _url(physician.portrait.url)
    if visits := physician.visits():
        person["location"] = [place(location) for location in visits]
        person["openingHoursSpecification"] = _hours(row for rows in visits.values() for row in rows)
    return _print([*([] if physician.is_sample else [person]), breadcrumbs(trail)])


def place(location: Location) -> Graph:
    """A place where doctors of the clinic see patients."""
    return {
        "@type": "MedicalClinic",
        "@id": f"{_url('/')}#location-{location.key}",
        "name": location.name,
        "parentOrganization": {"@id": _url("/#clinic")},
        "telephone": location.phone or current_clinic().phone,
        "address": _address(location, current_clinic().country),
    }


def _address(of: PostalAddress, country: str) -> Graph:
    return {
        "@type": "PostalAddress",
        "streetAddress": of.street,
        "addressLocality": of.city,
        **({"addressRegion": of.state} if of.state else {}),
        "postalCode": of.postal_code,
        "addressCountry": country,
    }


def _hours(rows: Iterable[OpeningHours | PhysicianHours]) -> list[Graph]:
    return [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": f"https://schema.org/{Weekday(row.weekday).name.title()}",
            "opens": f"{row.opens_at:%H:%M}",
            "closes": f"{row.closes_at:%H:%M}",
        }
        for row in rows
    ]


def clinic_graph(clinic: Clinic) -> Graph:
    """The clinic as MedicalClinic, with address and hours."""
    hours = _hours(clinic.opening_hours.all()) if clinic.is_stored else []
    graph = {
        "@type": "MedicalClinic",
        "@id": _url("/#clinic"),
        "name": clinic.name,
        "url": _url("/"),
        "description": clinic.description,
        "telephone": clinic.phone,
        "email": clinic.email,
        "image": _url(reverse("conditions:home_share")),
        "address": _address(clinic, clinic.country),
        "openingHoursSpecification": hours,
    }
    if closed := clinic.closed_ahead(timezone.localdate()):
        graph["specialOpeningHoursSpecification"] = [
            {"@type": "OpeningHoursSpecification", "validFrom": day, "validThrough": day, "opens": "00:00", "closes": "00:00"}
            for day in (holiday.date.isoformat() for holiday in closed)
        ]
    if clinic.medical_specialty:
        graph["medicalSpecialty"] = f"https://schema.org/{clinic.medical_specialty}"
    return graph


def web_page(page: Page, presented: Presented) -> Graph:
    """The page itself: who checked it and when, for whom, what it cites. A sample review is left out."""
    data: Graph = {
        "@type": "MedicalWebPage" if page.kind != Kind.NOTICE else "WebPage",
        "@id": _url(page.get_absolute_url()) + "#page",
        "url": _url(page.get_absolute_url()),
        "name": page.title,
        "description": page.description,
        "inLanguage": get_language(),
        "isPartOf": {"@id": _url("/#website")},
        "publisher": {"@id": _url("/#clinic")},
        "dateModified": timezone.localdate(page.last_revised_at).isoformat(),
    }
    if page.first_published_on:
        data["datePublished"] = page.first_published_on.isoformat()
    if page.kind != Kind.NOTICE:
        data["audience"] = {"@type": "Patient"}
        data["citation"] = [entry.reference.title for entry in presented.references]
    if questions := _questions(page, presented):
        data["@type"] = [data["@type"], "FAQPage"]
        data["mainEntity"] = questions
    if page.kind in ENTITY_TYPES:
        data["about"] = {"@id": _url(page.get_absolute_url()) + "#about"}
    if page.review_state == ReviewState.REVIEWED and page.reviewed_by and page.reviewed_on and not page.reviewed_by.is_sample:
        data["lastReviewed"] = page.reviewed_on.isoformat()
        data["reviewedBy"] = {"@type": "Physician", "name": page.reviewed_by.name, "url": _url(page.reviewed_by.get_absolute_url())}
    return data


def _questions(page: Page, presented: Presented) -> list[Graph]:
    return [
        {
            "@type": "Question",
            "name": section.heading,
            "url": f"{_url(page.get_absolute_url())}#{section.anchor}",
            "acceptedAnswer": {"@type": "Answer", "text": _words(section)},
        }
        for section in presented.questions
    ]


def _words(section: ShownSection) -> str:
    return " ".join(plain_text(CITED.sub("", block.html)) for block in section.blocks)


def about(page: Page, context: dict[str, Any]) -> Graph:
    """The procedure, condition or symptom that a page is about."""
    kind = Kind(page.kind)
    data: Graph = {
        "@type": _entity_type(page),
        "@id": _url(page.get_absolute_url()) + "#about",
        "name": page.name,
        "alternateName": page.alternate_names or [],
        "description": page.summary,
        "url": _url(page.get_absolute_url()),
    }
    codes = [{"@type": "MedicalCode", "codeValue": code, "codingSystem": "ICD-10-CM"} for code in page.codes.get("icd10cm", [])]
    if codes:
        data["code"] = codes
    presented: Presented = context["presented"]
    sections = {section.anchor: _words(section) for section in presented.sections}
    if kind == Kind.PROCEDURE:
        data["bodyLocation"] = page.body_location
        for name, anchors in {
            "howPerformed": ("involved", "operation"),
            "preparation": ("prepare", "getting-ready"),
            "followup": ("recovery",),
        }.items():
            if text := next((sections[anchor] for anchor in anchors if sections.get(anchor)), ""):
                data[name] = _opening(text)
    if kind == Kind.CONDITION:
        data["signOrSymptom"] = [{"@type": "MedicalSymptom", "name": entry.page.name} for entry in context["symptoms"]]
        data["possibleTreatment"] = [{"@type": "MedicalTherapy", "name": entry.page.name} for entry in context["treatments"]]
    if kind == Kind.SYMPTOM:
        causes = [
            {"@type": "MedicalCondition", "name": entry.page.name, "url": _url(entry.page.get_absolute_url())}
            for entry in context["causes"]
        ]
        # The vocabulary knows a condition's symptoms, not a symptom's conditions: the edge is told backwards.
        data["@reverse"] = {"signOrSymptom": causes} if causes else ""
    return {key: value for key, value in data.items() if value not in ("", [])}


def _entity_type(page: Page) -> str:
    """What a page is about; where that was left open, or says what the page itself is, what its kind is about."""
    return page.schema_type if page.schema_type not in ("", "MedicalWebPage") else ENTITY_TYPES[Kind(page.kind)]


def _opening(text: str, length: int = 320) -> str:
    """The first whole sentences of a text; its first one where that alone is longer."""
    if len(text) <= length:
        return text
    end = max(text.rfind(mark, 0, length) for mark in (". ", "? ", "! "))
    return text[: end + 1] if end > 0 else re.split(r"(?<=[.?!]) ", text, maxsplit=1)[0]


def breadcrumbs(trail: Trail) -> Graph:
    """The way from the front page to here: words and address of each step."""
    entries = [
        {"@type": "ListItem", "position": position, "name": str(label), "item": {"@id": _url(path)}}
        for position, (label, path) in enumerate(trail, 1)
    ]
    return {"@type": "BreadcrumbList", "itemListElement": entries}


def _home() -> tuple[str, str]:
    return _("Home"), reverse("conditions:home")


def _url(path: str) -> str:
    return settings.SITE_URL + path


def _print(graphs: list[Graph]) -> SafeString:
    text = json.dumps({"@context": "https://schema.org", "@graph": graphs}, ensure_ascii=False, separators=(",", ":"))
    # Inside a script element only these could end it or start a comment.
    return mark_safe(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
