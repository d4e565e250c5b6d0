"""The content pack: text files under a folder, loaded into the database and written back.

    pages/<slug>.en.md     one page: YAML front matter, then sections
    pages/<slug>.es.md     its Spanish texts, over the same sections
    clinic.yaml  references.yaml  glossary.yaml  physicians.yaml  testimonials.yaml

Loading is idempotent and all or nothing. What staff have edited since the last
load is kept, and said. Exporting a loaded pack gives the same bytes again.
"""

import datetime
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils import timezone

from clinic_site.models import Clinic, Holiday, OpeningHours

from .models import (
    Figure,
    GlossaryTerm,
    Kind,
    Packet,
    PackRecord,
    Page,
    PageLink,
    Physician,
    Reference,
    ReviewState,
    Section,
    SectionKind,
    Status,
    Testimonial,
)
from .rich_text import clean

FOLDER = Path(__file__).parent / "content"
HEADING = re.compile(r"^(#{2,3}) (.+?) \{#([a-z0-9-]+)(?: \.([a-z]+))?\}$")
PAGE_TEXTS = ("title", "name", "summary", "description", "card")
PAGE_LISTS = ("alternate_names", "search_terms")
PAGE_PLAIN = ("regions", "schema_type", "body_location", "codes", "art", "status", "review_state")
PAGE_DATES = ("reviewed_on", "next_review_on")
SPANISH_KEYS = {
    "slug",
    "slug_es",
    *PAGE_TEXTS,
    *PAGE_LISTS,
    "status",
    "review_state",
    "reviewed_on",
    "english_digest",
    "figures",
    "packet",
}
FIGURE_TEXTS = ("title", "alt", "caption", "long_description")
PAGE_KEYS = {"kind", "slug", *PAGE_TEXTS, *PAGE_LISTS, *PAGE_PLAIN, "reviewed_by", *PAGE_DATES, "links", "figures", "packet"}
Data = dict[str, Any]


class PackError(Exception):
    """A file of the pack that cannot be loaded: which, where in it, and why."""

    def __init__(self, path: Path, line: int, cause: str) -> None:
        super().__init__(f"{path}, line {line}: {cause}")


@dataclass
class Item:
    """One thing in the pack: its name, its data in canonical form, and where it stands."""

    name: str
    data: Data
    path: Path
    line: int = 1
    text: str = field(default="", repr=False)

    def fail(self, cause: str, key: str = "") -> PackError:
        """The error to raise for this item; the line is that of `key` where the file has it."""
        for number, line in enumerate(self.text.splitlines(), 1):
            if number >= self.line and key and line.lstrip("- ").startswith(f"{key}:"):
                return PackError(self.path, number, cause)
        return PackError(self.path, self.line, cause)


@dataclass
class Report:
    """What a load did, by name."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


# --- reading files -------------------------------------------------------------------


def read_pack(folder: Path) -> list[Item]:
    """Every item of a pack, checked for form. Raises PackError for the first file that is malformed."""
    found = [item for part in PARTS for item in part.read(folder)]
    if not any(item.name.startswith("page:") for item in found):
        raise PackError(folder, 1, "no pages found in this folder")
    return found


def read_page(path: Path) -> Item:
    """One page file. Raises PackError naming line and cause."""
    item, front, sections = _split_page(path, PAGE_KEYS)
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


def _split_page(path: Path, known: set[str]) -> tuple[Item, Data, list[Data]]:
    text = _read_text(path)
    match = re.match(r"---\n(.*?\n)---\n", text, re.S)
    if not match:
        raise PackError(path, 1, "starts without front matter between two --- lines")
    front = _read_yaml(path, match[1], first_line=2)
    item = Item("", {}, path, 1, text)
    if not isinstance(front, dict):
        raise PackError(path, 2, "the front matter is no list of `key: value` lines")
    for key in front:
        if key not in known:
            raise item.fail(f"unknown key `{key}`", str(key))
    return item, front, _read_sections(path, text[match.end() :], text[: match.end()].count("\n") + 1)


def read_spanish_page(path: Path, english: Data) -> Item:
    """The Spanish texts of a page whose English is given. Raises PackError where the two differ in structure."""
    item, front, sections = _split_page(path, SPANISH_KEYS)
    if front.get("slug") != english["slug"] or path.name != f"{english['slug']}.es.md":
        raise item.fail(f"`slug` must be {english['slug']!r}, as in the file's name", "slug")
    for key in ("slug_es", "title", "name"):
        if not front.get(key):
            raise item.fail(f"`{key}` is missing or empty", key)
    shape = [(section["level"], section["anchor"], section["kind"]) for section in sections]
    wanted = [(section["level"], section["anchor"], section["kind"]) for section in english["sections"]]
    for position, (mine, theirs) in enumerate(zip_longest(shape, wanted), 1):
        if mine != theirs:
            raise item.fail(f"section {position} is {mine}, but in English it is {theirs}")
    data: Data = {"slug": front["slug"], "slug_es": front["slug_es"]}
    data |= {key: str(front.get(key) or "").strip() for key in PAGE_TEXTS}
    data |= {key: [str(value) for value in _typed(item, front, key, list)] for key in PAGE_LISTS}
    data["status"] = front.get("status") or Status.DRAFT.value
    data["review_state"] = front.get("review_state") or ReviewState.UNREVIEWED.value
    data["reviewed_on"] = _date(item, front, "reviewed_on")
    data["english_digest"] = front.get("english_digest") or english_digest(english)
    given = {figure.get("key"): figure for figure in _typed(item, front, "figures", list) if isinstance(figure, dict)}
    if set(given) != {figure["key"] for figure in english["figures"]}:
        raise item.fail("`figures` must have the keys of the English page", "figures")
    data["figures"] = [_figure(given[figure["key"]]) for figure in english["figures"]]
    packet = front.get("packet") or {}
    data["packet"] = {key: str(packet.get(key) or "") for key in ("label", "intro")} if english["packet"] else None
    data["sections"] = [{key: section[key] for key in ("anchor", "heading", "body")} for section in sections]
    item.name, item.data = f"spanish:{front['slug']}", data
    return item


def english_digest(page: Data) -> str:
    """A short fingerprint of a page's English words, to tell a Spanish text that has fallen behind."""
    words = {key: page[key] for key in (*PAGE_TEXTS, *PAGE_LISTS, "figures", "sections")}
    return digest(words)[:16]


def is_behind_english(page: Page) -> bool:
    """Whether a page's English has changed since its Spanish was made from it. Asks for nothing that is prefetched."""
    return bool(page.english_digest) and page.english_digest != english_digest(english_words(page))


def _figure(figure: Data) -> Data:
    texts = {key: str(figure.get(key) or "").strip() for key in ("key", *FIGURE_TEXTS)}
    return texts | {"callouts": [str(mark) for mark in figure.get("callouts") or []]}


def _date(item: Item, front: Data, key: str) -> datetime.date | None:
    if front.get(key) and not isinstance(front[key], datetime.date):
        raise item.fail(f"`{key}` is no date like 2026-11-02", key)
    return front.get(key)


def _canonical_page(item: Item, front: Data, sections: list[Data]) -> Data:
    data: Data = {"kind": front["kind"], "slug": front["slug"]}
    for key in PAGE_TEXTS:
        data[key] = str(front.get(key) or "").strip()
    for key in PAGE_LISTS:
        data[key] = [str(value) for value in _typed(item, front, key, list)]
    data["regions"] = _typed(item, front, "regions", list)
    data["schema_type"] = front.get("schema_type") or "MedicalWebPage"
    data["body_location"] = front.get("body_location") or ""
    data["codes"] = _typed(item, front, "codes", dict)
    data["art"] = front.get("art") or ""
    data["status"] = front.get("status") or Status.DRAFT.value
    data["review_state"] = front.get("review_state") or ReviewState.UNREVIEWED.value
    data["reviewed_by"] = front.get("reviewed_by") or ""
    data |= {key: _date(item, front, key) for key in PAGE_DATES}
    links = []
    for link in _typed(item, front, "links", list):
        if not isinstance(link, dict) or not {"relation", "to"} <= set(link) <= {"relation", "to", "role", "how_often"}:
            raise item.fail(f"a link must be {{relation: ..., to: ...}} with role or how_often, not {link!r}", "links")
        links.append({key: link[key] for key in ("relation", "to", "role", "how_often") if link.get(key)})
    data["links"] = links
    figures = []
    for figure in _typed(item, front, "figures", list):
        if not isinstance(figure, dict) or not {"key", "title", "alt", "caption"} <= set(figure):
            raise item.fail("a figure needs key, title, alt and caption", "figures")
        figures.append(_figure(figure))
    data["figures"] = figures
    packet = front.get("packet")
    data["packet"] = (
        {
            "label": str(packet.get("label") or ""),
            "intro": str(packet.get("intro") or ""),
            "version": str(packet.get("version") or "1"),
            "physicians": list(packet.get("physicians") or []),
        }
        if isinstance(packet, dict)
        else None
    )
    data["sections"] = sections
    return data


def _typed(item: Item, front: Data, key: str, kind: type) -> Any:
    value = front.get(key)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise item.fail(f"`{key}` must be a {'list' if kind is list else 'mapping'}", key)
    return value


def _read_sections(path: Path, body: str, first_line: int) -> list[Data]:
    sections: list[Data] = []
    lines: list[str] = []
    seen: set[str] = set()

    def close() -> None:
        if sections:
            sections[-1]["body"] = clean("\n".join(lines))
        elif "".join(lines).strip():
            raise PackError(path, first_line, "there is text before the first `## Heading {#anchor}`")
        lines.clear()

    for number, line in enumerate(body.splitlines(), first_line):
        if not line.startswith("#"):
            lines.append(line)
            continue
        match = HEADING.match(line)
        if not match:
            raise PackError(path, number, "a heading must look like `## Heading {#anchor}` or `## Heading {#anchor .kind}`")
        close()
        kind = match[4] or SectionKind.PROSE.value
        if kind not in SectionKind.values:
            raise PackError(path, number, f"unknown section kind `.{kind}`")
        if match[3] in seen:
            raise PackError(path, number, f"the anchor #{match[3]} stands twice")
        seen.add(match[3])
        sections.append({"level": len(match[1]), "heading": match[2], "anchor": match[3], "kind": kind, "body": ""})
    close()
    return sections


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PackError(path, path.read_bytes()[: error.start].count(b"\n") + 1, "is not UTF-8 text") from None


def _read_yaml(path: Path, text: str, first_line: int = 1) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PackError(
            path, first_line + (mark.line if mark else 0), f"is no valid YAML: {getattr(error, 'problem', error)}"
        ) from None


def _read_list(folder: Path, file: str, top: str, key: str, prefix: str, shape: Callable[[Item], Data]) -> Iterator[Item]:
    path = folder / file
    if not path.exists():
        return
    text = _read_text(path)
    content = _read_yaml(path, text)
    if not isinstance(content, dict) or set(content) != {top} or not isinstance(content[top], list):
        raise PackError(path, 1, f"must hold one list named `{top}:`")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*- ", line) and f"{key}:" in line]
    for position, entry in enumerate(content[top]):
        line = lines[position] if position < len(lines) else 1
        if not isinstance(entry, dict) or not entry.get(key):
            raise PackError(path, line, f"an entry without `{key}`")
        item = Item(f"{prefix}:{entry[key]}", entry | {"position": position}, path, line, text)
        try:
            item.data = shape(item)
        except (KeyError, TypeError) as error:
            raise item.fail(f"an entry is incomplete: {error}") from None
        yield item


# --- between data and rows -------------------------------------------------------------


class Part:
    """One kind of thing in the pack: how it is read, found in the database, stored and exported."""

    def __init__(
        self,
        prefix: str,
        read: Callable[[Path], Iterator[Item]],
        rows: Callable[[], Iterator[tuple[str, Data]]],
        store: Callable[[Item], None],
        write: Callable[[Path, list[Data]], None],
    ) -> None:
        self.prefix, self.read, self.rows, self.store, self.write = prefix, read, rows, store, write


def _pages_read(folder: Path) -> Iterator[Item]:
    for path in sorted((folder / "pages").glob("*.md")):
        if not path.name.endswith((".en.md", ".es.md")):
            raise PackError(path, 1, "a page's file name ends in .en.md or .es.md")
    for path in sorted((folder / "pages").glob("*.en.md")):
        yield read_page(path)


def _spanish_read(folder: Path) -> Iterator[Item]:
    for path in sorted((folder / "pages").glob("*.es.md")):
        english = path.with_name(path.name.replace(".es.md", ".en.md"))
        if not english.exists():
            raise PackError(path, 1, f"has no English page {english.name} beside it")
        yield read_spanish_page(path, read_page(english).data)


def _pages_rows() -> Iterator[tuple[str, Data]]:
    pages = Page.objects.select_related("reviewed_by").prefetch_related(
        "sections", "figures", "links_out__target", "packet__physicians"
    )
    for page in pages.order_by("slug"):
        yield f"page:{page.slug}", page_data(page)


def _link_data(link: PageLink) -> Data:
    entry = {"relation": link.relation, "to": link.target.slug, "role": link.role, "how_often": link.how_often}
    return {key: value for key, value in entry.items() if value}


def page_data(page: Page) -> Data:
    """A page as the pack holds it."""
    data: Data = {"kind": page.kind, "slug": page.slug}
    words = english_words(page)
    data |= {key: words[key] for key in (*PAGE_TEXTS, *PAGE_LISTS)}
    data |= {key: getattr(page, key) for key in PAGE_PLAIN}
    data["reviewed_by"] = page.reviewed_by.slug if page.reviewed_by else ""
    data |= {key: getattr(page, key) for key in PAGE_DATES}
    data["links"] = [_link_data(link) for link in page.links_out.all()]
    data["figures"] = words["figures"]
    packet = getattr(page, "packet", None)
    data["packet"] = (
        {
            "label": packet.label_en,
            "intro": packet.intro_en or "",
            "version": packet.version,
            "physicians": [physician.slug for physician in packet.physicians.all()],
        }
        if packet
        else None
    )
    data["sections"] = words["sections"]
    return data


def english_words(page: Page) -> Data:
    """What a page says in English: what its Spanish is made from."""
    words: Data = {key: getattr(page, f"{key}_en") or "" for key in PAGE_TEXTS}
    words |= {key: getattr(page, f"{key}_en") or [] for key in PAGE_LISTS}
    words["figures"] = [
        {key: getattr(figure, f"{key}_en") or "" for key in FIGURE_TEXTS}
        | {"key": figure.key, "callouts": figure.callouts_en or []}
        for figure in page.figures.all()
    ]
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
    data = item.data
    page = Page.objects.filter(slug=data["slug"]).first() or Page(slug=data["slug"])
    page.kind = data["kind"]
    for key in (*PAGE_TEXTS, *PAGE_LISTS):
        setattr(page, f"{key}_en", data[key])
    for key in (*PAGE_PLAIN, *PAGE_DATES):
        setattr(page, key, data[key])
    page.reviewed_by = Physician.objects.filter(slug=data["reviewed_by"]).first()
    if data["reviewed_by"] and not page.reviewed_by:
        raise item.fail(f"no physician {data['reviewed_by']!r}", "reviewed_by")
    if page.is_published and not page.first_published_on:
        page.first_published_on = data["reviewed_on"] or timezone.localdate()
    _save(item, page)
    page.sections.all().delete()
    page.figures.all().delete()
    for position, entry in enumerate(data["sections"]):
        _save(
            item,
            Section(
                page=page,
                position=position,
                level=entry["level"],
                anchor=entry["anchor"],
                kind=entry["kind"],
                heading_en=entry["heading"],
                body_en=entry["body"],
            ),
            "sections",
        )
    for position, entry in enumerate(data["figures"]):
        texts = {f"{key}_en": entry[key] for key in ("title", "alt", "caption", "long_description", "callouts")}
        _save(item, Figure(page=page, position=position, key=entry["key"], **texts), "figures")
    Packet.objects.filter(page=page).delete()
    if data["packet"]:
        packet = Packet(
            page=page, label_en=data["packet"]["label"], intro_en=data["packet"]["intro"], version=data["packet"]["version"]
        )
        _save(item, packet, "packet")
        physicians = list(Physician.objects.filter(slug__in=data["packet"]["physicians"]))
        if len(physicians) != len(data["packet"]["physicians"]):
            raise item.fail("the packet names an unknown physician", "packet")
        packet.physicians.set(physicians)


def _store_links(item: Item) -> None:
    """Second pass, when every page exists."""
    page = Page.objects.get(slug=item.data["slug"])
    page.links_out.all().delete()
    for position, entry in enumerate(item.data["links"]):
        target = Page.objects.filter(slug=entry["to"]).first()
        if not target:
            raise item.fail(f"links to {entry['to']!r}, which is no page", "links")
        link = PageLink(source=page, target=target, relation=entry["relation"], position=position)
        link.role, link.how_often = entry.get("role", ""), entry.get("how_often", "")
        _save(item, link, "links")


def _save(item: Item, row: Any, key: str = "") -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        message = " ".join(messages)
        if name == NON_FIELD_ERRORS:
            # A constraint speaks of several fields: point at the empty one it names.
            named = [field for field in item.data if field.replace("_", " ") in message.lower()]
            raise item.fail(message, key or next((field for field in named if not item.data[field]), "status")) from None
        raise item.fail(f"{name}: {message}", key or name.removesuffix("_en")) from None
    row.save()


def page_text(data: Data) -> str:
    """A page file, from its data."""
    front = {key: value for key, value in data.items() if key != "sections"}
    front["figures"] = [
        {key: figure[key] for key in ("key", "title", "alt", "caption", "long_description", "callouts")}
        for figure in data["figures"]
    ]
    keep = {"codes", "links", "regions"}
    front = {key: value for key, value in front.items() if value or key in keep}
    parts = [f"---\n{_yaml(front)}---\n"]
    for section in data["sections"]:
        kind = "" if section["kind"] == SectionKind.PROSE else f" .{section['kind']}"
        parts.append(f"{'#' * section['level']} {section['heading']} {{#{section['anchor']}{kind}}}\n")
        if section["body"]:
            parts.append(f"\n{section['body']}\n")
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def _yaml(data: Any) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)


def _pages_write(folder: Path, rows: list[Data]) -> None:
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    for data in rows:
        (folder / "pages" / f"{data['slug']}.en.md").write_text(page_text(data), encoding="utf-8")


def _list_write(file: str, top: str) -> Callable[[Path, list[Data]], None]:
    def write(folder: Path, rows: list[Data]) -> None:
        if rows:
            entries = [{key: value for key, value in row.items() if key != "position"} for row in rows]
            (folder / file).write_text(_yaml({top: entries}), encoding="utf-8")

    return write


def _references_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry = item.data
        return {"key": entry["key"], "title": entry["title"], "url": entry.get("url") or "", "checked_on": entry["checked_on"]}

    return _read_list(folder, "references.yaml", "references", "key", "reference", shape)


def _references_rows() -> Iterator[tuple[str, Data]]:
    for row in Reference.objects.all():
        yield f"reference:{row.key}", {"key": row.key, "title": row.title, "url": row.url, "checked_on": row.checked_on}


def _reference_store(item: Item) -> None:
    row = Reference.objects.filter(key=item.data["key"]).first() or Reference(key=item.data["key"])
    row.title, row.url, row.checked_on = item.data["title"], item.data["url"], item.data["checked_on"]
    _save(item, row)


def _terms_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry = item.data
        return {"slug": entry["slug"], "term": entry["term"], "term_es": entry.get("term_es") or ""} | {
            "definition": entry["definition"],
            "definition_es": entry.get("definition_es") or "",
        }

    return _read_list(folder, "glossary.yaml", "terms", "slug", "term", shape)


def _terms_rows() -> Iterator[tuple[str, Data]]:
    for row in GlossaryTerm.objects.all():
        yield (
            f"term:{row.slug}",
            {
                "slug": row.slug,
                "term": row.term_en,
                "term_es": row.term_es or "",
                "definition": row.definition_en or "",
                "definition_es": row.definition_es or "",
            },
        )


def _term_store(item: Item) -> None:
    data = item.data
    row = GlossaryTerm.objects.filter(slug=data["slug"]).first() or GlossaryTerm(slug=data["slug"])
    row.term_en, row.term_es = data["term"], data["term_es"]
    row.definition_en, row.definition_es = data["definition"], data["definition_es"]
    _save(item, row)


PHYSICIAN_TEXTS = ("role", "lead", "bio", "days")
PHYSICIAN_PLAIN = ("name", "credentials", "board", "languages", "training", "accepting_new_patients", "is_sample")


def _physicians_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry = item.data
        data = {"slug": entry["slug"]}
        data |= {key: entry[key] for key in PHYSICIAN_PLAIN}
        data |= {key: str(entry.get(key) or "").strip() for key in PHYSICIAN_TEXTS} | {"bio": clean(entry.get("bio") or "")}
        return data | {
            "interests": sorted(entry.get("interests") or []),
            "published": bool(entry["published"]),
            "position": entry["position"],
        }

    return _read_list(folder, "physicians.yaml", "physicians", "slug", "physician", shape)


def _physicians_rows() -> Iterator[tuple[str, Data]]:
    for row in Physician.objects.prefetch_related("interests"):
        data: Data = {"slug": row.slug} | {key: getattr(row, key) for key in PHYSICIAN_PLAIN}
        data |= {key: getattr(row, f"{key}_en") or "" for key in PHYSICIAN_TEXTS}
        interests = sorted(page.slug for page in row.interests.all())
        yield f"physician:{row.slug}", data | {"interests": interests, "published": row.is_published, "position": row.position}


def _physician_store(item: Item) -> None:
    data = item.data
    row = Physician.objects.filter(slug=data["slug"]).first() or Physician(slug=data["slug"])
    for key in PHYSICIAN_PLAIN:
        setattr(row, key, data[key])
    for key in PHYSICIAN_TEXTS:
        setattr(row, f"{key}_en", data[key])
    row.is_published, row.position = data["published"], data["position"]
    _save(item, row)


def _pages_named(item: Item, key: str) -> list[Page]:
    pages = list(Page.objects.filter(slug__in=item.data[key]))
    if missing := set(item.data[key]) - {page.slug for page in pages}:
        raise item.fail(f"`{key}` names {sorted(missing)[0]!r}, which is no page", key)
    return pages


def _testimonials_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry = item.data
        return {
            "key": entry["key"],
            "quote": entry["quote"].strip(),
            "display_name": entry["display_name"],
            "descriptor": entry["descriptor"],
            "pages": sorted(entry.get("pages") or []),
            "is_sample": bool(entry["is_sample"]),
            "published": bool(entry["published"]),
            "position": entry["position"],
        }

    return _read_list(folder, "testimonials.yaml", "testimonials", "key", "testimonial", shape)


def _testimonials_rows() -> Iterator[tuple[str, Data]]:
    # Real testimonials belong to their authorisation record, not to a file.
    for row in Testimonial.objects.filter(is_sample=True).prefetch_related("pages"):
        yield (
            f"testimonial:{row.key}",
            {
                "key": row.key,
                "quote": row.quote_en,
                "display_name": row.display_name,
                "descriptor": row.descriptor_en,
                "pages": sorted(page.slug for page in row.pages.all()),
                "is_sample": row.is_sample,
                "published": row.is_published,
                "position": row.position,
            },
        )


def _testimonial_store(item: Item) -> None:
    data = item.data
    row = Testimonial.objects.filter(key=data["key"]).first() or Testimonial(key=data["key"])
    row.quote_en, row.descriptor_en = data["quote"], data["descriptor"]
    row.display_name, row.is_sample = data["display_name"], data["is_sample"]
    row.is_published, row.position = data["published"], data["position"]
    _save(item, row)


CLINIC_KEYS = (
    "name",
    "legal_name",
    "tagline",
    "description",
    "is_sample",
    "phone",
    "email",
    "street",
    "city",
    "state",
    "postal_code",
    "access_note",
    "directions",
    "response_promise",
    "response_working_days",
    "message_headline",
    "message_thanks",
    "message_follow_up",
    "message_error",
)


def _clinic_read(folder: Path) -> Iterator[Item]:
    path = folder / "clinic.yaml"
    if not path.exists():
        return
    text = _read_text(path)
    content = _read_yaml(path, text)
    if not isinstance(content, dict) or not isinstance(content.get("clinic"), dict):
        raise PackError(path, 1, "must hold one mapping named `clinic:`")
    entry = content["clinic"]
    item = Item("clinic", {}, path, 1, text)
    for key in (*CLINIC_KEYS, "hours"):
        if key not in entry:
            raise item.fail(f"`{key}` is missing")
    data = {key: entry[key].strip() if isinstance(entry[key], str) else entry[key] for key in CLINIC_KEYS}
    data["directions"] = clean(entry["directions"])
    data["timezone"] = entry.get("timezone") or "America/New_York"
    data["hours"] = [{key: row[key] for key in ("day", "opens", "closes")} for row in entry["hours"]]
    data["holidays"] = [{key: row[key] for key in ("date", "name")} for row in entry.get("holidays") or []]
    item.data = data
    yield item


def _clinic_rows() -> Iterator[tuple[str, Data]]:
    clinic = Clinic.objects.prefetch_related("opening_hours", "holidays").filter(pk=1).first()
    if clinic:
        data = {key: getattr(clinic, key) for key in CLINIC_KEYS} | {"timezone": clinic.time_zone}
        data["hours"] = [
            {"day": row.weekday, "opens": f"{row.opens_at:%H:%M}", "closes": f"{row.closes_at:%H:%M}"}
            for row in clinic.opening_hours.all()
        ]
        data["holidays"] = [{"date": row.date, "name": row.name} for row in clinic.holidays.all()]
        yield "clinic", data


def _clinic_store(item: Item) -> None:
    data = item.data
    clinic = Clinic.objects.filter(pk=1).first() or Clinic(pk=1)
    for key in CLINIC_KEYS:
        setattr(clinic, key, data[key])
    clinic.time_zone = data["timezone"]
    try:
        clinic.full_clean()
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise item.fail(f"{name}: {' '.join(messages)}", name) from None
    clinic.save()
    clinic.opening_hours.all().delete()
    clinic.holidays.all().delete()
    for row in data["hours"]:
        opens, closes = (datetime.time.fromisoformat(str(row[key])) for key in ("opens", "closes"))
        _save(item, OpeningHours(clinic=clinic, weekday=row["day"], opens_at=opens, closes_at=closes), "hours")
    for row in data["holidays"]:
        _save(item, Holiday(clinic=clinic, date=row["date"], name=row["name"]), "holidays")


def _clinic_write(folder: Path, rows: list[Data]) -> None:
    for data in rows:
        (folder / "clinic.yaml").write_text(_yaml({"clinic": data}), encoding="utf-8")


PARTS = [
    Part("clinic", _clinic_read, _clinic_rows, _clinic_store, _clinic_write),
    Part("reference", _references_read, _references_rows, _reference_store, _list_write("references.yaml", "references")),
    Part("term", _terms_read, _terms_rows, _term_store, _list_write("glossary.yaml", "terms")),
    Part("physician", _physicians_read, _physicians_rows, _physician_store, _list_write("physicians.yaml", "physicians")),
    Part("page", _pages_read, _pages_rows, _page_store, _pages_write),
    Part(
        "testimonial", _testimonials_read, _testimonials_rows, _testimonial_store, _list_write("testimonials.yaml", "testimonials")
    ),
]


# --- loading and exporting ---------------------------------------------------------------


def load_pack(folder: Path = FOLDER) -> Report:
    """Bring the database to the pack in one transaction; what staff edited since is kept.

    Raises PackError, with nothing changed, where a file is malformed.
    """
    found = read_pack(folder)
    report = Report()
    stored: list[Item] = []
    with transaction.atomic():
        records = {record.name: record.digest for record in PackRecord.objects.all()}
        for part in PARTS:
            rows = dict(part.rows())
            for item in (entry for entry in found if entry.name.partition(":")[0] == part.prefix):
                if item.name not in rows:
                    report.added.append(item.name)
                elif digest(rows[item.name]) == digest(item.data):
                    report.unchanged.append(item.name)
                    _remember(records, item)
                    continue
                elif records.get(item.name) != digest(rows[item.name]):
                    report.kept.append(item.name)
                    continue
                else:
                    report.updated.append(item.name)
                part.store(item)
                stored.append(item)
        _store_relations(stored)
        for item in stored:
            _remember(records, item)
        if stored:
            Clinic.bump_content_revision()
    return report


def _store_relations(stored: list[Item]) -> None:
    for item in stored:
        if item.name.startswith("page:"):
            _store_links(item)
        elif item.name.startswith("physician:"):
            Physician.objects.get(slug=item.data["slug"]).interests.set(_pages_named(item, "interests"))
        elif item.name.startswith("testimonial:"):
            Testimonial.objects.get(key=item.data["key"]).pages.set(_pages_named(item, "pages"))


def _remember(records: dict[str, str], item: Item) -> None:
    if records.get(item.name) != digest(item.data):
        PackRecord.objects.update_or_create(name=item.name, defaults={"digest": digest(item.data)})


def export_pack(folder: Path) -> int:
    """Write the database's content as a pack into the folder; returns how many things it wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with transaction.atomic():
        for part in PARTS:
            rows = [data for _, data in part.rows()]
            part.write(folder, rows)
            count += len(rows)
    return count


def digest(data: Data) -> str:
    """A fingerprint of canonical data."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()
