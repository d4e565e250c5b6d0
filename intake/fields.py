"""Answers at rest: an encrypted text column, and the keyed hashes that find it again.

Two sets of keys, both apart from SECRET_KEY: ENCRYPTION_KEYS (newest first)
seal the answers, SEARCH_KEY makes the blind index.
"""

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import phonenumbers
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

from clinic_site.phones import read_phone


def box() -> MultiFernet:
    """Seals with the newest key, opens with any."""
    return _box(tuple(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=8)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


class Undecryptable(str):
    """Stands in for an answer that no key opens.

    Reads as a plain sentence; `stored` is the column's untouched content, which
    is what goes back to the database if the row is saved again.
    """

    stored: str

    def __new__(cls, stored: str) -> "Undecryptable":
        text = super().__new__(cls, _("This answer cannot be read: it was altered, or its key is missing."))
        text.stored = stored
        return text


class EncryptedTextField(models.TextField):
    """Text that is ciphertext in the database, empty text included.

    Can't be searched or compared: every lookup but `isnull` raises TypeError.
    """

    def get_prep_value(self, value: Any) -> str | None:
        if isinstance(value, Undecryptable):
            return value.stored
        value = super().get_prep_value(value)
        return None if value is None else box().encrypt(str(value).encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if value is None:
            return None
        try:
            return box().decrypt(value.encode()).decode()
        except (InvalidToken, ValueError):
            return Undecryptable(value)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise TypeError(f"{self.name} is encrypted and cannot be compared; use the blind index.")
        return super().get_lookup(lookup_name)


def blind(value: str, purpose: str) -> str:
    """A keyed hash of `value`, as hex; equal values under different purposes don't match."""
    key = base64.urlsafe_b64decode(settings.SEARCH_KEY)
    return hmac.new(key, f"{purpose}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def folded(text: str) -> str:
    """Text as search compares it: no accents, no case, no punctuation, single spaces."""
    decomposed = unicodedata.normalize("NFKD", text)
    letters = (char if char.isalnum() else " " for char in decomposed if not unicodedata.combining(char))
    return " ".join("".join(letters).casefold().split())


def parse_phone(text: str) -> phonenumbers.PhoneNumber | None:
    """A telephone number as people type it, or None where it is not a whole one."""
    number = read_phone(text)
    whole = number and phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    return number if whole else None


def phone_forms(text: str) -> Iterator[str]:
    """What a number is indexed under: E.164, and its national digits."""
    number = parse_phone(text)
    if number is not None:
        yield phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        yield phonenumbers.national_significant_number(number)
