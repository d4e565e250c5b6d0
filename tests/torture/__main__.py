"""Run the long tortures, or one of them, and print a table of what they found; ends with 1 on any loss."""

import argparse
import os
import random
import sys
import time
from dataclasses import dataclass

import django

import tests.environment  # noqa: F401  (keys for the sites, before Django reads them)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_site.settings")
django.setup()

from . import hostile, rounds  # noqa: E402
from .site import new_site, run_python  # noqa: E402

DATABASES = ("sqlite", "postgres")


@dataclass(frozen=True)
class Outcome:
    """Whether nobody was let down, and the figures in a line."""

    is_good: bool
    figures: str


@dataclass(frozen=True)
class Torture:
    """One kind: how to run it, on which databases, and how many rounds or requests make the long run."""

    run: object
    count: int
    databases: tuple[str, ...] = DATABASES


def main():
    """Read the command line, torture, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("torture", nargs="*", metavar="torture", help=f"which, of: {', '.join(TORTURES)} (default: all)")
    parser.add_argument("--rounds", type=int, help="of kill, restart and outage (default: 50, 4 and 10)")
    parser.add_argument("--count", type=int, help="of hostile requests, and of those to back up (default: 5,000 and 50,000)")
    parser.add_argument("--database", choices=DATABASES, help="only this one (default: one after the other)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeats the same moments and inputs")
    given = parser.parse_args()
    if unknown := set(given.torture) - set(TORTURES):
        parser.error(f"no such torture: {', '.join(sorted(unknown))}")
    table = []
    for name in given.torture or TORTURES:
        for database in TORTURES[name].databases:
            if given.database in (None, database):
                table.append((name, database, *measured(name, database, given)))
    say("")
    for name, database, outcome, seconds in table:
        say(f"{name:8} {database:9} {seconds:5.0f} s  {'good' if outcome.is_good else 'NOT GOOD':9} {outcome.figures}")
    return 0 if table and all(outcome.is_good for _, _, outcome, _ in table) else 1


def measured(name, database, given):
    """One torture on one database: its outcome and how long it took. What breaks off is no good outcome."""
    torture = TORTURES[name]
    asked = given.count if name in ("hostile", "backup") else given.rounds
    say(f"\n{name} on {database}, seed {given.seed}")
    started = time.monotonic()
    try:
        outcome = torture.run(database, torture.count if asked is None else asked, given.seed)
    except Exception as error:
        say(repr(error))
        outcome = Outcome(False, f"broke off: {type(error).__name__}")
    say(outcome.figures)
    return outcome, time.monotonic() - started


def say(line):
    """Print at once."""
    print(line, flush=True)


def kill(database, count, seed):
    """SIGKILL at random moments."""
    with new_site(database) as (site, _):
        return of_people(count, *rounds.kills(site, count, seed, say))


def restart(database, count, seed):
    """SIGTERM and a new start."""
    with new_site(database) as (site, _):
        story, stored, slowest = rounds.restarts(site, count, say)
        outcome = of_people(count, story, stored)
        return Outcome(outcome.is_good and slowest < 30, f"{outcome.figures}, slowest stop {slowest:.1f} s")


def outage(database, count, seed):
    """PostgreSQL stopped and started."""
    with new_site(database) as (site, postgres):
        story, stored, slowest = rounds.outages(site, postgres, count, seed, say)
        outcome = of_people(count, story, stored)
        return Outcome(outcome.is_good and slowest < 5, f"{outcome.figures}, slowest recovery {slowest:.1f} s")


def nonsense(database, count, seed):
    """Hostile input."""
    with new_site(database) as (site, _):
        site.start()
        result = hostile.torture(site, count, seed)
        works = bool(rounds.takes_a_request(site))
        for finding in result.findings[:20]:
            say(f"  {finding}")
        say(f"answers {dict(sorted(result.statuses.items()))}")
        memory = ", ".join(f"{result.megabytes_at(part / 4):.0f}" for part in range(5))
        return Outcome(
            result.is_good and works,
            f"{len(result.seconds)} requests, 5xx {result.server_errors}, answers that must not be {len(result.findings)}, "
            f"p99 {result.p99 * 1000:.0f} ms, memory of all web processes at the start and after each quarter {memory} MB "
            f"(at most {hostile.MOST_MEGABYTES} more in the last), a valid request afterwards {'works' if works else 'FAILS'}",
        )


def bring_back(database, count, seed):
    """Backup and restore of many requests, measured."""
    with new_site(database) as (site, _), new_site(database, prepare=False) as (empty, _):
        run_python(site, "-m", "tests.torture.many", str(count))
        say(f"{count} requests stored")
        started = time.monotonic()
        path, summary = site.manage("backup").stdout.strip().split("\n")
        backed_up = time.monotonic()
        restored = empty.manage("restore", path).stdout.split("\n")[0]
        seconds = time.monotonic() - backed_up
        started_check = time.monotonic()
        verdict = empty.manage("check_integrity").stdout.strip()
        check = time.monotonic() - started_check
        say(f"{summary}\n{restored}\n{verdict}")
        return Outcome(
            seconds < 300 and f" {count} requests" in restored,
            f"{count} requests, backup {backed_up - started:.1f} s, restore {seconds:.1f} s, counts and checksums equal, "
            f"daily check {check:.1f} s",
        )


def of_people(count, story, stored):
    """What people saw and what is stored; whether nobody was let down."""
    return Outcome(
        bool(stored.is_clean and stored.acknowledged and not (story.given_up or story.refused or story.server_errors)),
        f"rounds {count}, {stored}, unanswered and sent again {story.unanswered}, told 'not sent' and sent again "
        f"{story.told_not_sent}, given up {len(story.given_up)}, refused {len(story.refused)}, other 5xx {story.server_errors}, "
        f"slowest answer {story.slowest:.1f} s",
    )


TORTURES = {
    "kill": Torture(kill, 50),
    "outage": Torture(outage, 10, ("postgres",)),
    "restart": Torture(restart, 4),
    "hostile": Torture(nonsense, 5000),
    "backup": Torture(bring_back, 50_000),
}

if __name__ == "__main__":
    sys.exit(main())
