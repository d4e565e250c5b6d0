"""The content pack: text files under a folder, loaded into the database and written back.

    pages/<slug>.en.md     one page: YAML front matter, then sections
    pages/<slug>.es.md     its Spanish texts, over the same sections
    clinic.yaml  regions.yaml  warning_signs.yaml  brand/<logo, drawings, fonts>
    references.yaml  glossary.yaml  locations.yaml  physicians.yaml  testimonials.yaml
    photos.yaml            what the pictures photos/<key>.jpg show

Loading is idempotent and all or nothing. What staff have edited since the last
load is kept, and said. Exporting a loaded pack gives the same bytes again.
"""

from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction

from clinic_site.models import Clinic

# Services build on the parts of this package: they are reached by their module, when a pack is loaded.
from conditions import services
from conditions.models import CITATION, PackRecord, Page, Reference, RevisionAction
from conditions.photos import remove

from .body import REGIONS, SIGNS
from .brand import FILES
from .clinic import CLINIC, find_fonts
from .files import Item, PackError, digest
from .lists import REFERENCES, TERMS
from .pages import PAGES, store_links
from .people import LOCATIONS, PHYSICIANS, TESTIMONIALS, store_relations
from .photos import PHOTOS
from .spanish import SPANISH_PAGES, is_behind_english

__all__ = ["FOLDER", "PackError", "Report", "export_pack", "is_behind_english", "load_pack", "read_pack"]

FOLDER = Path(settings.CONTENT_PACK)
PARTS = [CLINIC, FILES, REGIONS, SIGNS, REFERENCES, TERMS, PHOTOS, LOCATIONS, PHYSICIANS, PAGES, SPANISH_PAGES, TESTIMONIALS]


@dataclass
class Report:
    """What a load did, by name."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def read_pack(folder: Path) -> list[Item]:
    """Every item of a pack, checked for form. Raises PackError for the first file that is malformed."""
    found = [item for part in PARTS for item in part.read(folder)]
    if not any(item.name.startswith("page:") for item in found):
        raise PackError(folder, 1, "no pages found in this folder")
    return found


def load_pack(folder: Path = FOLDER) -> Report:
    """Bring the database to the pack in one transaction; what staff edited since is kept.

    Every page that it makes or changes gets a revision. Locks the pages, so that no
    staff edit falls between reading a page and storing it. Raises PackError, with
    nothing changed and no picture kept, where a file is malformed.
    """
    found = read_pack(folder)
    _refuse_unknown_citations(found)
    try:
        return _load(found)
    except BaseException:
        # A transaction takes back rows, not files.
        for item in found:
            remove(item.picture)
        raise


@transaction.atomic
def _load(found: list[Item]) -> Report:
    report = Report()
    stored: list[Item] = []
    list(Page.objects.select_for_update().order_by("pk").values_list("pk"))
    for page in Page.objects.filter(revisions=None):
        services.keep_present(page)
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
    slugs = {item.data["slug"] for item in stored if item.name.startswith((f"{PAGES.prefix}:", f"{SPANISH_PAGES.prefix}:"))}
    for page in Page.objects.filter(slug__in=slugs):
        services.record_revision(page, by=None, action=RevisionAction.LOADED)
    if stored:
        Clinic.bump_content_revision()
    return report


def _refuse_unknown_citations(found: list[Item]) -> None:
    known = set(Reference.objects.values_list("key", flat=True))
    known |= {item.data["key"] for item in found if item.name.startswith(f"{REFERENCES.prefix}:")}
    for item in found:
        for section in item.data.get("sections", ()):
            for key in CITATION.findall(section["body"]):
                if key not in known:
                    raise item.fail_at(f"[{key}]", f"cites [{key}], which is no key in references.yaml")


def _store_relations(stored: list[Item]) -> None:
    for item in stored:
        kind = item.name.partition(":")[0]
        if kind == PAGES.prefix:
            store_links(item)
        elif kind in (PHYSICIANS.prefix, TESTIMONIALS.prefix):
            store_relations(item)
        elif kind == CLINIC.prefix:
            find_fonts(item)


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
