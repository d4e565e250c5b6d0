"""PostgreSQL as Django knows it, but with an end to waiting for a server that takes questions and says nothing.

The server's own time-outs don't help where it is the server that hangs, or a
firewall that swallows its answers: a thread would wait for ever, and in the end all do.
"""

import time
from collections.abc import Generator
from typing import Any, ClassVar

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """Gives up on an answer after `answer_seconds`, longer than the server itself works on a statement; None waits on.

    A kept connection has to show a sign of life before a request relies on it. Where the
    server lets nobody in either, no thread of the process tries again for `quiet_seconds`:
    who finds it silent is held up for some seconds, the others not at all.
    """

    answer_seconds: float | None = 17.0
    sign_of_life_seconds = 3.0
    quiet_seconds = 2.0
    quiet_until: ClassVar[float] = 0.0

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection:
        """A connection whose every exchange ends, in an OperationalError if need be. It is closed then."""
        if time.monotonic() < DatabaseWrapper.quiet_until:
            raise psycopg.OperationalError("the server did not answer a moment ago")
        try:
            connection = super().get_new_connection(conn_params)
        except psycopg.errors.ConnectionTimeout:
            DatabaseWrapper.quiet_until = time.monotonic() + self.quiet_seconds
            raise
        wait = connection.wait

        def wait_no_longer(gen: Generator, *args: Any, **kwargs: Any) -> Any:
            try:
                return wait(gen, *args, **{"timeout": self.answer_seconds} | kwargs)
            except psycopg.OperationalError:
                if connection.pgconn.transaction_status == TransactionStatus.ACTIVE:
                    connection.close()
                raise

        connection.wait = wait_no_longer
        return connection

    def is_usable(self) -> bool:
        """Whether the server answers on the kept connection, and soon."""
        kept, self.answer_seconds = self.answer_seconds, self.sign_of_life_seconds
        try:
            return bool(super().is_usable())
        finally:
            self.answer_seconds = kept
