"""A one-time password lets its owner in once: to choose another one."""

import re
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management import call_command

from clinic_site.models import OneTimePassword
from tests.admin.addresses import text_of, title_of
from tests.admin.conftest import signed_in
from tests.factories import UserFactory, submitted

pytestmark = pytest.mark.django_db
OWN, GIVEN = "a-fine-day-for-a-walk", "handed-over-on-paper"
CHANGE = "/admin/password_change/"


@pytest.fixture
def given():
    """The first account's password, as it is printed."""
    output = StringIO()
    call_command("first_account", stdout=output)
    return re.search(r"password\s+(\S+)", output.getvalue())[1]


def sign_in(client, password, username="staff"):
    return client.post("/admin/login/?next=/admin/", {"username": username, "password": password}, follow=True)


def change(client, old, new):
    return client.post(CHANGE, {"old_password": old, "new_password1": new, "new_password2": new}, follow=True)


def test_the_first_sign_in_leads_to_the_choice_of_a_password(client, given):
    page = sign_in(client, given)
    assert page.redirect_chain[-1] == (CHANGE, 302)
    assert title_of(page).startswith("Password change")
    assert "Choose a password of your own first" in text_of(page)


@pytest.mark.parametrize(
    "path",
    ["/admin/", "/admin/intake/consultationrequest/", "/admin/auth/user/", "/admin/no-such-page/", "/admin/conditions/page/add/"],
)
def test_nothing_else_in_admin_opens_before(client, given, path):
    sign_in(client, given)
    for response in (client.get(path), client.post(path)):
        assert (response.status_code, response.headers["Location"]) == (302, CHANGE)


def test_with_a_password_of_their_own_everything_opens_at_once_and_later(client, given):
    sign_in(client, given)
    assert title_of(change(client, given, OWN)).startswith("Password change successful")
    assert client.get("/admin/").status_code == 200
    client.post("/admin/logout/")
    assert "Please enter the correct username" in text_of(sign_in(client, given))
    assert title_of(sign_in(client, OWN)) == "Today | Staff"
    assert not OneTimePassword.objects.exists()


def test_the_one_time_password_is_not_replaced_by_itself(client, given):
    sign_in(client, given)
    assert "This is the password you were given. Choose another one." in text_of(change(client, given, given))
    assert client.get("/admin/").headers["Location"] == CHANGE


def test_a_password_set_on_the_command_line_counts_as_their_own(client, given):
    account = get_user_model().objects.get(username="staff")
    account.set_password(OWN)
    account.save()
    assert title_of(sign_in(client, OWN)) == "Today | Staff"


def test_the_way_out_stays_open(client, given):
    sign_in(client, given)
    assert client.post("/admin/logout/").status_code == 200
    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")


def fill_in_account(client, **fields):
    given = {"username": "nina", "password1": GIVEN, "password2": GIVEN, "usable_password": "true"}
    return client.post("/admin/auth/user/add/", given | fields)


def test_a_new_colleague_chooses_a_password_of_their_own_first(client, boss):
    assert "They sign in with it once" in text_of(boss.get("/admin/auth/user/add/"))
    assert fill_in_account(boss).status_code == 302
    get_user_model().objects.filter(username="nina").update(is_staff=True, is_superuser=True)
    assert title_of(sign_in(client, GIVEN, "nina")).startswith("Password change")
    assert client.get("/admin/auth/user/").headers["Location"] == CHANGE
    assert title_of(change(client, GIVEN, OWN)).startswith("Password change successful")
    assert client.get("/admin/auth/user/").status_code == 200


def test_a_password_set_for_a_colleague_is_for_one_sign_in(client, boss, dana):
    address = f"/admin/auth/user/{dana.pk}/password/"
    assert "They sign in with it once" in text_of(boss.get(address))
    dana.set_password(OWN)
    dana.save()
    assert title_of(sign_in(client, OWN, "dana")) == "Today | Staff"
    for given in (GIVEN, f"{GIVEN}-2"):
        fields = {"password1": given, "password2": given, "set-password": "", "usable_password": "true"}
        assert boss.post(address, fields).status_code == 302
        assert client.get("/admin/").headers["Location"].startswith("/admin/login/")
        assert title_of(sign_in(client, given, "dana")).startswith("Password change")
        assert client.get("/admin/").headers["Location"] == CHANGE
    assert title_of(change(client, f"{GIVEN}-2", f"{OWN}-again")).startswith("Password change successful")


def test_an_account_that_cannot_sign_in_has_no_password_to_change(boss):
    fill_in_account(boss, password1="", password2="", usable_password="false")
    assert not get_user_model().objects.get(username="nina").has_usable_password()
    assert not OneTimePassword.objects.exists()


def test_ones_own_password_is_changed_with_the_old_one(boss):
    own = get_user_model().objects.get(username="boss")
    for response in (boss.get(f"/admin/auth/user/{own.pk}/password/"), boss.post(f"/admin/auth/user/{own.pk}/password/")):
        assert response.headers["Location"] == CHANGE
    assert not OneTimePassword.objects.exists()


def test_other_accounts_are_asked_for_nothing(desk, given):
    assert title_of(desk.get("/admin/")) == "Today | Staff"


@pytest.mark.parametrize("way", ["delete page", "list"])
def test_the_record_of_a_deleted_request_outlives_whoever_deleted_it(boss, way):
    ex = UserFactory(username="ex", is_superuser=True)
    lead = submitted()
    signed_in(ex).post(f"/admin/intake/consultationrequest/{lead.pk}/delete/", {"post": "yes"})
    assert LogEntry.objects.get().object_repr == lead.shown_reference
    if way == "list":
        shown = boss.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": [ex.pk], "post": "yes"})
    else:
        shown = boss.post(f"/admin/auth/user/{ex.pk}/delete/", {"post": "yes"})
    assert "To close the account, clear “Active” instead." in shown.content.decode()
    assert User.objects.filter(pk=ex.pk).exists()
    assert LogEntry.objects.filter(user=ex).count() == 1


def test_an_account_that_changed_nothing_can_be_deleted(boss):
    newcomer = UserFactory(username="new")
    boss.post(f"/admin/auth/user/{newcomer.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=newcomer.pk).exists()
