"""A page goes out when it is ready, by hand or on schedule; to publish it all the same needs a permission and a reason."""

import datetime
import threading

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, connections, transaction
from django.db.utils import IntegrityError

from clinic_site.models import Clinic
from conditions import services
from conditions.models import Page, PlannedOverride, PublishOverride, RevisionAction, Section
from tests.factories import UserFactory, signed_draft

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
NOW = datetime.datetime(2026, 11, 24, 15, 42, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
SLUG = "kyphosis"


def page():
    return Page.objects.get(slug=SLUG)


@pytest.fixture
def draft():
    """A finished and signed page that nobody may read yet."""
    return signed_draft(SLUG)


@pytest.fixture
def unsigned(draft):
    """A draft that lacks only a signature."""
    Page.objects.filter(slug=SLUG).update(review_state="unreviewed")
    return page()


def spoil(text="<p>This is a cure.</p>"):
    Section.objects.filter(page__slug=SLUG, anchor="what-it-is").update(body_en=f"{text}<p>[figure:rounded-upper-back]</p>")


def schedule(**times):
    Page.objects.filter(slug=SLUG).update(**times)


def rules(refusal):
    return {problem.rule for problem in refusal.value.problems}


def staff(*codenames):
    user = UserFactory(first_name="Dr.", last_name="Sample")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


# --- by hand


def test_a_ready_page_is_published_in_one_language_at_a_time(draft):
    revision = Clinic.objects.get().content_revision
    dana = UserFactory(first_name="Dana")
    services.publish(draft, "en", by=dana)
    assert (page().status, page().status_es) == ("published", "draft")
    assert page().first_published_on
    assert Clinic.objects.get().content_revision > revision
    newest = page().revisions.first()
    assert (newest.action, newest.author) == (RevisionAction.PUBLISHED, "Dana")
    services.publish(draft, "es", by=dana)
    assert page().status_es == "published"


def test_a_page_with_problems_stays_a_draft_and_the_problems_are_named(draft):
    spoil()
    before = page().revisions.count()
    with pytest.raises(services.NotReady) as refusal:
        services.publish(draft, "en", by=UserFactory(is_superuser=True))
    assert rules(refusal) == {"promises_nothing"}
    assert page().status == "draft"
    assert page().revisions.count() == before
    assert not PublishOverride.objects.exists()


def test_a_missing_signature_holds_a_page_back_too(unsigned):
    with pytest.raises(services.NotReady) as refusal:
        services.publish(unsigned, "en", by=None)
    assert rules(refusal) == {"has_reviewer"}


def test_what_the_spanish_lacks_does_not_hold_back_the_english(draft):
    Section.objects.filter(page__slug=SLUG, anchor="living").update(body_es="")
    services.publish(draft, "en", by=None)
    with pytest.raises(services.NotReady) as refusal:
        services.publish(draft, "es", by=None)
    assert rules(refusal) == {"spanish_is_complete"}


def test_a_spanish_that_is_behind_is_not_published(draft):
    spoil("<p>Something new and true.</p>")
    with pytest.raises(services.NotReady) as refusal:
        services.publish(draft, "es", by=None)
    assert "spanish_is_current" in rules(refusal)


def test_taking_a_page_off_the_site_is_never_refused(draft):
    services.publish(draft, "en", by=None)
    spoil()
    services.unpublish(draft, "en", by=None)
    assert page().status == "draft"
    assert page().revisions.first().action == RevisionAction.UNPUBLISHED


# --- despite problems


def test_an_override_needs_the_permission(unsigned):
    with pytest.raises(services.NotReady):
        services.publish(unsigned, "en", by=staff("change_page"), override_reason="The surgeon signed on paper.")
    assert not PublishOverride.objects.exists()


@pytest.mark.parametrize("reason", ["", "   "])
def test_an_override_needs_a_reason(unsigned, reason):
    with pytest.raises(services.NotReady):
        services.publish(unsigned, "en", by=staff("publish_despite_problems"), override_reason=reason)


def test_an_override_records_who_when_why_and_which_problems(unsigned):
    lead = staff("publish_despite_problems")
    services.publish(unsigned, "en", by=lead, override_reason="The surgeon signed on paper.")
    assert page().status == "published"
    override = PublishOverride.objects.get()
    assert (override.page, override.language, override.by_name) == (page(), "en", "Dr. Sample")
    assert override.reason == "The surgeon signed on paper."
    assert override.problems == ["has_reviewer [en]: No physician has reviewed this page."]
    lead.delete()
    assert PublishOverride.objects.get().by_name == "Dr. Sample"


def test_no_override_is_recorded_where_there_was_nothing_to_override(draft):
    services.publish(draft, "en", by=staff("publish_despite_problems"), override_reason="To be safe.")
    assert not PublishOverride.objects.exists()


def test_what_the_database_asks_of_a_published_page_cannot_be_overridden(draft):
    Page.objects.filter(slug=SLUG).update(summary_en="")
    with pytest.raises(ValidationError, match="title and a summary"):
        services.publish(draft, "en", by=staff("publish_despite_problems"), override_reason="It is short.")
    assert page().status == "draft"


# --- on schedule


def test_a_page_goes_out_at_its_time_and_not_before(draft):
    schedule(publish_at=NOW)
    assert services.apply_schedule(NOW - HOUR) == 0
    assert page().status == "draft"
    assert services.apply_schedule(NOW) == 1
    assert (page().status, page().status_es, page().publish_at) == ("published", "draft", None)
    newest = page().revisions.first()
    assert (newest.action, newest.author, newest.comment) == (RevisionAction.PUBLISHED, "The site itself", "On schedule.")


def test_the_schedule_is_kept_exactly_once(draft):
    schedule(publish_at=NOW, publish_es_at=NOW)
    assert services.apply_schedule(NOW) == 2
    services.unpublish(draft, "en", by=None)
    assert services.apply_schedule(NOW + HOUR) == 0
    assert page().status == "draft"


def test_a_page_comes_off_in_both_languages(draft):
    services.publish(draft, "en", by=None)
    services.publish(draft, "es", by=None)
    schedule(unpublish_at=NOW)
    services.apply_schedule(NOW)
    assert (page().status, page().status_es, page().unpublish_at) == ("draft", "draft", None)


def test_a_worker_that_was_away_does_everything_in_the_order_planned(draft):
    schedule(publish_at=NOW, unpublish_at=NOW + HOUR)
    services.apply_schedule(NOW + 2 * HOUR)
    assert page().status == "draft"
    assert [revision.action for revision in page().revisions.all()[:2]] == [RevisionAction.UNPUBLISHED, RevisionAction.PUBLISHED]


def test_a_page_that_is_not_ready_stays_a_draft_says_so_and_is_not_tried_again(unsigned):
    schedule(publish_at=NOW)
    assert services.apply_schedule(NOW) == 0
    assert (page().status, page().publish_at, page().publish_failed_at) == ("draft", None, NOW)
    assert list(Page.objects.with_failed_schedule()) == [page()]
    Page.objects.filter(slug=SLUG).update(review_state="reviewed")
    assert services.apply_schedule(NOW + HOUR) == 0
    assert page().status == "draft"
    services.publish(page(), "en", by=None)
    assert not Page.objects.with_failed_schedule().exists()


@pytest.fixture
def lead():
    return staff("publish_despite_problems")


def give_leave(by, reason="The surgeon signed on paper."):
    schedule(publish_at=NOW)
    services.plan_override(page(), "en", services.problems_of(page()), by=by, reason=reason)


def test_leave_lets_a_page_go_out_at_its_time_with_the_problems_that_were_open(unsigned, lead):
    give_leave(lead)
    assert page().status == "draft"
    assert services.apply_schedule(NOW) == 1
    assert (page().status, page().publish_failed_at) == ("published", None)
    override = PublishOverride.objects.get()
    assert (override.language, override.by_name, override.reason) == ("en", "Dr. Sample", "The surgeon signed on paper.")
    assert override.problems == ["has_reviewer [en]: No physician has reviewed this page."]
    newest = page().revisions.first()
    assert (newest.author, newest.comment) == ("The site itself", "On schedule. The surgeon signed on paper.")
    assert not PlannedOverride.objects.exists()


def test_leave_does_not_cover_what_came_up_later(unsigned, lead):
    give_leave(lead)
    spoil()
    assert services.apply_schedule(NOW) == 0
    assert (page().status, page().publish_failed_at) == ("draft", NOW)
    assert not PublishOverride.objects.exists() and not PlannedOverride.objects.exists()


def test_leave_holds_for_the_time_it_was_given_for(unsigned, lead):
    give_leave(lead)
    schedule(publish_at=NOW + HOUR)
    assert services.apply_schedule(NOW + HOUR) == 0
    assert page().status == "draft"


@pytest.mark.parametrize(
    "end",
    [
        lambda user: user.user_permissions.clear(),
        lambda user: user.delete(),
        lambda user: type(user).objects.update(is_active=False),
    ],
)
def test_leave_ends_with_the_right_to_give_it(unsigned, lead, end):
    give_leave(lead)
    end(lead)
    assert services.apply_schedule(NOW) == 0
    assert page().status == "draft"


def test_leave_that_was_not_needed_is_not_recorded(unsigned, lead):
    give_leave(lead)
    Page.objects.filter(slug=SLUG).update(review_state="reviewed")
    assert services.apply_schedule(NOW) == 1
    assert page().revisions.first().comment == "On schedule."
    assert not PublishOverride.objects.exists()


def test_leave_is_given_by_those_alone_who_may(unsigned):
    with pytest.raises(PermissionDenied):
        give_leave(staff("change_page"))
    assert not PlannedOverride.objects.exists()


def test_a_page_that_cannot_be_changed_does_not_hold_up_the_others(draft, monkeypatch, caplog):
    broken = Page.objects.exclude(slug=SLUG).order_by("pk").first()
    Page.objects.filter(pk=broken.pk).update(unpublish_at=NOW)
    schedule(publish_at=NOW)
    unpublish = services.unpublish

    def fail(page, *arguments, **values):
        raise RuntimeError("marker") if page.pk == broken.pk else unpublish(page, *arguments, **values)

    monkeypatch.setattr(services, "unpublish", fail)
    assert services.apply_schedule(NOW) == 1
    assert page().status == "published"
    assert "RuntimeError" in caplog.text
    assert "marker" not in caplog.text


def test_a_page_cannot_be_planned_to_leave_before_it_comes(draft):
    with pytest.raises(IntegrityError), transaction.atomic():
        schedule(publish_es_at=NOW, unpublish_at=NOW - HOUR)


@pytest.mark.django_db(transaction=True)
def test_two_workers_keep_a_schedule_once(draft):
    schedule(publish_at=NOW)
    done, start = [], threading.Barrier(2)

    def work():
        start.wait()
        done.append(services.apply_schedule(NOW))
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(done) == [0, 1], connection.vendor
    assert page().revisions.filter(action=RevisionAction.PUBLISHED).count() == 1


# --- versions


def test_a_version_with_problems_does_not_come_back_to_the_site(draft):
    spoil()
    bad = services.keep_present(page())
    spoil("<p>Something new and true.</p>")
    services.publish(draft, "en", by=None)
    with pytest.raises(services.CannotRestore, match="Promise nothing"):
        services.restore(bad, by=None)
    services.unpublish(draft, "en", by=None)
    services.restore(bad, by=None)
    assert "cure" in Section.objects.get(page__slug=SLUG, anchor="what-it-is").body_en
