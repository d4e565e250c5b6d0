"""PostgreSQL as Django knows it, but with an end to waiting for a server that takes questions and says nothing.

The server's own time-outs don't help where it is the server that hangs, or a
firewall that swallows its answers: a thread would wait for ever, and in the end all do.
"""

from collections.abc import Generator
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """Gives up on an answer after `answer_seconds`, longer than the server itself works on a statement; None waits on."""

    answer_seconds: float | None = 17.0

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection:
        """A connection whose every exchange ends, in an OperationalError if need be. It is closed then."""
        connection = super().get_new_connection(conn_params)
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
