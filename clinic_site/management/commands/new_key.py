"""Make the secrets of a new installation."""

import base64
import os
import secrets
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand

LOCAL_ENV = """\
# Made once, for this machine only. Keep it: without ENCRYPTION_KEYS stored requests can't be read.
SITE_MODE=local
SECRET_KEY={secret}
ENCRYPTION_KEYS={encryption}
SEARCH_KEY={search}
"""


class Command(BaseCommand):
    """Prints a key, or writes a local environment file with all of them. Works before there are settings."""

    help = "Print a new key for ENCRYPTION_KEYS or SEARCH_KEY."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What else than a key to make."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--secret", action="store_true", help="print a value for SECRET_KEY instead")
        which.add_argument(
            "--local-env", type=Path, metavar="FILE", help="write a complete file for SITE_MODE=local, unless it exists"
        )

    def handle(self, *args: object, secret: bool, local_env: Path | None, **options: object) -> None:
        """Print one value, or write the file for this user alone."""
        if local_env is None:
            self.stdout.write(new_secret() if secret else new_key())
            return
        if write_local_env(local_env):
            self.stdout.write(f"Made {local_env} with keys for this machine.")


def new_key() -> str:
    """32 random bytes, as Fernet writes them."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def new_secret() -> str:
    """A value for Django's SECRET_KEY."""
    return secrets.token_urlsafe(64)


def write_local_env(path: Path) -> bool:
    """Write the file, readable by this user alone. False, and nothing changed, where it exists."""
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(LOCAL_ENV.format(secret=new_secret(), encryption=new_key(), search=new_key()))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(unfinished, path)  # unlike a rename, never replaces keys that something is sealed with
    except FileExistsError:
        return False
    finally:
        unfinished.unlink()
    return True
