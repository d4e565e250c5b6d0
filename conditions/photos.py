"""Pictures that staff upload: which are taken, and what of them is kept.

A type is told by content, never by name. Of an accepted file only the pixels
are kept: upright, in sRGB, encoded anew under a random name. So neither
metadata nor anything hidden in the upload can reach a visitor.
"""

import io
import re
import secrets
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from pictures import tasks
from PIL import Image, ImageCms, ImageFile, ImageOps

from .models import Photo

MAX_BYTES = 12 * 1024 * 1024
MAX_PIXELS = 40_000_000
MIN_SIDE = 480
# Twice the widest place a picture has; what is larger is made smaller before it is kept.
LONGEST_SIDE = 3200
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
ACCEPT = "image/jpeg,image/png,image/webp,image/avif"
# Code of web pages and servers, and other kinds of document, that somebody hid in a picture.
# As the start of a tag: “<svg” alone stands by chance in one of a hundred photos of five megabytes.
HIDDEN_CODE = re.compile(rb"<(?:script|!doctype|html|svg|iframe)[\s>/]|<\?php|javascript:", re.I)
PDF_HEAD = 1024


def only_pixels(upload: File) -> bytes:
    """A JPEG of the upload's pixels and nothing else. Raises ValidationError, which says what to do, for any other file.

    Size is checked before the file is read, pixels before they are decoded.
    """
    if not upload.size:
        raise ValidationError(_("This file is empty. Choose another."))
    if upload.size > MAX_BYTES:
        raise ValidationError(
            _("This file has %(size)d MB; the most we take is %(limit)d MB. Save the picture smaller.")
            % {"size": -(-upload.size // 1024**2), "limit": MAX_BYTES // 1024**2}
        )
    upload.seek(0)
    data = upload.read()
    # The PDF library switches this on for the whole process when it is imported.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    picture = _opened(data)
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels()
    if min(width, height) < MIN_SIDE:
        raise ValidationError(
            _("This picture has %(width)d by %(height)d pixels; it needs at least %(least)d on each side.")
            % {"width": width, "height": height, "least": MIN_SIDE}
        )
    if min(width, height) * LONGEST_SIDE < MIN_SIDE * max(width, height):
        raise ValidationError(
            _("This picture has %(width)d by %(height)d pixels: it is too long and narrow. Cut it, then upload that.")
            % {"width": width, "height": height}
        )
    if getattr(picture, "is_animated", False) and picture.format != "MPO":
        raise ValidationError(_("This picture moves. Save one still picture as JPEG, PNG, WebP or AVIF."))
    if _hides_something(data):
        raise ValidationError(
            _("This file holds more than a picture: program code, an archive or a document. Save the picture anew and upload that.")
        )
    try:
        return _encoded(picture)
    except Exception as error:  # a decoder fails in many ways on a hostile file
        raise ValidationError(
            _("This picture cannot be read to its end; it may be damaged. Save it anew and try again.")
        ) from error


def is_only_pixels(data: bytes) -> bool:
    """Whether a file is a JPEG as `only_pixels` makes it: no metadata, no comment, nothing behind the end."""
    if not data.startswith(b"\xff\xd8") or len(data) > MAX_BYTES:
        return False
    place = 2
    while data[place : place + 1] == b"\xff" and place + 1 < len(data):
        marker = data[place + 1]
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        is_plain_head = marker == 0xE0 and length == 16
        if not is_plain_head and marker not in (0xDB, 0xC0, 0xC4, 0xDA):
            return False
        place += 2 + length
        if marker == 0xDA:
            return data.find(b"\xff\xd9", place) == len(data) - 2
    return False


def put(data: bytes) -> str:
    """Keep a picture that `only_pixels` made, in every size; gives its name. Where that fails no file stays."""
    file = Photo().picture
    try:
        file.save(f"{secrets.token_hex(16)}.jpg", ContentFile(data), save=False)
    except BaseException:
        remove(file.name)
        raise
    return file.name


def remove(name: str | None) -> None:
    """Delete a kept picture in every size. One that is not there is no error."""
    if not name:
        return
    folder = str(PurePosixPath(name).with_suffix(""))
    if default_storage.exists(folder):
        for size in default_storage.listdir(folder)[1]:
            default_storage.delete(f"{folder}/{size}")
        default_storage.delete(folder)
    default_storage.delete(name)


def forget_size(photo: Photo) -> None:
    """Call before a photo gets another picture: its width and height are read from the file only where there are none."""
    photo.width = photo.height = None


def make_sizes(
    *, storage: tuple, file_name: str, sender: tuple, new: list[tuple] | None = None, old: list[tuple] | None = None
) -> None:
    """Make the sizes of a picture at once (PICTURES in settings.py): a page must never name a file that is not there yet."""
    tasks._process_picture(storage=storage, file_name=file_name, sender=sender, new=new, old=old)


@dataclass(frozen=True)
class Arrived:
    """An uploaded picture: the name it is kept under, or what is wrong with it."""

    name: str = ""
    problem: ValidationError | None = None

    def close(self) -> None:
        """Nothing: it stands among a request's files, which are closed at the end, and its upload is closed already."""


def receive(upload: File) -> Arrived:
    """Examine an upload and keep its pixels in every size.

    Takes seconds, so call it outside any transaction; and call `remove` with
    the name unless a row comes to hold it.
    """
    try:
        return Arrived(name=put(only_pixels(upload)))
    except ValidationError as problem:
        return Arrived(problem=problem)
    finally:
        upload.close()  # a large one is a temporary file, gone with this


class ArrivedPictureField(forms.FileField):
    """A form's field for a picture that `receive` has seen already."""

    def clean(self, data: Arrived | None, initial: object = None) -> object:
        """The name the picture is kept under. Raises ValidationError with what was wrong with the upload."""
        if not isinstance(data, Arrived):
            return super().clean(None, initial)
        if data.problem:
            raise data.problem
        return data.name


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except Exception as error:  # as many kinds as there are decoders
        raise ValidationError(_("This is no picture we can take. Save it as JPEG, PNG, WebP or AVIF.")) from error


def _too_many_pixels() -> ValidationError:
    limit = {"limit": MAX_PIXELS // 1_000_000}
    return ValidationError(_("This picture has more than %(limit)d million pixels. Save it smaller.") % limit)


def _hides_something(data: bytes) -> bool:
    return bool(HIDDEN_CODE.search(data)) or b"%PDF-" in data[:PDF_HEAD] or zipfile.is_zipfile(io.BytesIO(data))


def _encoded(picture: Image.Image) -> bytes:
    profile = picture.info.get("icc_profile")
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    if picture.mode.startswith("I"):
        # Grey in 65,536 steps, as scans and X-rays have it; as it is, all but the darkest would turn white.
        picture = picture.convert("I").point(lambda grey: grey * (1 / 257)).convert("L")
    picture = ImageOps.exif_transpose(picture)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if picture.mode in ("RGB", "CMYK", "L") and profile:
        picture = _in_srgb(picture, profile)
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        picture = Image.new("RGBA", seen.size, "white")
        picture.alpha_composite(seen)
    bare = Image.new("RGB", picture.size)
    bare.paste(picture.convert("RGB"))
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=90, optimize=True)
    return out.getvalue()


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # a profile that cannot be read; the colours are as good as any other guess
