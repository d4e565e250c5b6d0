"""One-time passwords: who signed in with one chooses a password of their own before anything else.

Whatever password someone sets for somebody else in admin is one.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import AbstractBaseUser, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import OneTimePassword

# Remembered in the session, so that the question is asked once and not with every page.
OWN = "has_own_password"
OPEN_TO_ALL = {"login", "logout", "password_change", "jsi18n"}


FOR_ONCE = gettext_lazy("They sign in with it once, and choose a password of their own there. Give it to them in person.")


class OwnPassword:
    """A password validator: a one-time password isn't replaced by itself, and is gone once another one is set."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError where the new password is the one-time one."""
        if isinstance(user, AbstractBaseUser) and _has_one_time_password(user) and user.check_password(password):
            raise ValidationError(_("This is the password you were given. Choose another one."), code="one_time")

    def password_changed(self, password: str, user: Any = None) -> None:
        """Django calls this for every password that was set, wherever it was."""
        OneTimePassword.objects.filter(user_id=user.pk).delete()

    def get_help_text(self) -> str:
        """What Django shows beside the field."""
        return _("It cannot be a one-time password that you were given.")


class OwnPasswordFirst:
    """Leads staff with a one-time password from every page of admin to the one where they choose their own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """Stops a request for admin before its view is asked."""
        match = request.resolver_match
        if not match or match.app_name != "admin" or match.url_name in OPEN_TO_ALL or not self._must_choose(request):
            return None
        messages.warning(request, _("Choose a password of your own first. The one you signed in with was for this once."))
        return HttpResponseRedirect(reverse("admin:password_change"))

    @staticmethod
    def _must_choose(request: HttpRequest) -> bool:
        if not request.user.is_authenticated or request.session.get(OWN):
            return False
        if _has_one_time_password(request.user):
            return True
        request.session[OWN] = True
        return False


def _has_one_time_password(user: AbstractBaseUser) -> bool:
    return OneTimePassword.objects.filter(user_id=user.pk).exists()


def make_one_time(user: User) -> None:
    """Say that the password this account has now was made by somebody else. An account without a password stays so."""
    if user.has_usable_password():
        OneTimePassword.objects.get_or_create(user=user)


class PasswordForOnce(AdminPasswordChangeForm):
    """Another person's password: good for one sign-in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password2"].help_text = FOR_ONCE

    def save(self, commit: bool = True) -> User:
        """Set the password and mark it, or do neither."""
        with transaction.atomic():
            user = super().save(commit)
            make_one_time(user)
        return user
