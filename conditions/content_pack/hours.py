"""Hours in the pack, of the clinic and of its doctors: `hours:`, a line for each stretch of a day, with times in quotes."""

import datetime

from clinic_site.models import OpeningHours
from conditions.models import PhysicianHours

from .files import Data, Item, typed


def read_hours(item: Item, entry: Data, *also: str) -> list[Data]:
    """The stretches that an entry gives, each with what it has `also`. Raises PackError for one that is incomplete or no time."""
    known = [*also, "day", "opens", "closes"]
    rows = typed(item, entry, "hours", list)
    if not all(isinstance(row, dict) and set(row) == set(known) for row in rows):
        raise item.fail(f"`hours` must list {{{', '.join(f'{key}: ...' for key in known)}}}", "hours")
    return [{key: _time(item, row[key]) if key in ("opens", "closes") else row[key] for key in known} for row in rows]


def hours_data(row: OpeningHours | PhysicianHours) -> Data:
    """A stretch as the pack holds it."""
    return {"day": row.weekday, "opens": f"{row.opens_at:%H:%M}", "closes": f"{row.closes_at:%H:%M}"}


def stretch(data: Data) -> dict[str, int | datetime.time]:
    """The columns of a stretch."""
    opens, closes = (datetime.time.fromisoformat(data[key]) for key in ("opens", "closes"))
    return {"weekday": data["day"], "opens_at": opens, "closes_at": closes}


def _time(item: Item, value: object) -> str:
    try:
        # Without quotes YAML reads 17:00 as the number 1020, which would pass for twenty past ten.
        if isinstance(value, str):
            return f"{datetime.time.fromisoformat(value):%H:%M}"
    except ValueError:
        pass
    raise item.fail(f"`hours` has {value!r}; a time stands in quotes, like '17:00'", "hours")
