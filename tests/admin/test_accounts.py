"""A one-time password lets its owner in once: to choose another one."""

import re
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from clinic_site.models import OneTimePassword
from tests.admin.addresses import text_of, title_of

pytestmark = pytest.mark.django_db
OWN = "a-fine-day-for-a-walk"
CHANGE = "/admin/password_change/"


@pytest.fixture
def given():
    """The first account's password, as it is printed."""
    output = StringIO()
    call_command("first_account", stdout=output)
    return re.search(r"password\s+(\S+)", output.getvalue())[1]


def sign_in(client, password):
    return client.post("/admin/login/?next=/admin/", {"username": "staff", "password": password}, follow=True)


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


def test_other_accounts_are_asked_for_nothing(desk, given):
    assert title_of(desk.get("/admin/")) == "Today | Staff"
