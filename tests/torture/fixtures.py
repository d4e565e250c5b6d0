"""Sites for tests of this kind, on SQLite or on a PostgreSQL cluster of their own."""

import shutil

import pytest

from tests.live import SiteServer
from tests.postgres_server import running_postgres

from .site import ENVIRONMENT


@pytest.fixture(scope="session")
def loaded_postgres(tmp_path_factory):
    """A cluster, and the name of a database in it that is migrated and loaded, to be copied."""
    with running_postgres() as server:
        template = server.new_database()
        SiteServer(tmp_path_factory.mktemp("postgres"), DATABASE_URL=template, **ENVIRONMENT).manage("prepare")
        yield server, template.rpartition("/")[2]


@pytest.fixture
def sites(live_template, tmp_path_factory, request):
    """Makes loaded sites, not yet started: `sites()`, `sites("postgres")`. Gone after the test."""
    made = []

    def make(database="sqlite", folder=None, **environment):
        folder = folder or tmp_path_factory.mktemp("site")
        if database == "postgres":
            server, template = request.getfixturevalue("loaded_postgres")
            environment["DATABASE_URL"] = server.new_database(template)
        else:
            shutil.copytree(live_template, folder, dirs_exist_ok=True)
        made.append(SiteServer(folder, **ENVIRONMENT | environment))
        return made[-1]

    yield make
    for site in made:
        site.kill()
