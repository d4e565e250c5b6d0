"""Photos: `photos.yaml` says what they show, `photos/<key>.jpg` are the pictures as the site keeps them."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction

from conditions import photos
from conditions.models import Photo

from .files import Data, Item, PackError, Part, as_yaml, read_list, save, typed

FILE = "photos.yaml"
PHOTO_PLAIN = ("credit", "focal_x", "focal_y", "is_sample")


def _photos_read(folder: Path) -> Iterator[Item]:
    def shape(item: Item) -> Data:
        entry = item.data
        data = {key: entry[key] for key in ("key", "alt", *PHOTO_PLAIN)}
        data["spanish"] = {"alt": str(typed(item, entry, "spanish", dict).get("alt") or "")}
        return data | {"digest": _digest(_picture(item))}

    return read_list(folder, FILE, "photos", "key", "photo", shape)


def _picture(item: Item) -> bytes:
    path = item.path.parent / "photos" / f"{item.data['key']}.jpg"
    if not path.is_file():
        raise item.fail(f"there is no picture photos/{path.name}")
    data = path.read_bytes()
    if not photos.is_only_pixels(data):
        raise PackError(path, 1, "is no picture as the site keeps it: upload it in admin under Photos, then export_content")
    return data


def _digest(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()


def _photos_rows() -> Iterator[tuple[str, Data]]:
    for photo in Photo.objects.all():
        data: Data = {"key": photo.key, "alt": photo.alt_en} | {key: getattr(photo, key) for key in PHOTO_PLAIN}
        yield f"photo:{photo.key}", data | {"spanish": {"alt": photo.alt_es or ""}, "digest": _digest(_stored(photo))}


def _stored(photo: Photo) -> bytes:
    try:
        with photo.picture.open("rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def _photo_store(item: Item) -> None:
    data = item.data
    photo = Photo.objects.filter(key=data["key"]).first() or Photo(key=data["key"])
    photo.alt_en, photo.alt_es = data["alt"], data["spanish"]["alt"]
    for key in PHOTO_PLAIN:
        setattr(photo, key, data[key])
    before = photo.picture.name
    if not before or _digest(_stored(photo)) != data["digest"]:
        photos.forget_size(photo)
        photo.picture = item.picture = photos.put(_picture(item))
    save(item, photo)
    if before != photo.picture.name:
        transaction.on_commit(lambda: photos.remove(before))


def photo_named(item: Item, key: str, place: str) -> Photo | None:
    """The photo that an item names; none where the key is empty. Raises PackError for an unknown one."""
    photo = Photo.objects.filter(key=key).first() if key else None
    if key and not photo:
        raise item.fail(f"`{place}` names {key!r}, which is no photo", place)
    return photo


def _photos_write(folder: Path, rows: list[Data]) -> None:
    if not rows:
        return
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    for photo in Photo.objects.all():
        (folder / "photos" / f"{photo.key}.jpg").write_bytes(_stored(photo))
    entries = [{key: value for key, value in row.items() if key != "digest"} for row in rows]
    (folder / FILE).write_text(as_yaml({"photos": entries}), encoding="utf-8")


PHOTOS = Part("photo", _photos_read, _photos_rows, _photo_store, _photos_write)
