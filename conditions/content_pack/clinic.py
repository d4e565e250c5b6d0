"""The clinic's own record: `clinic.yaml`."""

from collections.abc import Iterator
from pathlib import Path

from clinic_site.models import Clinic, Holiday, OpeningHours
from conditions.rich_text import clean

from .files import Data, Item, PackError, Part, as_yaml, read_text, read_yaml, save, typed
from .hours import hours_data, read_hours, stretch

CLINIC_PLAIN = (
    "name",
    "legal_name",
    "is_sample",
    "phone",
    "email",
    "street",
    "city",
    "state",
    "postal_code",
    "response_working_days",
)
# Left out of the file where they are empty.
CLINIC_OPTIONAL = ("medical_specialty", "body_map", "theme", "heading_font", "text_font")
CLINIC_OPTIONAL_TEXTS = (
    "specialist",
    "home_heading",
    "home_lead",
    "regions_note",
    "conditions_heading",
    "search_example",
    "urgent_signs",
)
CLINIC_TEXTS = tuple(name for name in Clinic.WORDS if name not in CLINIC_OPTIONAL_TEXTS)
# Named in the file where it is another.
USUAL_COUNTRY = "US"
CLINIC_KEYS = {
    *CLINIC_PLAIN,
    *CLINIC_TEXTS,
    *CLINIC_OPTIONAL,
    *CLINIC_OPTIONAL_TEXTS,
    "country",
    "spanish",
    "timezone",
    "hours",
    "holidays",
}


def _clinic_read(folder: Path) -> Iterator[Item]:
    path = folder / "clinic.yaml"
    if not path.exists():
        return
    text = read_text(path)
    content = read_yaml(path, text)
    if not isinstance(content, dict) or not isinstance(content.get("clinic"), dict):
        raise PackError(path, 1, "must hold one mapping named `clinic:`")
    entry = content["clinic"]
    item = Item("clinic", {}, path, 1, text)
    for key in (*CLINIC_PLAIN, *CLINIC_TEXTS, "hours"):
        if key not in entry:
            raise item.fail(f"`{key}` is missing")
    for key in entry:
        if key not in CLINIC_KEYS:
            raise item.fail(f"unknown key `{key}`", str(key))
    data = {key: entry[key] for key in CLINIC_PLAIN} | {key: entry[key] for key in CLINIC_OPTIONAL if entry.get(key)}
    data |= _country(str(entry.get("country") or USUAL_COUNTRY))
    data |= _clinic_texts(entry)
    data["spanish"] = _clinic_texts(typed(item, entry, "spanish", dict))
    data["timezone"] = entry.get("timezone") or "America/New_York"
    data["hours"] = read_hours(item, entry)
    data["holidays"] = typed(item, entry, "holidays", list)
    if not all(isinstance(row, dict) and set(row) == {"date", "name"} for row in data["holidays"]):
        raise item.fail("`holidays` must list {date: ..., name: ...}", "holidays")
    item.data = data
    yield item


def _country(country: str) -> Data:
    return {} if country == USUAL_COUNTRY else {"country": country}


def _clinic_texts(entry: Data) -> Data:
    texts = {key: str(entry.get(key) or "").strip() for key in CLINIC_TEXTS}
    optional = {key: str(entry[key]).strip() for key in CLINIC_OPTIONAL_TEXTS if entry.get(key)}
    return texts | {"directions": clean(texts["directions"])} | optional


def _clinic_rows() -> Iterator[tuple[str, Data]]:
    clinic = Clinic.objects.prefetch_related("opening_hours", "holidays").filter(pk=1).first()
    if clinic:
        data = {key: getattr(clinic, key) for key in CLINIC_PLAIN}
        data |= {key: getattr(clinic, key) for key in CLINIC_OPTIONAL if getattr(clinic, key)}
        data |= _country(clinic.country)
        if clinic.theme:
            data["theme"] = clinic.ordered_theme
        data |= _stored_texts(clinic, "en") | {"spanish": _stored_texts(clinic, "es")}
        data["timezone"] = clinic.time_zone
        data["hours"] = [hours_data(row) for row in clinic.opening_hours.all()]
        data["holidays"] = [{"date": row.date, "name": row.name} for row in clinic.holidays.all()]
        yield "clinic", data


def _stored_texts(clinic: Clinic, language: str) -> Data:
    texts = {key: getattr(clinic, f"{key}_{language}") or "" for key in (*CLINIC_TEXTS, *CLINIC_OPTIONAL_TEXTS)}
    return {key: text for key, text in texts.items() if text or key in CLINIC_TEXTS}


def _clinic_store(item: Item) -> None:
    data = item.data
    clinic = Clinic.objects.filter(pk=1).first() or Clinic(pk=1)
    for key in CLINIC_PLAIN:
        setattr(clinic, key, data[key])
    for key in CLINIC_OPTIONAL:
        setattr(clinic, key, data.get(key, {} if key == "theme" else ""))
    for key in (*CLINIC_TEXTS, *CLINIC_OPTIONAL_TEXTS):
        setattr(clinic, f"{key}_en", data.get(key, ""))
        setattr(clinic, f"{key}_es", data["spanish"].get(key, ""))
    clinic.time_zone, clinic.country = data["timezone"], data.get("country", USUAL_COUNTRY)
    save(item, clinic)
    clinic.opening_hours.all().delete()
    clinic.holidays.all().delete()
    for row in data["hours"]:
        save(item, OpeningHours(clinic=clinic, **stretch(row)), "hours")
    for row in data["holidays"]:
        save(item, Holiday(clinic=clinic, date=row["date"], name=row["name"]), "holidays")


def find_fonts(item: Item) -> None:
    """Second pass, when the files of the pack are there: a font that the record names must be one of them, or built in."""
    clinic = Clinic.current()
    for key in ("heading_font", "text_font"):
        chosen = item.data.get(key, "")
        if not clinic.knows_font(chosen):
            raise item.fail(f"`{key}` is {chosen!r}, but there is no brand/{chosen}.woff2", key)


def _clinic_write(folder: Path, rows: list[Data]) -> None:
    for data in rows:
        (folder / "clinic.yaml").write_text(as_yaml({"clinic": data}), encoding="utf-8")


CLINIC = Part("clinic", _clinic_read, _clinic_rows, _clinic_store, _clinic_write)
