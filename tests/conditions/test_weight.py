"""Every public page costs the database and the reader's line little."""

import gzip

import brotli
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from conditions.addresses import public_paths
from conditions.models import SPANISH, Physician

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
MOST_QUERIES = 12
MOST_BYTES = 25 * 1024


@pytest.fixture
def paths():
    """Every public page in both languages, with searches and filters."""
    found = public_paths()
    for language in ("en", SPANISH):
        with override(language):
            found += [physician.get_absolute_url() for physician in Physician.objects.filter(is_published=True)]
            found += [reverse("conditions:search") + "?q=fusion", reverse("conditions:symptom_index") + "?region=lumbar"]
    return found


def test_no_page_asks_the_database_more_than_twelve_times_when_nothing_is_kept(due_clinic, client, paths):
    client.get("/search/?q=fusion")
    asked = {}
    for path in paths:
        due_clinic()
        with CaptureQueriesContext(connection) as queries:
            # A query string goes past the kept pages.
            response = client.get(path + ("&" if "?" in path else "?") + "uncached=1")
        assert response.status_code == 200, path
        asked[path] = len(queries)
    assert len(asked) > 100
    assert not {path: count for path, count in asked.items() if count > MOST_QUERIES}


def test_no_page_is_heavier_than_25_kilobytes_on_the_line(read, paths):
    sizes = {path: len(gzip.compress(read(path).response.content, 9)) for path in paths}
    assert min(sizes.values()) > 1_000
    assert not {path: size for path, size in sizes.items() if size > MOST_BYTES}


def test_the_longest_page_keeps_its_opening_drawing_in_a_file_of_its_own(read):
    assert len(gzip.compress(read("/procedures/spinal-osteotomy/").response.content, 9)) <= 22 * 1024


def test_the_style_sheet_of_every_page_is_at_most_12_kilobytes_on_the_line():
    sheet = (settings.BASE_DIR / "static/css/site.css").read_bytes()
    assert 5_000 < len(brotli.compress(sheet)) <= 12 * 1024
