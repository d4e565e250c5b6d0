"""Stores many requests, each the whole way in but many in a transaction. Run in the site's environment with their number."""

import sys
import uuid

import django


def main():
    """Fill the site's database."""
    django.setup()
    from django.db import transaction
    from django.utils import timezone

    from intake.models import EventKind
    from intake.services import _store
    from tests.factories import submission

    total = int(sys.argv[1])
    for start in range(0, total, 500):
        with transaction.atomic():
            for number in range(start, min(start + 500, total)):
                message = f"many-{number} " + "It hurts when I stand for long. " * 5
                _store(submission(submission_id=uuid.uuid4(), received_at=timezone.now(), message=message), EventKind.RECEIVED)


if __name__ == "__main__":
    main()
