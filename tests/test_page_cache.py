"""Published pages come from memory, change at once when edited, and stay when the database is away."""

import gzip
from datetime import timedelta

import brotli
import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from clinic_site import site_record
from clinic_site.models import Clinic
from conditions.models import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
PAGE = "/conditions/kyphosis/"


@pytest.fixture
def no_database():
    """A database that answers nothing."""

    def refuse(execute, sql, params, many, context):
        raise OperationalError("the database is away")

    return connection.execute_wrapper(refuse)


def test_a_page_asked_for_twice_costs_the_database_nothing(client, django_assert_num_queries, kept_clinic):
    first = client.get(PAGE)
    with django_assert_num_queries(0):
        second = client.get(PAGE)
    assert second.content == first.content
    assert second["Content-Security-Policy"] == first["Content-Security-Policy"]
    assert second["X-Content-Type-Options"] == "nosniff"


def test_an_edit_shows_at_once(client):
    client.get(PAGE)
    Page.objects.filter(slug="kyphosis").update(summary_en="A summary that was just changed.")
    Clinic.bump_content_revision()
    site_record.forget()
    assert b"A summary that was just changed." in client.get(PAGE).content


def test_what_depends_on_the_day_shows_on_the_day(client, monkeypatch):
    due = timezone.localdate() - timedelta(days=1)
    client.get(PAGE)
    Page.objects.filter(slug="kyphosis").update(next_review_on=due)
    assert b"A new review has been due since" not in client.get(PAGE).content
    tomorrow = timezone.localdate() + timedelta(days=1)
    monkeypatch.setattr("clinic_site.page_cache.localdate", lambda: tomorrow)
    assert b"A new review has been due since" in client.get(PAGE).content


def test_pages_come_compressed_and_unchanged_ones_not_at_all(client):
    plain = client.get(PAGE).content
    packed = client.get(PAGE, headers={"Accept-Encoding": "gzip, br"})
    assert packed["Content-Encoding"] == "br" and brotli.decompress(packed.content) == plain
    zipped = client.get(PAGE, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(zipped.content) == plain
    for refused in ("br;q=0, gzip", "br; q=0.0, gzip;q=0.1"):
        assert client.get(PAGE, headers={"Accept-Encoding": refused})["Content-Encoding"] == "gzip"
    again = client.get(PAGE, headers={"Accept-Encoding": "gzip", "If-None-Match": zipped["ETag"]})
    assert again.status_code == 304 and not again.content


def test_staff_never_see_a_page_from_memory(client, admin_client):
    client.get(PAGE)
    Page.objects.filter(slug="kyphosis").update(summary_en="Seen by staff at once.")
    assert b"Seen by staff at once." in admin_client.get(PAGE).content


def test_the_form_its_answers_and_searches_are_never_kept(client):
    for path in ("/consultation/", "/search/", "/search/?q=back"):
        assert "no-store" in client.get(path)["Cache-Control"]
        assert "ETag" not in client.get(path)


def test_content_pages_stay_open_while_the_database_is_away(client, no_database):
    shown = client.get(PAGE).content
    with no_database:
        site_record._kept.update({name: (0.0, clinic) for name, (_, clinic) in site_record._kept.items()})
        response = client.get(PAGE)
    assert response.status_code == 200 and response.content == shown


def test_a_page_not_yet_seen_says_honestly_that_it_cannot_be_shown(client, no_database):
    client.get("/")
    with no_database:
        response = client.get("/conditions/scoliosis/?x=1")
    assert response.status_code == 503 and response["Retry-After"]
    assert b"cannot be shown right now" in response.content and b"tel:" in response.content


def test_a_host_that_is_not_ours_gets_nothing_from_memory(client):
    client.get(PAGE)
    assert client.get(PAGE, headers={"Host": "evil.example"}).status_code == 400
