"""The vocabulary of schema.org, and where JSON-LD does not keep to it. Asks nobody: the vocabulary stands in `vendor/`."""

import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

VOCABULARY = json.loads((Path(__file__).parent / "vendor" / "schemaorg.json").read_text())
TYPES, PROPERTIES, MEMBERS = (VOCABULARY[part] for part in ("types", "properties", "members"))
TERM = "https://schema.org/"
WRITTEN = {
    "Text": lambda value: isinstance(value, str) and bool(value.strip()),
    "URL": lambda value: isinstance(value, str) and urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).netloc),
    "Date": lambda value: isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)),
    "DateTime": lambda value: isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)", value)),
    "Time": lambda value: isinstance(value, str) and bool(re.fullmatch(r"\d\d:\d\d(:\d\d)?", value)),
    "Boolean": lambda value: isinstance(value, bool),
    "Number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}


@cache
def kinds_of(name):
    """A type with all its supertypes."""
    return {name}.union(*(kinds_of(above) for above in TYPES.get(name, ())))


def types_of(node):
    """The types a node says it has."""
    named = node.get("@type", [])
    return named if isinstance(named, list) else [named]


def nodes_in(value):
    """Every node of a graph, nested ones too."""
    if isinstance(value, list):
        for entry in value:
            yield from nodes_in(entry)
    elif isinstance(value, dict):
        yield value
        for entry in value.values():
            yield from nodes_in(entry)


def ids_in(graphs):
    """Ids that nodes of a type give themselves, with their types."""
    return {node["@id"]: types_of(node) for node in nodes_in(graphs) if "@id" in node and "@type" in node}


def problems(graphs, known):
    """Each way in which a graph departs from the vocabulary. `known` has the ids of the whole site with their types."""
    found = []
    for node in nodes_in(graphs):
        if "@type" not in node:
            continue
        found += [f"no type {name}" for name in types_of(node) if name not in TYPES]
        for name, value in node.items():
            if name == "@reverse":
                for inverse, subjects in value.items():
                    for subject in subjects:
                        found += _misused(subject, inverse, node, known)
            elif not name.startswith("@"):
                for one in value if isinstance(value, list) else [value]:
                    found += _misused(node, name, one, known)
    return found


def _misused(node, name, value, known):
    # Actions annotate what a person has to put in: schema.org/docs/actions.html.
    annotated = name.removesuffix("-input")
    if annotated not in PROPERTIES:
        return [f"no property {name}"]
    domains, ranges = PROPERTIES[annotated]
    where = f"{'/'.join(types_of(node))}.{name}"
    kinds = set().union(*(kinds_of(kind) for kind in types_of(node)))
    if not kinds & set(domains):
        return [f"{where}: {name} is for {' '.join(domains)}"]
    if annotated != name:
        ranges = ["PropertyValueSpecification", "Text"]
    return [] if _is_within(value, set(ranges), known) else [f"{where} = {str(value)[:60]!r} is none of {' '.join(sorted(ranges))}"]


def _is_within(value, ranges, known):
    if isinstance(value, dict):
        types = types_of(value) or known.get(value.get("@id"), [])
        return any(kinds_of(name) & ranges for name in types)
    if isinstance(value, str) and value.startswith(TERM):
        return any(kinds_of(kind) & ranges for kind in MEMBERS.get(value.removeprefix(TERM), ()))
    return any(name in WRITTEN and WRITTEN[name](value) for name in ranges)
