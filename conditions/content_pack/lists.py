"""References and glossary: `references.yaml`, `glossary.yaml`."""

from collections.abc import Iterator
from pathlib import Path

from conditions.models import GlossaryTerm, Reference

from .files import Data, Item, Part, list_writer, read_list, save


def _references_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry = item.data
        return {"key": entry["key"], "title": entry["title"], "url": entry.get("url") or "", "checked_on": entry["checked_on"]}

    return read_list(folder, "references.yaml", "references", "key", "reference", shape)


def _references_rows() -> Iterator[tuple[str, Data]]:
    for row in Reference.objects.all():
        yield f"reference:{row.key}", {"key": row.key, "title": row.title, "url": row.url, "checked_on": row.checked_on}


def _reference_store(item: Item) -> None:
    row = Reference.objects.filter(key=item.data["key"]).first() or Reference(key=item.data["key"])
    row.title, row.url, row.checked_on = item.data["title"], item.data["url"], item.data["checked_on"]
    save(item, row)


def _terms_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry = item.data
        return {"slug": entry["slug"], "term": entry["term"], "term_es": entry.get("term_es") or ""} | {
            "definition": entry["definition"],
            "definition_es": entry.get("definition_es") or "",
        }

    return read_list(folder, "glossary.yaml", "terms", "slug", "term", shape)


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
    save(item, row)


REFERENCES = Part("reference", _references_read, _references_rows, _reference_store, list_writer("references.yaml", "references"))
TERMS = Part("term", _terms_read, _terms_rows, _term_store, list_writer("glossary.yaml", "terms"))
