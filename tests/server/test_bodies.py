"""Odd, oversized and slow requests: answered or cut off, while everyone else is served."""

import selectors
import socket
import time
from concurrent.futures import Future

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from clinic_site import whole_requests
from tests.live import Visitor

pytestmark = pytest.mark.once

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HEAD = b"POST /consultation/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture
def visitor(site_server):
    visitor = Visitor(site_server)
    visitor.fill_in()
    return visitor


def post(visitor, body, content_type="application/x-www-form-urlencoded"):
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.jar)
    return visitor.server.ask("POST", "/consultation/", body, {"Content-Type": content_type, "Cookie": cookies})


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded; charset=utf-16", b"name=x"),
        ("application/x-www-form-urlencoded; charset=no-such-thing", b"name=x"),
        ("application/x-www-form-urlencoded; charset=\xff", b"name=x"),
        ("application/x-www-form-urlencoded", b"name=a%00b"),
        ("application/x-www-form-urlencoded", b"name=\xff\xfe\x00"),
        ("application/x-www-form-urlencoded", b"name=%ED%A0%80"),
        ("application/x-www-form-urlencoded", b"name=x&" * 2000),
        ("application/x-www-form-urlencoded", b"message=" + b"x" * 250_000),
        ("application/x-www-form-urlencoded", b"message=" + b"x" * 300_000),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=name\r\n\r\nbroken off"),
        ("multipart/form-data; boundary=x; charset=utf-32", b"--x--\r\n"),
        ("application/json", b'{"name": "x"}'),
        ("text/plain", b"name=x"),
        ("", b""),
    ],
)
def test_odd_body_is_refused_in_words_never_with_a_server_error(visitor, content_type, body):
    status, headers, text = post(visitor, body, content_type)
    assert status in {400, 403, 413, 422}
    assert headers["Cache-Control"] is None or "no-store" in headers["Cache-Control"] or status == 400
    assert b"Traceback" not in text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_unusual_method_is_never_a_server_error(site_server, method):
    assert 200 <= site_server.ask(method, "/consultation/", b"", {})[0] < 500


def test_form_in_two_pieces_is_received(site_server):
    with socket.create_connection(("127.0.0.1", site_server.port), timeout=10) as sender:
        sender.sendall(HEAD + b"Content-Length: 6\r\n\r\nna")
        time.sleep(0.3)
        sender.sendall(b"me=x")
        assert sender.recv(100).startswith(b"HTTP/1.1 403 ")


def test_head_in_single_bytes_is_received(site_server):
    with socket.create_connection(("127.0.0.1", site_server.port), timeout=10) as sender:
        for byte in b"GET /robots.txt HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n":
            sender.send(bytes([byte]))
        assert sender.recv(100).startswith(b"HTTP/1.1 200 ")


def test_several_requests_on_one_connection_are_answered_in_order(site_server):
    one = b"GET /robots.txt HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    two = HEAD + b"Content-Length: 6\r\n\r\nname=x"
    last = b"GET /no-such-page/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site_server.port), timeout=10) as sender:
        sender.sendall(one + two + last[:30])
        time.sleep(0.3)
        sender.sendall(last[30:])
        answer = b""
        while piece := sender.recv(65536):
            answer += piece
    positions = [answer.index(b"HTTP/1.1 %d " % status) for status in (200, 403, 404)]
    assert positions == sorted(positions)


@pytest.mark.parametrize("length", [70_000, 300_000, 3_000_000, 10_000_000])
def test_next_request_is_answered_after_one_whose_body_was_too_long(site_server, length):
    connection = site_server.connection()
    connection.connect()
    try:
        for _ in range(3):
            connection.request("POST", "/consultation/", b"message=" + b"x" * length, FORM)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == (413 if length > 256 * 1024 else 403)
            was_open = connection.sock is not None
            connection.request("GET", "/robots.txt")
            answer = connection.getresponse()
            assert (answer.status, answer.read()[:10]) == (200, b"User-agent")
            assert was_open
    finally:
        connection.close()


def test_body_too_long_to_be_taken_is_refused_with_word_that_the_connection_ends(site_server):
    connection = site_server.connection()
    for _ in range(3):
        connection.request("POST", "/consultation/", b"x" * (whole_requests.UPLOAD_BYTES + 1_000_000), FORM)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (413, "close")
        answer.read()
        connection.request("GET", "/robots.txt")
        assert connection.getresponse().read()[:10] == b"User-agent"
    connection.close()


@pytest.mark.parametrize("digits", [20, 309, 400, 4000, 6000])
def test_length_that_no_number_holds_is_refused_and_stops_no_worker(site_server, digits):
    with socket.create_connection(("127.0.0.1", site_server.port), timeout=10) as sender:
        sender.sendall(HEAD + b"Content-Length: " + b"9" * digits + b"\r\n\r\n")
        assert sender.recv(12) in {b"HTTP/1.1 413", b"HTTP/1.1 400"}


def test_client_that_asks_first_is_told_to_go_on(site_server):
    with socket.create_connection(("127.0.0.1", site_server.port), timeout=10) as sender:
        sender.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 6\r\n\r\n")
        assert sender.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        sender.sendall(b"name=x")
        answer = b""
        while b"HTTP/1.1 403 " not in answer:
            piece = sender.recv(65536)
            assert piece
            answer += piece


def test_body_that_breaks_off_is_never_handed_on(start_server):
    server = start_server()
    before = server.log.count("POST /consultation/")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sender:
        sender.sendall(HEAD + b"Content-Length: 600\r\n\r\nname=Half")
    time.sleep(0.5)
    assert server.log.count("POST /consultation/") == before


def test_uploads_beyond_what_memory_should_hold_are_refused_before_they_arrive(monkeypatch):
    monkeypatch.setattr(whole_requests.ThreadWorker, "enqueue_req", lambda self, conn: None)  # no thread ever answers
    worker = object.__new__(whole_requests.WholeRequestWorker)
    worker.cfg, worker.poller, worker.nr_conns = Config(), selectors.DefaultSelector(), 0
    worker.unfinished, worker.leaving, worker.answered_uploads = {}, {}, set()
    body = b"x" * (whole_requests.FORM_BYTES + 1)
    peers = []
    for sent in [body] * whole_requests.ANSWERED_UPLOADS + [b"x"]:
        peer, ours = socket.socketpair()
        conn = TConn(worker.cfg, ours, ("192.0.2.1", 1), ("192.0.2.2", 80))
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * len(body))
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * len(body))
        peer.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + sent)
        worker.enqueue_req(conn)
        peers.append((peer, conn))
    assert peers[-1][0].recv(12) == b"HTTP/1.1 429"
    assert not worker.unfinished
    answered = Future()
    answered.set_result(False)
    worker.finish_request(peers[0][1], answered)
    assert len(worker.answered_uploads) == whole_requests.ANSWERED_UPLOADS - 1


class Drippers:
    """Connections that send a byte at a time and never finish."""

    def __init__(self, server, count, start):
        self.sockets = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(count)]
        for sender in self.sockets:
            sender.sendall(start)
            sender.setblocking(False)

    def drip(self):
        for sender in self.sockets:
            try:
                sender.send(b"x")
            except OSError:
                continue

    def answers(self):
        found = []
        for sender in self.sockets:
            try:
                found.append(sender.recv(4096))
            except BlockingIOError:
                found.append(b"")
        return found

    def close(self):
        for sender in self.sockets:
            sender.close()


SLOW = {
    "body": HEAD + b"Content-Length: 5000\r\n\r\nname=",
    "head": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "nothing": b"",
    "upload": b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000000\r\n\r\n",
    "goodbye": b"GET /robots.txt HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "chunks": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n",
}


@pytest.mark.parametrize("count", [24, 120])
@pytest.mark.parametrize("start", SLOW.values(), ids=SLOW)
def test_page_answers_within_two_seconds_beside_slow_senders(site_server, start, count):
    drippers = Drippers(site_server, count, start)
    try:
        for _ in range(5):
            drippers.drip()
            started = time.monotonic()
            assert site_server.ask("GET", "/procedures/spinal-osteotomy/")[0] == 200
            assert time.monotonic() - started < 2
            time.sleep(0.2)
    finally:
        drippers.close()


def test_request_that_does_not_arrive_in_time_is_cut_off_and_told_so(site_server):
    drippers = Drippers(site_server, 2, SLOW["body"])
    deadline = time.monotonic() + whole_requests.ARRIVAL_SECONDS + 5000 / whole_requests.SLOWEST_BYTES_PER_SECOND + 3
    answers = [b"", b""]
    while not all(answers) and time.monotonic() < deadline:
        drippers.drip()
        time.sleep(0.25)
        answers = [known or new for known, new in zip(answers, drippers.answers(), strict=True)]
    drippers.close()
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"nothing was sent" in answer


def test_address_that_floods_loses_its_own_slowest_requests(start_server):
    server = start_server(WEB_WORKERS="1")
    drippers = Drippers(server, whole_requests.UNFINISHED_REQUESTS + 50, SLOW["body"])
    time.sleep(2.5)
    answers = [answer[:12] for answer in drippers.answers()]
    drippers.close()
    assert answers.count(b"HTTP/1.1 408") == 50
    assert set(answers[:50]) == {b"HTTP/1.1 408"}
