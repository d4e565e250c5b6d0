"""Sites for tests of this kind, on SQLite or on PostgreSQL."""

import shutil

import pytest

from tests.live import SiteServer
from tests.postgres_server import running_postgres

from .site import ENVIRONMENT


@pytest.fixture
def own_postgres(loaded_postgres):
    """A cluster that a test may stop, with a loaded database as the shared one has it."""
    with running_postgres() as server:
        yield loaded_postgres.moved_to(server)


@pytest.fixture
def sites(live_template, tmp_path_factory, request):
    """Makes loaded sites, not yet started: `sites()`, `sites("postgres")`. Gone after the test."""
    made = []

    def make(database="sqlite", folder=None, postgres=None, **environment):
        folder = folder or tmp_path_factory.mktemp("site")
        if database == "postgres":
            loaded = postgres or request.getfixturevalue("loaded_postgres")
            environment["DATABASE_URL"] = loaded.copy()
        else:
            shutil.copytree(live_template, folder, dirs_exist_ok=True)
        made.append(SiteServer(folder, **ENVIRONMENT | environment))
        return made[-1]

    yield make
    for site in made:
        site.kill()
