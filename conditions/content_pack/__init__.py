"""The content pack: text files under a folder, loaded into the database and written back.

    pages/<slug>.en.md     one page: YAML front matter, then sections
    pages/<slug>.es.md     its Spanish texts, over the same sections
    clinic.yaml  regions.yaml  warning_signs.yaml  brand/<logo, drawings, fonts>
    references.yaml  glossary.yaml  locations.yaml  physicians.yaml  testimonials.yaml
    photos.yaml            what the pictures photos/<key>.jpg show

Loading is idempotent and all or nothing. What staff have edited or taken away
since the last load is kept so, and said. Exporting a loaded pack gives the same bytes again.
"""

from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction

from clinic_site.models import Clinic

# Services build on the parts of this package: they are reached by their module, when a pack is loaded.
from conditions import services
from conditions.models import CITATION, ENGLISH, FormerAddress, FormerProfileAddress, PackRecord, Page, Reference, RevisionAction
from conditions.photos import remove

from .body import REGIONS, SIGNS
from .brand import FILES
from .clinic import CLINIC, find_fonts
from .files import Data, Item, PackError, Part, digest
from .former import KEY, refuse_doubtful, renamed, without_former
from .lists import REFERENCES, TERMS
from .pages import PAGES, store_links
from .people import LOCATIONS, PHYSICIANS, TESTIMONIALS, store_relations
from .photos import PHOTOS
from .spanish import SPANISH_PAGES, is_behind_english

__all__ = ["FOLDER", "PackError", "Report", "export_pack", "is_behind_english", "load_pack", "read_pack"]

FOLDER = Path(settings.CONTENT_PACK)
# Nothing else in a pack names these.
MAY_GO = [FILES, SIGNS, TERMS, SPANISH_PAGES, TESTIMONIALS]
PARTS = [CLINIC, FILES, REGIONS, SIGNS, REFERENCES, TERMS, PHOTOS, LOCATIONS, PHYSICIANS, PAGES, SPANISH_PAGES, TESTIMONIALS]


@dataclass
class Report:
    """What a load did, by name."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)


def read_pack(folder: Path) -> list[Item]:
    """Every item of a pack, checked for form. Raises PackError for the first file that is malformed."""
    found = [item for part in PARTS for item in part.read(folder)]
    if not any(item.name.startswith("page:") for item in found):
        raise PackError(folder, 1, "no pages found in this folder")
    return found


def load_pack(folder: Path = FOLDER) -> Report:
    """Bring the database to the pack in one transaction; what staff edited since is kept.

    A page that the pack has under a new address moves there, staff edits and all. One that
    staff moved is kept. What staff took away stays away; what other files name, such as a
    page or a doctor, is made again. Every page that it makes or changes gets a revision. Locks the
    pages, so that no staff edit falls between reading a page and storing it. Raises
    PackError, with nothing changed and no picture kept, where a file is malformed.
    """
    found = read_pack(folder)
    _refuse_unknown_citations(found)
    refuse_doubtful(_items(found, PAGES), _items(found, SPANISH_PAGES))
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
    rows = _rows()
    edited = {name for name, row in rows.items() if records.get(name) != _digest(row)}
    for slug, page in renamed(_items(found, PAGES)).items():
        report.moved.append(f"page:{page.slug} to page:{slug}")
        for prefix in (PAGES.prefix, SPANISH_PAGES.prefix):
            edited |= {f"{prefix}:{slug}"} if f"{prefix}:{page.slug}" in edited else set()
            PackRecord.objects.filter(name=f"{prefix}:{page.slug}").delete()
        page.slug = slug
        page.save()
    if report.moved:
        rows = _rows()
    elsewhere = _moved_by_staff(found)
    for part in PARTS:
        for item in _items(found, part):
            row = rows.get(item.name)
            if row is None and (item.name in elsewhere or (part in MAY_GO and _was_taken_away(item, rows, records))):
                report.kept.append(item.name)
                continue
            if row is None:
                report.added.append(item.name)
            elif _digest(row) == _digest(item.data) and set(item.data.get(KEY, ())) <= set(row.get(KEY, ())):
                report.unchanged.append(item.name)
                _remember(records, item)
                continue
            elif item.name in edited:
                report.kept.append(item.name)
                continue
            else:
                report.updated.append(item.name)
            part.store(item)
            stored.append(item)
    _store_relations(stored)
    for item in stored:
        _remember(records, item)
    slugs = {item.data["slug"] for part in (PAGES, SPANISH_PAGES) for item in _items(stored, part)}
    for page in Page.objects.filter(slug__in=slugs | {name.rpartition(":")[2] for name in report.moved}):
        services.record_revision(page, by=None, action=RevisionAction.LOADED)
    if stored or report.moved:
        Clinic.bump_content_revision()
    return report


def _items(found: list[Item], part: Part) -> list[Item]:
    return [item for item in found if item.name.partition(":")[0] == part.prefix]


def _rows() -> dict[str, Data]:
    return {name: row for part in PARTS for name, row in part.rows()}


def _digest(data: Data) -> str:
    return digest(without_former(data))


def _was_taken_away(item: Item, rows: dict[str, Data], records: dict[str, str]) -> bool:
    """Whether something without a row was there after the last load; the Spanish of a page that is gone too went with it."""
    prefix, _colon, key = item.name.partition(":")
    return item.name in records and (prefix != SPANISH_PAGES.prefix or f"{PAGES.prefix}:{key}" in rows)


def _moved_by_staff(found: list[Item]) -> set[str]:
    """Pages and doctors of the pack, by name, that staff have given another address, which nothing in the pack has."""
    pages, doctors = ({item.data["slug"] for item in _items(found, part)} for part in (PAGES, PHYSICIANS))
    left = FormerAddress.objects.filter(language=ENGLISH, slug__in=pages).exclude(page__slug__in=pages)
    profiles = FormerProfileAddress.objects.filter(slug__in=doctors).exclude(physician__slug__in=doctors)
    moved = {f"{part.prefix}:{slug}" for slug in left.values_list("slug", flat=True) for part in (PAGES, SPANISH_PAGES)}
    return moved | {f"{PHYSICIANS.prefix}:{slug}" for slug in profiles.values_list("slug", flat=True)}


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
    if records.get(item.name) != _digest(item.data):
        PackRecord.objects.update_or_create(name=item.name, defaults={"digest": _digest(item.data)})


def export_pack(folder: Path) -> int:
    """Write the database's content as a pack into the folder; returns how many things it wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with transaction.atomic():
        for part in PARTS:
            rows = [data for _, data in part.rows() if part.is_exported(data)]
            part.write(folder, rows)
            count += len(rows)
    return count
