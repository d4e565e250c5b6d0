"""The same place in both languages: for the language switch, for search engines, and for links inside texts."""

from collections.abc import Iterable

from django.urls import Resolver404, resolve, reverse
from django.utils.translation import override

from .models import SPANISH, Page

ENGLISH = "en"
LISTS = (
    "conditions:home",
    "conditions:procedure_index",
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
            found[language] = reverse(match.view_name, args=match.args, kwargs=_url_values(match.kwargs))
    return found


def of_view(name: str, languages: Iterable[str], *arguments: str) -> dict[str, str]:
    """Addresses by language of a view, for languages known to have pages; none where there is only English."""
    found = {}
    for language in languages:
        with override(language):
            found[language] = reverse(name, args=arguments)
    return found if SPANISH in found else {}


def _url_values(kwargs: dict) -> dict:
    return {name: value for name, value in kwargs.items() if name in ("slug", "token")}


def in_english_only(kind: str, slug: str) -> str:
    """The English address of a page that has no published Spanish text; empty where there is no such page."""
    page = Page.objects.published(ENGLISH).filter(kind=kind, slug=slug).first()
    with override(ENGLISH):
        return page.get_absolute_url() if page else ""


def public_paths() -> list[str]:
    """Every address without arguments of its own: lists, the form, published pages and meanings, in each language with pages."""
    paths = []
    for language in (ENGLISH, SPANISH):
        with override(language):
            pages = [page.get_absolute_url() for page in Page.objects.published()]
            if pages:
                paths += [reverse(name) for name in LISTS] + [reverse("conditions:glossary_terms")] + pages
    return paths


def spanish_paths() -> dict[str, str]:
    """English address to Spanish address, for every list and every page that is published in Spanish. One query."""
    pages = list(Page.objects.published(SPANISH).only("kind", "slug", "slug_es"))
    with override(ENGLISH):
        english = [reverse(name) for name in LISTS] + [page.get_absolute_url() for page in pages]
    with override(SPANISH):
        spanish = [reverse(name) for name in LISTS] + [page.get_absolute_url() for page in pages]
    return dict(zip(english, spanish, strict=True))
