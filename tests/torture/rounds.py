"""The tortures themselves. Each returns what the people saw and what a new process reads afterwards."""

import random
import time

from .people import LEAST, Browser, Stream
from .site import bring_up, health, kill_something, settle


def kills(site, rounds, seed, say=lambda line: None, pause=0.0):
    """SIGKILL at random moments during a stream of requests, so many times."""
    chance = random.Random(seed)
    bring_up(site)
    with Stream(site.port, pause=pause) as stream:
        for number in range(1, rounds + 1):
            # Some requests in, so that on a slow machine too each kill falls into a stream that flows.
            stream.wait_for(chance.randint(1, 40))
            time.sleep(chance.uniform(0.0, 0.3))
            victim = kill_something(site, chance)
            bring_up(site)
            say(f"round {number}: killed {victim}, {len(stream.story.acknowledged)} acknowledged so far")
    return stream.story, settle(site, stream.story)


def restarts(site, rounds, say=lambda line: None, pause=0.0):
    """SIGTERM and a new start during a stream of requests, so many times."""
    slowest = 0.0
    bring_up(site)
    with Stream(site.port, pause=pause) as stream:
        for number in range(1, rounds + 1):
            stream.wait_for(10)
            started = time.monotonic()
            code = site.stop()
            slowest = max(slowest, time.monotonic() - started)
            bring_up(site)
            say(f"restart {number}: ended with {code}, {len(stream.story.acknowledged)} acknowledged so far")
        stream.wait_for(10)
    return stream.story, settle(site, stream.story), slowest


def outages(site, postgres, rounds, seed, say=lambda line: None, pause=0.0):
    """PostgreSQL stopped, in turn cleanly and as by a power cut, and started again during a stream of requests."""
    chance = random.Random(seed)
    bring_up(site)
    slowest = 0.0
    with Stream(site.port, pause=pause) as stream:
        for number in range(1, rounds + 1):
            stream.wait_for(10)
            mode = ("fast", "immediate")[number % 2]
            postgres.stop(mode)
            stream.wait_for(10)
            time.sleep(chance.uniform(0.1, 1.5))
            postgres.start()
            slowest = max(slowest, recovery := seconds_until_healthy(site))
            say(f"outage {number} ({mode}): {len(stream.story.acknowledged)} acknowledged so far, healthy after {recovery:.1f} s")
    return stream.story, settle(site, stream.story), slowest


def takes_a_request(site, message="A plain request"):
    """Whether the form works for a person; the reference it gives."""
    browser = Browser(site.port)
    return browser.post({**browser.open_form(), **LEAST, "message": message}).reference


def seconds_until_healthy(site):
    """How long until the site reaches its database again and a new request goes there, not to the spool."""
    started = time.monotonic()
    while time.monotonic() - started < 30:
        before, reference = health(site), takes_a_request(site, f"probe-{time.time_ns():x}")
        after = health(site)
        if reference and after["database"] == "ok" and after["spool"]["waiting"] <= before["spool"]["waiting"]:
            break
        time.sleep(0.05)
    return time.monotonic() - started
