"""Real server processes for tests: gunicorn as in production, on a free port, with data of its own.

The fixtures are imported in a conftest.py; `new_site`, `site_server` and `start_server` need `live_template`.
"""

import fcntl
import http.client
import http.cookiejar
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .factories import hidden_values
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

    def rows(self, query: str, *values: object) -> list[tuple]:
        """Read the SQLite database over a connection of our own."""
        connection = sqlite3.connect(self.database, timeout=10)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time, over all test processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def live_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated and loaded database, made once for all test processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "live-template"
    with locked(folder.with_name("live-template-lock")):
        if not folder.is_dir():
            unfinished = folder.with_name("live-template-unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            SiteServer(unfinished).manage("prepare")
            unfinished.rename(folder)
    return folder


NewSite = Callable[..., SiteServer]


@pytest.fixture(scope="session")
def new_site(live_template: Path, tmp_path_factory: pytest.TempPathFactory) -> NewSite:
    """Makes sites, not yet started, each with its own copy of the loaded database."""

    def make(**environment: str) -> SiteServer:
        folder = tmp_path_factory.mktemp("site")
        shutil.copytree(live_template, folder, dirs_exist_ok=True)
        return SiteServer(folder, **environment)

    return make


@pytest.fixture(scope="session")
def site_server(new_site: NewSite) -> Iterator[SiteServer]:
    """A running site for tests that only look, or that tell their own requests apart."""
    server = new_site().start()
    yield server
    server.stop()
    server.kill()


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
