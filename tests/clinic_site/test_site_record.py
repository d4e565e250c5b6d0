"""What every page can rely on: the clinic's record is at hand, whatever the database does."""

import threading
import time

from django.db import OperationalError

from clinic_site import site_record
from clinic_site.models import Clinic


def test_those_who_wait_for_a_database_that_hangs_at_the_start_wait_once(monkeypatch):
    asked = []

    def hang(before=None):
        asked.append(1)
        time.sleep(0.1)
        raise OperationalError

    monkeypatch.setattr(Clinic, "current", hang)
    site_record.forget()
    threads = [threading.Thread(target=site_record.current_clinic) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1
