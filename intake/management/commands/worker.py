"""The background worker: sends mails, stores what waits in the spool, publishes on schedule, and once a day checks it all."""

import logging
import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections, connection
from django.utils import timezone

from clinic_site.site_record import current_clinic, zone_of
from conditions import reminders
from conditions import services as pages
from conditions.search import misses
from intake import integrity, outbox, rotation, services, spam, spool

PAUSE_SECONDS = 2.0
# However many mails are due and however slow their server, the other tasks have their turn after this.
SEND_SECONDS = 20.0
# A daily check that failed is tried again, but not in every round.
DAILY_RETRY_SECONDS = 600.0
# Every step survives a kill, so one that hangs isn't waited for.
STOP_SECONDS = 0.7

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT, then ends within a second."""

    help = __doc__
    daily_not_before = 0.0

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--once`: one round, then end."""
        parser.add_argument("--once", action="store_true", help="Do one round and end.")

    def handle(self, *args: Any, once: bool = False, **options: Any) -> None:
        """Run one round, or rounds until stopped. Refuses keys that are not those of the stored requests."""
        refuse_foreign_keys()
        self.stop = threading.Event()
        if once:
            self.round()
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        rounds = threading.Thread(target=self._rounds, name="worker", daemon=True)
        rounds.start()
        log.info("worker started")
        while not self.stop.wait(1) and rounds.is_alive():
            pass
        rounds.join(STOP_SECONDS)
        log.info("worker stopped")
        if rounds.is_alive():
            logging.shutdown()
            os._exit(0)

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop.set()

    def _rounds(self) -> None:
        while not self.stop.is_set():
            self.round()
            self.stop.wait(PAUSE_SECONDS)
        connection.close()

    def round(self) -> None:
        """Each task once; one that fails is logged by its kind of error and tried again in the next round."""
        for task in (
            self._replay,
            spool.keep_reserve,
            self._send,
            self._publish,
            self._remind,
            self._forget,
            self._daily,
        ):
            if not self.stop.is_set():
                self._try(task)

    def _replay(self) -> None:
        if (done := services.replay_spool()) != services.Replay():
            log.info("spool: %d stored, %d left, %d set aside", done.stored, done.left, done.set_aside)

    def _send(self) -> None:
        until = time.monotonic() + SEND_SECONDS
        if sent := outbox.send_due(lambda: self.stop.is_set() or time.monotonic() > until):
            log.info("%d mails sent", sent)

    def _publish(self) -> None:
        if done := pages.apply_schedule(timezone.now()):
            log.info("%d pages published or taken off the site on schedule", done)

    def _remind(self) -> None:
        if sent := reminders.send_due(timezone.now(), self.stop.is_set):
            log.info("%d reviewers reminded", sent)

    def _forget(self) -> None:
        spam.forget_expired(timezone.now())

    def _daily(self) -> None:
        """Due by the moment of the last report, so that restarts neither repeat nor put off the check."""
        report = integrity.last_report()
        if (report and report.is_recent(timezone.now())) or time.monotonic() < self.daily_not_before:
            return
        self.daily_not_before = time.monotonic() + DAILY_RETRY_SECONDS
        misses.forget_expired(timezone.localdate())
        integrity.check_and_report(timezone.now())
        log.info("integrity checked")

    @staticmethod
    def _try(task: Callable[[], object]) -> None:
        try:
            close_old_connections()
            with timezone.override(zone_of(current_clinic().time_zone)):
                task()
        except Exception as error:
            log.warning("worker: %s", type(error).__name__)
            if not connection.in_atomic_block:
                connection.close()


def refuse_foreign_keys() -> None:
    """End the process with one line where the keys are not ours: it would set good spool files aside and give up mails."""
    try:
        problem = next(rotation.keys_that_do_not_fit(), None)
    except Error:
        return
    finally:
        if not connection.in_atomic_block:
            connection.close()
    if problem:
        sys.exit(f"clinic_site will not start: {problem}")
