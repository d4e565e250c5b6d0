"""Make an encrypted backup of database, media and spool while the site serves."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from clinic_site.backup import backups_folder, create
from clinic_site.database_copy import CannotCopy


class Command(BaseCommand):
    """Run it daily, and copy the file to another place. Its key is in ENCRYPTION_KEYS: keep that apart from the file."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("--to", type=Path, help=f"a file or folder (default: {backups_folder()})")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the file and what it holds; exits non-zero, and leaves no file, where it can't be made."""
        try:
            path, manifest = create(options["to"])
        except (OSError, Error, CannotCopy) as error:
            raise CommandError(f"No backup was made: {error}") from error
        self.stdout.write(f"{path}\n{manifest.summary}, {path.stat().st_size / 1e6:.1f} MB")
