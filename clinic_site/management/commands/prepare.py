"""Bring an installation up to its code: what to run after each update, before the server starts."""

import hashlib
from argparse import ArgumentParser
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from clinic_site.checks import PDF_PACKAGES, missing_pdf_libraries
from clinic_site.database_file import make_private
from clinic_site.staff_groups import grant_newer, last_permission

STAMP = "collected.txt"


class Command(BaseCommand):
    """Each step says in a line what it did; a second run changes nothing."""

    help = "Migrate the database, load the content pack, and collect static files if any changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which steps."""
        parser.add_argument("--only-static", action="store_true", help="collect static files, nothing else")

    def handle(self, *args: object, only_static: bool, **options: object) -> None:
        """Run the steps in order; the first that fails ends the command."""
        if only_static:
            self.collect_static_files()
            return
        self.migrate()
        call_command("load_content", verbosity=0, stdout=self.stdout)
        self.collect_static_files()
        if missing_pdf_libraries():
            self.stdout.write(
                f"Notice: packets come without PDF until Pango is there: sudo apt-get install {' '.join(PDF_PACKAGES)}"
            )

    def migrate(self) -> None:
        """Apply what is unapplied, to a database that is made where it is a file."""
        try:
            if connection.vendor == "sqlite":
                Path(connection.settings_dict["NAME"]).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                make_private()
            executor = MigrationExecutor(connection)
        except (OSError, OperationalError) as error:
            raise CommandError("DATABASE_URL names a database that cannot be reached or made. Nothing was done.") from error
        waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if waiting:
            last = last_permission()
            call_command("migrate", verbosity=0, interactive=False)
            grant_newer(last)
            self.stdout.write(f"Database: {waiting} migrations applied.")

    def collect_static_files(self) -> None:
        """Collect, hash and compress, unless what is collected came from the same files."""
        stamp = Path(settings.STATIC_ROOT) / STAMP
        digest = static_digest()
        if stamp.is_file() and stamp.read_text() == digest:
            return
        self.stdout.write("Static files: hashing and compressing. This takes a while the first time.")
        stamp.unlink(missing_ok=True)
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(digest)


def static_digest() -> str:
    """A hash over name, size and time of every static file, and over what turns them into the collected ones."""
    digest = hashlib.sha256(f"{version('django')} {version('whitenoise')} {settings.STORAGES['staticfiles']}".encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
