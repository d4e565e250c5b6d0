"""Where requests wait while the database is away: one encrypted file each, on disk before anyone is told "received".

Files are named by submission and digest of the answers, so the same request is
always the same file, and by a keyed hash of network and hour, so that no network
fills the disk. A reserve keeps room for hundreds of them on a disk that others fill.
Reading, storing and removing is `services.replay_spool`.
"""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

from cryptography.fernet import InvalidToken
from django.conf import settings

from . import spam
from .fields import box
from .submission import Submission

SUFFIX = ".sealed"
ASIDE = "set-aside"
# An unfinished file this old belongs to a process that died before it told anyone "received".
STALE_SECONDS = 24 * 3600
# A writer holds the lock for as long as two flushes take.
LOCK_SECONDS = 8.0
RESERVE = ".reserve"
# The longest request makes a file of 44 KB, a usual one takes 4.
RESERVE_BYTES = 8 * 1024**2
GIVEN_BACK_BYTES = 256 * 1024
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class Unreadable(Exception):
    """A spool file that no key opens, or whose content is no request. `reason` says which, without content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MayBeKept(OSError):
    """A file could neither be made durable nor be taken back for certain: the request in it may be stored yet."""


def folder() -> Path:
    """The spool's folder; made, for this user alone, where it is missing."""
    path = Path(settings.SPOOL_DIR)
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(path.parent)
    return path


def write(submission: Submission) -> Path:
    """Keep a submission: sealed, complete under its final name, and on disk with its folder entry when this returns.

    One that is kept already needs no room for a second file. Raises OSError where that
    can't be had; nothing of it stays then, unless the error is MayBeKept. Raises
    spam.FloodLimit where as many of its network and hour wait as the database would take.
    """
    name = f"{submission.submission_id.hex}-{submission.answers_digest}"
    with _alone():
        for kept in folder().glob(f"{name}*{SUFFIX}"):
            if _is_kept(kept):
                return kept
        if submission.network:
            name += f"-{_refuse_flood(submission)}"
        target = folder() / f"{name}{SUFFIX}"
        _write_with_reserve(submission, target)
    return target


def _refuse_flood(submission: Submission) -> str:
    """The name of its network in this hour. Raises spam.FloodLimit where too many of it wait."""
    window = spam.window_of(submission.network, submission.received_at)
    tag = window.key[:16]
    if sum(1 for _ in folder().glob(f"*-{tag}{SUFFIX}")) >= settings.FLOOD_LIMIT:
        raise spam.FloodLimit(window.ends - submission.received_at)
    return tag


def reseal(path: Path) -> None:
    """Seal a waiting file with the newest key. Raises what `read` raises, and OSError; the file is as it was then."""
    submission = read(path)
    with _alone():
        if path.exists():  # else the worker has stored it meanwhile
            _write(submission, path)


def _is_kept(target: Path) -> bool:
    """Whether an earlier press left this file whole; it is on disk then, whatever became of its writer."""
    try:
        read(target)
        with target.open("rb") as file:
            os.fsync(file.fileno())
        sync_folder(target.parent)
    except (OSError, Unreadable):
        return False
    return True


def _write_with_reserve(submission: Submission, target: Path) -> None:
    while True:
        try:
            return _write(submission, target)
        except OSError as error:
            if error.errno not in NO_ROOM or not _give_back():
                raise


def _give_back() -> bool:
    """Let go of a piece of the reserve; whether there was one."""
    reserve = folder() / RESERVE
    size = reserve_bytes()
    if not size:
        return False
    os.truncate(reserve, max(0, size - GIVEN_BACK_BYTES))
    return True


def reserve_bytes() -> int:
    """How much room on the disk is kept free for requests alone."""
    return _safely(lambda: (folder() / RESERVE).stat().st_size, 0)


def keep_reserve() -> None:
    """Put room aside for a full disk, as long as there is plenty. Raises OSError where that can't be had."""
    if reserve_bytes() == RESERVE_BYTES or shutil.disk_usage(folder()).free < 4 * RESERVE_BYTES:
        return
    with _alone():
        descriptor = os.open(folder() / RESERVE, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
        finally:
            os.close(descriptor)


def _write(submission: Submission, target: Path) -> None:
    sealed = box().encrypt(submission.as_json().encode())
    unfinished = target.with_name(f".{token_hex(8)}.unfinished")
    was_there = target.exists()
    is_in_place = False
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        is_in_place = True
        os.replace(unfinished, target)
        sync_folder(target.parent)
    except BaseException as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        if was_there:  # it is an earlier press, for which someone was told "received"
            raise MayBeKept(*error.args) from error
        if is_in_place:
            _take_back(target)
        raise


def _take_back(target: Path) -> None:
    try:
        target.unlink(missing_ok=True)
        sync_folder(target.parent)
    except OSError as error:
        raise MayBeKept(*error.args) from error


@contextmanager
def _alone() -> Iterator[None]:
    """One writer at a time, over all processes: who takes back a file they could not make durable takes back only their own.

    The system drops the lock of a process that dies. For one that hangs nobody waits
    longer than LOCK_SECONDS; raises MayBeKept then, since it may be at the very same request.
    """
    descriptor = os.open(folder(), os.O_RDONLY | os.O_DIRECTORY)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _is_locked(descriptor):
            if time.monotonic() > deadline:
                raise MayBeKept("another process holds the spool")
            time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def waiting() -> list[Path]:
    """Files to be replayed, oldest first: each durable, none that its writer may still take back.

    Also clears away unfinished files that are long dead.
    """
    with _alone():
        found = list(folder().glob(f"*{SUFFIX}"))
    for unfinished in folder().glob(".*.unfinished"):
        with suppress(OSError):
            if time.time() - unfinished.stat().st_mtime > STALE_SECONDS:
                unfinished.unlink()
    return [path for _, path in sorted(_by_age(found))]


def read(path: Path) -> Submission:
    """The submission in a file. Raises FileNotFoundError if another process took it, Unreadable if it can't be opened."""
    sealed = path.read_bytes()
    try:
        return Submission.from_json(box().decrypt(sealed))
    except InvalidToken as error:
        raise Unreadable("no key opens it") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable("its content is no request") from error


def remove(path: Path) -> None:
    """Drop a file whose request is committed."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def set_aside(path: Path) -> None:
    """Move an unreadable file out of the way, for a person to look at."""
    aside = path.parent / ASIDE
    aside.mkdir(mode=0o700, exist_ok=True)
    target = aside / path.name
    if target.exists():
        target = aside / f"{path.stem}-{token_hex(4)}{SUFFIX}"
    os.replace(path, target)
    sync_folder(aside)
    sync_folder(path.parent)


def is_usable() -> bool:
    """Whether the folder's rights and its disk let requests be kept there and be taken out again."""
    try:
        return os.access(folder(), os.R_OK | os.W_OK | os.X_OK)
    except OSError:
        return False


def depth() -> int:
    """How many requests wait."""
    return _safely(lambda: sum(1 for _ in folder().glob(f"*{SUFFIX}")), 0)


def oldest_age() -> timedelta | None:
    """How long the oldest of them has waited; None where none waits."""
    times = [written for written, _ in _by_age(folder().glob(f"*{SUFFIX}"))] if depth() else []
    return timedelta(seconds=max(0.0, time.time() - min(times))) if times else None


def set_aside_count() -> int:
    """How many unreadable files wait for a person."""
    return _safely(lambda: sum(1 for path in (folder() / ASIDE).glob("*") if path.is_file()), 0)


def _by_age(paths: Iterable[Path]) -> list[tuple[float, Path]]:
    found = []
    for path in paths:
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime, path))
    return found


def _safely(count: Callable[[], int], otherwise: int) -> int:
    try:
        return count()
    except OSError:
        return otherwise


def sync_folder(path: Path) -> None:
    """Put the entries of a folder on disk: a file is there after a power cut only once its entry is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
