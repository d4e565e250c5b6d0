"""A backup made while people send requests brings all of them back, shows none of them, and overwrites nothing."""

import datetime
import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from clinic_site import backup
from tests.live import SiteServer
from tests.torture.fixtures import sites  # noqa: F401
from tests.torture.people import Stream
from tests.torture.site import ENVIRONMENT, compare, read

MARKER = "marker-"


@pytest.fixture
def empty_site(tmp_path_factory, request):
    """Makes sites without anything: no database file, no migrated tables, no folders."""

    def make(database="sqlite", **environment):
        if database == "postgres":
            environment["DATABASE_URL"] = request.getfixturevalue("loaded_postgres").databases.new_database()
        folder = tmp_path_factory.mktemp("empty")
        return SiteServer(folder, **ENVIRONMENT | environment)

    return make


def made(site, *arguments):
    """Makes a backup; returns its file and its stated moment."""
    path, summary = site.manage("backup", *arguments).stdout.strip().split("\n")
    moment = summary.removeprefix("as of ").split(": ")[0]
    return path, datetime.datetime.fromisoformat(moment)


def put(site, name, content):
    path = site.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_what_was_acknowledged_before_its_moment_comes_back(sites, empty_site, database):  # noqa: F811
    site = sites(database).start()
    site.start_worker()
    photo = os.urandom(3_000_000)
    put(site, "media/pictures/photo.avif", photo)
    put(site, "spool/set-aside/bad.sealed", b"altered")
    with Stream(site.port, pause=0.1) as stream:
        stream.wait_for(15)
        # The spool is in motion too: what people send goes there, and the worker takes it out.
        stop = threading.Event()
        trouble = threading.Thread(target=hold_now_and_then, args=(site, stop, database))
        trouble.start()
        stream.wait_for(5)
        path, moment = made(site)
        stream.wait_for(5)
        stop.set()
        trouble.join()
    site.stop()

    restored = empty_site(database)
    done = restored.manage("restore", path)
    assert "counts and checksums equal" in done.stdout
    restored.manage("worker", "--once")
    told = stream.story.acknowledged
    assert len(told) >= 25
    stream.story.acknowledged = {marker: (ref, at) for marker, (ref, at) in told.items() if at < moment.timestamp()}
    assert len(stream.story.acknowledged) >= 15
    count = compare(read(restored), stream.story)
    assert (count.lost, count.doubled, count.misnamed, count.unpaired, count.left_in_spool) == ([], [], [], [], 0)
    assert [line[:36] for line in count.disagreements] == ["1 spool files that cannot be read: s"]
    assert (restored.folder / "media/pictures/photo.avif").read_bytes() == photo
    assert stat.S_IMODE((restored.folder / "spool/set-aside/bad.sealed").stat().st_mode) == 0o600
    assert restored.start().ask("GET", "/guides/first-consultation/")[0] == 200
    restored.kill()

    content = (site.folder / path).read_bytes()
    assert MARKER.encode() not in content
    assert b"Sam Sample" not in content
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert not list((site.folder / "backups").glob(".unfinished*"))


def hold_now_and_then(site, stop, database):
    """Locks the database for longer than it is waited for, so that requests go to the spool; then lets the worker work."""
    if database == "postgres":
        return
    while not stop.is_set():
        holder = sqlite3.connect(site.database, isolation_level=None, timeout=30)
        holder.execute("BEGIN IMMEDIATE")
        stop.wait(5.5)
        holder.execute("ROLLBACK")
        holder.close()
        stop.wait(1.5)


def test_a_site_that_holds_anything_is_never_restored_over(sites, empty_site):  # noqa: F811
    source = sites()
    path, _ = made(source)
    before = source.database.read_bytes()
    refused = source.manage("restore", path, check=False)
    assert refused.returncode != 0
    assert "the database is not empty" in refused.stderr
    assert source.database.read_bytes() == before
    for name, variable in (("media/a.avif", "MEDIA_ROOT"), ("spool/a.sealed", "SPOOL_DIR")):
        target = empty_site()
        put(target, name, b"kept")
        refused = target.manage("restore", path, check=False)
        assert (refused.returncode, f"{variable} is not empty" in refused.stderr) == (1, True)
        assert not target.database.exists() or target.database.stat().st_size == 0
    migrated = empty_site()
    migrated.manage("migrate", "-v0")
    assert "Restored" in migrated.manage("restore", path).stdout


def test_a_damaged_backup_or_a_missing_key_changes_nothing(sites, empty_site):  # noqa: F811
    path, _ = made(sites())
    content = Path(path).read_bytes()
    for harmed, why in (
        (content[:-1], "damaged"),
        (content[:-60_000], "damaged"),
        (b"x" + content, "no backup"),
    ):
        target = empty_site()
        bad = put(target, "bad.backup", harmed)
        for arguments in (("restore", str(bad)), ("restore", str(bad), "--check")):
            refused = target.manage(*arguments, check=False)
            assert (refused.returncode, why in refused.stderr) == (1, True), refused.stderr
        assert not target.database.exists() or target.database.stat().st_size == 0
    other_key = empty_site(ENCRYPTION_KEYS=Fernet.generate_key().decode())
    assert "no key in ENCRYPTION_KEYS opens it" in other_key.manage("restore", path, check=False).stderr
    newer_key = empty_site(ENCRYPTION_KEYS=f"{Fernet.generate_key().decode()},{os.environ['ENCRYPTION_KEYS']}")
    assert "Whole and readable" in newer_key.manage("restore", path, "--check").stdout


def test_a_backup_of_postgresql_is_refused_by_sqlite_before_anything_is_written(sites, empty_site):  # noqa: F811
    source = sites("postgres")
    put(source, "media/a.avif", b"picture")
    path, _ = made(source)
    target = empty_site()
    refused = target.manage("restore", path, check=False)
    assert (refused.returncode, "holds a postgresql database" in refused.stderr) == (1, True)
    assert not (target.folder / "media").exists()
    restored = empty_site("postgres")
    restored.manage("restore", path)
    assert (restored.folder / "media/a.avif").read_bytes() == b"picture"
    assert restored.start().ask("GET", "/guides/first-consultation/")[0] == 200
    restored.kill()


def test_where_none_can_be_made_it_says_so_and_leaves_no_file(sites, empty_site, tmp_path):  # noqa: F811
    site = sites()
    (tmp_path / "file").write_text("no folder")
    for arguments, where in ((("--to", str(tmp_path / "file" / "x.backup")), tmp_path), ((), None)):
        target = site if where else empty_site()
        refused = target.manage("backup", *arguments, check=False)
        assert (refused.returncode, "No backup was made" in refused.stderr) == (1, True), refused.stderr
        assert not list(target.folder.rglob("*.backup"))
        assert not (target.folder / "last-backup").exists()


def test_it_goes_where_it_is_told_and_the_last_one_is_known(sites, tmp_path, settings):  # noqa: F811
    site = sites()
    settings.DATA_DIR = site.folder
    assert backup.last_backup_at() is None
    path, moment = made(site, "--to", str(tmp_path / "mine.backup"))
    assert path == str(tmp_path / "mine.backup")
    assert backup.last_backup_at() == moment
    path, later = made(site, "--to", str(tmp_path))
    assert path.startswith(str(tmp_path / "clinic-"))
    assert backup.last_backup_at() == later > moment
    assert len(list(tmp_path.glob("*.backup"))) == 2
