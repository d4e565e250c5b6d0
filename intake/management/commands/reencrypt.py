"""Bring every stored answer under the newest encryption key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from intake.rotation import BATCH, Rotation, reencrypt


class Command(BaseCommand):
    """To change the key: put a new one first in ENCRYPTION_KEYS, restart, run this, then take the old ones out and restart."""

    help = __doc__
    work = staticmethod(reencrypt)
    changed = "re-encrypted"
    left = "could not be read and were left as they are, listed above."
    finished = "Everything is under the newest key. Older keys can be taken out of ENCRYPTION_KEYS."

    def add_arguments(self, parser: CommandParser) -> None:
        """How many rows one transaction changes."""
        parser.add_argument("--batch", type=int, default=BATCH, help="rows changed, and locked, at a time (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exits non-zero where something could not be read; all else is done then."""
        if options["batch"] < 1:
            raise CommandError("--batch must be 1 or more.")
        done = self.work(options["batch"], self._progress)
        if done.unreadable:
            self.stderr.write("\n".join(done.unreadable))
            raise CommandError(
                f"{len(done.unreadable)} {self.left} "
                "Put the key that opens them back into ENCRYPTION_KEYS and run this again; altered ones are only in a backup."
            )
        self.stdout.write(self.finished)

    def _progress(self, what: str, done: Rotation) -> None:
        self.stdout.write(f"{what}: {done.looked_at} looked at, {done.changed} {self.changed}")
