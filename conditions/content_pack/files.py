"""Text files of the pack: reading them with file, line and cause of every mistake, and writing them back."""

import datetime
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction

from conditions.models import SectionKind
from conditions.rich_text import clean

HEADING = re.compile(r"^(#{2,3}) (.+?) \{#([a-z0-9-]+)(?: \.([a-z]+))?\}$")
Data = dict[str, Any]


class PackError(Exception):
    """A file of the pack that cannot be loaded: which, where in it, and why."""

    def __init__(self, path: Path, line: int, cause: str) -> None:
        super().__init__(f"{path}, line {line}: {cause}")
        self.cause = cause


@dataclass
class Item:
    """One thing in the pack: its name, its data in canonical form, where it stands, and the picture kept in storing it."""

    name: str
    data: Data
    path: Path
    line: int = 1
    text: str = field(default="", repr=False)
    picture: str = ""

    def fail(self, cause: str, key: str = "") -> PackError:
        """The error to raise for this item; the line is that of `key` where the file has it."""
        for number, line in enumerate(self.text.splitlines(), 1):
            if number >= self.line and key and line.lstrip("- ").startswith(f"{key}:"):
                return PackError(self.path, number, cause)
        return PackError(self.path, self.line, cause)

    def fail_at(self, words: str, cause: str) -> PackError:
        """The error to raise for what stands in the text; the line is that of these words."""
        before, found, _ = self.text.partition(words)
        return PackError(self.path, before.count("\n") + 1 if found else self.line, cause)


class Part:
    """One kind of thing in the pack: how it is read, found in the database, stored and exported, if all of them are."""

    def __init__(
        self,
        prefix: str,
        read: Callable[[Path], Iterator[Item]],
        rows: Callable[[], Iterator[tuple[str, Data]]],
        store: Callable[[Item], None],
        write: Callable[[Path, list[Data]], None],
        is_exported: Callable[[Data], bool] = lambda data: True,
    ) -> None:
        self.prefix, self.read, self.rows, self.store, self.write = prefix, read, rows, store, write
        self.is_exported = is_exported


def typed(item: Item, front: Data, key: str, kind: type) -> Any:
    """What stands under a key, a list or a mapping; an empty one where there is nothing. Raises PackError for anything else."""
    value = front.get(key)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise item.fail(f"`{key}` must be a {'list' if kind is list else 'mapping'}", key)
    return value


def date_of(item: Item, front: Data, key: str) -> datetime.date | None:
    """The date under a key, or None. Raises PackError for what is no date."""
    if front.get(key) and not isinstance(front[key], datetime.date):
        raise item.fail(f"`{key}` is no date like 2026-11-02", key)
    return front.get(key)


def read_sections(path: Path, body: str, first_line: int) -> list[Data]:
    """The sections of a page file, their text cleaned. Raises PackError with the line of a heading that is malformed."""
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


def read_text(path: Path) -> str:
    """A file's text. Raises PackError where it is no UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PackError(path, path.read_bytes()[: error.start].count(b"\n") + 1, "is not UTF-8 text") from None


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, to which a date that no calendar has is a mistake like any other, with its line."""

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(problem=str(error), problem_mark=node.start_mark) from None


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_timestamp)


def read_yaml(path: Path, text: str, first_line: int = 1) -> Any:
    """What a YAML text says, which begins in that line of its file. Raises PackError with the line of a mistake."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PackError(
            path, first_line + (mark.line if mark else 0), f"is no valid YAML: {getattr(error, 'problem', error)}"
        ) from None


def read_list(folder: Path, file: str, top: str, key: str, prefix: str, shape: Callable[[Item], Data]) -> Iterator[Item]:
    """The entries of a file that holds one list under `top`, each known by `key` and brought to canonical form by `shape`.

    None where there is no such file. Raises PackError for an entry that is malformed or incomplete.
    """
    path = folder / file
    if not path.exists():
        return
    text = read_text(path)
    content = read_yaml(path, text)
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


def list_writer(file: str, top: str) -> Callable[[Path, list[Data]], None]:
    """What writes such a file; their order in it is their position."""

    def write(folder: Path, rows: list[Data]) -> None:
        if rows:
            entries = [{key: value for key, value in row.items() if key != "position"} for row in rows]
            (folder / file).write_text(as_yaml({top: entries}), encoding="utf-8")

    return write


def save(item: Item, row: Any, key: str = "") -> None:
    """Store a row made from an item. Raises PackError where a rule forbids it, with the line of `key`, else of the column."""
    try:
        row.full_clean(validate_unique=False, validate_constraints=False)
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:
            # Asked of every row before it is stored, the constraints would take most of a load's time.
            row.full_clean()
            raise
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        message = " ".join(messages).removesuffix(".")
        if name == NON_FIELD_ERRORS:
            # A constraint speaks of several fields: point at the empty one it names.
            named = [field for field in item.data if field.replace("_", " ") in message.lower()]
            raise item.fail(message, key or next((field for field in named if not item.data[field]), "status")) from None
        raise item.fail(f"{name}: {message}", key or name.removesuffix("_en")) from None


def as_yaml(data: Any) -> str:
    """Data as the pack's files hold it: keys in their order, long lines folded."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)


def digest(data: Data) -> str:
    """A fingerprint of canonical data."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()
