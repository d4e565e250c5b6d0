"""A disk that can be filled: a small one of its own where mounting is permitted, else a limit on what processes may write."""

import os
import resource
import subprocess
from contextlib import contextmanager
from pathlib import Path

from .site import processes

MEGABYTE = 1024 * 1024
SIZE = 24 * MEGABYTE


class SmallDisk:
    """`folder` lies on it. With `fill` nothing more can be written there, until `free`."""

    def __init__(self, folder, is_mounted):
        self.folder, self.is_mounted = Path(folder), is_mounted
        self.filler = self.folder / "filler"

    def fill(self, site, room_for_small_files=False):
        """Without a disk of its own, every file of the site counts; `room_for_small_files` spares those of the spool."""
        if not self.is_mounted:
            wal = self.folder / "clinic.sqlite3-wal"
            self._limit(site, max(wal.stat().st_size, 64 * 1024) if room_for_small_files else 0)
            return
        with self.filler.open("wb", buffering=0) as file:
            try:
                while file.write(b"\0" * 4096):
                    pass
            except OSError:
                return

    def free(self, site):
        """Make room again."""
        self._limit(site, resource.RLIM_INFINITY)
        self.filler.unlink(missing_ok=True)

    @staticmethod
    def _limit(site, most):
        for process in [site.web.pid, *processes(site)]:
            _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
            resource.prlimit(process, resource.RLIMIT_FSIZE, (most, hard))


@contextmanager
def small_disk(folder):
    """Mounts the disk at the folder if that is permitted."""
    folder.mkdir(exist_ok=True)
    may_mount = os.geteuid() == 0
    mounted = (
        may_mount
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True, check=False
        ).returncode
    )
    try:
        yield SmallDisk(folder, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=True)
