"""Sites for tests. What each holds at first is made once for all tests of a run, on SQLite and on PostgreSQL, and copied.

`python -m tests` makes both before pytest starts and names them in the
environment; under pytest alone each is made when it is first asked for.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from .live import ROOT, SiteServer
from .postgres_server import Databases, PostgresServer, running_postgres

# A folder with the data of a loaded site on SQLite; a PostgreSQL; and the name of a loaded database on it.
LOADED_FOLDER, POSTGRES_URL, LOADED_DATABASE = "TEST_LOADED_FOLDER", "TEST_POSTGRES_URL", "TEST_LOADED_DATABASE"
KNEE_PACK = ROOT / "conditions" / "sample_packs" / "knee"


def on_postgres() -> bool:
    """Whether this run is the one on PostgreSQL."""
    return os.environ.get("DATABASE_URL", "").startswith("postgres")


@dataclass(frozen=True)
class LoadedPostgres:
    """A PostgreSQL with a migrated and loaded database."""

    databases: Databases
    template: str

    def copy(self) -> str:
        """Copy the loaded database; returns the copy's address."""
        return self.databases.new_database(self.template)

    def moved_to(self, server: PostgresServer) -> "LoadedPostgres":
        """The same on another server."""
        url = server.new_database()
        dump = subprocess.run(
            [server.binaries / "pg_dump", "--format=custom", self.databases.url_of(self.template)], capture_output=True, check=True
        )
        subprocess.run([server.binaries / "pg_restore", "--no-owner", "--dbname", url], input=dump.stdout, check=True)
        return LoadedPostgres(server, url.rpartition("/")[2])


def load(folder: Path) -> Path:
    """Make the data of a loaded site on SQLite in a folder; returns it once it is whole."""
    unfinished = folder.with_name(f"{folder.name}-unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    SiteServer(unfinished).manage("prepare")
    return unfinished.rename(folder)


def load_postgres(databases: Databases, folder: Path) -> LoadedPostgres:
    """Make a loaded database; `folder` takes what else the making of it leaves."""
    url = databases.new_database()
    SiteServer(folder, DATABASE_URL=url).manage("prepare")
    return LoadedPostgres(databases, url.rpartition("/")[2])


@pytest.fixture(scope="session")
def live_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a loaded site on SQLite."""
    if named := os.environ.get(LOADED_FOLDER):
        return Path(named)
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "live-template"
    with locked(folder.with_name("live-template-lock")):
        return folder if folder.is_dir() else load(folder)


@pytest.fixture(scope="session")
def loaded_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedPostgres]:
    """A PostgreSQL that tests share, so that none may stop it."""
    if POSTGRES_URL in os.environ:
        yield LoadedPostgres(Databases(os.environ[POSTGRES_URL]), os.environ[LOADED_DATABASE])
    elif on_postgres():
        loaded = load_postgres(Databases(os.environ["DATABASE_URL"]), tmp_path_factory.mktemp("postgres"))
        yield loaded
        loaded.databases.drop(loaded.databases.url_of(loaded.template))
    else:
        with running_postgres() as server:
            yield load_postgres(server, tmp_path_factory.mktemp("postgres"))


NewSite = Callable[..., SiteServer]


@pytest.fixture(scope="session")
def new_site(request: pytest.FixtureRequest, live_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewSite]:
    """Makes sites, not yet started, each with its own copy of what a site holds at first, on this run's kind of database."""
    dropped_after = []

    def make(**environment: str) -> SiteServer:
        folder = tmp_path_factory.mktemp("site")
        if on_postgres() and "DATABASE_URL" not in environment:
            loaded = request.getfixturevalue("loaded_postgres")
            environment["DATABASE_URL"] = loaded.copy()
            dropped_after.append((loaded.databases, environment["DATABASE_URL"]))
            ignored = shutil.ignore_patterns("clinic.sqlite3*")
        else:
            ignored = None
        shutil.copytree(live_template, folder, ignore=ignored, dirs_exist_ok=True)
        return SiteServer(folder, **environment)

    yield make
    for databases, url in dropped_after:
        databases.drop(url)


@pytest.fixture(scope="session")
def site_server(new_site: NewSite) -> Iterator[SiteServer]:
    """A running site for tests that only look, or that tell their own requests apart."""
    server = new_site().start()
    yield server
    server.stop()
    server.kill()


@pytest.fixture(scope="session")
def knee_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteServer]:
    """A running site of another clinic, made from its pack on this run's kind of database."""
    environment = {"CONTENT_PACK": str(KNEE_PACK)}
    if on_postgres():
        environment["DATABASE_URL"] = request.getfixturevalue("loaded_postgres").databases.new_database()
    server = SiteServer(tmp_path_factory.mktemp("knee"), **environment)
    server.manage("prepare")
    yield server.start()
    server.stop()
    server.kill()
    if on_postgres():
        request.getfixturevalue("loaded_postgres").databases.drop(environment["DATABASE_URL"])


@pytest.fixture
def start_server(new_site: NewSite) -> Iterator[NewSite]:
    """Starts sites for one test, with variables of its own; gone after it."""
    started: list[SiteServer] = []

    def start(**environment: str) -> SiteServer:
        server = new_site(**environment)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.kill()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time, over all test processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
