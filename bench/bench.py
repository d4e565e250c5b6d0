"""Measure the real web server, a thousand pages in it, on SQLite and on PostgreSQL; print tables. See README.md beside this."""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

import tests.environment  # noqa: E402, F401  (keys for the sites, before Django reads them)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_site.settings")
django.setup()

from playwright.sync_api import sync_playwright  # noqa: E402

from tests.conditions.search_queries import ENGLISH  # noqa: E402
from tests.live import SiteServer, Visitor  # noqa: E402
from tests.postgres_server import running_postgres  # noqa: E402
from tests.prerequisites import chromium  # noqa: E402

OSTEOTOMY = "/procedures/spinal-osteotomy/"
FIRST_VIEWS = {"home": "/", "osteotomy": OSTEOTOMY, "form": "/consultation/"}
# What the project promises.
SEARCH_MS = 50
HTML_KB = 25
VIEW_KB = 150
VIEW_REQUESTS = 15
QUERIES = 12
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "clinic_site.settings",
    "FLOOD_LIMIT": "1000000",
    "EMAIL_URL": "dummymail://",
    "LOG_LEVEL": "WARNING",
}


@contextmanager
def sites(names: list[str]) -> Iterator[Iterator[tuple[str, SiteServer]]]:
    """Prepared sites, by the name of their database, each in a temporary folder that goes afterwards."""

    def make() -> Iterator[tuple[str, SiteServer]]:
        for name in names:
            folder = Path(temporary) / name
            folder.mkdir()
            if name == "SQLite":
                yield name, SiteServer(folder, **ENVIRONMENT)
            else:
                with running_postgres() as cluster:
                    yield name, SiteServer(folder, DATABASE_URL=cluster.new_database(), **ENVIRONMENT)

    with tempfile.TemporaryDirectory(prefix="clinic-bench-") as temporary:
        yield make()


def inside(site: SiteServer, *arguments: str) -> str:
    """Run `bench.inside` in the site's environment; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.inside", *arguments],
        cwd=ROOT,
        env=site.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"bench.inside failed:\n{done.stderr}")
    return done.stdout


def timed(ask: Callable[[], object]) -> float:
    """Milliseconds that a call takes."""
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1000


def get(site: SiteServer, path: str) -> Callable[[], object]:
    """A request for a path, which must be answered with 200."""

    def ask() -> None:
        status, _, _ = site.ask("GET", path, headers={"Accept-Encoding": "gzip"})
        assert status == 200, f"{path}: {status}"

    return ask


def posted(site: SiteServer) -> float:
    """Milliseconds from the press of the button until the answer that a request is stored."""
    visitor = Visitor(site)
    fields = visitor.fill_in()
    started = time.perf_counter()
    status, where = visitor.open_once("/consultation/", fields)
    taken = (time.perf_counter() - started) * 1000
    assert status == 303 and "received" in where, f"not stored: {status}"
    return taken


def times_of(site: SiteServer, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each kind of request, one after the other from one visitor."""
    searches = [f"/search/?q={quote(query)}" for query, _ in ENGLISH]
    first = [timed(get(site, searches[0]))]
    for path in searches[:20] * 2:
        get(site, path)()
    return {
        "first search of a process": first,
        "search": [timed(get(site, searches[number % len(searches)])) for number in range(rounds)],
        "osteotomy page, uncached": [timed(get(site, f"{OSTEOTOMY}?n={number}")) for number in range(rounds)],
        "osteotomy page, from memory": [timed(get(site, OSTEOTOMY)) for _ in range(rounds + 5)][5:],
        "request stored": [posted(site) for _ in range(max(20, rounds // 4))],
    }


def first_view(site: SiteServer, path: str) -> tuple[list[str], int]:
    """Addresses that a browser asks for on a first visit, in order, and the bytes that crossed the wire."""
    asked: list[str] = []
    received: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
        )
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
        session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        page.goto(site.url(path), wait_until="networkidle")
        browser.close()
    return [url for url in asked if not url.startswith("data:")], int(sum(received))


def size(site: SiteServer, url: str, encoding: str) -> int:
    """Bytes of a body in an encoding."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers={"Accept-Encoding": encoding})
        return len(connection.getresponse().read())
    finally:
        connection.close()


def kilobytes(count: float) -> float:
    """Bytes as kilobytes of 1,024."""
    return count / 1024


def table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    """Print a table with aligned columns."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    print(f"\n{title}")
    for row in [heads, ["-" * width for width in widths], *rows]:
        print(
            "  "
            + "  ".join(
                cell.ljust(width) if not place else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        )
    sys.stdout.flush()


def against(value: float, most: float, form: str = "{:.0f}") -> str:
    """The value, marked where it is above what is promised."""
    return form.format(value) + ("  OVER" if value > most else "")


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python bench/bench.py", description=__doc__)
    parser.add_argument("--pages", type=int, default=1000, help="published pages to search in (default: 1000)")
    parser.add_argument("--rounds", type=int, default=300, help="requests of each kind (default: 300)")
    parser.add_argument("--database", choices=("SQLite", "PostgreSQL"), help="only this one")
    given = parser.parse_args()
    print(f"{given.pages} pages, {given.rounds} requests of each kind, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    databases = [given.database] if given.database else ["SQLite", "PostgreSQL"]
    with sites(databases) as prepared:
        for number, (name, site) in enumerate(prepared):
            site.manage("prepare")
            if not number:
                report_views(site)
            inside(site, "--fill", str(given.pages))
            report_inside(name, json.loads(inside(site).splitlines()[-1]))
            report_times(name, site, given.rounds)


def report_times(name: str, site: SiteServer, rounds: int) -> None:
    """Start the server, ask, print percentiles."""
    site.start()
    try:
        rows = []
        for what, times in times_of(site, rounds).items():
            if len(times) == 1:
                rows.append([what, "1", "", f"{times[0]:.0f}"])
            elif times:
                p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
                rows.append([what, str(len(times)), f"{p50:.1f}", against(p99, SEARCH_MS if what == "search" else 1e9, "{:.1f}")])
        load = os.getloadavg()[0]
        table(
            f"{name}: milliseconds over HTTP, real gunicorn (load of the machine {load:.1f})", ["", "requests", "p50", "p99"], rows
        )
    finally:
        site.stop()
        site.kill()


def report_inside(name: str, measured: dict) -> None:
    """Print what was measured in the process."""
    table(
        f"{name}: search index",
        ["pages", "words", "memory", "build", "search p50", "search p99"],
        [
            [
                str(measured["pages"]),
                str(measured["words"]),
                f"{measured['kilobytes'] / 1024:.1f} MB",
                f"{measured['build_seconds']:.2f} s",
                f"{measured['search_p50']:.1f} ms",
                f"{measured['search_p99']:.1f} ms",
            ]
        ],
    )
    table(
        f"{name}: database queries of a page, uncached (at most {QUERIES})",
        ["", "queries"],
        [[path, against(count, QUERIES)] for path, count in measured["queries"].items()],
    )


def report_views(site: SiteServer) -> None:
    """Print what a browser with nothing kept loads for a first view of each page."""
    site.start()
    rows = []
    try:
        for name, path in FIRST_VIEWS.items():
            asked, wire = first_view(site, path)
            gzip, brotli = (sum(size(site, url, encoding) for url in asked) for encoding in ("gzip", "br, gzip"))
            html = size(site, asked[0], "gzip")
            rows.append(
                [
                    name,
                    against(len(asked), VIEW_REQUESTS),
                    against(kilobytes(html), HTML_KB, "{:.1f}"),
                    against(kilobytes(gzip), VIEW_KB, "{:.1f}"),
                    against(kilobytes(brotli), VIEW_KB, "{:.1f}"),
                    against(kilobytes(wire), VIEW_KB, "{:.1f}"),
                ]
            )
    finally:
        site.stop()
        site.kill()
    heads = ["", "requests", "HTML gzip KB", "all gzip KB", "all Brotli KB", "Chromium, with headers KB"]
    table(
        f"First view in Chromium, nothing kept (at most {VIEW_REQUESTS} requests, {VIEW_KB} KB; HTML {HTML_KB} KB gzip)",
        heads,
        rows,
    )


if __name__ == "__main__":
    main()
