"""The environment of the tests, set before Django reads it: a safe local one, each process with folders of its own.

Loaded first, by `-p tests.environment` in pyproject.toml.
"""

import atexit
import base64
import os
import shutil
import tempfile
from pathlib import Path

TEST_DIR = Path(tempfile.mkdtemp(prefix="clinic-tests-"))
atexit.register(shutil.rmtree, TEST_DIR, ignore_errors=True)


def _key(seed: bytes) -> str:
    return base64.urlsafe_b64encode(seed * 32).decode()


os.environ.setdefault("SITE_MODE", "local")
os.environ.setdefault("SECRET_KEY", "a-secret-key-for-tests-only-" + "0123456789" * 4)
os.environ.setdefault("ENCRYPTION_KEYS", _key(b"e"))
os.environ.setdefault("SEARCH_KEY", _key(b"s"))
os.environ.setdefault("SITE_URL", "http://testserver")
os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")
os.environ.setdefault("EMAIL_URL", "memorymail://")
os.environ.setdefault("DATA_DIR", str(TEST_DIR))
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
