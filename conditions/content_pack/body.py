"""What the clinic treats and what cannot wait: `regions.yaml`, `warning_signs.yaml`."""

from collections.abc import Iterator
from pathlib import Path

from clinic_site.models import BodyRegion, WarningSign

from .files import Data, Item, Part, list_writer, read_list, save


def _regions_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry = item.data
        texts = {key: str(entry.get(key) or "").strip() for key in ("name_es", "hint", "hint_es")}
        return {"key": entry["key"], "name": entry["name"], **texts, "position": entry["position"]}

    return read_list(folder, "regions.yaml", "regions", "key", "region", shape)


def _regions_rows() -> Iterator[tuple[str, Data]]:
    for row in BodyRegion.objects.all():
        data = {"key": row.key, "name": row.name_en, "name_es": row.name_es or "", "hint": row.hint_en or ""}
        yield f"region:{row.key}", data | {"hint_es": row.hint_es or "", "position": row.position}


def _region_store(item: Item) -> None:
    data = item.data
    row = BodyRegion.objects.filter(key=data["key"]).first() or BodyRegion(key=data["key"])
    row.position, row.name_en, row.name_es = data["position"], data["name"], data["name_es"]
    row.hint_en, row.hint_es = data["hint"], data["hint_es"]
    save(item, row)


def _signs_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry = item.data
        return {key: entry[key] for key in ("key", "text", "text_es", "position")}

    return read_list(folder, "warning_signs.yaml", "warning_signs", "key", "sign", shape)


def _signs_rows() -> Iterator[tuple[str, Data]]:
    for row in WarningSign.objects.all():
        yield f"sign:{row.key}", {"key": row.key, "text": row.text_en, "text_es": row.text_es or "", "position": row.position}


def _sign_store(item: Item) -> None:
    data = item.data
    row = WarningSign.objects.filter(key=data["key"]).first() or WarningSign(key=data["key"])
    row.position, row.text_en, row.text_es = data["position"], data["text"], data["text_es"]
    save(item, row)


REGIONS = Part("region", _regions_read, _regions_rows, _region_store, list_writer("regions.yaml", "regions"))
SIGNS = Part("sign", _signs_read, _signs_rows, _sign_store, list_writer("warning_signs.yaml", "warning_signs"))
