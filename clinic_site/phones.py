"""Telephone numbers as people at home read and type them."""

import phonenumbers
from django.conf import settings


def read_phone(text: str) -> phonenumbers.PhoneNumber | None:
    """The number in a text, one of our own region where it has no country code; None where there is none."""
    try:
        return phonenumbers.parse(text, settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return None


def shown_phone(number: phonenumbers.PhoneNumber) -> str:
    """`(703) 555-0142` at home, abroad with its country code."""
    at_home = number.country_code == phonenumbers.country_code_for_region(settings.PHONE_REGION)
    style = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, style)
