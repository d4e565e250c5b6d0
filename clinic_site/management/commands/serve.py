"""The whole site as one process tree: the web server and the background worker."""

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from types import FrameType

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

HOST = "127.0.0.1"
STOP_SECONDS = 29
READY_SECONDS = 60
PR_SET_PDEATHSIG = 1


class Command(BaseCommand):
    """Starts both, and stops both: on Ctrl-C or SIGTERM, and when either ends by itself."""

    help = "Serve the site on this machine: web server and worker, until stopped."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to serve, and whether to bring the installation up to date before."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--prepare", action="store_true", help="first migrate, load content, and make a first account")

    def handle(self, *args: object, port: int, prepare: bool, **options: object) -> None:
        """Ends with 0 when asked to stop, with 1 when a part ended by itself."""
        refuse_taken_port(port)
        if prepare:
            call_command("prepare", stdout=self.stdout)
            call_command("first_account", verbosity=0, stdout=self.stdout)
            self.stdout.flush()  # before the parts write their own lines
        self.is_asked_to_stop = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        os.environ.setdefault("SITE_URL", f"http://{HOST}:{port}")
        parts = {
            "web server": start("-m", "gunicorn", "clinic_site.wsgi", "-c", "gunicorn.conf.py", "--bind", f"{HOST}:{port}"),
            "worker": start("manage.py", "worker"),
        }
        try:
            ended = self._watch(parts, port)
        finally:
            stop(parts)
        if ended:
            sys.exit(f"The {ended} ended by itself, so the site was stopped. Its last lines above say why.")

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.is_asked_to_stop = True

    def _watch(self, parts: dict[str, "subprocess.Popen[bytes]"], port: int) -> str:
        """Wait for the end; returns the name of the part that ended by itself, or nothing."""
        is_open = False
        give_up = time.monotonic() + READY_SECONDS
        while not self.is_asked_to_stop:
            for name, process in parts.items():
                if process.poll() is not None:
                    return "" if self.is_asked_to_stop else name
            if not is_open and answers(port):
                is_open = True
                self.stdout.write(f"Staff sign in at http://{HOST}:{port}/admin/  Stop with Ctrl-C.")
                self.stdout.write(f"The site is open at http://{HOST}:{port}/")
                self.stdout.flush()
            if not is_open and time.monotonic() > give_up:
                return "web server"
            time.sleep(0.1)
        return ""


def refuse_taken_port(port: int) -> None:
    """End with one line where the port can't be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OverflowError:
            sys.exit(f"Port {port} does not exist. Run: make run PORT=8001")
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sys.exit(f"Port {port} is taken. Run: make run PORT={port + 1 if port < 65535 else 8001}")
            sys.exit(f"Port {port} cannot be used ({os.strerror(error.errno or 0)}). Run: make run PORT=8001")


def start(*command: str) -> "subprocess.Popen[bytes]":
    """Start a part in a session of its own, so that Ctrl-C in a terminal reaches it through us only."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def end_with_parent() -> None:
        if libc:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return subprocess.Popen([sys.executable, *command], cwd=settings.BASE_DIR, start_new_session=True, preexec_fn=end_with_parent)


def answers(port: int) -> bool:
    """Whether the web server takes requests now."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health/", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def stop(parts: dict[str, "subprocess.Popen[bytes]"]) -> None:
    """Ask every part to finish what it does and end; after STOP_SECONDS end what is left of their sessions."""
    for process in parts.values():
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in parts.values():
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            continue
    for process in parts.values():
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        process.wait()
