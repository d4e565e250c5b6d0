"""Reports of errors to a Sentry-compatible service, if one is named: the kind and place of an error, and nothing else.

What may leave is listed here, so nothing that a later version of the library
collects can leave with it.
"""

import logging
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration

OURS = ("clinic_site", "conditions", "intake")
KEPT = ("event_id", "timestamp", "level", "platform")
KEPT_OF_FRAME = ("filename", "function", "module", "lineno", "in_app")


def start(dsn: str) -> None:
    """Report whatever is logged as an error, from this process and those it forks."""
    sentry_sdk.init(
        dsn=dsn,
        before_send=scrubbed,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None)],
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        send_default_pii=False,
        auto_session_tracking=False,
        send_client_reports=False,
        server_name="web",
    )


def scrubbed(event: Any, hint: Any) -> Any:
    """A new event with the kinds of the exceptions and their places in the code, but no message, value or request."""
    kept = {name: event[name] for name in KEPT if name in event}
    kept["logger"] = str(event.get("logger") or "")
    # The pattern of our own log lines; what is filled in, and what others write, may quote an answer.
    if kept["logger"].partition(".")[0] in OURS and (pattern := (event.get("logentry") or {}).get("message")):
        kept["logentry"] = {"message": pattern}
    if chain := (event.get("exception") or {}).get("values"):
        kept["exception"] = {"values": [_without_content(error) for error in chain]}
    return kept


def _without_content(error: dict[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames") or []
    return {
        "type": error.get("type"),
        "module": error.get("module"),
        "value": "",
        "stacktrace": {"frames": [{name: frame[name] for name in KEPT_OF_FRAME if name in frame} for frame in frames]},
    }
