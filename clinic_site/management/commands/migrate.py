"""Django's `migrate`, on a database file that nobody else can read."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate

from clinic_site.database_file import make_private


class Command(migrate.Command):
    """As Django's; says in one line where the database's folder is missing."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Close the file to others, before the checks that open it, and then migrate."""
        try:
            make_private(options["database"])
        except OSError as error:
            raise CommandError(
                "DATA_DIR, or the folder that DATABASE_URL names, is missing or closed to this user. "
                "Make it, or let it be made with all else: python manage.py prepare"
            ) from error
        return super().execute(*args, **options)
