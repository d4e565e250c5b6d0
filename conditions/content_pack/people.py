"""Places, physicians and sample testimonials: `locations.yaml`, `physicians.yaml`, `testimonials.yaml`."""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path

from conditions.models import Location, Page, Physician, PhysicianHours, Testimonial
from conditions.rich_text import clean

from .files import Data, Item, Part, list_writer, read_list, save, typed
from .former import page_at
from .hours import hours_data, read_hours, stretch
from .photos import photo_named

LOCATION_TEXTS = ("name", "access_note", "directions")
LOCATION_PLAIN = ("street", "city", "state", "postal_code", "phone", "is_sample")
PHYSICIAN_TEXTS = ("role", "board", "lead", "bio", "days")
PHYSICIAN_PLAIN = ("name", "credentials", "languages", "accepting_new_patients", "is_sample")
TESTIMONIAL_TEXTS = ("quote", "descriptor")


def _locations_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry = item.data
        data = {"key": entry["key"]} | {key: entry[key] for key in LOCATION_PLAIN}
        data |= _location_texts(entry) | {"spanish": _location_texts(typed(item, entry, "spanish", dict))}
        return data | {"position": entry["position"]}

    return read_list(folder, "locations.yaml", "locations", "key", "location", shape)


def _location_texts(entry: Data) -> Data:
    texts = {key: str(entry.get(key) or "").strip() for key in LOCATION_TEXTS}
    return texts | {"directions": clean(texts["directions"])}


def _locations_rows() -> Iterator[tuple[str, Data]]:
    for row in Location.objects.all():
        data: Data = {"key": row.key} | {key: getattr(row, key) for key in LOCATION_PLAIN}
        data |= {key: getattr(row, f"{key}_en") or "" for key in LOCATION_TEXTS}
        data["spanish"] = {key: getattr(row, f"{key}_es") or "" for key in LOCATION_TEXTS}
        yield f"location:{row.key}", data | {"position": row.position}


def _location_store(item: Item) -> None:
    data = item.data
    row = Location.objects.filter(key=data["key"]).first() or Location(key=data["key"])
    for key in (*LOCATION_PLAIN, "position"):
        setattr(row, key, data[key])
    for key in LOCATION_TEXTS:
        setattr(row, f"{key}_en", data[key])
        setattr(row, f"{key}_es", data["spanish"][key])
    save(item, row)


def _physicians_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry = item.data
        data = {"slug": entry["slug"]}
        data |= {key: entry[key] for key in PHYSICIAN_PLAIN}
        data |= _physician_texts(item, entry) | {"spanish": _physician_texts(item, typed(item, entry, "spanish", dict))}
        return data | {
            "portrait": str(entry.get("portrait") or ""),
            "hours": _in_order(read_hours(item, entry, "location")),
            "interests": sorted(entry.get("interests") or []),
            "published": bool(entry["published"]),
            "position": entry["position"],
        }

    return read_list(folder, "physicians.yaml", "physicians", "slug", "physician", shape)


def _physician_texts(item: Item, entry: Data) -> Data:
    texts = {key: str(entry.get(key) or "").strip() for key in PHYSICIAN_TEXTS}
    return texts | {"bio": clean(texts["bio"]), "training": _training(item, entry)}


def _training(item: Item, entry: Data) -> list[Data]:
    steps = typed(item, entry, "training", list)
    if not all(isinstance(step, dict) and {"what", "where"} <= set(step) <= {"what", "where", "year"} for step in steps):
        raise item.fail("`training` must list {what: ..., where: ...}, with a year where it is to be shown", "training")
    return [{key: str(step[key]) for key in ("what", "where", "year") if key in step} for step in steps]


def _physicians_rows() -> Iterator[tuple[str, Data]]:
    for row in Physician.objects.select_related("portrait").prefetch_related("interests", "hours__location"):
        data: Data = {"slug": row.slug} | {key: getattr(row, key) for key in PHYSICIAN_PLAIN}
        data |= _stored_texts(row, "en") | {"spanish": _stored_texts(row, "es")}
        interests = sorted(page.slug for page in row.interests.all())
        data["portrait"] = row.portrait.key if row.portrait else ""
        data["hours"] = _in_order({"location": hours.location.key} | hours_data(hours) for hours in row.hours.all())
        yield f"physician:{row.slug}", data | {"interests": interests, "published": row.is_published, "position": row.position}


def _in_order(hours: Iterable[Data]) -> list[Data]:
    return sorted(hours, key=lambda row: (row["day"], row["opens"]))


def _stored_texts(row: Physician, language: str) -> Data:
    texts: Data = {key: getattr(row, f"{key}_{language}") or "" for key in PHYSICIAN_TEXTS}
    return texts | {"training": getattr(row, f"training_{language}") or []}


def _physician_store(item: Item) -> None:
    data = item.data
    row = Physician.objects.filter(slug=data["slug"]).first() or Physician(slug=data["slug"])
    for key in PHYSICIAN_PLAIN:
        setattr(row, key, data[key])
    for key in (*PHYSICIAN_TEXTS, "training"):
        setattr(row, f"{key}_en", data[key])
        setattr(row, f"{key}_es", data["spanish"][key])
    row.is_published, row.position = data["published"], data["position"]
    row.portrait = photo_named(item, data["portrait"], "portrait")
    save(item, row)
    row.hours.all().delete()
    for entry in data["hours"]:
        location = Location.objects.filter(key=entry["location"]).first()
        if not location:
            raise item.fail(f"`hours` names {entry['location']!r}, which is no location", "hours")
        save(item, PhysicianHours(physician=row, location=location, **stretch(entry)), "hours")


def pages_named(item: Item, key: str) -> list[Page]:
    """The pages that an item lists. Raises PackError for an address at which there is none."""
    pages = []
    for slug in sorted(item.data[key]):
        page = page_at(slug)
        if page is None:
            raise item.fail(f"`{key}` names {slug!r}, which is no page", key)
        pages.append(page)
    return pages


def _testimonials_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry, spanish = item.data, typed(item, item.data, "spanish", dict)
        return {
            "key": entry["key"],
            "quote": str(entry["quote"]).strip(),
            "display_name": entry["display_name"],
            "descriptor": entry["descriptor"],
            "spanish": {key: str(spanish.get(key) or "").strip() for key in TESTIMONIAL_TEXTS},
            "pages": sorted(entry.get("pages") or []),
            "is_sample": bool(entry["is_sample"]),
            "published": bool(entry["published"]),
            "position": entry["position"],
        }

    return read_list(folder, "testimonials.yaml", "testimonials", "key", "testimonial", shape)


def _testimonials_rows() -> Iterator[tuple[str, Data]]:
    for row in Testimonial.objects.prefetch_related("pages"):
        yield (
            f"testimonial:{row.key}",
            {
                "key": row.key,
                "quote": row.quote_en,
                "display_name": row.display_name,
                "descriptor": row.descriptor_en,
                "spanish": {key: getattr(row, f"{key}_es") or "" for key in TESTIMONIAL_TEXTS},
                "pages": sorted(page.slug for page in row.pages.all()),
                "is_sample": row.is_sample,
                "published": row.is_published,
                "position": row.position,
            },
        )


def _testimonial_store(item: Item) -> None:
    data = item.data
    row = Testimonial.objects.filter(key=data["key"]).first() or Testimonial(key=data["key"])
    for key in TESTIMONIAL_TEXTS:
        setattr(row, f"{key}_en", data[key])
        setattr(row, f"{key}_es", data["spanish"][key])
    row.display_name, row.is_sample = data["display_name"], data["is_sample"]
    row.is_published, row.position = data["published"], data["position"]
    save(item, row)


def store_relations(item: Item) -> None:
    """Which pages a person stands on; the second pass, when every page exists."""
    if item.name.startswith("physician:"):
        Physician.objects.get(slug=item.data["slug"]).interests.set(pages_named(item, "interests"))
    else:
        Testimonial.objects.get(key=item.data["key"]).pages.set(pages_named(item, "pages"))


LOCATIONS = Part("location", _locations_read, _locations_rows, _location_store, list_writer("locations.yaml", "locations"))
PHYSICIANS = Part("physician", _physicians_read, _physicians_rows, _physician_store, list_writer("physicians.yaml", "physicians"))
TESTIMONIALS = Part(
    "testimonial",
    _testimonials_read,
    _testimonials_rows,
    _testimonial_store,
    list_writer("testimonials.yaml", "testimonials"),
    # Real ones belong to their authorisation record, not to a file.
    is_exported=itemgetter("is_sample"),
)
