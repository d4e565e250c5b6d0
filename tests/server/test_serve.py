"""`make run`: one process tree that starts, tells its address, and leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live import ROOT, SiteServer, Visitor

pytestmark = pytest.mark.once

READY = "The site is open at "


def processes_of(site: SiteServer) -> dict[int, str]:
    """Every process that runs in the site's environment, with its command line."""
    mark = f"DATA_DIR={site.folder}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            if command and mark in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = command.replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def wait_until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


class Served:
    """A running `manage.py serve`."""

    def __init__(self, site: SiteServer, *options: str) -> None:
        self.site = site
        environment = {name: value for name, value in site.environment.items() if name != "SITE_URL"}
        with (site.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(site.port), *options],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        wait_until(lambda: READY in self.site.log or self.process.poll() is not None)
        assert self.process.poll() is None, self.site.log

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def serve(new_site):
    running = []

    def start(site: SiteServer | None = None, *options: str) -> Served:
        served = Served(site or new_site(), *options)
        running.append(served)
        served.wait_until_ready()
        return served

    yield start
    for served in running:
        served.process.kill()
        served.process.wait()
        for number in processes_of(served.site):
            os.kill(number, signal.SIGKILL)


def test_server_and_worker_run_and_the_address_comes_last(serve):
    served = serve()
    commands = " ".join(processes_of(served.site).values())
    assert "clinic_site.wsgi" in commands
    assert "manage.py worker" in commands
    wait_until(lambda: served.site.log.rstrip().endswith(f"{READY}http://127.0.0.1:{served.site.port}/"), 1)
    assert served.site.ask("GET", "/")[0] == 200


def test_links_name_the_port_that_is_served(serve):
    served = serve()
    assert served.site.url("/sitemap.xml").encode() in served.site.ask("GET", "/robots.txt")[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopping_leaves_no_process(serve, number):
    served = serve()
    assert len(processes_of(served.site)) >= 5
    assert served.stop(number) == 0
    assert processes_of(served.site) == {}


@pytest.mark.parametrize("part", ["clinic_site.wsgi", "manage.py worker"])
def test_when_one_part_dies_the_other_is_stopped_and_the_failure_reported(serve, part):
    served = serve()
    victim = min(number for number, command in processes_of(served.site).items() if part in command)
    os.kill(victim, signal.SIGKILL)
    assert served.process.wait(30) == 1
    assert "ended by itself" in served.site.log.splitlines()[-1]
    wait_until(lambda: processes_of(served.site) == {}, 5)


def test_parts_do_not_outlive_a_killed_parent(serve):
    served = serve()
    served.process.kill()
    served.process.wait()
    wait_until(lambda: processes_of(served.site) == {})


def test_taken_port_is_said_in_one_line(new_site):
    site = new_site()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", site.port))
        taken.listen()
        done = site.manage("serve", "--port", str(site.port), check=False)
    assert done.returncode == 1
    assert done.stderr == f"Port {site.port} is taken. Run: make run PORT={site.port + 1}\n"
    assert done.stdout == ""


def test_taken_port_changes_nothing(live_template, tmp_path):
    site = SiteServer(tmp_path / "fresh")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", site.port))
        taken.listen()
        site.manage("serve", "--prepare", "--port", str(site.port), check=False)
    assert not site.folder.exists()


def test_first_start_makes_everything_and_the_second_loses_nothing(serve, live_template, tmp_path):
    site = SiteServer(tmp_path)
    first = serve(site, "--prepare")
    assert "migrations applied" in site.log
    assert "First staff account, shown this once" in site.log
    password = site.log.partition("password  ")[2].split()[0]
    assert first.site.ask("GET", "/procedures/spinal-osteotomy/")[0] == 200
    visitor = Visitor(site)
    assert "/consultation/received/" in visitor.send(visitor.fill_in())[1]
    assert first.stop() == 0

    (site.folder / "server.log").unlink()
    serve(site, "--prepare")
    assert "migrations applied" not in site.log
    assert "First staff account" not in site.log
    assert site.rows("SELECT count(*) FROM intake_consultationrequest") == [(1,)]
    login = Visitor(site)
    page = login.open("/admin/login/")[2]
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    fields = {"csrfmiddlewaretoken": token, "username": "staff", "password": password, "next": "/admin/"}
    assert login.open("/admin/login/", fields)[1].endswith("/admin/password_change/")


def test_refused_start_ends_the_whole_tree(new_site):
    site = new_site(LOG_LEVEL="INFO")
    shutil.rmtree(site.folder / "media", ignore_errors=True)
    (site.folder / "media").write_text("no folder")
    served = Served(site)
    assert served.process.wait(30) == 1
    assert "clinic_site will not start: MEDIA_ROOT" in site.log
    wait_until(lambda: processes_of(site) == {}, 5)
