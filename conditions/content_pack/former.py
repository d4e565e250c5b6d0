"""Addresses that a page left, in its front matter: `former_slugs: [old-name]`, in English and in Spanish.

One from when the page was of another kind has that kind before it: `symptom/old-name`.
A load adds addresses and takes none away: once given out, an address goes on leading to its page.
"""

import re

from conditions.models import ENGLISH, FormerAddress, Kind, Page, Physician

from .files import Data, Item, save, typed

KEY = "former_slugs"
ENTRY = re.compile(rf"(?:({'|'.join(Kind.values)})/)?([-\w]{{1,80}})", re.ASCII)


def read_former(item: Item, front: Data, kind: str, slug: str) -> Data:
    """The addresses that a file gives, in order, under their key; nothing where it gives none. Raises PackError."""
    found = set()
    for entry in typed(item, front, KEY, list):
        match = ENTRY.fullmatch(str(entry))
        if not match:
            raise item.fail(f"`{KEY}` has {entry!r}; it takes addresses like old-name, or symptom/old-name", KEY)
        if (match[1] or kind, match[2]) == (kind, slug):
            raise item.fail(f"`{KEY}` names {slug!r}, where the page stands now", KEY)
        found.add(_entry(match[1] or kind, match[2], kind))
    return {KEY: sorted(found)} if found else {}


def former_data(page: Page, language: str) -> Data:
    """The addresses that a page left in a language as the pack holds them. Asks for nothing that is prefetched."""
    rows = [row for row in page.former_addresses.all() if row.language == language]
    found = sorted(_entry(row.kind, row.slug, page.kind) for row in rows)
    return {KEY: found} if found else {}


def store_former(item: Item, page: Page, language: str) -> None:
    """Let the addresses that an item gives lead to the page."""
    for entry in item.data.get(KEY, ()):
        kind, slug = _split(entry, page.kind)
        row = FormerAddress.objects.filter(language=language, kind=kind, slug=slug).first()
        row = row or FormerAddress(language=language, kind=kind, slug=slug)
        if row.page_id != page.pk:
            row.page = page
            save(item, row, KEY)


def without_former(data: Data) -> Data:
    """What a page or its Spanish says, whatever addresses it left: these are no words of anyone's."""
    return {key: value for key, value in data.items() if key != KEY}


def refuse_doubtful(pages: list[Item], spanish: list[Item]) -> None:
    """Raises PackError where a former address is the address of another page of the pack, or claimed by two."""
    kinds = {item.data["slug"]: item.data["kind"] for item in pages}
    for items, name in ((pages, "slug"), (spanish, "slug_es")):
        stand = {(kinds[item.data["slug"]], item.data[name]) for item in items}
        claimed: dict[tuple[str, str], str] = {}
        for item in items:
            for entry in item.data.get(KEY, ()):
                address = _split(entry, kinds[item.data["slug"]])
                if address in stand:
                    raise item.fail(f"`{KEY}` names {entry!r}, where another page of this pack stands", KEY)
                if address in claimed:
                    raise item.fail(f"`{KEY}` names {entry!r}, as does {claimed[address]}", KEY)
                claimed[address] = item.path.name


def renamed(pages: list[Item]) -> dict[str, Page]:
    """Pages of the database that the pack has under a new address, by that address."""
    ours = {item.data["slug"] for item in pages}
    there = set(Page.objects.values_list("slug", flat=True))
    found: dict[str, Page] = {}
    for item in pages:
        left = [_split(entry, item.data["kind"])[1] for entry in item.data.get(KEY, ())]
        old = next((slug for slug in left if slug in there and slug not in ours), "")
        if old and item.data["slug"] not in there:
            found[item.data["slug"]] = Page.objects.get(slug=old)
    return found


def page_at(slug: str) -> Page | None:
    """The page with an English address, or the one that left it."""
    row = FormerAddress.objects.filter(language=ENGLISH, slug=slug).select_related("page").first()
    return Page.objects.filter(slug=slug).first() or (row.page if row else None)


def physician_at(slug: str) -> Physician | None:
    """The doctor whose profile has an address, or the one that left it."""
    return Physician.objects.filter(slug=slug).first() or Physician.objects.filter(former_addresses__slug=slug).first()


def _entry(kind: str, slug: str, own: str) -> str:
    return slug if kind == own else f"{kind}/{slug}"


def _split(entry: str, own: str) -> tuple[str, str]:
    kind, _slash, slug = entry.rpartition("/")
    return kind or own, slug
