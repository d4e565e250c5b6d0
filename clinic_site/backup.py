"""Backups: one encrypted file with database, media and spool, made while the site serves; and back again.

**What one holds.** It states a moment: every request acknowledged before it is
inside. The spool is copied first, then the database as of one instant, then
media. A request that leaves the spool meanwhile is in the database by then; one
that is in both is stored once when the worker replays it.

**Which key.** A key derived from the newest of ENCRYPTION_KEYS. The answers
inside are sealed with that key anyway, so a key of its own would be one more
thing to lose and guard nothing more. Any key in ENCRYPTION_KEYS opens a backup:
keep a retired key, apart from the site, for as long as backups made under it.
"""

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils import timezone

from intake.spool import sync_folder

from . import database_copy
from .database_copy import DatabaseFacts
from .database_file import make_private
from .sealed_file import Damaged, SealedReader, SealedWriter

SUFFIX = ".backup"
MANIFEST = "manifest.json"
UNFINISHED = ".unfinished-"
# A work folder this old belongs to a process that was killed.
STALE_SECONDS = 24 * 3600


class CannotRestore(Exception):
    """A backup can't be brought back here; the text says why and what to do. Nothing was changed, unless it says so."""


@dataclass
class Manifest:
    """What a backup states about itself: the moment, the database's counts, and a SHA-256 checksum of every part."""

    moment: str
    database: DatabaseFacts
    digests: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> bytes:
        """The manifest as it is stored."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Manifest":
        """The reverse of `as_json`."""
        values = json.loads(text)
        return cls(values["moment"], DatabaseFacts(**values["database"]), values["digests"])

    def count(self, kind: str) -> int:
        """How many parts are of a kind: database, media or spool."""
        return sum(name.startswith(f"{kind}/") for name in self.digests)

    @property
    def summary(self) -> str:
        """One line for people."""
        rows = self.database.rows
        return (
            f"as of {self.moment}: {rows.get('intake_consultationrequest', 0)} requests, {sum(rows.values())} rows in "
            f"{len(rows)} tables, {self.count('media')} media files, {self.count('spool')} requests in the spool"
        )


def backups_folder() -> Path:
    """Where backups go unless told otherwise."""
    return Path(settings.DATA_DIR) / "backups"


def last_backup_at() -> datetime | None:
    """The stated moment of the last backup made here; None where there was none."""
    try:
        return datetime.fromisoformat(_stamp().read_text())
    except (OSError, ValueError):
        return None


def _stamp() -> Path:
    return Path(settings.DATA_DIR) / "last-backup"


# --- making one ----------------------------------------------------------------------


def create(target: Path | None = None) -> tuple[Path, Manifest]:
    """Make a backup, complete and on disk under its name when this returns.

    Raises OSError, django.db.Error or CannotCopy where that can't be had; no
    half-written file stays then.
    """
    moment = timezone.now()
    target = target or backups_folder()
    if target.is_dir() or not target.suffix:
        target = target / f"clinic-{moment:%Y%m%dT%H%M%SZ}{SUFFIX}"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _clear_dead_work(target.parent)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=target.parent) as work:
        unfinished = Path(work) / target.name
        with unfinished.open("xb") as file:
            os.chmod(unfinished, 0o600)
            manifest = _write(file, moment, Path(work))
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, target)
    sync_folder(target.parent)
    _replace_text(_stamp(), manifest.moment)
    return target, manifest


def _write(file: IO[bytes], moment: datetime, work: Path) -> Manifest:
    sealed = SealedWriter(file, settings.ENCRYPTION_KEYS[0])
    digests: dict[str, str] = {}
    with (
        gzip.GzipFile(fileobj=sealed, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        spool = Path(settings.SPOOL_DIR)
        # Twice, because a file may move into the set-aside folder behind the first look.
        for _ in range(2):
            _add_files(archive, "spool", spool, digests)
        database = database_copy.dump(lambda name, content: _add_part(archive, f"database/{name}", content, digests), work)
        _add_files(archive, "media", Path(settings.MEDIA_ROOT), digests)
        manifest = Manifest(moment.isoformat(), database, digests)
        _add_bytes(archive, MANIFEST, manifest.as_json())
    sealed.finish()
    return manifest


def _add_files(archive: tarfile.TarFile, kind: str, folder: Path, digests: dict[str, str]) -> None:
    for path in _files_in(folder):
        name = f"{kind}/{path.relative_to(folder).as_posix()}"
        if name not in digests:
            with suppress(FileNotFoundError):
                _add_part(archive, name, path, digests)


def _add_part(archive: tarfile.TarFile, name: str, content: bytes | Path, digests: dict[str, str]) -> None:
    if isinstance(content, bytes):
        digests[name] = hashlib.sha256(content).hexdigest()
        _add_bytes(archive, name, content)
        return
    with content.open("rb") as file:
        entry = archive.gettarinfo(arcname=name, fileobj=file)
        reader = _Hashing(file)
        archive.addfile(entry, reader)
        digests[name] = reader.digest.hexdigest()


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


class _Hashing:
    """Passes a file's bytes on and remembers their checksum."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.digest.update(data)
        return data


# --- bringing one back ---------------------------------------------------------------


def verify(source: Path) -> Manifest:
    """Read a whole backup and compare every checksum; returns what it states.

    Raises sealed_file.NotOurs, sealed_file.Damaged or OSError.
    """
    found: dict[str, str] = {}
    manifest = None
    with _opened(source) as archive:
        for name, part in _parts(archive):
            if name == MANIFEST:
                manifest = Manifest.from_json(part.read())
                continue
            reader = _Hashing(part)
            while reader.read(database_copy.CHUNK):
                pass
            found[name] = reader.digest.hexdigest()
    if manifest is None or found != manifest.digests:
        raise Damaged("its parts have other checksums than it states")
    return manifest


def restore(source: Path) -> Manifest:
    """Bring a backup back into an empty site, and compare counts and checksums.

    Raises CannotRestore where the site isn't empty, and what `verify` and
    `database_copy` raise. The database comes last and all or nothing, so a
    site with rows is a restored one.
    """
    manifest = verify(source)
    data = Path(settings.DATA_DIR)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_private()
    _refuse_unless_empty()
    database_copy.refuse_foreign(manifest.database)
    folders = {"media": Path(settings.MEDIA_ROOT), "spool": Path(settings.SPOOL_DIR)}
    for kind, folder in folders.items():
        folder.mkdir(mode=0o755 if kind == "media" else 0o700, parents=True, exist_ok=True)
    with _opened(source) as archive:
        for name, part in _parts(archive):
            kind, _, rest = name.partition("/")
            if kind in folders:
                _place(folders[kind], rest, part, mode=0o644 if kind == "media" else 0o600)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=data) as work, _opened(source) as archive:
        database_copy.load(manifest.database, _database_parts(archive, Path(work)), _database_digests(manifest))
    return manifest


def _refuse_unless_empty() -> None:
    for variable in ("MEDIA_ROOT", "SPOOL_DIR"):
        folder = Path(getattr(settings, variable))
        if next(_files_in(folder), None):
            raise CannotRestore(f"{variable} is not empty. Move the files in {folder} away, or restore into a new site.")
    if not database_copy.is_empty():
        raise CannotRestore("the database is not empty. Name a new one in DATABASE_URL: nothing is ever restored over rows.")


def _place(folder: Path, name: str, part: IO[bytes], mode: int) -> None:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise Damaged(f"it names a file outside its folder: {name}")
    path.parent.mkdir(mode=0o755 if mode == 0o644 else 0o700, parents=True, exist_ok=True)
    with path.open("xb") as file:
        os.chmod(path, mode)
        shutil.copyfileobj(part, file, database_copy.CHUNK)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _database_parts(archive: tarfile.TarFile, work: Path) -> Iterator[tuple[str, bytes | Path]]:
    for name, part in _parts(archive):
        kind, _, rest = name.partition("/")
        if kind != "database":
            continue
        if rest != database_copy.SQLITE_PART:
            yield rest, part.read()
            continue
        path = work / rest
        with path.open("xb") as file:
            shutil.copyfileobj(part, file, database_copy.CHUNK)
        yield rest, path


def _database_digests(manifest: Manifest) -> dict[str, str]:
    return {name.partition("/")[2]: digest for name, digest in manifest.digests.items() if name.startswith("database/")}


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    with (
        source.open("rb") as file,
        io.BufferedReader(SealedReader(file, settings.ENCRYPTION_KEYS), database_copy.CHUNK) as opened,
        gzip.GzipFile(fileobj=opened, mode="rb") as unpacked,
        tarfile.open(fileobj=unpacked, mode="r|") as archive,
    ):
        yield archive


def _parts(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for entry in archive:
        if part := archive.extractfile(entry):
            yield entry.name, part


# --- files ---------------------------------------------------------------------------


def _files_in(folder: Path) -> Iterator[Path]:
    """Finished files below a folder; those whose name begins with a dot are still being written."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if not path.name.startswith(".") and path.is_file() and not path.is_symlink():
            yield path


def _clear_dead_work(folder: Path) -> None:
    for path in folder.glob(f"{UNFINISHED}*"):
        if time.time() - path.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _replace_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{UNFINISHED}{path.name}")
    unfinished.write_text(text)
    os.replace(unfinished, path)
