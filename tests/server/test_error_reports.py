"""Reports of errors hold the kind and the place of an error, and nothing that anybody typed."""

import time
from contextlib import closing

import pytest

from clinic_site.error_reports import scrubbed
from tests.live import Visitor
from tests.report_server import ReportServer
from tests.torture.fixtures import sites  # noqa: F401

MARK = "zq7marker"


@pytest.fixture
def service():
    with ReportServer() as server:
        yield server


def rename(site, table):
    with closing(site.connect()) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO {table}_gone")


def wait_for_report(service, seconds=15):
    deadline = time.monotonic() + seconds
    while not service.reports:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return service.reports


def test_an_error_page_is_reported_by_kind_and_place_alone(sites, service):  # noqa: F811
    # A date that cannot be read is possible in SQLite alone.
    site = sites(SENTRY_DSN=service.dsn).start()
    visitor = Visitor(site)
    visitor.opener.addheaders = [("User-Agent", MARK), ("Referer", f"http://127.0.0.1/{MARK}")]
    form = visitor.fill_in(name=MARK, message=MARK)
    with closing(site.connect()) as database:
        database.execute("UPDATE conditions_page SET next_review_on = '2026-99-99'")
    assert visitor.open(f"/consultation/?about={MARK}", form)[0] == 500
    report = wait_for_report(service)[0]
    error = report["exception"]["values"][-1]
    assert (error["type"], error["value"]) == ("ValueError", "")
    assert "published_pages" in str(error["stacktrace"])
    assert not {"request", "user", "breadcrumbs", "extra", "server_name", "contexts"} & set(report)
    assert MARK.encode() not in b"".join(service.raw)
    assert b"127.0.0.1/" not in b"".join(service.raw)


def test_a_request_that_goes_to_the_spool_is_reported_in_our_own_words(start_server, service):
    site = start_server(SENTRY_DSN=service.dsn)
    rename(site, "intake_searchkey")
    visitor = Visitor(site)
    visitor.send(visitor.fill_in(name=MARK, message=MARK))
    report = wait_for_report(service)[0]
    assert report["logentry"] == {"message": "request goes to the spool, database failed: %s"}
    assert MARK.encode() not in b"".join(service.raw)


def test_a_service_that_cannot_be_reached_changes_nothing_for_anybody(start_server):
    site = start_server(SENTRY_DSN="http://key@127.0.0.1:9/1")
    rename(site, "intake_searchkey")
    visitor = Visitor(site)
    started = time.monotonic()
    assert "/consultation/received/" in visitor.send(visitor.fill_in(name=MARK))[1]
    assert time.monotonic() - started < 10
    assert site.stop() == 0


def test_whatever_an_event_holds_only_listed_facts_leave():
    frame = {"filename": "a.py", "function": "f", "lineno": 1, "vars": {"x": MARK}, "context_line": MARK, "pre_context": [MARK]}
    event = {
        "event_id": "1",
        "level": "error",
        "logger": "django.request",
        "logentry": {"message": MARK, "params": [MARK]},
        "exception": {"values": [{"type": "ValueError", "module": "builtins", "value": MARK, "stacktrace": {"frames": [frame]}}]},
        **dict.fromkeys(["request", "user", "extra", "breadcrumbs", "contexts", "modules", "transaction", "invented"], MARK),
    }
    kept = scrubbed(event, {})
    assert MARK not in str(kept)
    assert kept["exception"]["values"][0]["stacktrace"]["frames"] == [{"filename": "a.py", "function": "f", "lineno": 1}]
