"""A sealed file comes back byte for byte, or not at all."""

import io
import os

import pytest
from cryptography.fernet import Fernet

from clinic_site.sealed_file import PIECE, TAG_BYTES, Damaged, NotOurs, SealedReader, SealedWriter

KEY, OLDER, FOREIGN = (Fernet.generate_key().decode() for _ in range(3))
HEAD = len(SealedWriter(io.BytesIO(), KEY).header)


def sealed(content, key=KEY):
    target = io.BytesIO()
    writer = SealedWriter(target, key)
    for start in range(0, len(content), 70_000):
        writer.write(content[start : start + 70_000])
    writer.finish()
    return target.getvalue()


def opened(data, *keys):
    return io.BufferedReader(SealedReader(io.BytesIO(data), keys or [KEY])).read()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 17])
def test_every_size_comes_back(size):
    content = os.urandom(size)
    assert opened(sealed(content)) == content


def test_any_of_several_keys_opens_it():
    assert opened(sealed(b"kept", OLDER), KEY, OLDER) == b"kept"


def test_what_is_no_backup_is_refused():
    for data in (b"", b"SQLite format 3\0" * 100, sealed(b"x")[:HEAD], sealed(b"x")[: HEAD - 1]):
        with pytest.raises(NotOurs):
            opened(data)


def test_a_foreign_key_opens_nothing():
    with pytest.raises(NotOurs, match="ENCRYPTION_KEYS"):
        opened(sealed(b"kept"), FOREIGN)


def test_nothing_of_the_content_or_the_key_shows():
    data = sealed(b"Zebra-marker" * 1000)
    assert b"Zebra" not in data
    assert KEY.encode() not in data
    assert sealed(b"same") != sealed(b"same")


def pieces(data):
    body = data[HEAD:]
    return [body[start : start + PIECE + TAG_BYTES] for start in range(0, len(body), PIECE + TAG_BYTES)]


@pytest.mark.parametrize(
    "harm",
    [
        lambda head, parts: head + b"".join(parts[:-1]),
        lambda head, parts: head + b"".join(parts)[:-1],
        lambda head, parts: head + b"".join(parts) + b"more",
        lambda head, parts: head + parts[0] + parts[2] + parts[1] + parts[3],
        lambda head, parts: head + parts[0] + parts[0] + b"".join(parts[1:]),
        lambda head, parts: head + b"".join(parts[:2]) + bytes([parts[2][0] ^ 1]) + parts[2][1:] + parts[3],
    ],
    ids=["last piece gone", "cut", "longer", "reordered", "repeated", "one bit"],
)
def test_an_altered_file_is_noticed(harm):
    data = sealed(os.urandom(3 * PIECE + 100))
    with pytest.raises((Damaged, NotOurs)):
        opened(harm(data[:HEAD], pieces(data)))
