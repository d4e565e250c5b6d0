"""Log lines that can never hold what a person typed."""

import logging
import traceback
from typing import Any


class SafeFormatter(logging.Formatter):
    """Formats a record without exception messages, which may quote an answer.

    Of an exception, its type and the places in the code remain; the message, the
    source lines and chained messages are left out. A record that carries a
    request shows no more of it than its own message.
    """

    def formatException(self, ei: Any) -> str:  # noqa: N802  (the name is logging's)
        """The exception's type and stack, without its message."""
        kind, _, tb = ei
        places = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(tb)]
        return "\n".join([f"{kind.__module__}.{kind.__name__}" if kind else "exception", *places])

    def format(self, record: logging.LogRecord) -> str:
        """One line, any exception appended; control characters cannot forge a new line."""
        record.exc_text = None
        text = super().format(record)
        head, *rest = text.split("\n")
        return "\n".join([head, *(line for line in rest if record.exc_info)])
