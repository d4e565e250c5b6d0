"""Find requests, mails, answers and spool files that disagree with each other."""

from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from django.utils import timezone

from intake.integrity import check, keep_report


class Command(BaseCommand):
    """Prints each kind of disagreement with its count and what to do; exits non-zero where there is any."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Changes nothing but what doctor, health and the start page of staff say of the last check."""
        try:
            findings = check()
        except Error as error:
            raise CommandError(f"Nothing was checked, the database cannot be read: {type(error).__name__}") from error
        with suppress(OSError):  # whoever may only read the data folder may still check
            keep_report(findings, timezone.now())
        for finding in findings:
            self.stderr.write(str(finding))
        if findings:
            raise CommandError(f"{sum(finding.count for finding in findings)} things disagree, listed above with what to do.")
        self.stdout.write("Every request has its record, mails and search keys; every answer can be read.")
