"""Real server processes for tests: gunicorn as in production, on a free port, with data of its own."""

import http.client
import http.cookiejar
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from html import unescape
from pathlib import Path

import psycopg

from .postgres_server import free_port

ROOT = Path(__file__).resolve().parent.parent
STATIC = Path(os.environ.get("STATIC_ROOT", ROOT / "staticfiles"))
START_SECONDS = 30
STOP_SECONDS = 35
PRODUCTION = {
    "SITE_MODE": "production",
    "SECRET_KEY": "p9" * 32,
    "ALLOWED_HOSTS": "www.clinic.example",
    "SITE_URL": "https://www.clinic.example",
    "TRUSTED_PROXIES": "1",
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "DEFAULT_FROM_EMAIL": "newpatients@clinic.example",
    "STAFF_NOTICE_EMAIL": "frontdesk@clinic.example",
}
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SECRET_KEY", "ENCRYPTION_KEYS", "SEARCH_KEY")


class SiteServer:
    """One web server, and if asked one worker, on the data in a folder. Both log to `server.log` there."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.environment = {
            **{name: os.environ[name] for name in INHERITED if name in os.environ},
            "PYTHONUNBUFFERED": "1",
            "SITE_MODE": "local",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "SITE_URL": self.url(),
            "DATA_DIR": str(folder),
            "STATIC_ROOT": str(STATIC),
            "WARM_PAGES": "off",
            **environment,
        }
        self.web: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None

    def url(self, path: str = "") -> str:
        """The full address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def database(self) -> Path:
        """The SQLite file, unless the environment names another database."""
        return self.folder / "clinic.sqlite3"

    @property
    def log(self) -> str:
        """Everything that the processes wrote to stdout and stderr so far."""
        path = self.folder / "server.log"
        return path.read_text(errors="replace") if path.is_file() else ""

    def start(self) -> "SiteServer":
        """Start the web server and wait until it answers."""
        self.web = self._spawn("-m", "gunicorn", "clinic_site.wsgi", "-c", "gunicorn.conf.py", "--bind", f"127.0.0.1:{self.port}")
        deadline = time.monotonic() + START_SECONDS
        while not self.is_answering():
            if self.web.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"The server did not start:\n{self.log}")
            time.sleep(0.05)
        return self

    def start_worker(self) -> None:
        """Start the background worker."""
        self.worker = self._spawn("manage.py", "worker")

    def is_answering(self) -> bool:
        """Whether the web server takes requests now."""
        try:
            urllib.request.urlopen(self.url("/health/"), timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except (OSError, http.client.HTTPException):
            return False
        return True

    def stop(self) -> int:
        """SIGTERM to all, wait; returns the web server's exit code."""
        for process in self._running():
            process.terminate()
        for process in self._running():
            process.wait(STOP_SECONDS)
        return self.web.returncode if self.web else 0

    def kill(self) -> None:
        """SIGKILL to every process at once, as a power cut would."""
        for process in (self.web, self.worker):
            if process:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                process.wait()

    def manage(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a management command in the server's environment."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise RuntimeError(f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done

    def connect(self) -> "sqlite3.Connection | psycopg.Connection":
        """A connection of our own to the site's database, each statement for itself. To be closed."""
        url = self.environment.get("DATABASE_URL", "")
        if url.startswith("postgres"):
            return psycopg.connect(url, autocommit=True)
        return sqlite3.connect(self.database, timeout=10, isolation_level=None)

    def rows(self, query: str, *values: object) -> list[tuple]:
        """Read the database over a connection of our own; `?` stands for a value."""
        with closing(self.connect()) as connection:
            if isinstance(connection, psycopg.Connection):
                query = query.replace("?", "%s")
            return connection.execute(query, values).fetchall()

    @contextmanager
    def written_by_another(self) -> Iterator[None]:
        """Meanwhile nobody else can write requests or searches."""
        with closing(self.connect()) as connection:
            if isinstance(connection, psycopg.Connection):
                connection.execute("BEGIN")
                connection.execute("LOCK TABLE intake_consultationrequest, conditions_searchmiss IN EXCLUSIVE MODE")
            else:
                connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def connection(self, timeout: float = 30) -> http.client.HTTPConnection:
        """An HTTP connection that follows nothing and keeps no cookie."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request on a connection of its own: status, headers, body."""
        connection = self.connection()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def _spawn(self, *command: str) -> "subprocess.Popen[bytes]":
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _running(self) -> "list[subprocess.Popen[bytes]]":
        return [process for process in (self.web, self.worker) if process and process.poll() is None]


def hidden_values(html):
    """What a form page carries in hidden inputs, without the CSRF token."""
    tags = re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', html)
    return {name: unescape(value) for name, value in tags if name != "csrfmiddlewaretoken"}


class Visitor:
    """A person with a browser without JavaScript: keeps cookies, follows redirects."""

    def __init__(self, server: SiteServer) -> None:
        self.server = server
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def open(self, path: str, fields: dict[str, str] | None = None, timeout: float = 30) -> tuple[int, str, str]:
        """Get a page, or post fields to it; returns status, final address and text."""
        data = urllib.parse.urlencode(fields).encode() if fields is not None else None
        try:
            with self.opener.open(self.server.url(path), data, timeout) as answer:
                return answer.status, answer.url, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.url, error.read().decode()

    def fill_out(self, path: str, **answers: str) -> tuple[int, str, str]:
        """Open a page with one form, and send that with these answers."""
        _, _, page = self.open(path)
        token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        return self.open(path, {"csrfmiddlewaretoken": token} | answers)

    def open_once(self, path: str, fields: dict[str, str]) -> tuple[int, str]:
        """Post fields and follow nothing; returns status and where the answer points."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        status, answer, _ = self.server.ask("POST", path, urllib.parse.urlencode(fields).encode(), headers)
        return status, answer["Location"] or ""

    def fill_in(self, **answers: str) -> dict[str, str]:
        """Open the consultation form; returns what would be posted with the least it asks for, plus `answers`."""
        _, _, page = self.open("/consultation/")
        token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        least = {"name": "Sam Sample", "phone": "(703) 555-0163", "consent": "on", "on_behalf_of": "me", "best_time": "any"}
        return hidden_values(page) | {"csrfmiddlewaretoken": token} | least | answers

    def send(self, fields: dict[str, str], timeout: float = 30) -> tuple[int, str, str]:
        """Press the button."""
        return self.open("/consultation/", fields, timeout)
