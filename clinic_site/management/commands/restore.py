"""Bring a backup back into an empty site, or only check it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from clinic_site.backup import CannotRestore, restore, verify
from clinic_site.database_copy import CannotCopy
from clinic_site.sealed_file import Damaged, NotOurs


class Command(BaseCommand):
    """Refuses a site that holds anything. ENCRYPTION_KEYS must hold the key that was the newest when the backup was made."""

    help = __doc__
    requires_system_checks = []  # they need a database, and here there may be none yet

    def add_arguments(self, parser: CommandParser) -> None:
        """Which one."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help="only read it and compare its checksums")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what came back; exits non-zero where counts or checksums differ."""
        try:
            manifest = verify(options["file"]) if options["check"] else restore(options["file"])
        except (OSError, Error, CannotCopy, CannotRestore, Damaged, NotOurs) as error:
            raise CommandError(f"Not {'good' if options['check'] else 'restored'}: {error}") from error
        done = "Whole and readable" if options["check"] else "Restored, counts and checksums equal"
        self.stdout.write(f"{done}, {manifest.summary}.")
        if not options["check"]:
            self.stdout.write("Start the worker to store what waited in the spool, then run: python manage.py check_integrity")
