"""A whole page, both languages, in the form of the pack: what its history keeps, and how it is put back."""

import json
from pathlib import Path

from django.core.serializers.json import DjangoJSONEncoder

from conditions.models import Figure, Page

from .files import Data, Item
from .pages import PAGE_KEYS, english_words, page_data, store_links, store_page
from .spanish import SPANISH_KEYS, is_behind_english, spanish_data, store_spanish

# What is planned for a page: staff change it, so its history and its conflicts know it; no file holds it.
SCHEDULE = ("publish_at", "publish_es_at", "unpublish_at")


def page_state(page: Page) -> Data:
    """The page as it is stored now, whatever the object at hand says, in values as JSON has them."""
    rows = Page.objects.select_related("reviewed_by", "packet", "facts")
    stored = rows.prefetch_related("sections", "figures", "links_out__target", "packet__physicians", "former_addresses").get(
        pk=page.pk
    )
    schedule = {field: getattr(stored, field) for field in SCHEDULE}
    state = {"page": page_data(stored), "spanish": spanish_data(stored), "schedule": schedule}
    return json.loads(json.dumps(state, cls=DjangoJSONEncoder))


def store_state(page: Page, state: Data) -> None:
    """Make a page what a state says, but for its schedule and the addresses that it left.

    Call it in a transaction. Raises PackError where that may not be.
    """
    item = Item("page", state["page"], Path())
    # A fresh row: what the object at hand says of other columns may be old.
    store_page(item, Page.objects.get(pk=page.pk))
    store_links(item)
    store_spanish(Item("spanish", state["spanish"] | {"slug": state["page"]["slug"]}, Path()))


def known_keys() -> Data:
    """What a page can say today, by part. A state lacks a key too where the page has nothing there; this tells the two apart."""
    return {"page": sorted(PAGE_KEYS), "spanish": sorted(SPANISH_KEYS)}


def with_unknown(part: str, then: Data, now: Data) -> Data:
    """One part of an earlier state, and what the page says now under keys that nobody knew when that state was kept."""
    known = {*then[part], *then.get("known_keys", {}).get(part, ())}
    return {key: value for key, value in now[part].items() if key not in known} | then[part]


def anchors_behind(page: Page) -> set[str]:
    """Sections whose English changed since the page's Spanish was made from it, as far as its history goes back."""
    if not is_behind_english(page):
        return set()
    made_from = page.revisions.filter(english_digest=page.english_digest).first()
    if not made_from:
        return set()
    then = {section["anchor"]: section for section in made_from.data["page"]["sections"]}
    return {now["anchor"] for now in english_words(page)["sections"] if then.get(now["anchor"]) != now}


def came_together(before: Data, now: Data) -> bool:
    """Whether all English words of a state that another lacks stand where nothing stood, each with its Spanish beside it."""
    old, english, spanish = _words(before["page"]), _words(now["page"]), _words(now["spanish"])
    new = [place for place, words in english.items() if words != old.get(place, "")]
    return all(not old.get(place) and spanish.get(place) for place in new)


def _words(part: Data) -> dict[tuple[str, str], str]:
    words = {("page", key): str(part.get(key) or "") for key in (*Page.TEXTS, *Page.OPTIONAL_TEXTS, *Page.LISTS)}
    words |= {("facts", key): text for key, text in (part.get("facts") or {}).items()}
    words |= {(f"#{entry['anchor']}", key): entry[key] for entry in part["sections"] for key in ("heading", "body")}
    keys = (*Figure.TEXTS, "callouts")
    return words | {(f"figure {entry['key']}", key): str(entry[key] or "") for entry in part["figures"] for key in keys}
