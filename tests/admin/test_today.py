"""What the start page tells staff, and to whom it tells it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic_site import dashboard
from conditions.models import Page, ReviewState
from intake import integrity, services, spool
from intake.models import AttemptOutcome, ConsultationRequest, LeadStatus, Outbox, OutboxState
from tests.admin.addresses import MARKER, references_in, text_of, title_of
from tests.factories import submission, submitted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]


@pytest.fixture
def waiting(dana):
    """Requests in every state that the start page counts."""
    now = timezone.now()
    leads = {
        "urgent": submitted(received_at=now, red_flags="bladder"),
        "late": submitted(received_at=now - timedelta(days=9), name="Late Sample"),
        "mail": submitted(received_at=now, name="Mail Sample"),
        "spam": submitted(received_at=now, name="Spam Sample", spam_reasons=["honeypot"]),
        "done": submitted(received_at=now - timedelta(days=30), name="Done Sample"),
    }
    services.log_contact(leads["done"].pk, by=dana, outcome=AttemptOutcome.REACHED)
    Outbox.objects.filter(pk=leads["mail"].notices.first().pk).update(state=OutboxState.FAILED)
    return leads


def today_on(response):
    """What a start page shows, in numbers; its tiles stand on the page as they are here."""
    today = dashboard.today(response.wsgi_request.user, timezone.now())
    text = text_of(response)
    assert all(f"{tile.count} {tile.label}" in text for tile in today.tiles)
    return today


def tiles_of(response):
    return {str(tile.label): tile for tile in today_on(response).tiles}


def test_the_tiles_count_what_waits(desk, waiting):
    page = desk.get("/admin/")
    assert title_of(page) == "Today | Staff"
    assert [tile.count for tile in today_on(page).tiles] == [1, 1, 3, 0, 1, 1]


def test_behind_each_tile_are_as_many_requests_as_it_says(desk, waiting):
    for tile in today_on(desk.get("/admin/")).tiles:
        assert len(references_in(desk.get(tile.url))) == tile.count, tile.label


def test_behind_the_tile_of_pages_are_as_many_pages_as_it_says(editor):
    Page.objects.update(next_review_on=timezone.localdate() + timedelta(days=90))
    reviewed = Page.objects.published().exclude(review_state=ReviewState.NOT_NEEDED)[:3]
    Page.objects.filter(pk__in=[page.pk for page in reviewed]).update(next_review_on=timezone.localdate() + timedelta(days=3))
    page = editor.get("/admin/")
    tile = tiles_of(page)["Pages due for medical review"]
    assert tile.count == 3
    assert len(editor.get(tile.url).context_data["cl"].result_list) == 3
    assert all(one.name in text_of(page) for one in reviewed)


def test_a_page_that_was_not_ready_at_its_time_is_counted_and_found(editor):
    assert "not ready at" not in text_of(editor.get("/admin/"))
    Page.objects.filter(slug="kyphosis").update(publish_failed_at=timezone.now())
    tile = tiles_of(editor.get("/admin/"))["Page that was not ready at its time"]
    assert tile.count == 1
    assert [found.slug for found in editor.get(tile.url).context_data["cl"].result_list] == ["kyphosis"]


def test_people_see_only_what_they_may_look_after(desk, editor, newcomer, waiting):
    assert "Pages due for medical review" not in text_of(desk.get("/admin/"))
    assert "warning sign" not in text_of(editor.get("/admin/"))
    assert today_on(newcomer.get("/admin/")) == dashboard.Today()


def test_the_chart_has_a_twin_in_numbers_and_leaves_suspected_spam_out(desk):
    now = timezone.now()
    for days in (0, 0, 3, 13, 14):
        submitted(received_at=now - timedelta(days=days))
    ConsultationRequest.objects.filter(pk=submitted(received_at=now).pk).update(status=LeadStatus.SPAM)
    today = today_on(desk.get("/admin/"))
    assert [bar.count for bar in today.bars] == [1, *[0] * 9, 1, 0, 0, 2]
    assert today.bars[-1].is_today
    text = text_of(desk.get("/admin/"))
    assert "Show as a table" in text
    assert f"{timezone.localdate():%A, %B} {timezone.localdate().day} 2" in text


def test_a_day_without_requests_is_drawn_without_a_bar(desk):
    assert all(bar.height == 0 for bar in today_on(desk.get("/admin/")).bars)


def test_requests_in_the_spool_are_shown(desk):
    assert "database was away" not in text_of(desk.get("/admin/"))
    spool.write(submission())
    assert "1 Received while the database was away, not in the queue yet" in text_of(desk.get("/admin/"))
    spool.set_aside(spool.waiting()[0])
    assert "1 Received, but unreadable" in text_of(desk.get("/admin/"))


def test_what_the_daily_check_found_is_shown_to_those_who_answer_requests(desk, editor):
    integrity.check_and_report(timezone.now())
    assert "disagree" not in text_of(desk.get("/admin/"))
    Outbox.objects.filter(request=submitted()).delete()
    integrity.check_and_report(timezone.now())
    assert "1 Request, mail or file that disagrees: ask your technical support" in text_of(desk.get("/admin/"))
    assert "technical support" not in text_of(editor.get("/admin/"))


def test_the_start_page_holds_no_answer(desk):
    submitted(**dict.fromkeys(["name", "message", "patient_name", "access_needs"], MARKER))
    assert MARKER not in desk.get("/admin/").content.decode()


def test_the_start_page_costs_at_most_twelve_queries(desk, boss, waiting, django_assert_max_num_queries, kept_clinic):
    for client, count in ((desk, 12), (boss, 12)):
        client.get("/admin/")
        with django_assert_max_num_queries(count):
            client.get("/admin/")
