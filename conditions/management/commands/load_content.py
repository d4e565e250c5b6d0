"""Load the content pack into the database."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from conditions.content_pack import FOLDER, PackError, load_pack


class Command(BaseCommand):
    """Loads text files; keeps what staff edited; prints what it did."""

    help = "Load the content pack. Pages that staff edited since the last load are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`folder`: another pack than the project's own."""
        parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)

    def handle(self, *args: object, folder: Path, **options: object) -> None:
        """Load, then say what was added, updated, left alone and kept."""
        try:
            report = load_pack(folder)
        except PackError as error:
            raise CommandError(f"{error}. Nothing was loaded.") from None
        if options["verbosity"] != 0:
            for name in report.added:
                self.stdout.write(f"added {name}")
            for name in report.updated:
                self.stdout.write(f"updated {name}")
        for names in report.moved:
            self.stdout.write(f"moved {names}; the old address leads there")
        for name in report.kept:
            self.stdout.write(f"kept {name}: staff edited it or took it away since the last load, so the file was not used")
        self.stdout.write(
            f"Content pack: {len(report.added)} added, {len(report.updated)} updated, "
            f"{len(report.unchanged)} unchanged, {len(report.kept)} kept as staff left them."
        )
