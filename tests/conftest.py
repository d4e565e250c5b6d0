"""Set-up that every test shares: a safe local environment and the real content."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.tabs import browser_type_launch_args, open_tab, sign_in, staff_password
from tests.environment import TEST_DIR
from tests.sites import LOADED_FOLDER, knee_site, live_template, loaded_postgres, new_site, on_postgres, site_server, start_server

__all__ = [
    "browser_type_launch_args",
    "knee_site",
    "live_template",
    "loaded_postgres",
    "new_site",
    "open_tab",
    "sign_in",
    "site_server",
    "staff_password",
    "start_server",
]
ROOT = Path(__file__).parent.parent
# Fixtures of tests that choose their databases themselves, or look at what is made of the same rows: test_both_databases.py shows
# pages to be equal.
ONCE = {"sites", "read", "open_tab", "knee_site"}
SHARED = {"read", "knee_site", "with_portrait"}
FIRST = {"server": 1, "browser": 2}


def pytest_sessionstart(session):
    """Collect static files once, so that pages are tested with the hashed files they are served with."""
    if not hasattr(session.config, "workerinput"):
        subprocess.run([sys.executable, "manage.py", "prepare", "--only-static", "-v0"], cwd=ROOT, check=True)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Marks what runs once, keeps together what shares a costly fixture, and lets start first what takes long."""
    for item in items:
        if ONCE & set(item.fixturenames) and not item.get_closest_marker("both"):
            item.add_marker("once")
        for shared in SHARED & set(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group(shared))
    items.sort(key=lambda item: 0 if "read" in item.fixturenames else FIRST.get(item.path.parent.name, len(FIRST) + 1))


@pytest.fixture(autouse=True)
def _fresh_site_record(monkeypatch):
    """No test sees the clinic's record of another."""
    from django.utils import translation

    from clinic_site import site_record
    from conditions import handout, search

    site_record.forget()
    search.forget()
    handout.forget()
    # In a thread of its own the next search index could not see what the test has not committed.
    monkeypatch.setattr("conditions.search.index.start", lambda work: work())
    # A request leaves its language active in the thread.
    translation.activate("en")
    yield
    site_record.forget()


@pytest.fixture
def due_clinic(db):
    """Makes the next request look whether the clinic's record changed, as one in each second does."""
    from clinic_site import site_record

    def make_due():
        for name, (_read_at, clinic) in site_record._kept.items():
            site_record._kept[name] = (float("-inf"), clinic)

    return make_due


@pytest.fixture
def kept_clinic(db, monkeypatch):
    """The clinic's record stays in memory, so that counts of queries don't hang on the second."""
    from clinic_site import site_record

    monkeypatch.setattr(site_record, "REFRESH_SECONDS", 3600)
    site_record.current_clinic()


@pytest.fixture(scope="session")
def handout_dir(tmp_path_factory):
    """PDFs that tests asked for, by their text and look: each is made once for all of them."""
    if LOADED_FOLDER in os.environ:
        return Path(os.environ[LOADED_FOLDER]).with_name("handouts")
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "handouts"


@pytest.fixture(autouse=True)
def spool_dir(tmp_path, settings, handout_dir):
    """Each test has a spool and a data folder of its own."""
    settings.DATA_DIR, settings.SPOOL_DIR, settings.HANDOUT_DIR = tmp_path, tmp_path / "spool", handout_dir
    return settings.SPOOL_DIR


@pytest.fixture(scope="session")
def _plain_templates(django_test_environment):
    """Rendering costs what it does on the site: no copy of each template's context is kept for tests to look at."""
    from django.template import Template
    from django.test.utils import _TestState

    Template._render = _TestState.saved_data.template_render


@pytest.fixture(scope="session", autouse=True)
def _quick_clients(django_test_environment):
    """What costs time on purpose, or once in a server's life, is not paid for by each test: hashing passwords and listing files."""
    from django.conf import settings
    from whitenoise import WhiteNoise

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    listed, list_files = {}, WhiteNoise.update_files_dictionary

    def share(self, root, prefix):
        if root not in listed:
            before = set(self.files)
            list_files(self, root, prefix)
            listed[root] = {url: file for url, file in self.files.items() if url not in before}
        self.files |= listed[root]

    WhiteNoise.update_files_dictionary = share


@pytest.fixture(scope="session")
def django_db_keepdb():
    """The test database is there before Django asks for it."""
    return True


@pytest.fixture(scope="session")
def django_db_createdb():
    """See django_db_keepdb."""
    return False


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request):
    """The test database is a copy of a loaded one. SQLite is a real file, so that threads and other processes see the same rows."""
    from django.db import connection

    if on_postgres():
        loaded = request.getfixturevalue("loaded_postgres")
        url = loaded.copy()
        connection.settings_dict["TEST"]["NAME"] = url.rpartition("/")[2]
        yield
        connection.close()
        loaded.databases.drop(url)
    else:
        path = TEST_DIR / "test.sqlite3"
        shutil.copy(request.getfixturevalue("live_template") / "clinic.sqlite3", path)
        connection.settings_dict["TEST"]["NAME"] = str(path)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, _plain_templates):
    """The test database starts with the real content pack; gives its rows, by model."""
    with django_db_blocker.unblock():
        from django.apps import apps

        models = [
            model
            for app in ("clinic_site", "conditions")
            for model in apps.get_app_config(app).get_models(include_auto_created=True)
            if not model._meta.proxy
        ]
        return {model: list(model._base_manager.all()) for model in models}


@pytest.fixture
def content(db, django_db_setup):
    """The real content, written again where a transactional test emptied the database."""
    from django.core.management.color import no_style
    from django.db import connection, transaction

    from conditions.models import Page

    if Page.objects.exists():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        for model, rows in django_db_setup.items():
            model._base_manager.bulk_create(rows)
        for reset in connection.ops.sequence_reset_sql(no_style(), list(django_db_setup)):
            cursor.execute(reset)
