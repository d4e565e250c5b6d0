"""The clinic's own logo, drawings and fonts: `brand/<key>.svg`, `.png` or `.woff2`."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from clinic_site.models import BrandFile

from .files import Data, Item, PackError, Part, save

ENDINGS = (".svg", ".png", ".woff2")


def _files_read(folder: Path) -> Iterator[Item]:
    seen: set[str] = set()
    for path in sorted((folder / "brand").glob("*")):
        # A licence may lie beside a font.
        if path.suffix not in ENDINGS:
            continue
        if path.stem in seen:
            raise PackError(path, 1, f"there are two files named {path.stem}")
        seen.add(path.stem)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        yield Item(f"file:{path.stem}", {"key": path.stem, "digest": digest}, path)


def _files_rows() -> Iterator[tuple[str, Data]]:
    for row in BrandFile.objects.defer("content"):
        yield f"file:{row.key}", {"key": row.key, "digest": row.digest}


def _file_store(item: Item) -> None:
    row = BrandFile.objects.filter(key=item.data["key"]).first() or BrandFile(key=item.data["key"])
    row.content = item.path.read_bytes()
    save(item, row)


def _files_write(folder: Path, rows: list[Data]) -> None:
    for data in rows:
        (folder / "brand").mkdir(parents=True, exist_ok=True)
        row = BrandFile.objects.get(key=data["key"])
        (folder / "brand" / str(row)).write_bytes(bytes(row.content))


FILES = Part("file", _files_read, _files_rows, _file_store, _files_write)
