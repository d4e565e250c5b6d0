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

    A kept connection has to show a sign of life before a request relies on it, and a server
    that works on a statement for long has to let somebody in meanwhile. Where it lets nobody in,
    no thread of the process tries again for `quiet_seconds`: who finds it silent is held up for
    some seconds, the others not at all.
    """

    answer_seconds: float | None = 17.0
    sign_of_life_seconds = 3.0
    quiet_seconds = 2.0
    quiet_until: ClassVar[float] = 0.0

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection:
        """A connection whose every exchange ends, in an OperationalError if need be. It is closed then."""
        connection = self._let_in(conn_params)
        wait = connection.wait

        def wait_no_longer(gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
            try:
                return wait(self._watched(gen, conn_params), *args, **{"timeout": self.answer_seconds} | kwargs)
            except psycopg.OperationalError:
                if connection.pgconn.transaction_status == TransactionStatus.ACTIVE:
                    connection.close()
                raise

        connection.wait = wait_no_longer
        return connection

    def _let_in(self, conn_params: dict[str, Any]) -> psycopg.Connection:
        """A plain connection. Raises ConnectionTimeout where the server lets nobody in, or did not a moment ago."""
        if time.monotonic() < DatabaseWrapper.quiet_until:
            raise psycopg.errors.ConnectionTimeout("the server did not answer a moment ago")
        try:
            return super().get_new_connection(conn_params)
        except psycopg.errors.ConnectionTimeout:
            DatabaseWrapper.quiet_until = time.monotonic() + self.quiet_seconds
            raise

    def _watched(self, gen: Generator[Any, Any, Any], conn_params: dict[str, Any]) -> Generator[Any, Any, Any]:
        """An exchange as psycopg makes it; while the server says nothing, it has to let somebody else in now and then."""
        heard_at, ready = time.monotonic(), None
        try:
            while True:
                ready = yield gen.send(ready)
                if ready:
                    heard_at = time.monotonic()
                elif self.answer_seconds and self.sign_of_life_seconds < min(self.answer_seconds, time.monotonic() - heard_at):
                    self._knock(conn_params)
                    heard_at = time.monotonic()
        except StopIteration as end:
            return end.value

    def _knock(self, conn_params: dict[str, Any]) -> None:
        try:
            self._let_in(conn_params).close()
        except psycopg.errors.ConnectionTimeout:
            raise
        except psycopg.Error:
            return  # it said no, but it spoke

    def is_usable(self) -> bool:
        """Whether the server answers on the kept connection, and soon."""
        kept, self.answer_seconds = self.answer_seconds, self.sign_of_life_seconds
        try:
            return bool(super().is_usable())
        finally:
            self.answer_seconds = kept
