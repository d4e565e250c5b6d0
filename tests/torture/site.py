"""Sites to torture, outside pytest and inside, and what they hold in the end."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live import ROOT, SiteServer
from tests.postgres_server import running_postgres

# No limit that the torturer, one address with many people, would reach.
ENVIRONMENT = {"FLOOD_LIMIT": "100000000", "EMAIL_URL": "dummymail://", "DJANGO_SETTINGS_MODULE": "clinic_site.settings"}
PAIR = ["acknowledgement", "staff_notice"]


@contextmanager
def new_site(database="sqlite", *, prepare=True, **environment):
    """A site in a temporary folder, and its PostgreSQL cluster where it has one."""
    with tempfile.TemporaryDirectory(prefix="clinic-torture-") as folder:
        if database == "sqlite":
            site = SiteServer(Path(folder), **ENVIRONMENT, **environment)
            yield from _lent(site, None, prepare)
        else:
            with running_postgres() as postgres:
                site = SiteServer(Path(folder), DATABASE_URL=postgres.new_database(), **ENVIRONMENT, **environment)
                yield from _lent(site, postgres, prepare)


def _lent(site, postgres, prepare):
    if prepare:
        site.manage("prepare")
    try:
        yield site, postgres
    finally:
        site.kill()


def processes(site):
    """The web server's worker processes."""
    children = Path(f"/proc/{site.web.pid}/task/{site.web.pid}/children").read_text().split()
    return [int(child) for child in children]


def kill_something(site, chance: random.Random):
    """SIGKILL to everything, or to the web server's master, one of its workers, or the background worker."""
    victim = chance.choice(["everything", "everything", "master", "web worker", "background worker"])
    if victim == "everything":
        site.kill()
    elif victim == "master":
        os.kill(site.web.pid, signal.SIGKILL)
        site.web.wait()
        site.kill()  # orphaned workers end by themselves, but not at once
    elif victim == "web worker":
        if running := processes(site):
            os.kill(chance.choice(running), signal.SIGKILL)
    elif site.worker:
        site.worker.kill()
        site.worker.wait()
    return victim


def bring_up(site):
    """Start whatever of the site doesn't run."""
    if site.web is None or site.web.poll() is not None:
        site.start()
    if site.worker is None or site.worker.poll() is not None:
        site.start_worker()


def health(site):
    """What the site says of itself."""
    return json.loads(site.ask("GET", "/health/")[2])


@dataclass(frozen=True)
class Count:
    """What people were told, compared with what a new process reads."""

    acknowledged: int
    stored: int
    lost: list[str]
    doubled: list[str]
    misnamed: list[str]  # stored under another reference than the person was told
    unpaired: list[str]  # without exactly one notice of each kind and one record of arrival
    disagreements: list[str]
    left_in_spool: int

    @property
    def is_clean(self):
        """Whether nothing at all is amiss."""
        return not (self.lost or self.doubled or self.misnamed or self.unpaired or self.disagreements or self.left_in_spool)

    def __str__(self):
        return (
            f"acknowledged {self.acknowledged}, stored {self.stored}, lost {len(self.lost)}, doubled {len(self.doubled)}, "
            f"other reference {len(self.misnamed)}, without their pair of mails {len(self.unpaired)}, "
            f"left in the spool {self.left_in_spool}" + "".join(f"\n  {line}" for line in self.disagreements)
        )


def read(site):
    """What the site holds, as `stored.py` prints it."""
    return json.loads(run_python(site, "-m", "tests.torture.stored"))


def run_python(site, *arguments):
    """What a Python process in the site's environment prints."""
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=site.environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def settle(site, story):
    """Stop the site, let the worker do one round, and compare."""
    site.stop()
    site.manage("worker", "--once")
    return compare(read(site), story)


def compare(held, story):
    """Every acknowledged marker once, under the reference that was told; no marker twice."""
    rows = {}
    for request in held["requests"]:
        rows.setdefault(request["marker"], []).append(request)
    told = {marker: reference for marker, (reference, _) in story.acknowledged.items()}
    return Count(
        acknowledged=len(told),
        stored=len(held["requests"]),
        lost=[marker for marker in told if marker not in rows],
        doubled=[marker for marker, found in rows.items() if len(found) > 1],
        misnamed=[marker for marker in told if marker in rows and rows[marker][0]["reference"] != told[marker]],
        unpaired=[marker for marker, found in rows.items() if found[0]["notices"] != PAIR or found[0]["arrivals"] != 1],
        disagreements=held["disagreements"],
        left_in_spool=held["spool"],
    )
