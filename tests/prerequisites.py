"""What the tests need beside Python packages: found, or installed from Debian, or said plainly.

Run by `make test` before pytest; the finders are used by the tests themselves.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

UNPACKED = Path(sys.prefix) / "debian"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """The system's Chromium, else the browser tool's own download."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    code = "from playwright.sync_api import sync_playwright as p\nwith p() as t: print(t.chromium.executable_path)"
    path = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip()
    return path if path and Path(path).is_file() else None


def postgres_binaries() -> Path | None:
    """The folder of the newest PostgreSQL server's programs."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    return max(folders, key=lambda folder: [int(part) for part in folder.parent.name.split(".") if part.isdecimal()], default=None)


def nginx() -> str | None:
    """The system's nginx, else the one unpacked for the tests alone."""
    for path in (shutil.which("nginx"), "/usr/sbin/nginx", UNPACKED / "usr/sbin/nginx"):
        if path and os.access(path, os.X_OK):
            return str(path)
    return None


def pango() -> bool | None:
    """Whether the PDF library finds what it loads."""
    code = "import weasyprint"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0 or None


def apt_get() -> list[str] | None:
    """apt-get as this user may run it, or None."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n", "apt-get"]
    return None


def install(*packages: str) -> None:
    """Install Debian packages, if this user may."""
    if command := apt_get():
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*command, "update", "-qq"], env=environment, stdout=sys.stderr, check=False)
        subprocess.run(
            [*command, "install", "-y", "-qq", "--no-install-recommends", *packages],
            env=environment,
            stdout=sys.stderr,
            check=False,
        )


def install_chromium() -> None:
    """Debian's package, else the browser tool's own download."""
    install("chromium")
    if not chromium():
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr, check=False)


def unpack_nginx() -> None:
    """Unpack Debian's nginx without installing it: an installed one would start to serve."""
    if not shutil.which("apt-get"):
        return
    UNPACKED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            subprocess.run(["apt-get", "download", "-qq", "nginx"], cwd=folder, capture_output=True, check=False)
            if package := next(Path(folder).glob("nginx_*.deb"), None):
                subprocess.run(["dpkg-deb", "-x", str(package), str(UNPACKED)], check=False)
                return
            if command := apt_get():
                subprocess.run([*command, "update", "-qq"], stdout=sys.stderr, check=False)


NEEDS: tuple[tuple[str, Callable[[], object], Callable[[], None], str], ...] = (
    ("A Chromium for the browser tests", chromium, install_chromium, "chromium"),
    ("A PostgreSQL server", postgres_binaries, lambda: install("postgresql"), "postgresql"),
    ("nginx for the proxy tests", nginx, unpack_nginx, "nginx"),
    (
        "Pango for PDFs",
        pango,
        lambda: install("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
        "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    ),
)


def main() -> int:
    """Find or install everything; 1 where something can't be had."""
    missing = []
    for what, find, get, packages in NEEDS:
        if not find():
            print(f"{what} is not here yet; fetching it.", file=sys.stderr)
            get()
            if not find():
                missing.append(f"{what} is missing and could not be installed. Run: sudo apt-get install {packages}")
    for line in missing:
        print(line, file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
