"""The server's worker: a request gets a thread only when all of it has arrived.

gunicorn's own threaded worker gives a connection a thread at its first byte, so
whoever drips a head or a body byte by byte keeps that thread for as long as
they like. Here the event loop collects, and the threads only ever answer. A
body that breaks off is never handed on, so no half request is ever stored.
"""

import logging
import socket
import struct
import sys
import time
from collections import Counter
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ

from django.conf import settings
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import TConn, ThreadWorker

from .logs import SafeFormatter

PIECE_BYTES = 64 * 1024
HEAD_BYTES = 32 * 1024
# A form with every field full is smaller; what is larger is an upload by staff.
FORM_BYTES = 256 * 1024
UPLOAD_BYTES = 16 * 1024 * 1024
ARRIVAL_SECONDS = 20.0
SLOWEST_BYTES_PER_SECOND = 8 * 1024
# How many may be unfinished at once in one worker before the slowest are let go.
UNFINISHED_REQUESTS = 200
UNFINISHED_UPLOADS = 4
# How many whole ones may stand in line or be answered at once, each in memory until then.
ANSWERED_UPLOADS = 4
SWEEP_SECONDS = 0.25
GOODBYE_SECONDS = 2.0
# A reader that takes nothing of its answer for this long is let go.
STALLED_READER_SECONDS = 20

REFUSED_AS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.ExpectationFailed, HTTPStatus.EXPECTATION_FAILED),
    (errors.InvalidResponseHeader, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.InvalidResponseHeaderName, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)
NOTHING_WAS_SENT = "Your request did not arrive in full, so nothing was sent. Please try again."


class QuietLogger(Logger):
    """gunicorn's log without exception messages, which may quote a request."""

    def setup(self, cfg: Config) -> None:
        """Give every handler the formatter that the site's own log has."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(SafeFormatter("{asctime} {levelname} {name} {message}", style="{"))


class Arrival:
    """What has come of one request so far."""

    def __init__(self, cfg: Config, client: tuple[str, int] | str) -> None:
        self.cfg = cfg
        self.client = client
        self.started = time.monotonic()
        self.deadline = self.started + ARRIVAL_SECONDS
        self.data = bytearray()
        self.total: int | None = None  # known once the head is there
        self.refusal: HTTPStatus | None = None
        self.is_upload = False
        self.waits_for_continue = False
        self.is_watched = False  # by the event loop; most requests are whole before they need to be

    @property
    def is_settled(self) -> bool:
        """Whether all has arrived, or enough to refuse it."""
        return self.refusal is not None or (self.total is not None and len(self.data) >= self.total)

    @property
    def peer(self) -> str:
        """The address at the other end; empty on a Unix socket."""
        return self.client[0] if isinstance(self.client, tuple) else ""

    def add(self, piece: bytes) -> None:
        """Take what came, and learn from a finished head how much is to come."""
        self.data += piece
        if self.total is None:
            end = self.data.find(b"\r\n\r\n", 0, HEAD_BYTES)
            if end >= 0:
                self._read_head(bytes(self.data[: end + 4]))
            elif len(self.data) >= HEAD_BYTES:
                self.refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE

    def _read_head(self, head: bytes) -> None:
        self.total = len(head)
        lowered = head.lower()
        if b"content-length" not in lowered and b"transfer-encoding" not in lowered:
            return
        try:
            request: Request = next(RequestParser(self.cfg, [head], self.client))
        except Exception:
            return  # the same parser says in the thread what is wrong with it
        if isinstance(request.body.reader, ChunkedReader):
            # No browser sends one and Django reads none.
            self.refusal = HTTPStatus.LENGTH_REQUIRED
            return
        length = request.body.reader.length
        if length > UPLOAD_BYTES:  # however long: the sums below don't take a number of any length
            self.refusal = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            return
        self.total += length
        self.is_upload = length > FORM_BYTES
        self.deadline += length / SLOWEST_BYTES_PER_SECOND
        self.waits_for_continue = request._expected_100_continue and not self.is_settled


class WholeRequestWorker(ThreadWorker):
    """Collects each request in the event loop, within a deadline, and only then submits it to the threads.

    What gunicorn itself refuses is answered with the site's isolation headers
    and quoted nowhere. The event loop never waits for a peer to hang up.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.unfinished: dict[TConn, Arrival] = {}
        self.answered_uploads: set[TConn] = set()
        self.leaving: dict[TConn, float] = {}
        self.next_sweep = 0.0

    @classmethod
    def check_config(cls, cfg: Config, log: Logger) -> None:
        """Refuse to speak TLS: a socket that is read ahead of its thread can't."""
        super().check_config(cfg, log)
        if cfg.is_ssl:
            sys.exit("clinic_site will not start: certfile is set, but HTTPS is the proxy's work. See deploy/nginx.conf.")

    def enqueue_req(self, conn: TConn) -> None:
        """Start to collect a connection's next request; gunicorn calls this when one may be there."""
        arrival = self.unfinished[conn] = Arrival(self.cfg, conn.client)
        conn.sock.setblocking(False)
        if conn.parser is None:
            for option, seconds in ((socket.SO_SNDTIMEO, STALLED_READER_SECONDS), (socket.SO_RCVTIMEO, int(GOODBYE_SECONDS))):
                conn.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", seconds, 0))
        elif read_ahead := conn.parser.unreader.take_buffered():
            arrival.add(read_ahead)
        self._receive(conn, conn.sock)

    def _receive(self, conn: TConn, sock: socket.socket) -> None:
        arrival = self.unfinished.get(conn)
        if arrival is None:
            return  # let go of by an earlier event of the same round
        try:
            while not arrival.is_settled:
                piece = sock.recv(PIECE_BYTES)
                if not piece:
                    self._forget(conn)
                    self._close(conn)
                    return
                was_upload = arrival.is_upload
                arrival.add(piece)
                if arrival.is_upload and not was_upload and len(self.answered_uploads) >= ANSWERED_UPLOADS:
                    arrival.refusal = HTTPStatus.TOO_MANY_REQUESTS
                elif arrival.waits_for_continue:
                    arrival.waits_for_continue = False
                    sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        except (BlockingIOError, InterruptedError):
            if not arrival.is_watched:
                arrival.is_watched = True
                self.poller.register(sock, EVENT_READ, partial(self._receive, conn))
            if arrival.is_upload:
                self._thin_out([conn for conn, arrival in self.unfinished.items() if arrival.is_upload], UNFINISHED_UPLOADS)
            return
        except OSError:
            self._forget(conn)
            self._close(conn)
            return
        if arrival.refusal:
            self._refuse(conn, arrival.refusal)
            return
        self._forget(conn)
        conn.init()
        conn.parser.unreader.unread(bytes(arrival.data))
        conn.data_ready = True
        if arrival.is_upload:
            self.answered_uploads.add(conn)
        super().enqueue_req(conn)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Drop what the application left of the body: all of it is here. gunicorn would read some and hang up without a word."""
        body = conn.parser.mesg.body
        if keepalive and isinstance(body.reader, LengthReader):
            body.reader.read(body.reader.length)
        return bool(super()._keepalive_after(conn, keepalive))

    def finish_request(self, conn: TConn, fs: "Future[object]") -> None:
        """After an answer: wait for the connection's next request, or part without waiting."""
        self.answered_uploads.discard(conn)
        try:
            is_reusable = not fs.cancelled() and bool(fs.result())
        except Exception:
            is_reusable = False
        if is_reusable:
            super().finish_request(conn, fs)
        else:
            self._say_goodbye(conn)

    def murder_pending(self) -> None:
        """Let go of requests that did not arrive in time, and of the slowest where too many are unfinished."""
        now = time.monotonic()
        if now < self.next_sweep:
            return
        self.next_sweep = now + SWEEP_SECONDS
        for conn, arrival in list(self.unfinished.items()):
            is_idle_at_the_end = not self.alive and not arrival.data and now > arrival.started + GOODBYE_SECONDS
            if now > arrival.deadline or is_idle_at_the_end:
                self._refuse(conn, HTTPStatus.REQUEST_TIMEOUT)
        self._thin_out(list(self.unfinished), UNFINISHED_REQUESTS)
        for conn in [conn for conn, deadline in self.leaving.items() if now > deadline]:
            self._hang_up(conn)

    def handle_error(self, req: Request | None, client: socket.socket, addr: object, exc: Exception) -> None:
        """Answer what is no HTTP request, or what an answer broke on; called in a thread."""
        status = next((status for kind, status in REFUSED_AS if isinstance(exc, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
        is_our_fault = status == HTTPStatus.INTERNAL_SERVER_ERROR
        level = logging.ERROR if is_our_fault else logging.INFO
        self.log.log(level, "refused with %d: %s", status, type(exc).__name__, exc_info=exc if is_our_fault else None)
        try:
            client.sendall(refusal(status))
        except OSError:
            self.log.debug("the peer is gone")

    def _thin_out(self, conns: list[TConn], limit: int) -> None:
        """Let go of the longest unfinished requests of whichever address has most of them, down to `limit`."""
        while len(conns) > limit:
            busiest, _ = Counter(self.unfinished[conn].peer for conn in conns).most_common(1)[0]
            slowest = min(
                (conn for conn in conns if self.unfinished[conn].peer == busiest), key=lambda conn: self.unfinished[conn].started
            )
            conns.remove(slowest)
            self._refuse(slowest, HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, conn: TConn, status: HTTPStatus) -> None:
        arrival = self._forget(conn)
        if not arrival.data:
            self._close(conn)  # a connection opened ahead of need expects no answer
            return
        try:
            conn.sock.send(refusal(status))
        except OSError:
            self._close(conn)
            return
        self._say_goodbye(conn)

    def _say_goodbye(self, conn: TConn) -> None:
        """Close our half, then hear the peer out for a moment: closing on unread bytes would destroy the answer."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        self.leaving[conn] = time.monotonic() + GOODBYE_SECONDS
        self.poller.register(conn.sock, EVENT_READ, partial(self._hear_out, conn))

    def _hear_out(self, conn: TConn, sock: socket.socket) -> None:
        if conn not in self.leaving:
            return
        try:
            is_over = not sock.recv(PIECE_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            is_over = True
        if is_over:
            self._hang_up(conn)

    def _hang_up(self, conn: TConn) -> None:
        del self.leaving[conn]
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _forget(self, conn: TConn) -> Arrival:
        arrival = self.unfinished.pop(conn)
        if arrival.is_watched:
            self.poller.unregister(conn.sock)
        return arrival

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()


def refusal(status: HTTPStatus) -> bytes:
    """A whole answer in plain text, for what never reaches Django; with the headers that Django's answers have."""
    text = NOTHING_WAS_SENT if status == HTTPStatus.REQUEST_TIMEOUT else f"{status.phrase}."
    headers = {
        "Connection": "close",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(text.encode())),
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if settings.SECURE_HSTS_SECONDS:
        headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join([*lines, "", text])).encode()
