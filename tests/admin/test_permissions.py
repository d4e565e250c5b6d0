"""Who is let in where: each staff address has its outsiders."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from clinic_site import staff_groups
from conditions.models import SearchMiss
from intake.models import ConsultationRequest, LeadAccess, LeadStatus, Outbox
from tests.admin.addresses import QUEUE, lead_url, text_of, title_of, url
from tests.factories import submitted

pytestmark = pytest.mark.django_db


def lead_addresses(lead):
    notice = lead.notices.first().pk
    return {
        "queue": ("get", QUEUE, {}),
        "lead": ("get", lead_url(lead), {}),
        "history": ("get", url("history", lead.pk), {}),
        "delete": ("get", url("delete", lead.pk), {}),
        "search": ("post", url("search"), {"term": "sam@example.org"}),
        "move": ("post", url("move", lead.pk), {"status": "closed", "seen": "new"}),
        "assign": ("post", url("assign", lead.pk), {"to": "", "seen": ""}),
        "contact": ("post", url("contact", lead.pk), {"outcome": "reached", "channel": "phone"}),
        "send": ("post", url("send", lead.pk, notice), {}),
        "accesses": ("get", "/admin/intake/leadaccess/", {}),
        "start page": ("get", "/admin/", {}),
        "pages": ("get", "/admin/conditions/page/", {}),
        "clinic": ("get", "/admin/clinic_site/clinic/", {}),
    }


REQUESTS = ["queue", "lead", "history", "delete", "search", "move", "assign", "contact", "send", "accesses"]
ADDRESSES = [*REQUESTS, "start page", "pages", "clinic"]


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_stranger_is_sent_to_the_sign_in_page(client, name):
    method, address, data = lead_addresses(submitted())[name]
    response = getattr(client, method)(address, data)
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
    assert ConsultationRequest.objects.get().status == LeadStatus.NEW


@pytest.mark.parametrize("name", [name for name in ADDRESSES if name != "start page"])
def test_staff_without_permissions_are_refused(newcomer, name):
    method, address, data = lead_addresses(submitted())[name]
    assert getattr(newcomer, method)(address, data).status_code == 403
    assert not LeadAccess.objects.exists()


@pytest.mark.parametrize("name", REQUESTS)
def test_editors_do_not_see_requests(editor, name):
    method, address, data = lead_addresses(submitted())[name]
    assert getattr(editor, method)(address, data).status_code == 403


@pytest.mark.parametrize("name", ["delete", "accesses", "pages", "clinic"])
def test_the_front_desk_neither_deletes_nor_edits_pages(desk, name):
    method, address, data = lead_addresses(submitted())[name]
    assert getattr(desk, method)(address, data).status_code == 403


def test_nobody_adds_a_request_by_hand(boss):
    assert boss.get(f"{QUEUE}add/").status_code == 403


@pytest.mark.parametrize("name", ["search", "move", "assign", "contact", "send"])
def test_nothing_changes_by_following_a_link(desk, name):
    lead = submitted()
    _method, address, data = lead_addresses(lead)[name]
    for method in (desk.get, desk.head, desk.put):
        answer = method(address, data)
        assert answer["Location"] == (QUEUE if name == "search" else lead_url(lead))
    assert "Nothing was saved. Press the button again." in text_of(desk.get(lead_url(lead)))
    assert lead.events.count() == 1 and not lead.attempts.exists()


def test_who_has_to_sign_in_again_finds_the_request_they_were_at(client, dana):
    dana.set_password("a-fine-day-for-a-walk")
    dana.save()
    lead = submitted()
    answer = client.post(f"{url('contact', lead.pk)}?_changelist_filters=view%3Dagain", {"outcome": "reached"})
    page = client.post(answer["Location"], {"username": "dana", "password": "a-fine-day-for-a-walk"}, follow=True)
    assert page.redirect_chain[-1][0] == f"{lead_url(lead)}?_changelist_filters=view%3Dagain"
    assert "Nothing was saved. Press the button again." in text_of(page)


@pytest.mark.parametrize("name", ["contact", "queue", "sign-in"])
def test_a_page_from_before_a_new_sign_in_leads_staff_back_to_it(desk, client, name):
    lead = submitted()
    address = {
        "contact": f"{url('contact', lead.pk)}?_changelist_filters=view%3Dagain",
        "queue": QUEUE,
        "sign-in": "/admin/login/",
    }[name]
    browser = client if name == "sign-in" else desk
    browser.handler.enforce_csrf_checks = True
    page = browser.post(address, {"outcome": "reached", "channel": "phone"})
    assert page.status_code == 403 and title_of(page) == "Nothing was saved | Staff"
    assert f'href="{address}">Load the page again' in page.content.decode()
    assert "patient" not in text_of(page) and not lead.attempts.exists()
    assert browser.get(address, follow=True).status_code == 200


@pytest.mark.parametrize("pk", ["0", "999999", "99999999999999999999999999", "x"])
def test_an_address_of_no_request_is_not_found(desk, pk):
    assert desk.get(f"{QUEUE}{pk}/change/").status_code == 404


def test_answers_cannot_be_posted_to_the_page_of_a_request(boss):
    lead = submitted()
    assert boss.post(lead_url(lead), {"name": "Somebody Else", "status": "closed", "_save": "Save"}).status_code == 405
    lead.refresh_from_db()
    assert (lead.name, lead.status) == ("Sam Sample", LeadStatus.NEW)


def test_a_mail_is_sent_again_only_on_its_own_request(desk):
    one, other = submitted(), submitted(name="Ana Sample")
    assert desk.post(url("send", one.pk, other.notices.first().pk)).status_code == 404


def test_a_superuser_deletes_one_request_for_good_and_that_is_recorded(boss):
    lead, kept = submitted(), submitted(name="Ana Sample")
    page = boss.get(url("delete", lead.pk))
    assert title_of(page).startswith("Delete")
    assert "Sam Sample" not in page.content.decode()
    boss.post(url("delete", lead.pk), {"post": "yes"})
    assert list(ConsultationRequest.objects.all()) == [kept]
    assert set(Outbox.objects.values_list("request_id", flat=True)) == {kept.pk}
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.user.username) == (lead.shown_reference, "boss")


def test_requests_are_not_deleted_in_bulk(boss):
    lead = submitted()
    boss.post(QUEUE, {"action": "delete_selected", "_selected_action": [lead.pk], "post": "yes"})
    assert ConsultationRequest.objects.filter(pk=lead.pk).exists()


def test_groups_are_made_once_and_keep_what_somebody_added(db):
    staff_groups.ensure_groups()
    desk = Group.objects.get(name=staff_groups.FRONT_DESK)
    assert set(desk.permissions.values_list("codename", flat=True)) == {"view_consultationrequest", "change_consultationrequest"}
    editors = Group.objects.get(name=staff_groups.EDITORS)
    assert not editors.permissions.filter(content_type__app_label__in=["intake", "auth"]).exists()
    assert editors.permissions.filter(codename="change_page").exists()
    assert not editors.permissions.filter(codename="delete_page").exists()
    desk.permissions.add(editors.permissions.get(codename="view_page"))
    staff_groups.ensure_groups()
    assert Group.objects.count() == 2
    assert desk.permissions.filter(codename="view_page").exists()


def test_editors_clear_away_searches_that_were_seen_to(editor):
    today = timezone.localdate()
    miss = SearchMiss.objects.create(query="zzqx", language="en", first_on=today, last_on=today)
    editor.post(reverse("admin:conditions_searchmiss_delete", args=[miss.pk]), {"post": "yes"})
    assert not SearchMiss.objects.exists()


def test_too_many_wrong_passwords_lock_the_account_for_a_while(client, dana, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = client.post("/admin/login/", {"username": "dana", "password": "wrong"})
    assert response.status_code == 429
    text = response.content.decode()
    assert "Sign-in locked for a while" in text
    assert "15 minutes" in text
    assert "dana" not in text
