"""Make every stored request be found again under a new SEARCH_KEY."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from intake.rotation import BATCH, Rotation, rebuild_search_keys


class Command(BaseCommand):
    """When SEARCH_KEY is lost or to be changed: set a new one, stop the site, start this, start the site, wait for its end."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """How many rows one transaction changes."""
        parser.add_argument("--batch", type=int, default=BATCH, help="rows changed, and locked, at a time (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exits non-zero where an answer could not be read; all else is done then."""
        if options["batch"] < 1:
            raise CommandError("--batch must be 1 or more.")
        done = rebuild_search_keys(options["batch"], self._progress)
        if done.unreadable:
            self.stderr.write("\n".join(done.unreadable))
            raise CommandError(
                f"{len(done.unreadable)} have answers that no key opens, listed above; search finds them by the others alone. "
                "Put the key that opens them back into ENCRYPTION_KEYS and run this again; altered ones are only in a backup."
            )
        self.stdout.write("Every request is found under SEARCH_KEY.")

    def _progress(self, what: str, done: Rotation) -> None:
        self.stdout.write(f"{what}: {done.looked_at} looked at, {done.changed} made to be found again")
