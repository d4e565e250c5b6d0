"""The same place in both languages: for the language switch, for search engines, and for links inside texts."""

import logging
from collections.abc import Iterable

from django.db import Error
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import get_language, override

from clinic_site.site_record import kept_with_content

from .models import ENGLISH, SPANISH, FormerAddress, Kind, Page, Physician

log = logging.getLogger(__name__)
_last_known: dict[str, dict[str, str]] = {}
LISTS = (
    "conditions:home",
    "conditions:procedure_index",
    "conditions:compare",
    "conditions:condition_index",
    "conditions:symptom_index",
    "conditions:guide_index",
    "conditions:physician_index",
    "conditions:glossary",
    "conditions:search",
    "intake:consultation",
)


def of_page(page: Page) -> dict[str, str]:
    """Addresses of a page by language, for the languages it is published in."""
    found = {}
    for language in (ENGLISH, SPANISH):
        with override(language):
            if page.is_published:
                found[language] = page.get_absolute_url()
    return found


def in_both_languages(path: str) -> dict[str, str]:
    """Addresses by language of a list or form, from its address in the language in use; nothing where no Spanish page exists."""
    try:
        match = resolve(path)
    except Resolver404:
        return {}
    if not Page.objects.published(SPANISH).exists():
        return {}
    found = {}
    for language in (ENGLISH, SPANISH):
        with override(language):
            found[language] = reverse(match.view_name, kwargs={name: match.kwargs[name] for name in match.kwargs if name == "slug"})
    return found


def of_view(name: str, languages: Iterable[str], *arguments: str) -> dict[str, str]:
    """Addresses by language of a view, for languages known to have pages; none where there is only English."""
    found = {}
    for language in languages:
        with override(language):
            found[language] = reverse(name, args=arguments)
    return found if SPANISH in found else {}


def moved(kind: str, slug: str) -> Page | None:
    """The published page that once stood at an address of the language in use, or in Spanish at an English one."""
    left = FormerAddress.objects.filter(kind=kind, slug=slug).select_related("page")
    languages = (SPANISH, ENGLISH) if get_language() == SPANISH else (ENGLISH,)
    found = sorted(left.filter(language__in=languages), key=lambda address: languages.index(address.language))
    return next((address.page for address in found if address.page.is_published), None)


def in_english_only(kind: str, slug: str) -> str:
    """The English address of a page that has no published Spanish text; empty where there is no such page."""
    page = Page.objects.published(ENGLISH).filter(kind=kind, slug=slug).first()
    with override(ENGLISH):
        return page.get_absolute_url() if page else ""


def known_paths() -> dict[str, str]:
    """Addresses by slug of the published guides and pages about the clinic, in the language in use.

    Read again within a second of a change; the last good list while the database is away.
    """
    language = get_language() or ENGLISH
    return kept_with_content(f"known paths {language}", lambda: _read_known_paths(language))


def _read_known_paths(language: str) -> dict[str, str]:
    try:
        found: dict[str, str] = {}
        # In English where there is no Spanish yet.
        for known_in in dict.fromkeys((ENGLISH, language)):
            with override(known_in):
                pages = Page.objects.published().filter(kind__in=[Kind.GUIDE, Kind.NOTICE]).only("kind", "slug", "slug_es")
                found |= {page.slug: page.get_absolute_url() for page in pages}
        _last_known[language] = found
    except Error as error:
        log.warning("list of guides not readable: %s", type(error).__name__)
    return _last_known.get(language, {})


def public_paths() -> list[str]:
    """Every address without arguments of its own: lists, form, feed, published pages and meanings, in each language with pages."""
    paths = []
    for language in (ENGLISH, SPANISH):
        with override(language):
            pages = [page.get_absolute_url() for page in Page.objects.published()]
            if pages:
                names = [*LISTS, "conditions:feed", "conditions:glossary_terms"]
                if Page.objects.comparable().count() < 2:
                    names.remove("conditions:compare")
                paths += [reverse(name) for name in names] + pages
    return paths


def spanish_paths() -> dict[str, str]:
    """English address, former ones too, to Spanish address, for every list, every doctor and every page published in Spanish.

    Read in two queries, and again within a second of a change.
    """
    return kept_with_content("spanish paths", _read_spanish_paths)


def _read_spanish_paths() -> dict[str, str]:
    left = ("former_addresses__language", "former_addresses__kind", "former_addresses__slug")
    rows = Page.objects.published(SPANISH).values_list("kind", "slug", "slug_es", *left)
    pages = [
        (Page(kind=row[0], slug=row[1], slug_es=row[2]), FormerAddress(language=row[3], kind=row[4], slug=row[5])) for row in rows
    ]
    doctors = list(Physician.objects.filter(is_published=True).only("slug"))
    with override(SPANISH):
        spanish = [page.get_absolute_url() for page, _former in pages]
        lists = [reverse(name) for name in LISTS]
        profiles = [doctor.get_absolute_url() for doctor in doctors]
    with override(ENGLISH):
        both = list(zip(pages, spanish, strict=True))
        found = {former.path: path for (_page, former), path in both if former.language == ENGLISH}
        # An address that somebody else has now is theirs.
        found |= {page.get_absolute_url(): path for (page, _former), path in both}
        found |= {doctor.get_absolute_url(): path for doctor, path in zip(doctors, profiles, strict=True)}
        return found | dict(zip(map(reverse, LISTS), lists, strict=True))


def withdrawn_paths() -> frozenset[str]:
    """Addresses in either language, former ones too, of pages that nobody may read in that language, and that lead nowhere else.

    Read again within a second of a change.
    """
    return kept_with_content("withdrawn paths", _read_withdrawn_paths)


def _read_withdrawn_paths() -> frozenset[str]:
    closed: set[str] = set()
    open_to_all: set[str] = set()
    pages = Page.objects.only("kind", "slug", "slug_es", "status", "status_es").prefetch_related("former_addresses")
    for language in (ENGLISH, SPANISH):
        with override(language):
            for page in pages:
                paths = open_to_all if page.is_published else closed
                if language == ENGLISH or page.slug_es:
                    paths.add(page.get_absolute_url())
                paths.update(former.path for former in page.former_addresses.all() if former.language == language)
    return frozenset(closed - open_to_all)
