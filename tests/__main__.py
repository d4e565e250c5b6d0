"""Run the tests, options of pytest as given: on SQLite, then on PostgreSQL. `python -m tests`.

The PostgreSQL is one that DATABASE_URL names, else a throwaway cluster.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from . import environment  # noqa: F401 - the safe settings that all processes of a run share
from .live import ROOT
from .postgres_server import Databases, running_postgres
from .sites import LOADED_DATABASE, LOADED_FOLDER, POSTGRES_URL, load, load_postgres

NOTHING_SELECTED = 5


@contextmanager
def postgres() -> Iterator[Databases]:
    """The PostgreSQL to test on."""
    named = os.environ.pop("DATABASE_URL", "")
    if named.startswith("postgres"):
        yield Databases(named)
    else:
        with running_postgres() as server:
            yield server


def run_pytest(*options: str, **variables: str) -> int:
    """How pytest ended."""
    return subprocess.run([sys.executable, "-m", "pytest", *options], env=os.environ | variables, check=False).returncode


def main(options: list[str]) -> int:
    """0 if all tests passed on both; the first run that fails is the last."""
    with postgres() as databases, tempfile.TemporaryDirectory(prefix="clinic-loaded-") as folder:
        subprocess.run([sys.executable, "manage.py", "prepare", "--only-static"], cwd=ROOT, check=True)
        rest = Path(folder, "postgres")
        rest.mkdir()
        with ThreadPoolExecutor() as pool:
            on_sqlite, on_postgres = pool.submit(load, Path(folder, "sqlite")), pool.submit(load_postgres, databases, rest)
        loaded = on_postgres.result()
        os.environ |= {LOADED_FOLDER: str(on_sqlite.result()), POSTGRES_URL: databases.url, LOADED_DATABASE: loaded.template}
        try:
            first = run_pytest(*options)
            if first not in (0, NOTHING_SELECTED):
                return first
            print("The same again on PostgreSQL", flush=True)
            second = run_pytest("-m", "not once", *options, DATABASE_URL=databases.url)
            return first if second == NOTHING_SELECTED else second
        finally:
            databases.drop(databases.url_of(loaded.template))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
