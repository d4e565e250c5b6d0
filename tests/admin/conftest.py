"""Members of the staff, signed in."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from clinic_site import staff_groups
from tests.factories import UserFactory


def member(group, **values):
    staff_groups.ensure_groups()
    user = UserFactory(**values)
    user.groups.add(Group.objects.get(name=group))
    return user


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def dana(db):
    """Works at the front desk."""
    return member(staff_groups.FRONT_DESK, username="dana", first_name="Dana")


@pytest.fixture
def lee(db):
    """A colleague of Dana."""
    return member(staff_groups.FRONT_DESK, username="lee", first_name="Lee")


@pytest.fixture
def desk(dana):
    """Dana's browser."""
    return signed_in(dana)


@pytest.fixture
def editor(db):
    """The browser of someone who edits pages."""
    return signed_in(member(staff_groups.EDITORS, username="eddie"))


@pytest.fixture
def boss(db):
    """The browser of a superuser."""
    return signed_in(UserFactory(username="boss", is_superuser=True))


@pytest.fixture
def newcomer(db):
    """The browser of staff without any permission yet."""
    return signed_in(UserFactory(username="newcomer"))
