"""Run one torture and print its figures; ends with 1 on any loss."""

import argparse
import os
import random
import sys
import time

import django

import tests.environment  # noqa: F401  (keys for the sites, before Django reads them)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_site.settings")
django.setup()

from . import hostile, rounds  # noqa: E402
from .site import new_site, run_python  # noqa: E402


def main():
    """Read the command line, torture, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("torture", nargs="?", choices=TORTURES, default="kill")
    parser.add_argument("--rounds", type=int, default=50, help="of kill, restart and outage (default: 50)")
    parser.add_argument("--count", type=int, default=5000, help="of hostile requests, or of those to back up (default: 5000)")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeats the same moments and inputs")
    given = parser.parse_args()
    if given.torture == "outage":
        given.database = "postgres"
    say(f"{given.torture} on {given.database}, seed {given.seed}")
    started = time.monotonic()
    is_good = TORTURES[given.torture](given)
    say(f"took {time.monotonic() - started:.0f} s: {'good' if is_good else 'NOT GOOD'}")
    return 0 if is_good else 1


def say(line):
    """Print at once."""
    print(line, flush=True)


def kill(given):
    """SIGKILL at random moments."""
    with new_site(given.database) as (site, _):
        return reported(given, *rounds.kills(site, given.rounds, given.seed, say))


def restart(given):
    """SIGTERM and a new start."""
    with new_site(given.database) as (site, _):
        story, count, slowest = rounds.restarts(site, given.rounds, say)
        say(f"slowest stop {slowest:.1f} s")
        return reported(given, story, count) and slowest < 30


def outage(given):
    """PostgreSQL stopped and started."""
    with new_site(given.database) as (site, postgres):
        story, count, slowest = rounds.outages(site, postgres, given.rounds, given.seed, say)
        say(f"slowest recovery {slowest:.1f} s")
        return reported(given, story, count) and slowest < 5


def nonsense(given):
    """Hostile input."""
    with new_site(given.database) as (site, _):
        site.start()
        result = hostile.torture(site, given.count, given.seed)
        for finding in result.findings[:20]:
            say(f"  {finding}")
        say(f"hostile requests {len(result.seconds)}, answers {dict(sorted(result.statuses.items()))}")
        say(f"answers that must not be {len(result.findings)}, p99 {result.p99 * 1000:.0f} ms")
        say(f"memory grown by {result.grown_megabytes:.1f} MB in the second half, to {hostile.megabytes(site):.0f} MB")
        works = bool(rounds.takes_a_request(site))
        say(f"a valid request afterwards {'works' if works else 'FAILS'}")
        return result.is_good and works


def bring_back(given):
    """Backup and restore of many requests, measured."""
    with new_site(given.database) as (site, _), new_site(given.database, prepare=False) as (empty, _):
        run_python(site, "-m", "tests.torture.many", str(given.count))
        say(f"{given.count} requests stored")
        started = time.monotonic()
        path, summary = site.manage("backup").stdout.strip().split("\n")
        backed_up = time.monotonic()
        restored = empty.manage("restore", path).stdout.split("\n")[0]
        seconds = time.monotonic() - backed_up
        say(f"backup {backed_up - started:.1f} s: {summary}")
        say(f"restore {seconds:.1f} s: {restored}")
        say(empty.manage("check_integrity").stdout.strip())
        return seconds < 300 and f" {given.count} requests" in restored


def reported(given, story, count):
    """Print what people saw and what is stored; whether nobody was let down."""
    say(f"rounds {given.rounds}, {count}")
    say(
        f"unanswered and sent again {story.unanswered}, told 'not sent' and sent again {story.told_not_sent}, "
        f"given up {len(story.given_up)}, refused {len(story.refused)}, other 5xx {story.server_errors}, "
        f"slowest answer {story.slowest:.1f} s"
    )
    return count.is_clean and count.acknowledged and not (story.given_up or story.refused or story.server_errors)


TORTURES = {"kill": kill, "restart": restart, "outage": outage, "hostile": nonsense, "backup": bring_back}

if __name__ == "__main__":
    sys.exit(main())
