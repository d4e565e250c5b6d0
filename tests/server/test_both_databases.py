"""What visitors read is the same on either database, so that whatever is found in pages on SQLite holds on PostgreSQL too."""

import re

from tests.torture.fixtures import sites  # noqa: F401

SEARCHES = ["/search/?q=back", "/search/?q=kyfosis", "/search/?q=zzzz", "/es/buscar/?q=espalda", "/no-such-page/"]
# Given anew for each answer.
OWN = re.compile(rb'nonce="[^"]+"|<input type="hidden"[^>]*>|nonce-[\w+/=-]+')


def paths_of(site):
    listed = re.findall(rb"<loc>[a-z]+://[^/]+(/[^<]*)</loc>", site.ask("GET", "/sitemap.xml")[2])
    return [*map(bytes.decode, listed), *SEARCHES]


def read(site, path):
    status, headers, body = site.ask("GET", path)
    return status, headers["Content-Type"], OWN.sub(b"", body.replace(site.url().encode(), b""))


def test_every_page_reads_the_same_on_either_database(sites):  # noqa: F811
    on_sqlite, on_postgres = sites().start(), sites("postgres").start()
    paths = paths_of(on_sqlite)
    assert paths == paths_of(on_postgres)
    assert len(paths) > 110
    different = [path for path in paths if read(on_sqlite, path) != read(on_postgres, path)]
    assert different == []
