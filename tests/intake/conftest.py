"""Trouble for requests: a database that is away, a spool that cannot be written, a mail server that misbehaves."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from intake import published_pages
from tests.smtp_server import MailServer


@pytest.fixture
def no_spool(tmp_path, settings):
    """No file can be written where the spool should be."""
    (tmp_path / "no-folder").write_text("a file, not a folder")
    settings.SPOOL_DIR = tmp_path / "no-folder" / "spool"


class Database:
    """Takes the real database away and brings it back."""

    def __init__(self):
        self.is_sqlite = connection.vendor == "sqlite"
        self.kept = {name: connection.settings_dict[name] for name in ("HOST", "PORT")}
        self.is_away = False

    def goes_away(self):
        connection.close()
        if self.is_sqlite:
            path = Path(connection.settings_dict["NAME"])
            os.rename(path, path.with_suffix(".away"))
            path.mkdir()
        else:
            connection.settings_dict.update(HOST="127.0.0.1", PORT="1")
        self.is_away = True

    def comes_back(self):
        if not self.is_away:
            return
        connection.close()
        published_pages._ask_again_at = 0.0
        if self.is_sqlite:
            path = Path(connection.settings_dict["NAME"])
            path.rmdir()
            os.rename(path.with_suffix(".away"), path)
        else:
            connection.settings_dict.update(self.kept)
        self.is_away = False

    def refuses_writes(self):
        """Read-only on either database, as on a failing disk or a standby."""
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = ON" if self.is_sqlite else "SET default_transaction_read_only = on")

    @contextmanager
    def locked(self):
        """Another process holds the lock for longer than anyone waits."""
        other = connection.copy()
        with other.cursor() as cursor, connection.cursor() as ours:
            if self.is_sqlite:
                ours.execute("PRAGMA busy_timeout = 100")
                cursor.execute("BEGIN IMMEDIATE")
            else:
                ours.execute("SET lock_timeout = '100ms'")
                other.set_autocommit(False)
                cursor.execute("LOCK TABLE intake_consultationrequest IN ACCESS EXCLUSIVE MODE")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
                other.close()
                connection.close()


@pytest.fixture
def database(transactional_db):
    """The database, with `goes_away()` and `comes_back()`."""
    database = Database()
    yield database
    database.comes_back()


@pytest.fixture
def mail_server(settings):
    """A real mail server that the site sends through."""
    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_TIMEOUT = 1
        yield server
