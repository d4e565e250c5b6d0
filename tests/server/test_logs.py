"""What the server writes down: paths, never a query string, a Referer, a cookie or anything sent."""

import socket
import time

import pytest

from tests.live import Visitor

MARK = "zq7marker"


@pytest.fixture
def server(start_server):
    server = start_server(LOG_LEVEL="DEBUG")
    yield server
    server.stop()
    assert MARK not in server.log
    assert "Traceback" not in server.log


def test_query_string_and_referer_are_not_logged(server):
    for path in ("/", "/no-such-page/", "/procedures", "/search/", "/consultation/", "/static/none.css", "/admin/", "/health/"):
        server.ask(
            "GET", f"{path}?q={MARK}", headers={"Referer": f"http://127.0.0.1/?{MARK}", "User-Agent": MARK, "Cookie": f"a={MARK}"}
        )
    assert "GET /no-such-page/ 404" in server.log or "/<slug:slug>/ 404" in server.log
    assert "?" not in "".join(line for line in server.log.splitlines() if "clinic_site.access" in line)


def test_nothing_of_a_request_that_is_none_is_logged(server):
    for request in (
        f"GET /?{MARK} HTTP/1.1 {MARK}\r\n\r\n",
        f"GET /?{MARK} HTTP/1.1\r\n{MARK}\r\n\r\n",
        f"{MARK} /?{MARK} HTTP/1.1\r\n\r\n",
        f"GET /?{MARK} {MARK}/1.1\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {MARK} {MARK}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {MARK}.example\r\n\r\n",
        f"POST / HTTP/1.1\r\nContent-Length: {MARK}\r\n\r\n",
        f"POST / HTTP/1.1\r\nTransfer-Encoding: {MARK}\r\n\r\n",
        f"POST /consultation/?{MARK} HTTP/1.1\r\nContent-Length: 400\r\n\r\nname={MARK}",
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sender:
            sender.sendall(request.encode())
            sender.shutdown(socket.SHUT_WR)
            while sender.recv(65536):
                pass
    time.sleep(0.2)


def test_answers_and_receipt_address_are_not_logged(server):
    visitor = Visitor(server)
    status, address, _ = visitor.send(visitor.fill_in(name=f"Sam {MARK}", message=MARK, email=f"{MARK}@example.org", interest=MARK))
    assert status in {200, 422}
    visitor = Visitor(server)
    status, address, _ = visitor.send(visitor.fill_in(name=f"Sam {MARK}", message=MARK, email=f"{MARK}@example.org"))
    assert "/received/" in address
    assert address.rstrip("/").rpartition("/")[2] not in server.log
    assert "GET /consultation/received/<str:token>/ 200" in server.log
