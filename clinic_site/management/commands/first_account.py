"""Make the first staff account."""

import secrets
from argparse import ArgumentParser

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from clinic_site.models import OneTimePassword
from clinic_site.staff_groups import ensure_groups

# No vowels and nothing that is misread: 5 groups of 4 carry 96 bits.
LETTERS = "23456789bcdfghjkmnpqrstvwxyz"


class Command(BaseCommand):
    """Prints the name and the password, once, when it makes the account."""

    help = "Make a first staff account with a random password, unless there is a staff account already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The account's name."""
        parser.add_argument("--username", default="staff")

    def handle(self, *args: object, username: str, **options: object) -> None:
        """Make the account where no one could sign in yet."""
        ensure_groups()
        accounts = get_user_model().objects
        if accounts.filter(is_staff=True, is_active=True).exists():
            if options["verbosity"] != 0:
                self.stdout.write(
                    "There is a staff account already. Passwords are changed with: python manage.py changepassword NAME"
                )
            return
        if accounts.filter(username=username).exists():
            raise CommandError(
                f"There is an account named {username} that cannot sign in to admin. "
                "For another one: python manage.py first_account --username NAME"
            )
        password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(5))
        with transaction.atomic():
            OneTimePassword.objects.create(user=accounts.create_superuser(username, password=password))
        self.stdout.write(
            "First staff account, shown this once:\n"
            f"    name      {username}\n"
            f"    password  {password}\n"
            "The password is for the first sign-in alone: you choose your own there."
        )
