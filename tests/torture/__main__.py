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

from . import rounds  # noqa: E402
from .site import new_site  # noqa: E402

TORTURES = ("kill", "restart", "outage")


def main():
    """Read the command line, torture, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("torture", nargs="?", choices=TORTURES, default="kill")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeats the same moments")
    given = parser.parse_args()
    print(f"{given.torture} on {given.database}, {given.rounds} rounds, seed {given.seed}", flush=True)
    started = time.monotonic()

    def say(line):
        print(line, flush=True)

    with new_site("postgres" if given.torture == "outage" else given.database) as (site, postgres):
        extra = ""
        if given.torture == "kill":
            story, count = rounds.kills(site, given.rounds, given.seed, say)
        elif given.torture == "restart":
            story, count, slowest = rounds.restarts(site, given.rounds, say)
            extra = f", slowest stop {slowest:.1f} s"
        else:
            story, count, slowest = rounds.outages(site, postgres, given.rounds, given.seed, say)
            extra = f", slowest recovery {slowest:.1f} s"
    print(f"rounds {given.rounds}, {count}")
    print(
        f"unanswered and sent again {story.unanswered}, told 'not sent' and sent again {story.told_not_sent}, given up {len(story.given_up)}, "
        f"refused {len(story.refused)}, other 5xx {story.server_errors}, slowest answer {story.slowest:.1f} s{extra}, "
        f"took {time.monotonic() - started:.0f} s"
    )
    return 0 if count.is_clean and count.acknowledged and not (story.given_up or story.refused or story.server_errors) else 1


if __name__ == "__main__":
    sys.exit(main())
