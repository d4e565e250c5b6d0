"""The SQLite file as a file: there, and for this user alone, before SQLite opens it."""

import os
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections

PRIVATE = 0o600
BESIDE = ("", "-wal", "-shm", "-journal")


def make_private(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Make the database's file where it is missing, and close it and what SQLite keeps beside it to other users.

    SQLite gives the files beside it the mode of the first. Does nothing for
    another kind of database. Raises OSError where the folder is missing or the
    file can't be made.
    """
    connection = connections[alias]
    if connection.vendor != "sqlite" or connection.is_in_memory_db():
        return
    path = Path(connection.settings_dict["NAME"])
    path.touch(PRIVATE)
    for file in (path.with_name(path.name + ending) for ending in BESIDE):
        # Only its owner may change a file's mode; another user was given access on purpose.
        if file.exists() and file.stat().st_uid == os.geteuid():
            file.chmod(PRIVATE)
