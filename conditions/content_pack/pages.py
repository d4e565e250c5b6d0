"""Pages in English: `pages/<slug>.en.md`."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.utils import timezone

from conditions.models import ENGLISH, Figure, Kind, Packet, Page, PageLink, Physician, ReviewState, Section, SectionKind, Status

from .facts import facts_data, read_facts, store_facts
from .files import Data, Item, PackError, Part, as_yaml, date_of, read_sections, read_text, read_yaml, save, typed
from .former import former_data, page_at, physician_at, read_former, store_former
from .photos import photo_named

PAGE_PLAIN = ("regions", "schema_type", "body_location", "codes", "art", "status", "review_state")
PAGE_DATES = ("reviewed_on", "next_review_on")
PAGE_KEYS = {
    *("kind", "slug", *Page.TEXTS, *Page.OPTIONAL_TEXTS, *Page.LISTS, *PAGE_PLAIN, "reviewed_by", *PAGE_DATES),
    *("pronunciation", "home_position", "position", "former_slugs", "links", "figures", "packet", "facts"),
}


def read_page(path: Path) -> Item:
    """One page file. Raises PackError naming line and cause."""
    item, front, sections = split_page(path, PAGE_KEYS)
    for key in ("kind", "slug", "title", "name"):
        if not front.get(key):
            raise item.fail(f"`{key}` is missing or empty", key)
    if front["kind"] not in Kind.values:
        raise item.fail(f"`kind` is {front['kind']!r}; it must be one of: {', '.join(Kind.values)}", "kind")
    if path.name != f"{front['slug']}.en.md":
        raise item.fail(f"`slug` is {front['slug']!r}, so the file must be named {front['slug']}.en.md", "slug")
    item.name = f"page:{front['slug']}"
    item.data = _canonical_page(item, front, sections)
    return item


def split_page(path: Path, known: set[str]) -> tuple[Item, Data, list[Data]]:
    """A page file as an item without data yet, its front matter, and its sections. Raises PackError for an unknown key."""
    text = read_text(path)
    match = re.match(r"---\n(.*?\n)---\n", text, re.S)
    if not match:
        raise PackError(path, 1, "starts without front matter between two --- lines")
    front = read_yaml(path, match[1], first_line=2)
    item = Item("", {}, path, 1, text)
    if not isinstance(front, dict):
        raise PackError(path, 2, "the front matter is no list of `key: value` lines")
    for key in front:
        if key not in known:
            raise item.fail(f"unknown key `{key}`", str(key))
    return item, front, read_sections(path, text[match.end() :], text[: match.end()].count("\n") + 1)


def _canonical_page(item: Item, front: Data, sections: list[Data]) -> Data:
    data: Data = {"kind": front["kind"], "slug": front["slug"]}
    data |= read_former(item, front, data["kind"], data["slug"])
    for key in Page.TEXTS:
        data[key] = str(front.get(key) or "").strip()
    for key in Page.LISTS:
        data[key] = [str(value) for value in typed(item, front, key, list)]
    data["regions"] = typed(item, front, "regions", list)
    data["schema_type"] = front.get("schema_type") or "MedicalWebPage"
    data["body_location"] = front.get("body_location") or ""
    data["codes"] = typed(item, front, "codes", dict)
    data["art"] = front.get("art") or ""
    data["status"] = front.get("status") or Status.DRAFT.value
    data["review_state"] = front.get("review_state") or ReviewState.UNREVIEWED.value
    data["reviewed_by"] = front.get("reviewed_by") or ""
    data |= {key: date_of(item, front, key) for key in PAGE_DATES}
    if front.get("pronunciation"):
        data["pronunciation"] = str(front["pronunciation"]).strip()
    if front.get("home_position") is not None:
        data["home_position"] = front["home_position"]
    if front.get("position") is not None:
        data["position"] = front["position"]
    data |= optional_texts(front)
    links = []
    for link in typed(item, front, "links", list):
        if not isinstance(link, dict) or not {"relation", "to"} <= set(link) <= {"relation", "to", "role", "how_often"}:
            raise item.fail(f"a link must be {{relation: ..., to: ...}} with role or how_often, not {link!r}", "links")
        links.append({key: link[key] for key in ("relation", "to", "role", "how_often") if link.get(key)})
    data["links"] = links
    figures = []
    for figure in typed(item, front, "figures", list):
        if not isinstance(figure, dict) or not {"key", "title", "alt", "caption"} <= set(figure):
            raise item.fail("a figure needs key, title, alt and caption", "figures")
        figures.append(figure_texts(figure) | _photo_key(figure.get("photo")))
    data["figures"] = figures
    packet = front.get("packet")
    data["packet"] = (
        {
            "label": str(packet.get("label") or ""),
            "intro": str(packet.get("intro") or ""),
            "version": str(packet.get("version") or "1"),
            "physicians": list(packet.get("physicians") or []),
        }
        | _own_sections(item, packet, sections)
        if isinstance(packet, dict)
        else None
    )
    data["facts"] = read_facts(item, front)
    data["sections"] = sections
    return data


def optional_texts(front: Data) -> Data:
    """The texts that a page may go without, where it has them."""
    return {key: str(front[key]).strip() for key in Page.OPTIONAL_TEXTS if front.get(key)}


def _own_sections(item: Item, packet: Data, sections: list[Data]) -> Data:
    """What is only for the patients of one surgeon, by anchor; named only where there is any."""
    own = typed(item, packet, "own_sections", dict)
    for anchor in set(own) - {section["anchor"] for section in sections}:
        raise item.fail(f"`own_sections` names #{anchor}, which is no section", "packet")
    return {"own_sections": dict(own)} if own else {}


def _own_sections_of(page: Page) -> Data:
    slugs = dict(Physician.objects.filter(own_sections__page=page).values_list("pk", "slug"))
    own = {section.anchor: slugs[section.physician_id] for section in page.sections.all() if section.physician_id}
    return {"own_sections": own} if own else {}


def _photo_key(key: str | None) -> Data:
    """The photo of a figure, named only where there is one: most figures are drawings."""
    return {"photo": key} if key else {}


def figure_texts(figure: Data) -> Data:
    """What a figure says, in canonical form."""
    texts = {key: str(figure.get(key) or "").strip() for key in ("key", *Figure.TEXTS)}
    return texts | {"callouts": [str(mark) for mark in figure.get("callouts") or []]}


def _pages_read(folder: Path) -> Iterator[Item]:
    for path in sorted((folder / "pages").glob("*.md")):
        if not path.name.endswith((".en.md", ".es.md")):
            raise PackError(path, 1, "a page's file name ends in .en.md or .es.md")
    for path in sorted((folder / "pages").glob("*.en.md")):
        yield read_page(path)


def _pages_rows() -> Iterator[tuple[str, Data]]:
    pages = Page.objects.select_related("reviewed_by", "facts").prefetch_related(
        "sections", "figures__photo", "links_out__target", "packet__physicians", "former_addresses"
    )
    for page in pages.order_by("slug"):
        yield f"page:{page.slug}", page_data(page)


def _link_data(link: PageLink) -> Data:
    entry = {"relation": link.relation, "to": link.target.slug, "role": link.role, "how_often": link.how_often}
    return {key: value for key, value in entry.items() if value}


def page_data(page: Page) -> Data:
    """A page as the pack holds it."""
    data: Data = {"kind": page.kind, "slug": page.slug} | former_data(page, ENGLISH)
    words = english_words(page)
    data |= {key: words[key] for key in (*Page.TEXTS, *Page.LISTS)}
    data |= {key: getattr(page, key) for key in PAGE_PLAIN}
    data["reviewed_by"] = page.reviewed_by.slug if page.reviewed_by else ""
    data |= {key: getattr(page, key) for key in PAGE_DATES}
    if page.pronunciation:
        data["pronunciation"] = page.pronunciation
    if page.home_position is not None:
        data["home_position"] = page.home_position
    if page.position is not None:
        data["position"] = page.position
    data |= {key: words[key] for key in Page.OPTIONAL_TEXTS if key in words}
    data["links"] = [_link_data(link) for link in page.links_out.all()]
    data["figures"] = [
        texts | _photo_key(figure.photo.key if figure.photo else None)
        for texts, figure in zip(words["figures"], page.figures.all(), strict=True)
    ]
    packet = getattr(page, "packet", None)
    data["packet"] = (
        {
            "label": packet.label_en,
            "intro": packet.intro_en or "",
            "version": packet.version,
            "physicians": [physician.slug for physician in packet.physicians.all()],
        }
        | _own_sections_of(page)
        if packet
        else None
    )
    data["facts"] = words["facts"]
    data["sections"] = words["sections"]
    return data


def english_words(page: Page) -> Data:
    """What a page says in English: what its Spanish is made from."""
    words: Data = {key: getattr(page, f"{key}_en") or "" for key in Page.TEXTS}
    words |= {key: getattr(page, f"{key}_en") or [] for key in Page.LISTS}
    words |= {key: text for key in Page.OPTIONAL_TEXTS if (text := getattr(page, f"{key}_en"))}
    words["figures"] = [
        {key: getattr(figure, f"{key}_en") or "" for key in Figure.TEXTS}
        | {"key": figure.key, "callouts": figure.callouts_en or []}
        for figure in page.figures.all()
    ]
    words["facts"] = facts_data(page, "en")
    words["sections"] = [
        {
            "level": section.level,
            "heading": section.heading_en,
            "anchor": section.anchor,
            "kind": section.kind,
            "body": section.body_en or "",
        }
        for section in page.sections.all()
    ]
    return words


def _page_store(item: Item) -> None:
    slug = item.data["slug"]
    page = Page.objects.filter(slug=slug).first() or Page(slug=slug)
    store_page(item, page)
    store_former(item, page, ENGLISH)


def store_page(item: Item, page: Page) -> None:
    """Make a page what the item says, but for its links and its Spanish. Raises PackError where that may not be."""
    data = item.data
    page.kind, page.slug = data["kind"], data["slug"]
    for key in (*Page.TEXTS, *Page.LISTS):
        setattr(page, f"{key}_en", data[key])
    for key in (*PAGE_PLAIN, *PAGE_DATES):
        setattr(page, key, data[key])
    page.pronunciation = data.get("pronunciation", "")
    page.home_position = data.get("home_position")
    page.position = data.get("position")
    for key in Page.OPTIONAL_TEXTS:
        setattr(page, f"{key}_en", data.get(key, ""))
    page.reviewed_by = physician_at(data["reviewed_by"])
    if data["reviewed_by"] and not page.reviewed_by:
        raise item.fail(f"no physician {data['reviewed_by']!r}", "reviewed_by")
    if page.is_published and not page.first_published_on:
        page.first_published_on = data["reviewed_on"] or timezone.localdate()
    save(item, page)
    # Rows are kept by anchor and key: their Spanish stands in the same rows.
    page.sections.exclude(anchor__in=[entry["anchor"] for entry in data["sections"]]).delete()
    page.figures.exclude(key__in=[entry["key"] for entry in data["figures"]]).delete()
    sections = {section.anchor: section for section in page.sections.all()}
    own = (data["packet"] or {}).get("own_sections", {})
    surgeons = {slug: physician_at(slug) for slug in own.values()}
    if None in surgeons.values():
        raise item.fail("`own_sections` names an unknown physician", "packet")
    figures = {figure.key: figure for figure in page.figures.all()}
    for position, entry in enumerate(data["sections"]):
        section = sections.get(entry["anchor"]) or Section(page=page, anchor=entry["anchor"])
        section.position, section.level, section.kind = position, entry["level"], entry["kind"]
        section.heading_en, section.body_en = entry["heading"], entry["body"]
        section.physician = surgeons.get(own.get(entry["anchor"]))
        save(item, section, "sections")
    for position, entry in enumerate(data["figures"]):
        figure = figures.get(entry["key"]) or Figure(page=page, key=entry["key"])
        figure.position = position
        for key in (*Figure.TEXTS, "callouts"):
            setattr(figure, f"{key}_en", entry[key])
        figure.photo = photo_named(item, entry.get("photo", ""), "figures")
        save(item, figure, "figures")
    packet = Packet.objects.filter(page=page).first()
    if packet and not data["packet"]:
        packet.delete()
    if data["packet"]:
        packet = packet or Packet(page=page)
        packet.label_en, packet.intro_en = data["packet"]["label"], data["packet"]["intro"]
        packet.version = data["packet"]["version"]
        save(item, packet, "packet")
        physicians = [physician_at(slug) for slug in data["packet"]["physicians"]]
        if None in physicians:
            raise item.fail("the packet names an unknown physician", "packet")
        packet.physicians.set(physicians)
    store_facts(item, page, "en")


def store_links(item: Item) -> None:
    """The links of a page; when many pages are loaded in a second pass, when every page exists."""
    page = Page.objects.get(slug=item.data["slug"])
    page.links_out.all().delete()
    for position, entry in enumerate(item.data["links"]):
        target = page_at(entry["to"])
        if not target:
            raise item.fail(f"links to {entry['to']!r}, which is no page", "links")
        link = PageLink(source=page, target=target, relation=entry["relation"], position=position)
        link.role, link.how_often = entry.get("role", ""), entry.get("how_often", "")
        save(item, link, "links")


def page_text(data: Data) -> str:
    """A page file, from its data."""
    front = {key: value for key, value in data.items() if key != "sections"}
    front["figures"] = [
        {key: figure[key] for key in ("key", "photo", *Figure.TEXTS, "callouts") if key in figure} for figure in data["figures"]
    ]
    keep = {"codes", "links", "regions"}
    front = {key: value for key, value in front.items() if value or key in keep}
    parts = [f"---\n{as_yaml(front)}---\n"]
    for section in data["sections"]:
        kind = "" if section["kind"] == SectionKind.PROSE else f" .{section['kind']}"
        parts.append(f"{'#' * section['level']} {section['heading']} {{#{section['anchor']}{kind}}}\n")
        if section["body"]:
            parts.append(f"\n{section['body']}\n")
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def _pages_write(folder: Path, rows: list[Data]) -> None:
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    for data in rows:
        (folder / "pages" / f"{data['slug']}.en.md").write_text(page_text(data), encoding="utf-8")


PAGES = Part("page", _pages_read, _pages_rows, _page_store, _pages_write)
