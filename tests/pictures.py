"""Pictures as people and attackers send them, made byte by byte."""

import io
import struct
import zipfile
import zlib

from PIL import Image, ImageDraw


def drawn(size=(900, 700), mode="RGB"):
    """A picture whose left half is red and right half blue, so that a turn or mirroring shows."""
    picture = Image.new(mode, size, "blue")
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 2, size[1]), fill="red")
    return picture


def x_ray(size=(600, 600)):
    """Grey in 65,536 steps, from black at the top to white at the bottom, as a scan or X-ray is saved."""
    out = io.BytesIO()
    grey = Image.linear_gradient("L").resize(size).convert("I").point(lambda step: step * 257)
    grey.convert("I;16").save(out, "PNG")
    return out.getvalue()


def encoded(form="JPEG", size=(900, 700), mode="RGB", **options):
    out = io.BytesIO()
    drawn(size, mode).save(out, form, **options)
    return out.getvalue()


def with_exif(**tags):
    """A photo as a phone makes it: turned by a tag, with its place and a comment."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = tags.get("description", "Taken at home")
    exif[0x9286] = b"ASCII\0\0\0Secret comment"
    exif.get_ifd(0x8825).update({1: "N", 2: (38.0, 53.0, 1.0), 3: "W", 4: (77.0, 2.0, 1.0)})
    return encoded(exif=exif, comment=b"Secret comment")


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(png, kind, data):
    return png[:33] + png_chunk(kind, data) + png[33:]


def png_claiming(width, height):
    """A PNG whose header promises a size that its few bytes do not hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"")) + png_chunk(b"IEND", b"")


def packed_zeros(count, times):
    """What zlib makes of `count` times `times` zero bytes, without going through them all: each block stands by itself."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(count)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = (count * times % 65521) << 16 | 1
    return b"\x78\xda" + block * times + packer.flush() + struct.pack(">I", checksum)


def png_bomb(side=20_000):
    """A small, whole PNG that unpacks to more than a gigabyte."""
    packed = packed_zeros((side * 3 + 1) * 100, side // 100)
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")


def png_text_bomb():
    """A PNG with a note that unpacks to 100 MB."""
    return with_chunk(encoded("PNG"), b"zTXt", b"Comment\0\0" + packed_zeros(1_000_000, 100))


def webp_claiming(width, height):
    frame = encoded("WEBP", size=(500, 500), lossless=True)[12:]
    head = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + head + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def moving(form):
    out = io.BytesIO()
    frames = [drawn(), drawn((900, 700)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("index.html", "<p>hello")
    return out.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="700"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.domain)</script>"
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
JPEG = encoded()

TAKEN = {
    "JPEG": JPEG,
    "progressive JPEG": encoded(progressive=True),
    "grey JPEG": encoded(mode="L"),
    "JPEG for print": encoded(mode="CMYK"),
    "PNG": encoded("PNG"),
    "see-through PNG": encoded("PNG", mode="RGBA"),
    "palette PNG": encoded("PNG", mode="P"),
    "deep PNG": x_ray(),
    "WebP": encoded("WEBP"),
    "AVIF": encoded("AVIF"),
    "photo of a phone": with_exif(),
    "JPEG with a film behind it": JPEG + b"MotionPhoto_Data" + bytes(range(256)) * 40,
    "large JPEG": encoded(size=(7000, 5000), quality=40),
}
REFUSED = {
    "nothing": b"",
    "SVG with a script": SVG,
    "web page": HTML,
    "PDF": PDF,
    "ZIP": archive(),
    "text": b"Just some words.",
    "program": b"\x7fELF" + bytes(2000),
    "GIF": encoded("GIF", mode="P"),
    "moving GIF": moving("GIF"),
    "moving WebP": moving("WEBP"),
    "moving PNG": moving("PNG"),
    "moving AVIF": moving("AVIF"),
    "BMP": encoded("BMP"),
    "TIFF": encoded("TIFF"),
    "half a JPEG": JPEG[: len(JPEG) // 2],
    "head of a PNG": encoded("PNG")[:60],
    "bomb of pixels": png_bomb(),
    "bomb of text": png_text_bomb(),
    "PNG that claims 65,000 by 65,000": png_claiming(65_000, 65_000),
    "PNG that claims 2 billion by 2 billion": png_claiming(2**31 - 1, 2**31 - 1),
    "WebP that claims 16,000 by 16,000": webp_claiming(16_000, 16_000),
    "more pixels than we take": encoded(size=(7001, 6000), quality=10),
    "icon": encoded("PNG", size=(64, 64)),
    "strip": encoded("PNG", size=(4000, 100)),
    "more bytes than we take": JPEG + bytes(12 * 1024 * 1024),
    "JPEG with a web page behind it": JPEG + HTML,
    "JPEG with an archive behind it": JPEG + archive(),
    "JPEG with a PDF in its comment": encoded(comment=PDF),
    "JPEG with a script in its data": with_exif(description="<script>alert(1)</script>"),
    "PNG with server code in a note": encoded("PNG")[:33]
    + png_chunk(b"tEXt", b"Comment\0<?php system($_GET[0]); ?>")
    + encoded("PNG")[33:],
    "web page that starts as a GIF": b"GIF89a/*" + HTML,
}
