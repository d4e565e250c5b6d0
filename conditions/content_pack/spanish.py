"""The Spanish of pages: `pages/<slug>.es.md`, over the sections and figures of the English."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from conditions.models import SPANISH, Figure, Packet, Page, ReviewState, Status

from .facts import facts_data, read_facts, store_facts
from .files import Data, Item, PackError, Part, date_of, digest, save, typed
from .former import former_data, read_former, store_former
from .pages import english_words, figure_texts, optional_texts, page_text, read_page, split_page

SPANISH_KEYS = {
    "slug",
    "slug_es",
    "former_slugs",
    *Page.TEXTS,
    *Page.OPTIONAL_TEXTS,
    *Page.LISTS,
    "status",
    "review_state",
    "reviewed_on",
    "english_digest",
    "figures",
    "packet",
    "facts",
}


def read_spanish_page(path: Path, english: Data) -> Item:
    """The Spanish texts of a page whose English is given. Raises PackError where the two differ in structure."""
    item, front, sections = split_page(path, SPANISH_KEYS)
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
    data |= read_former(item, front, english["kind"], data["slug_es"])
    data |= {key: str(front.get(key) or "").strip() for key in Page.TEXTS}
    data |= {key: [str(value) for value in typed(item, front, key, list)] for key in Page.LISTS}
    data |= optional_texts(front)
    data["status"] = front.get("status") or Status.DRAFT.value
    data["review_state"] = front.get("review_state") or ReviewState.UNREVIEWED.value
    data["reviewed_on"] = date_of(item, front, "reviewed_on")
    data["english_digest"] = front.get("english_digest") or english_digest(english)
    given = {figure.get("key"): figure for figure in typed(item, front, "figures", list) if isinstance(figure, dict)}
    if set(given) != {figure["key"] for figure in english["figures"]}:
        raise item.fail("`figures` must have the keys of the English page", "figures")
    data["figures"] = [figure_texts(given[figure["key"]]) for figure in english["figures"]]
    packet = typed(item, front, "packet", dict)
    data["packet"] = {key: str(packet.get(key) or "") for key in ("label", "intro")} if english["packet"] else None
    data["facts"] = read_facts(item, front)
    data["sections"] = [{key: section[key] for key in ("anchor", "heading", "body")} for section in sections]
    item.name, item.data = f"spanish:{front['slug']}", data
    return item


def english_digest(page: Data) -> str:
    """A short fingerprint of a page's English words, to tell a Spanish text that has fallen behind."""
    words = {key: page[key] for key in (*Page.TEXTS, *Page.LISTS, "sections")}
    words |= {key: page[key] for key in Page.OPTIONAL_TEXTS if page.get(key)}
    words["figures"] = [figure_texts(figure) for figure in page["figures"]]
    if page.get("facts"):
        words["facts"] = page["facts"]
    return digest(words)[:16]


def is_behind_english(page: Page) -> bool:
    """Whether a page's English has changed since its Spanish was made from it. Asks for nothing that is prefetched."""
    return bool(page.english_digest) and page.english_digest != english_digest(english_words(page))


def _spanish_read(folder: Path) -> Iterator[Item]:
    for path in sorted((folder / "pages").glob("*.es.md")):
        english = path.with_name(path.name.replace(".es.md", ".en.md"))
        if not english.exists():
            raise PackError(path, 1, f"has no English page {english.name} beside it")
        yield read_spanish_page(path, read_page(english).data)


def _spanish_rows() -> Iterator[tuple[str, Data]]:
    pages = (
        Page.objects.exclude(slug_es="")
        .select_related("packet", "facts")
        .prefetch_related("sections", "figures", "former_addresses")
    )
    for page in pages.order_by("slug"):
        yield f"spanish:{page.slug}", spanish_data(page)


def spanish_data(page: Page) -> Data:
    """The Spanish of a page as the pack holds it."""
    data: Data = {"slug": page.slug, "slug_es": page.slug_es} | former_data(page, SPANISH)
    data |= {key: getattr(page, f"{key}_es") or "" for key in Page.TEXTS}
    data |= {key: getattr(page, f"{key}_es") or [] for key in Page.LISTS}
    data |= {key: text for key in Page.OPTIONAL_TEXTS if (text := getattr(page, f"{key}_es"))}
    data |= {"status": page.status_es, "review_state": page.review_state_es, "reviewed_on": page.reviewed_on_es}
    data["english_digest"] = page.english_digest
    data["figures"] = [
        {"key": figure.key, "callouts": figure.callouts_es or []}
        | {key: getattr(figure, f"{key}_es") or "" for key in Figure.TEXTS}
        for figure in page.figures.all()
    ]
    packet = getattr(page, "packet", None)
    data["packet"] = {"label": packet.label_es or "", "intro": packet.intro_es or ""} if packet else None
    data["facts"] = facts_data(page, "es")
    data["sections"] = [
        {"anchor": section.anchor, "heading": section.heading_es or "", "body": section.body_es or ""}
        for section in page.sections.all()
    ]
    return data


def store_spanish(item: Item) -> None:
    """Put the Spanish over a page whose English is stored. Raises PackError where that may not be."""
    data = item.data
    page = Page.objects.get(slug=data["slug"])
    page.slug_es = data["slug_es"]
    for key in (*Page.TEXTS, *Page.LISTS):
        setattr(page, f"{key}_es", data[key])
    for key in Page.OPTIONAL_TEXTS:
        setattr(page, f"{key}_es", data.get(key, ""))
    page.status_es, page.review_state_es, page.reviewed_on_es = data["status"], data["review_state"], data["reviewed_on"]
    page.english_digest = data["english_digest"]
    save(item, page)
    texts = {section["anchor"]: section for section in data["sections"]}
    for section in page.sections.all():
        if mine := texts.get(section.anchor):
            section.heading_es, section.body_es = mine["heading"], mine["body"]
            save(item, section, "sections")
    figures = {figure["key"]: figure for figure in data["figures"]}
    for figure in page.figures.all():
        if mine := figures.get(figure.key):
            for key in (*Figure.TEXTS, "callouts"):
                setattr(figure, f"{key}_es", mine[key])
            save(item, figure, "figures")
    if data["packet"]:
        Packet.objects.filter(page=page).update(label_es=data["packet"]["label"], intro_es=data["packet"]["intro"])
    store_facts(item, page, "es")


def _spanish_write(folder: Path, rows: list[Data]) -> None:
    shapes = {page.slug: list(page.sections.all()) for page in Page.objects.prefetch_related("sections")}
    for data in rows:
        both = zip(data["sections"], shapes[data["slug"]], strict=True)
        sections = [mine | {"level": section.level, "kind": section.kind} for mine, section in both]
        (folder / "pages" / f"{data['slug']}.es.md").write_text(page_text(data | {"sections": sections}), encoding="utf-8")


def _spanish_store(item: Item) -> None:
    store_spanish(item)
    store_former(item, Page.objects.get(slug=item.data["slug"]), SPANISH)


SPANISH_PAGES = Part("spanish", _spanish_read, _spanish_rows, _spanish_store, _spanish_write)
