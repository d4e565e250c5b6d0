"""An unsafe or unfinished installation does not start, and says in one line why."""

import subprocess
import sys

import pytest

from tests.live import PRODUCTION, ROOT, SiteServer, Visitor

pytestmark = pytest.mark.once

OTHER_KEY = "b290aGVyb3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm8="
KEY = "ZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWU="
REFUSALS = {
    "no secret key": ({"SECRET_KEY": ""}, "SECRET_KEY"),
    "short secret key": ({"SECRET_KEY": "short"}, "SECRET_KEY"),
    "no allowed hosts": ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
    "wildcard host": ({"ALLOWED_HOSTS": "www.clinic.example,*"}, "ALLOWED_HOSTS"),
    "wildcard subdomains": ({"ALLOWED_HOSTS": ".clinic.example"}, "ALLOWED_HOSTS"),
    "debug": ({"DEBUG": "on"}, "DEBUG"),
    "no encryption key": ({"ENCRYPTION_KEYS": ""}, "ENCRYPTION_KEYS"),
    "malformed encryption key": ({"ENCRYPTION_KEYS": "not-a-key"}, "ENCRYPTION_KEYS"),
    "one malformed encryption key of two": ({"ENCRYPTION_KEYS": f"{KEY},{KEY[:-4]}"}, "ENCRYPTION_KEYS"),
    "no search key": ({"SEARCH_KEY": ""}, "SEARCH_KEY"),
    "secret reused as encryption key": ({"SECRET_KEY": f"{KEY}-and-more", "ENCRYPTION_KEYS": KEY}, "ENCRYPTION_KEYS"),
    "encryption key reused for search": ({"ENCRYPTION_KEYS": KEY, "SEARCH_KEY": KEY}, "SEARCH_KEY"),
    "unreadable boolean": ({"DEBUG": "nein"}, "DEBUG"),
    "unreadable switch": ({"HTTPS_REDIRECT": "maybe"}, "HTTPS_REDIRECT"),
    "unreadable number": ({"TRUSTED_PROXIES": "one"}, "TRUSTED_PROXIES"),
    "a server without workers": ({"WEB_WORKERS": "0"}, "WEB_WORKERS"),
    "workers without threads": ({"WEB_THREADS": "0"}, "WEB_THREADS"),
    "no request at all in an hour": ({"FLOOD_LIMIT": "0"}, "FLOOD_LIMIT"),
    "no time for a mail server": ({"EMAIL_TIMEOUT": "0"}, "EMAIL_TIMEOUT"),
    "unknown mode": ({"SITE_MODE": "staging"}, "SITE_MODE"),
    "malformed database address": ({"DATABASE_URL": "postgresql://clinic:secret@host:port/clinic"}, "DATABASE_URL"),
    "database address without scheme": ({"DATABASE_URL": "clinic.sqlite3"}, "DATABASE_URL"),
    "database of another kind": ({"DATABASE_URL": "mysql://clinic@127.0.0.1/clinic"}, "DATABASE_URL"),
    "database address without a name": ({"DATABASE_URL": "postgresql://127.0.0.1"}, "DATABASE_URL"),
    "unwritable database folder": ({"DATABASE_URL": "sqlite:////proc/clinic/clinic.sqlite3"}, "DATABASE_URL"),
    "database below a file": ({"DATABASE_URL": f"sqlite:///{ROOT}/manage.py/clinic.sqlite3"}, "DATABASE_URL"),
    "unwritable media folder": ({"MEDIA_ROOT": "/proc/clinic"}, "MEDIA_ROOT"),
    "unwritable spool folder": ({"SPOOL_DIR": f"{ROOT}/manage.py/spool"}, "SPOOL_DIR"),
    "no collected static files": ({"STATIC_ROOT": "/proc/clinic"}, "STATIC_ROOT"),
    "plain-http origin": ({"CSRF_TRUSTED_ORIGINS": "http://forms.clinic.example"}, "CSRF_TRUSTED_ORIGINS"),
    "no redirect and no proxy": ({"HTTPS_REDIRECT": "off", "TRUSTED_PROXIES": "0"}, "HTTPS_REDIRECT"),
    "site address without scheme": ({"SITE_URL": "www.clinic.example"}, "SITE_URL"),
    "no mail server": ({"EMAIL_URL": ""}, "EMAIL_URL"),
    "mail to the console": ({"EMAIL_URL": "consolemail://"}, "EMAIL_URL"),
    "malformed mail address": ({"EMAIL_URL": "mail.clinic.example"}, "EMAIL_URL"),
    "no sender": ({"DEFAULT_FROM_EMAIL": ""}, "DEFAULT_FROM_EMAIL"),
    "malformed address for error reports": ({"SENTRY_DSN": "errors.clinic.example"}, "SENTRY_DSN"),
    "error reports in clear": ({"SENTRY_DSN": "http://key@errors.clinic.example/1"}, "SENTRY_DSN"),
    "nobody to tell": ({"STAFF_NOTICE_EMAIL": ""}, "STAFF_NOTICE_EMAIL"),
}


def serve(site: SiteServer) -> "subprocess.CompletedProcess[str]":
    """Start the server; fails unless it ends by itself within ten seconds."""
    command = [sys.executable, "-m", "gunicorn", "clinic_site.wsgi", "-c", "gunicorn.conf.py"]
    environment = site.environment | {"BIND": site.environment.get("BIND", f"127.0.0.1:{site.port}")}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=10, check=False)


def assert_refused(done: "subprocess.CompletedProcess[str]", variable: str) -> None:
    lines = done.stderr.splitlines()
    assert done.returncode != 0
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith(f"clinic_site will not start: {variable} ")
    assert done.stdout == ""


@pytest.mark.parametrize(("changes", "variable"), REFUSALS.values(), ids=REFUSALS)
def test_unsafe_installation_is_refused_with_one_line_that_names_the_variable(new_site, changes, variable):
    assert_refused(serve(new_site(**PRODUCTION | changes)), variable)


def test_unapplied_migrations_are_refused(live_template, tmp_path):
    assert_refused(serve(SiteServer(tmp_path, **PRODUCTION)), "DATABASE_URL")


def test_keys_that_are_not_those_of_the_stored_requests_are_refused(new_site):
    site = new_site().start()
    visitor = Visitor(site)
    assert "/consultation/received/" in visitor.send(visitor.fill_in())[1]
    site.stop()
    for variable in ("ENCRYPTION_KEYS", "SEARCH_KEY"):
        other = SiteServer(site.folder, **PRODUCTION | {variable: OTHER_KEY})
        assert_refused(serve(other), variable)
        assert_refused(other.manage("worker", "--once", check=False), variable)
    assert site.rows("SELECT DISTINCT attempts FROM intake_outbox") == [(0,)]
    assert site.start().is_answering()
    site.stop()


def test_a_database_address_that_asks_for_encryption_gets_no_connection_without(new_site, loaded_postgres):
    url = loaded_postgres.databases.url
    reachable, unencrypted = "database: postgresql, reachable", "database: not reachable"
    assert reachable in new_site(DATABASE_URL=url).manage("doctor", check=False).stdout
    assert unencrypted in new_site(DATABASE_URL=f"{url}?sslmode=require").manage("doctor", check=False).stdout


def test_refusal_never_repeats_a_secret(new_site):
    done = serve(new_site(**PRODUCTION | {"DATABASE_URL": "postgresql://clinic:hunter2@host:port/clinic"}))
    assert "hunter2" not in done.stderr


def test_local_site_is_never_opened_to_the_network(new_site):
    assert_refused(serve(new_site(BIND="0.0.0.0:0")), "BIND")


def test_management_commands_are_refused_the_same_way(new_site):
    done = new_site(**PRODUCTION | {"SECRET_KEY": ""}).manage("check", check=False)
    assert_refused(done, "SECRET_KEY")


def test_complete_production_installation_serves_over_https_only(start_server):
    server = start_server(**PRODUCTION)
    host = {"Host": "www.clinic.example"}

    status, headers, _ = server.ask("GET", "/", headers=host | {"X-Forwarded-Proto": "https"})
    assert status == 200
    assert headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains; preload"

    status, headers, _ = server.ask("GET", "/procedures/?utm_source=x", headers=host)
    assert status == 301
    assert headers["Location"] == "https://www.clinic.example/procedures/?utm_source=x"

    assert server.ask("GET", "/", headers=host)[0] == 301

    status, _, _ = server.ask("GET", "/", headers={"Host": "attacker.example", "X-Forwarded-Proto": "https"})
    assert status == 400

    status, _, _ = server.ask("GET", "/health/", headers=host)
    assert status == 200


def test_production_cookies_are_for_this_host_over_https_alone(start_server):
    server = start_server(**PRODUCTION)
    _, headers, _ = server.ask("GET", "/consultation/", headers={"Host": "www.clinic.example", "X-Forwarded-Proto": "https"})
    (cookie,) = headers.get_all("Set-Cookie")
    assert cookie.startswith("__Host-")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


def test_forwarded_scheme_is_not_believed_without_a_declared_proxy(start_server):
    server = start_server(**PRODUCTION | {"TRUSTED_PROXIES": "0"})
    status, _, _ = server.ask("GET", "/", headers={"Host": "www.clinic.example", "X-Forwarded-Proto": "https"})
    assert status == 301
