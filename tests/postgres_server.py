"""A PostgreSQL of our own for tests: a throwaway cluster on loopback that can be stopped, killed and started again."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from .prerequisites import postgres_binaries

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "fsync": "on",
    "synchronous_commit": "on",
    "logging_collector": "off",
}


class Databases:
    """The databases of a PostgreSQL that runs somewhere: made, copied and dropped."""

    def __init__(self, url: str) -> None:
        self.url = url

    def url_of(self, database: str) -> str:
        """The address of a database, as DATABASE_URL takes it."""
        return f"{self.url.rpartition('/')[0]}/{database}"

    def new_database(self, template: str = "template1") -> str:
        """Make an empty database, or a copy of another that no one is connected to; returns its address."""
        name = f"test_{secrets.token_hex(6)}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.url_of(name)

    def drop(self, url: str) -> None:
        """Drop a database that was made here, whoever is connected to it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", url.rpartition("/")[2])

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


class PostgresServer(Databases):
    """One cluster in a temporary folder. Durable as in production: fsync stays on."""

    def __init__(self) -> None:
        binaries = postgres_binaries()
        if binaries is None:
            raise RuntimeError("A PostgreSQL server is missing. Run: python tests/prerequisites.py")
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="clinic-pg-"))
        self.data = self.folder / "data"
        self.password = secrets.token_hex(16)
        self.port = free_port()
        super().__init__(f"postgresql://tester:{self.password}@127.0.0.1:{self.port}/postgres")
        # PostgreSQL refuses to run as root.
        self.user = unprivileged_user() if os.geteuid() == 0 else None
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        if self.user:
            for path in (self.folder, password_file):
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        self._run(
            "initdb",
            "-D",
            self.data,
            "-U",
            "tester",
            "-A",
            "scram-sha-256",
            "--pwfile",
            password_file,
            "-E",
            "UTF8",
            "--locale",
            "C",
        )

    def start(self) -> None:
        """Start and wait until it takes connections. The port stays the same over restarts."""
        options = " ".join(f"-c {name}='{value}'" for name, value in {**SETTINGS, "port": self.port}.items())
        self._run("pg_ctl", "start", "-w", "-t", "60", "-D", self.data, "-l", self.folder / "log", "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop: `fast` ends connections, `immediate` is like a power cut."""
        self._run("pg_ctl", "stop", "-w", "-t", "60", "-D", self.data, "-m", mode)

    @property
    def is_running(self) -> bool:
        """Whether the server process is there."""
        return self._run("pg_ctl", "status", "-D", self.data, check=False).returncode == 0

    def remove(self) -> None:
        """Stop at once and delete everything."""
        if self.is_running:
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: object, check: bool = True) -> "subprocess.CompletedProcess[str]":
        command = [str(self.binaries / program), *map(str, arguments)]
        if self.user:
            command = ["runuser", "-u", self.user.pw_name, "--", *command]
        # pg_ctl's server keeps what it inherits open, so pipes would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True, check=False
            )
            output.seek(0)
            if check and done.returncode:
                log = self.folder / "log"
                raise RuntimeError(f"{program} failed:\n{output.read()}\n{log.read_text() if log.is_file() else ''}")
        return done


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A started cluster, gone afterwards."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def unprivileged_user() -> pwd.struct_passwd:
    """Debian's database user, else nobody."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("No user to run PostgreSQL as: neither postgres nor nobody exists.")


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
