"""Write the database's content as a content pack."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand

from conditions.content_pack import export_pack


class Command(BaseCommand):
    """Writes the same format that load_content reads."""

    help = "Write pages, people, references, glossary and the clinic's record as text files into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`folder`: where to write; made if absent."""
        parser.add_argument("folder", type=Path)

    def handle(self, *args: object, folder: Path, **options: object) -> None:
        """Export everything."""
        self.stdout.write(f"Wrote {export_pack(folder)} entries to {folder}.")
