"""With the database away, requests wait on disk, sealed, and are stored exactly once when it is back."""

import errno
import logging
import os
import shutil
import stat
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import OperationalError, connection

from conditions.models import Page
from intake import services, spool
from intake.models import ConsultationRequest, EventKind, LeadEvent, LeadStatus, Outbox
from intake.services import Replay, replay_spool, submit_consultation_request
from intake.spam import FloodLimit
from tests.factories import RECEIVED_AT, submission

MARKER = "Zebra-marker"


def files(spool_dir):
    return sorted(path.name for path in spool_dir.iterdir() if path.is_file())


def test_with_the_database_away_a_request_is_spooled_and_stored_when_it_is_back(database):
    database.goes_away()
    receipt = submit_consultation_request(submission(message=MARKER, network="192.0.2.7"))
    assert receipt.is_spooled
    assert spool.depth() == 1
    assert replay_spool() == Replay(left=1)
    database.comes_back()
    assert replay_spool() == Replay(stored=1)
    lead = ConsultationRequest.objects.get()
    assert (lead.reference, lead.message, lead.received_at) == (receipt.reference, MARKER, RECEIVED_AT)
    assert [event.kind for event in lead.events.all()] == [EventKind.REPLAYED]
    assert Outbox.objects.count() == 2
    assert spool.depth() == 0


def test_a_locked_database_is_waited_for_no_longer_than_its_time_out(database):
    press = submission(network="192.0.2.7")
    with database.locked():
        assert submit_consultation_request(press).is_spooled
    assert replay_spool() == Replay(stored=1)


def test_a_database_that_cannot_be_written_sends_requests_to_the_spool(database):
    press = submission()
    database.refuses_writes()
    assert submit_consultation_request(press).is_spooled
    assert replay_spool() == Replay(stored=1)


def test_a_full_disk_under_sqlite_sends_requests_to_the_spool_and_loses_nothing(database):
    presses = [submission(message="x" * 2000) for _ in range(30)]
    if database.is_sqlite:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA page_count")
            cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0] + 5}")
    receipts = [submit_consultation_request(press) for press in presses]
    assert any(receipt.is_spooled for receipt in receipts) is database.is_sqlite
    replay_spool()
    stored = set(ConsultationRequest.objects.values_list("reference", flat=True))
    assert stored == {receipt.reference for receipt in receipts}


def test_the_same_press_has_one_reference_in_database_and_spool(database):
    press = submission()
    first = submit_consultation_request(press)
    database.goes_away()
    again = submit_consultation_request(press)
    once_more = submit_consultation_request(press)
    assert {again.reference, once_more.reference} == {first.reference}
    assert spool.depth() == 1
    database.comes_back()
    replay_spool()
    assert ConsultationRequest.objects.count() == 1
    assert Outbox.objects.count() == 2


def test_an_amendment_in_the_spool_is_linked_to_what_it_amends(database):
    press = submission()
    submit_consultation_request(press)
    database.goes_away()
    submit_consultation_request(submission(submission_id=press.submission_id, message="It is the left leg."))
    database.comes_back()
    replay_spool()
    assert ConsultationRequest.objects.get(amends__isnull=False).amends.reference == press.reference()


def test_a_spool_file_is_sealed_private_and_named_without_answers(spool_dir):
    press = submission(message=MARKER)
    path = spool.write(press)
    assert MARKER.encode() not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(spool_dir.stat().st_mode) == 0o700
    assert path.name == f"{press.submission_id.hex}-{press.answers_digest}.sealed"
    assert files(spool_dir) == [path.name]


def test_file_and_folder_are_on_disk_before_anyone_is_told(spool_dir, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace
    spool.folder()
    monkeypatch.setattr(
        os, "fsync", lambda fd: (steps.append("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file"), fsync(fd))
    )
    monkeypatch.setattr(os, "replace", lambda *paths: (steps.append("rename"), replace(*paths)))
    spool.write(submission())
    assert steps == ["file", "rename", "folder"]


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_a_full_disk_leaves_nothing_half_written(spool_dir, monkeypatch, step):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    spool.folder()
    with monkeypatch.context() as broken:
        broken.setattr(os, step, full)
        with pytest.raises(OSError, match="No space"):
            spool.write(submission())
    assert files(spool_dir) == []


@pytest.mark.parametrize("content", [b"", b"garbage", b"Zm9v" * 11 + b"x" * 100], ids=["empty", "garbage", "like a token"])
def test_unreadable_files_are_set_aside_and_reported_by_name_only(db, spool_dir, caplog, content):
    good = submission()
    spool.write(good)
    (spool_dir / "bad.sealed").write_bytes(content)
    assert replay_spool() == Replay(stored=1, set_aside=1)
    assert (spool_dir / "set-aside" / "bad.sealed").read_bytes() == content
    assert spool.set_aside_count() == 1
    assert "bad.sealed" in caplog.text
    assert ConsultationRequest.objects.get().reference == good.reference()


@pytest.mark.parametrize("text", ["[]", "{}", '{"submission_id": 1}', "null", '"text"', "{", '{"answers": {"name": 5}}'])
def test_a_sealed_file_that_is_no_request_is_set_aside(db, spool_dir, text):
    spool.folder()
    (spool_dir / "odd.sealed").write_bytes(spool.box().encrypt(text.encode()))
    assert replay_spool() == Replay(set_aside=1)


def test_files_set_aside_under_the_same_name_are_both_kept(db, spool_dir):
    for content in (b"first", b"second"):
        spool.folder()
        (spool_dir / "bad.sealed").write_bytes(content)
        replay_spool()
    assert spool.set_aside_count() == 2


def test_a_file_sealed_with_an_older_key_is_still_stored(db, settings):
    spool.write(submission())
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    assert replay_spool() == Replay(stored=1)


def test_a_worker_killed_between_commit_and_removal_stores_nothing_twice(db, monkeypatch):
    spool.write(submission())
    with monkeypatch.context() as killed:
        killed.setattr(spool, "remove", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            replay_spool()
    assert spool.depth() == 1
    assert replay_spool() == Replay(stored=1)
    assert (ConsultationRequest.objects.count(), Outbox.objects.count(), LeadEvent.objects.count()) == (1, 2, 1)


def test_a_file_goes_only_after_its_commit(transactional_db, monkeypatch):
    spool.write(submission())
    with monkeypatch.context() as broken:
        broken.setattr(Outbox.objects, "bulk_create", lambda *a, **k: (_ for _ in ()).throw(OperationalError("locked")))
        assert replay_spool() == Replay(left=1)
    assert spool.depth() == 1


def test_one_file_that_cannot_be_stored_does_not_hold_up_the_others(transactional_db, monkeypatch, caplog):
    for name in ("First Sample", MARKER, "Third Sample"):
        spool.write(submission(name=name))
    insert = services._insert

    def fragile(press, *args):
        if press.answers["name"] == MARKER:
            raise ValueError(MARKER)
        return insert(press, *args)

    monkeypatch.setattr(services, "_insert", fragile)
    assert replay_spool() == Replay(stored=2, left=1)
    assert MARKER not in caplog.text


@pytest.mark.parametrize("name", ["unlink", "replace"])
def test_files_that_cannot_be_moved_hold_up_no_other(transactional_db, monkeypatch, name):
    """As on a disk that the system made read-only after an error."""
    presses = [submission() for _ in range(3)]
    for path in map(spool.write, presses):
        os.utime(path, (1, 1))
    (spool.folder() / "bad.sealed").write_bytes(b"altered")

    def refused(*args, **kwargs):
        raise OSError(errno.EROFS, "read-only")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", refused) if name == "unlink" else broken.setattr(os, "replace", refused)
        done = replay_spool()
        assert done.left == (3 if name == "unlink" else 1)
        assert ConsultationRequest.objects.count() == 3
    replay_spool()
    assert ConsultationRequest.objects.count() == 3
    assert (spool.depth(), spool.set_aside_count()) == (0, 1)


def test_suspected_spam_stays_suspected_through_the_spool(db):
    spool.write(submission(spam_reasons=["honeypot"]))
    replay_spool()
    assert ConsultationRequest.objects.get().status == LeadStatus.SPAM


def test_the_page_a_request_came_from_is_kept_through_the_spool_in_the_language_it_was_read_in(db, content):
    Page.objects.filter(slug="spinal-osteotomy").update(status="draft")
    spool.write(submission(origin="spinal-osteotomy", language="es"))
    replay_spool()
    assert ConsultationRequest.objects.get().origin_path == "/es/procedimientos/osteotomia-vertebral/"


def test_depth_and_age_are_known(spool_dir):
    assert (spool.depth(), spool.oldest_age(), spool.set_aside_count()) == (0, None, 0)
    path = spool.write(submission())
    os.utime(path, (path.stat().st_mtime - 3600,) * 2)
    spool.write(submission())
    assert spool.depth() == 2
    assert timedelta(minutes=59) < spool.oldest_age() < timedelta(minutes=61)


def test_unfinished_files_are_never_stored_and_go_when_long_dead(db, spool_dir):
    spool.folder()
    for name, age in ((".fresh.unfinished", 0), (".dead.unfinished", 3 * 86400)):
        path = spool_dir / name
        path.write_bytes(b"half")
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    assert replay_spool() == Replay()
    assert files(spool_dir) == [".fresh.unfinished"]


def test_a_submission_never_shows_its_answers(caplog):
    press = submission(message=MARKER)
    assert MARKER not in repr(press)
    logging.getLogger("intake").warning("%r", press)
    assert MARKER not in caplog.text


def test_a_press_that_fails_takes_nothing_from_the_same_press_at_the_same_moment(spool_dir, monkeypatch):
    press, sync, failing, done = submission(), spool.sync_folder, threading.Event(), threading.Event()
    spool.folder()

    def fail_the_first(path):
        if failing.is_set():
            return sync(path)
        failing.set()
        done.wait(1)
        raise OSError(5, "Input/output error")

    def press_again():
        failing.wait(5)
        spool.write(press)
        done.set()

    monkeypatch.setattr(spool, "sync_folder", fail_the_first)
    other = threading.Thread(target=press_again)
    other.start()
    with pytest.raises(OSError, match="Input/output"):
        spool.write(press)
    other.join()
    assert done.is_set()
    assert files(spool_dir) == [f"{press.submission_id.hex}-{press.answers_digest}.sealed"]


def test_a_file_is_replayed_only_once_its_writer_can_no_longer_take_it_back(spool_dir, monkeypatch):
    failing, listed = threading.Event(), threading.Event()
    spool.folder()

    def fail(path):
        failing.set()
        listed.wait(0.5)
        raise OSError(5, "Input/output error")

    def press():
        with pytest.raises(OSError, match="Input/output"):
            spool.write(submission())

    monkeypatch.setattr(spool, "sync_folder", fail)
    writer = threading.Thread(target=press)
    writer.start()
    failing.wait(5)
    found = spool.waiting()
    listed.set()
    writer.join()
    assert found == []


def test_no_network_keeps_more_files_waiting_than_the_database_takes_of_it_in_an_hour(database, settings):
    settings.FLOOD_LIMIT = 3
    database.goes_away()
    presses = [submission(network="192.0.2.7", message=f"number {number}") for number in range(4)]
    receipts = [submit_consultation_request(press) for press in presses[:3]]
    with pytest.raises(FloodLimit) as refused:
        submit_consultation_request(presses[3])
    assert timedelta(0) < refused.value.retry_after <= timedelta(hours=1)
    assert submit_consultation_request(presses[0]).reference == receipts[0].reference  # pressed again, kept already
    assert submit_consultation_request(submission(network="198.51.100.9")).is_spooled
    later = submission(network="192.0.2.7", received_at=RECEIVED_AT + timedelta(hours=1))
    assert submit_consultation_request(later).is_spooled
    assert spool.depth() == 5
    assert not [name for name in files(settings.SPOOL_DIR) if "192.0" in name or "198.51" in name]
    database.comes_back()
    assert replay_spool() == Replay(stored=5)


def test_the_same_press_from_another_network_and_hour_is_the_same_file(database):
    database.goes_away()
    press = submission(network="192.0.2.7")
    moved = replace(press, network="198.51.100.9", received_at=RECEIVED_AT + timedelta(hours=1))
    assert submit_consultation_request(press).reference == submit_consultation_request(moved).reference
    assert spool.depth() == 1


class FullDisk:
    """Has no room for a file unless the reserve has given some back."""

    def __init__(self, monkeypatch):
        self.room, open_file, truncate = 0, os.open, os.truncate

        def open_if_room(path, flags, *args, **kwargs):
            if flags & os.O_CREAT:
                if self.room <= 0:
                    raise OSError(errno.ENOSPC, "No space left on device")
                self.room -= 128 * 1024
            return open_file(path, flags, *args, **kwargs)

        def give_back(path, length):
            self.room += os.stat(path).st_size - length
            truncate(path, length)

        monkeypatch.setattr(os, "open", open_if_room)
        monkeypatch.setattr(os, "truncate", give_back)


def test_on_a_full_disk_the_reserve_makes_room_until_it_is_used_up(spool_dir, monkeypatch):
    monkeypatch.setattr(spool, "RESERVE_BYTES", 512 * 1024)
    spool.keep_reserve()
    assert (spool_dir / ".reserve").stat().st_blocks * 512 >= 512 * 1024
    assert stat.S_IMODE((spool_dir / ".reserve").stat().st_mode) == 0o600
    FullDisk(monkeypatch)
    kept = [spool.write(submission(message=f"number {number}")) for number in range(4)]
    assert spool.reserve_bytes() == 0
    with pytest.raises(OSError, match="No space"):
        spool.write(submission())
    assert set(spool.waiting()) == set(kept)


def test_the_reserve_is_made_anew_by_the_worker_once_the_disk_has_plenty_and_not_before(transactional_db, spool_dir, monkeypatch):
    call_command("worker", once=True)
    assert spool.reserve_bytes() == spool.RESERVE_BYTES
    os.truncate(spool_dir / ".reserve", 0)
    with monkeypatch.context() as scarce:
        scarce.setattr(spool.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 10**7, 10**7))
        call_command("worker", once=True)
    assert spool.reserve_bytes() == 0
    call_command("worker", once=True)
    assert spool.reserve_bytes() == spool.RESERVE_BYTES


def test_the_longest_request_makes_a_file_that_the_reserve_holds_many_of(spool_dir):
    character = "\U0001f9b4"
    lengths = {"name": 120, "patient_name": 120, "message": 2000, "access_needs": 300, "relation": 60, "spoken_language": 60}
    longest = submission(**{name: character * length for name, length in lengths.items()})
    assert spool.RESERVE_BYTES / spool.write(longest).stat().st_size > 150
