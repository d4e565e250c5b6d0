"""Whatever happens to processes, disk or database, who was told "received" is stored once. Longer runs: `make torture`."""

import html
import sqlite3
import time

import pytest

from tests.torture import rounds
from tests.torture.disk import small_disk
from tests.torture.fixtures import own_postgres, sites  # noqa: F401
from tests.torture.people import LEAST, Browser, Stream
from tests.torture.site import compare, health, read, settle

PAGES = ("/", "/procedures/spinal-osteotomy/", "/conditions/", "/guides/first-consultation/", "/consultation/")
# Between two requests of one person: these tests run beside others, which need the processor too.
PAUSE = 0.1
TYPED = "Stooped <more> & more"


def filled_in(site, message):
    browser = Browser(site.port)
    return browser, {**browser.open_form(), **LEAST, "message": message}


def assert_nobody_was_let_down(story, count):
    assert count.is_clean, str(count)
    assert count.acknowledged == len(story.acknowledged) > 0
    assert not story.given_up
    assert not story.refused
    assert not story.server_errors


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_killed_processes_lose_nothing_and_double_nothing(sites, database):  # noqa: F811
    assert_nobody_was_let_down(*rounds.kills(sites(database), rounds=3, seed=4, pause=PAUSE))


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_restarts_refuse_drop_and_double_nothing(sites, database):  # noqa: F811
    story, count, slowest_stop = rounds.restarts(sites(database), rounds=2, pause=PAUSE)
    assert_nobody_was_let_down(story, count)
    assert slowest_stop < 30


def test_with_postgresql_stopped_pages_open_and_requests_wait_in_the_spool(sites, own_postgres):  # noqa: F811
    server = own_postgres.databases
    site = sites("postgres", postgres=own_postgres, WARM_PAGES="on").start()
    server.stop()
    try:
        assert {path: site.ask("GET", path)[0] for path in PAGES} == dict.fromkeys(PAGES, 200)
        browser, form = filled_in(site, TYPED)
        answer = browser.post(form)
        assert answer.reference
        assert browser.post(form).reference == answer.reference
        receipt = site.ask("GET", answer.headers["Location"])
        assert receipt[0] == 200
        assert answer.reference[:4].encode() in receipt[2]
        assert health(site)["database"] == "away"
        assert health(site)["spool"]["waiting"] == 1
    finally:
        server.start()
    assert rounds.seconds_until_healthy(site) < 5
    site.manage("worker", "--once")
    site.manage("worker", "--once")
    held = read(site)
    assert [row["reference"] for row in held["requests"] if row["marker"] == TYPED] == [answer.reference]
    assert (held["spool"], held["disagreements"]) == (0, [])


def test_postgresql_stopped_and_started_in_a_stream_loses_nothing(sites, own_postgres):  # noqa: F811
    site = sites("postgres", postgres=own_postgres)
    story, count, slowest = rounds.outages(site, own_postgres.databases, rounds=1, seed=4, pause=PAUSE)
    assert_nobody_was_let_down(story, count)
    assert slowest < 5


def test_a_full_disk_under_the_database_sends_requests_to_the_spool(sites, tmp_path):  # noqa: F811
    with small_disk(tmp_path / "disk") as disk:
        site = sites(DATABASE_URL=f"sqlite:///{disk.folder}/clinic.sqlite3")
        (site.folder / "clinic.sqlite3").rename(site.folder / "kept")
        disk.folder.joinpath("clinic.sqlite3").write_bytes((site.folder / "kept").read_bytes())
        site.start()
        with Stream(site.port, people=2, pause=PAUSE) as stream:
            stream.wait_for(3)
            disk.fill(site, room_for_small_files=True)
            deadline = time.monotonic() + 20
            while not health(site)["spool"]["waiting"] and time.monotonic() < deadline:
                time.sleep(0.05)
            assert health(site)["spool"]["waiting"]
            assert site.ask("GET", "/guides/first-consultation/")[0] == 200
            disk.free(site)
            stream.wait_for(3)
        assert_nobody_was_let_down(stream.story, settle(site, stream.story))
        assert stream.story.told_not_sent == 0
        site.kill()


def test_a_disk_full_under_database_and_spool_alike_still_takes_requests(sites, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("tests.torture.disk.SIZE", 64 * 1024**2)  # else there is no room to put any aside
    with small_disk(tmp_path / "disk") as disk:
        if not disk.is_mounted:
            pytest.skip("needs a disk of its own")
        site = sites(folder=disk.folder).start()
        site.manage("worker", "--once")
        assert health(site)["spool"]["reserve_kb"] == 8192
        with Stream(site.port, people=2, pause=PAUSE) as stream:
            stream.wait_for(1)
            disk.fill(site)
            stream.wait_for(5)
            assert health(site)["spool"]["reserve_kb"] < 8192
        disk.free(site)
        assert_nobody_was_let_down(stream.story, settle(site, stream.story))
        assert stream.story.told_not_sent == 0
        site.kill()


def test_with_no_room_anywhere_the_person_is_told_so_and_keeps_what_they_typed(sites, tmp_path):  # noqa: F811
    with small_disk(tmp_path / "disk") as disk:
        site = sites(folder=disk.folder).start()
        browser, form = filled_in(site, "fits")
        assert browser.post(form).reference
        browser, form = filled_in(site, TYPED)
        disk.fill(site)
        answer = browser.post(form)
        received = set()
        for _ in range(20):  # a database file may still have room inside, or a request find the last room in the spool
            if answer.status == 503:
                break
            received.add(form["submission"].split(":")[0])
            browser, form = filled_in(site, TYPED)
            answer = browser.post(form)
        assert answer.status == 503
        assert answer.headers["Retry-After"]
        page = answer.body.decode()
        assert html.escape(TYPED) in page
        assert 'href="tel:' in page
        assert "Congratulations" not in page
        assert site.ask("GET", "/guides/first-consultation/")[0] == 200
        stored = {submission for (submission,) in site.rows("SELECT submission_id FROM intake_consultationrequest")}
        refused = form["submission"].split(":")[0]
        assert refused not in stored
        assert {path.name.partition("-")[0] for path in site.folder.glob("spool/*.sealed")} <= received - {refused}
        disk.free(site)
        reference = browser.post(form).reference
        assert reference
        held = read(site)
        assert [row["marker"] for row in held["requests"] if row["reference"] == reference] == [TYPED]
        site.kill()


def test_a_locked_database_sends_requests_to_the_spool_and_holds_up_nobody_else(sites):  # noqa: F811
    site = sites(DATABASE_TIMEOUT="1").start()
    holder = sqlite3.connect(site.database, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    browser, form = filled_in(site, TYPED)
    answer = browser.post(form)
    assert answer.reference
    assert answer.seconds < 5
    assert {path: site.ask("GET", path)[0] for path in PAGES} == dict.fromkeys(PAGES, 200)
    holder.execute("ROLLBACK")
    holder.close()
    assert rounds.seconds_until_healthy(site) < 5
    site.manage("worker", "--once")
    held = read(site)
    assert [row["reference"] for row in held["requests"] if row["marker"] == TYPED] == [answer.reference]
    assert held["spool"] == 0


def test_the_comparison_itself_sees_a_loss_and_a_double(sites):  # noqa: F811
    site = sites().start()
    with Stream(site.port, people=1) as stream:
        stream.wait_for(2)
    site.stop()
    stream.story.acknowledged["never-stored"] = ("ZZZZZZZZ", 0.0)
    held = read(site)
    held["requests"].append(held["requests"][0])
    count = compare(held, stream.story)
    assert count.lost == ["never-stored"]
    assert count.doubled == [held["requests"][0]["marker"]]
    assert not count.is_clean
