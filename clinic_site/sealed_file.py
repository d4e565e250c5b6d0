"""A file sealed piece by piece, so that one of any size needs little memory, and a cut or altered one is refused.

AES-256-GCM over pieces numbered by their nonce, the last one marked. Each file
has a key of its own, derived with a random salt from one of ENCRYPTION_KEYS.
"""

import base64
import io
import secrets
import struct
from collections.abc import Sequence
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"clinic_site backup 1\n"
SALT_BYTES = 32
PIECE = 1024 * 1024
TAG_BYTES = 16


class NotOurs(Exception):
    """The file is no backup, or no key opens it."""


class Damaged(Exception):
    """The file was altered or cut short."""


class SealedWriter(io.RawIOBase):
    """Seals what is written to it. Complete only once closed without an error."""

    def __init__(self, target: IO[bytes], key: str) -> None:
        self.target, self.waiting, self.number = target, bytearray(), 0
        self.header = MAGIC + secrets.token_bytes(SALT_BYTES)
        self.cipher = _cipher(key, self.header)
        target.write(self.header)

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Takes everything; what makes no whole piece yet waits in memory."""
        self.waiting += data
        while len(self.waiting) > PIECE:
            self._seal(bytes(self.waiting[:PIECE]), is_last=False)
            del self.waiting[:PIECE]
        return len(data)

    def finish(self) -> None:
        """Write the last piece, without which the file counts as cut short."""
        self._seal(bytes(self.waiting), is_last=True)
        self.waiting.clear()

    def _seal(self, piece: bytes, *, is_last: bool) -> None:
        self.target.write(self.cipher.encrypt(_nonce(self.number, is_last), piece, self.header))
        self.number += 1


class SealedReader(io.RawIOBase):
    """Opens such a file with whichever key fits.

    Raises NotOurs where none does, Damaged while reading what was altered or cut short.
    """

    def __init__(self, source: IO[bytes], keys: Sequence[str]) -> None:
        self.source, self.number, self.opened = source, 0, b""
        self.header = source.read(len(MAGIC) + SALT_BYTES)
        if not self.header.startswith(MAGIC) or len(self.header) < len(MAGIC) + SALT_BYTES:
            raise NotOurs("this is no backup of this site")
        self.next = source.read(PIECE + TAG_BYTES)
        for key in keys:
            self.cipher = _cipher(key, self.header)
            try:
                self.opened = self._open_next()
            except Damaged:
                continue
            return
        raise NotOurs("no key in ENCRYPTION_KEYS opens it, or its beginning is damaged")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self.opened and self.next:
            self.opened = self._open_next()
        part = self.opened[: len(buffer)]
        buffer[: len(part)] = part
        self.opened = self.opened[len(part) :]
        return len(part)

    def _open_next(self) -> bytes:
        following = self.source.read(PIECE + TAG_BYTES)
        try:
            piece = self.cipher.decrypt(_nonce(self.number, not following), self.next, self.header)
        except InvalidTag as error:
            raise Damaged("the file was altered or cut short") from error
        self.number += 1
        self.next = following
        return piece


def _nonce(number: int, is_last: bool) -> bytes:
    return struct.pack(">QI", number, is_last)


def _cipher(key: str, header: bytes) -> AESGCM:
    derived = HKDF(SHA256(), 32, salt=header, info=b"clinic_site backup").derive(base64.urlsafe_b64decode(key))
    return AESGCM(derived)
