"""The files around the code say what the code does."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent


def test_every_variable_of_the_environment_is_explained():
    code = "".join((ROOT / name).read_text() for name in ("clinic_site/settings.py", "gunicorn.conf.py"))
    read = set(re.findall(r'(?:env\.\w+|read_\w+)\(\s*"([A-Z_]+)"', code))
    explained = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    assert "SECRET_KEY" in read
    assert read - explained == {"ENV_FILE"}
    assert explained - read == set()


def test_every_package_is_pinned_exactly():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            assert not line or line.startswith(("#", "-r ")) or re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+", line), line


def test_make_help_lists_every_target_for_people():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("help", "run", "test", "torture"):
        assert f"make {target} " in listed


@pytest.fixture
def elsewhere(tmp_path):
    """The Makefile alone, so that nothing real is installed or removed."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    return tmp_path


def stub(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def outside_make():
    """The environment without what `make test` adds to it: a make of its own must not think it is a part of that one."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}


@pytest.mark.parametrize(
    ("script", "advice"),
    [
        (
            'case "$*" in *version_info*) exit 1;; --version) echo Python 3.9.2;; esac',
            "Python 3.9.2 is too old. Run: sudo apt-get install python3.11",
        ),
        ('case "$*" in *ensurepip*) exit 1;; esac', "Python's venv module is missing. Run: sudo apt-get install python3-venv"),
    ],
)
def test_missing_prerequisite_is_named_with_the_command_that_installs_it(elsewhere, script, advice):
    python = stub(elsewhere, "python", script)
    done = subprocess.run(
        ["make", "run", f"PYTHON={python}"], cwd=elsewhere, capture_output=True, text=True, check=False, env=outside_make()
    )
    assert done.returncode != 0
    assert done.stderr.splitlines()[0].startswith(advice)
    assert done.stdout == ""


def test_missing_python_is_named_with_the_command_that_installs_it(elsewhere):
    done = subprocess.run(
        ["make", "run", "PYTHON=no-such-python"], cwd=elsewhere, capture_output=True, text=True, check=False, env=outside_make()
    )
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == "Python is missing. Run: sudo apt-get install python3 python3-venv"
