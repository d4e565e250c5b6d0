"""One call after the other: which request comes next, for whom, and from where."""

from datetime import timedelta

import pytest
from django.utils import timezone

from intake import services
from intake.models import AccessAction, AttemptOutcome, ContactAttempt, LeadAccess, LeadStatus
from intake.models.work import STILL_OPEN
from tests.admin.addresses import MARKER, QUEUE, lead_url, messages_of, text_of, url
from tests.factories import submitted
from tests.reading import tree_of

pytestmark = pytest.mark.django_db
NOW = timezone.now()
FROM_AGAIN = "?_changelist_filters=view%3Dagain"


def waiting(days, **answers):
    return submitted(received_at=NOW - timedelta(days=days), **{"name": f"Sam Sample {days}"} | answers)


def next_on(page):
    """The address of the request that a page calls next; none where it calls none."""
    places = [nav for nav in tree_of(page).iter("nav") if nav.get("aria-label") == "Next request"]
    links = [link.get("href") for link in places[0].iter("a")]
    return links[0] if links else None


def log(client, lead, outcome=AttemptOutcome.VOICEMAIL, query="", **data):
    return client.post(url("contact", lead.pk) + query, {"channel": "phone", "outcome": outcome, "note": ""} | data)


def test_the_next_is_the_one_after_it_in_the_queue_and_then_the_first_again(desk):
    first, second, third = waiting(9), waiting(8), waiting(7)
    assert [next_on(desk.get(lead_url(lead))) for lead in (first, second, third)] == [
        lead_url(second),
        lead_url(third),
        lead_url(first),
    ]


def test_who_was_called_or_closed_is_no_longer_next(desk, dana):
    first, called, closed, spam = waiting(9), waiting(8), waiting(7), waiting(6, spam_reasons=["honeypot"])
    services.log_contact(called.pk, by=dana, outcome=AttemptOutcome.NO_ANSWER)
    services.change_status(closed.pk, LeadStatus.CLOSED, by=dana)
    page = desk.get(lead_url(first))
    assert next_on(page) is None
    assert "No other request waits for a call." in text_of(page)
    assert "Save, then next" not in text_of(page)
    assert next_on(desk.get(lead_url(spam))) == lead_url(first)


def test_a_new_warning_sign_interrupts_the_routine_and_then_lets_it_go_on(desk):
    first, second = waiting(9), waiting(8)
    urgent, other = waiting(0.1, red_flags="bladder"), waiting(0, red_flags="bladder", name="Uma Sample")
    assert [next_on(desk.get(lead_url(lead))) for lead in (first, second, urgent, other)] == [
        lead_url(urgent),
        lead_url(urgent),
        lead_url(other),
        lead_url(first),
    ]


def test_what_a_colleague_has_taken_is_left_to_them(desk, dana, lee):
    here, theirs, mine = waiting(9), waiting(8), waiting(7)
    services.assign(theirs.pk, lee, by=lee)
    services.assign(mine.pk, dana, by=dana)
    assert next_on(desk.get(lead_url(here))) == lead_url(mine)


def test_what_a_colleague_has_open_comes_last_and_says_so(desk, lee):
    here, open_there, free = waiting(9), waiting(8), waiting(7)
    services.record_access([open_there], by=lee, action=AccessAction.VIEW, via="lead page")
    assert next_on(desk.get(lead_url(here))) == lead_url(free)
    assert "Ask before you call: lee opened this request at" in text_of(desk.get(lead_url(open_there)))
    assert "opened this request at" not in text_of(desk.get(lead_url(free)))
    LeadAccess.objects.filter(user=lee).update(at=NOW - STILL_OPEN)
    assert next_on(desk.get(lead_url(here))) == lead_url(open_there)
    assert "opened this request at" not in text_of(desk.get(lead_url(open_there)))


def test_ones_own_looks_and_those_in_a_list_warn_nobody(desk, lee):
    lead = waiting(9)
    services.record_access([lead], by=lee, action=AccessAction.LIST, via="queue")
    desk.get(lead_url(lead))
    assert "Ask before you call" not in text_of(desk.get(lead_url(lead)))


def test_the_next_is_recorded_only_once_it_is_opened(desk):
    here, following = waiting(9), waiting(8)
    page = desk.get(lead_url(here))
    assert "Sam Sample 8" not in text_of(page)
    assert not LeadAccess.objects.filter(request=following).exists()
    desk.get(next_on(page))
    assert LeadAccess.objects.filter(request=following, action=AccessAction.VIEW).count() == 1


def test_a_contact_is_saved_and_the_next_request_opened_with_one_press(desk):
    here, following = waiting(9), waiting(8)
    answer = log(desk, here, then="next")
    assert answer["Location"] == lead_url(following)
    assert ContactAttempt.objects.get().request == here
    page = desk.get(answer["Location"])
    assert messages_of(page) == [("success", f"Contact logged for {here.shown_reference}.")]
    assert log(desk, following, then="next")["Location"] == lead_url(following)


def test_a_contact_that_could_not_be_saved_opens_nothing_else(desk):
    here, following = waiting(9), waiting(8)
    assert log(desk, here, outcome="", then="next").status_code == 422
    assert not LeadAccess.objects.filter(request=following).exists()


def test_whoever_was_not_reached_is_called_again_one_after_the_other(desk, dana):
    tried, again, urgent, _new = waiting(9), waiting(8), waiting(7, red_flags="bladder"), waiting(6)
    for lead in (tried, again, urgent):
        services.log_contact(lead.pk, by=dana, outcome=AttemptOutcome.NO_ANSWER)
    opened = desk.get(lead_url(urgent) + FROM_AGAIN)
    assert next_on(opened) == lead_url(tried) + FROM_AGAIN
    after = log(desk, tried, AttemptOutcome.NO_ANSWER, query=FROM_AGAIN, then="next")
    assert after["Location"] == lead_url(again) + FROM_AGAIN


@pytest.mark.parametrize("filters", ["view%3Dnonsense", "%00", "a" * 3000, "view%3Dagain%26view%3Dx", "found%3Dforged"])
def test_a_bent_view_is_no_error(desk, filters):
    here, following = waiting(9), waiting(8)
    page = desk.get(f"{lead_url(here)}?_changelist_filters={filters}")
    assert page.status_code == 200
    assert next_on(page).startswith(lead_url(following)) or "again" in filters


def test_every_action_leads_back_to_the_view_that_one_came_from(desk, dana):
    lead = waiting(9)
    page = desk.get(lead_url(lead) + FROM_AGAIN)
    actions = {form.get("action") for form in tree_of(page).iter("form") if "/consultationrequest/" in form.get("action", "")}
    assert len(actions) == 5 and all(action.endswith(FROM_AGAIN) for action in actions)
    answers = [
        log(desk, lead, query=FROM_AGAIN),
        desk.post(url("move", lead.pk) + FROM_AGAIN, {"status": "contacted", "seen": "new"}),
        desk.post(url("assign", lead.pk) + FROM_AGAIN, {"to": dana.pk, "seen": ""}),
        desk.post(url("send", lead.pk, lead.notices.first().pk) + FROM_AGAIN),
    ]
    for answer in answers:
        assert answer["Location"] == lead_url(lead) + FROM_AGAIN
        assert f'href="{QUEUE}?view=again"' in desk.get(answer["Location"]).content.decode()


def test_the_start_page_opens_the_first_with_one_press(desk, editor):
    assert "Start with" not in text_of(desk.get("/admin/"))
    lead = waiting(9, name=MARKER)
    page = desk.get("/admin/")
    assert f"Start with {lead.shown_reference} " in text_of(page)
    assert f'href="{lead_url(lead)}"' in page.content.decode()
    assert MARKER not in page.content.decode() and not LeadAccess.objects.exists()
    assert "Start with" not in text_of(editor.get("/admin/"))


def test_the_front_desk_has_one_way_to_its_one_list(desk, editor):
    for path in ("/admin/", QUEUE):
        html = desk.get(path).content.decode()
        assert 'class="changelink"' not in html and "nav-sidebar" not in html
    start = text_of(editor.get("/admin/"))
    assert "Everything you can look after" in start and "Change Add" not in start
    assert 'id="nav-sidebar"' in editor.get("/admin/conditions/page/").content.decode()


def test_the_list_of_one_app_is_no_second_start_page(desk, editor):
    page = text_of(editor.get("/admin/conditions/"))
    assert "Physicians" in page and "Today" not in page
    assert text_of(desk.get("/admin/intake/")).count("Requests per day") == 0
