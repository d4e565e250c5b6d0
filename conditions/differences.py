"""What changed between two states of a page, in words that an editor can read; pure functions.

Texts are compared word by word, lists entry by entry. Sections are known by their
anchor and figures by their key, so that a change of order is told from a change of words.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from .content_pack.files import Data
from .models import Figure, Packet, Page, ProcedureFacts, Relation, Role, Section

# Words kept on each side of a change; longer stretches without one are left out.
AROUND = 12
ENGLISH_WORDS = (*Page.TEXTS, *Page.OPTIONAL_TEXTS, *Page.LISTS, "sections", "figures", "facts")
_BLOCK_END = re.compile(r"</(?:p|li|tr|ul|ol|table)>|<br>")
_LINK = re.compile(r'<a[^>]*href="([^"]*)"[^>]*>(.*?)</a>', re.S)
_TAG = re.compile(r"<[^>]+>")
_WORD = re.compile(r"\S+|\n")


@dataclass(frozen=True)
class Piece:
    """A stretch of text that is the `same`, was `added` or `removed`; or a `gap`, where nothing changed."""

    kind: str
    text: str = ""


@dataclass(frozen=True)
class Change:
    """One thing that changed: where, and its words before and after; `note` says what words cannot."""

    label: str
    before: Any = ""
    after: Any = ""
    note: str = ""

    @cached_property
    def pieces(self) -> list[Piece]:
        """The words before and after in one text, each marked."""
        if isinstance(self.before, list) or isinstance(self.after, list):
            return _compared(_entries(self.before), _entries(self.after), "\n")
        before, after = readable(self.before), readable(self.after)
        if before == after:
            return []
        return _compared(_WORD.findall(before), _WORD.findall(after), " ")

    @property
    def is_formatting(self) -> bool:
        """Whether the words are the same and only their form differs."""
        return not self.note and not self.pieces


@dataclass(frozen=True)
class Changes:
    """What changed in one language, or in what belongs to both (`language` is empty then)."""

    title: str
    language: str
    items: list[Change]


def differences(before: Data, after: Data) -> list[Changes]:
    """What changed between two states of a page, English and Spanish apart; parts without a change are left out."""
    old, new = before["page"], after["page"]
    rest = [key for key in old | new if key not in ENGLISH_WORDS]
    plans = _plain(before.get("schedule") or {}, after.get("schedule") or {}, list(after.get("schedule") or {}))
    parts = [
        Changes(_("English"), "en", list(_words(old, new, structure=True))),
        Changes(_("Spanish"), "es", list(_words(before["spanish"], after["spanish"], structure=False))),
        Changes(_("State, review, links and search"), "", [*_plain(old, new, rest), *_packet(old, new), *plans]),
    ]
    return [part for part in parts if part.items]


def count_changes(before: Data, after: Data) -> int:
    """How many things changed."""
    return sum(len(part.items) for part in differences(before, after))


def readable(value: Any) -> str:
    """A stored value as plain lines: marks for list items, addresses after links."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return "\n".join(f"{key}: {readable(entry)}" for key, entry in value.items())
    text = _LINK.sub(r"\2 [\1]", str(value)).replace("<li>", "• ")
    text = re.sub(r"</t[dh]>\s*(?=<t[dh])", " | ", text)
    lines = html.unescape(_TAG.sub("", _BLOCK_END.sub("\n", text))).split("\n")
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def _words(old: Data, new: Data, *, structure: bool) -> Iterator[Change]:
    keys = [key for key in old | new if key not in ("sections", "figures", "slug", "packet", "facts")]
    if structure:
        keys = [key for key in keys if key in ENGLISH_WORDS]
    yield from _plain(old, new, keys)
    if not structure:
        yield from _fields(Packet, old.get("packet") or {}, new.get("packet") or {}, _("Packet"))
    yield from _fields(ProcedureFacts, old.get("facts") or {}, new.get("facts") or {}, _("Facts to compare"))
    yield from _rows(Section, "anchor", old["sections"], new["sections"], structure)
    yield from _rows(Figure, "key", old["figures"], new["figures"], structure)


def _plain(old: Data, new: Data, keys: list[str]) -> Iterator[Change]:
    for key in keys:
        if key == "packet" or _same(old.get(key), new.get(key)):
            continue
        if key == "english_digest":
            yield Change(_("Spanish and English"), note=_("Marked as saying the same."))
        elif key == "former_slugs":
            yield Change(_("Former addresses"), old.get(key) or [], new.get(key) or [])
        elif key == "links":
            yield Change(_("Links"), _links(old.get(key)), _links(new.get(key)))
        else:
            yield Change(_label(Page, key), _shown(Page, key, old.get(key)), _shown(Page, key, new.get(key)))


def _packet(old: Data, new: Data) -> Iterator[Change]:
    yield from _fields(Packet, old.get("packet") or {}, new.get("packet") or {}, _("Packet"))


def _rows(model: type[models.Model], name: str, old: list[Data], new: list[Data], structure: bool) -> Iterator[Change]:
    """Changes of sections or figures; `structure` where their coming, going and order is to be told too."""
    before, after = {row[name]: row for row in old}, {row[name]: row for row in new}
    kind = capfirst(str(model._meta.verbose_name))
    words = ("heading", "title", name)
    moved = _moved([key for key in before if key in after], [key for key in after if key in before])
    for key in [*after, *(key for key in before if key not in after)]:
        row = after.get(key) or before[key]
        place = f"{kind} “{next((row[word] for word in words if row.get(word)), key)}”"
        if key in before and key in after:
            if structure and key in moved:
                yield Change(place, note=_("Moved to another place."))
            yield from _fields(model, before[key], after[key], place)
        else:
            text = readable(row.get("body") or row.get("caption") or "")
            is_new = key in after
            if structure:
                note = _("Added.") if is_new else _("Removed.")
                yield Change(place, "" if is_new else text, text if is_new else "", note)
            elif text:
                yield Change(place, "" if is_new else text, text if is_new else "")


def _fields(model: type[models.Model], old: Data, new: Data, place: str) -> Iterator[Change]:
    for key in dict.fromkeys([*old, *new]):
        if not _same(old.get(key), new.get(key)):
            label = f"{place}: {_label(model, key).lower()}"
            yield Change(label, _shown(model, key, old.get(key)), _shown(model, key, new.get(key)))


def _same(old: Any, new: Any) -> bool:
    """Whether two values say the same; what an older revision does not know counts as empty."""
    return old == new or not (old or new)


def _moved(old: list[str], new: list[str]) -> set[str]:
    """Keys that stand elsewhere among the others; the longest run that kept its order counts as having stayed."""
    stayed: set[str] = set()
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        stayed.update(old[block.a : block.a + block.size])
    return set(new) - stayed


def _label(model: type[models.Model], key: str) -> str:
    try:
        return capfirst(str(model._meta.get_field(key).verbose_name))
    except FieldDoesNotExist:
        return capfirst(key.replace("_", " "))


def _shown(model: type[models.Model], key: str, value: Any) -> Any:
    """A value as staff know it: the words of a choice, not its code."""
    for name in (key, key.removesuffix("_es")):
        try:
            choices = dict(model._meta.get_field(name).flatchoices)
        except (FieldDoesNotExist, AttributeError):
            continue
        return str(choices.get(value, "" if value is None else value)) if choices else value
    return value


def _links(links: list[Data] | None) -> list[str]:
    relations, roles = dict(Relation.choices), dict(Role.choices)
    return [
        f"{relations.get(link['relation'], link['relation'])} → {link['to']}"
        + (f" ({roles.get(link['role'], link['role'])})" if link.get("role") else "")
        + (f" ({link['how_often']})" if link.get("how_often") else "")
        for link in links or []
    ]


def _entries(value: Any) -> list[str]:
    return [readable(entry) for entry in value] if isinstance(value, list) else [readable(value)] if value else []


def _compared(old: list[str], new: list[str], between: str) -> list[Piece]:
    pieces: list[Piece] = []
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for number, (step, a, b, c, d) in enumerate(steps):
        if step == "equal":
            pieces += _shortened(old[a:b], between, is_first=number == 0, is_last=number == len(steps) - 1)
            continue
        if b > a:
            pieces.append(Piece("removed", _joined(old[a:b], between)))
        if d > c:
            pieces.append(Piece("added", _joined(new[c:d], between)))
    return pieces


def _shortened(words: list[str], between: str, *, is_first: bool, is_last: bool) -> list[Piece]:
    head, tail = (0 if is_first else AROUND), (0 if is_last else AROUND)
    if len(words) <= head + tail + AROUND:
        return [Piece("same", _joined(words, between))]
    ends = [words[:head], words[len(words) - tail :] if tail else []]
    pieces = [Piece("same", _joined(end, between)) for end in ends if end]
    pieces.insert(1 if head else 0, Piece("gap"))
    return pieces


def _joined(words: list[str], between: str) -> str:
    return between.join(words).replace(" \n ", "\n").replace(" \n", "\n").replace("\n ", "\n")
