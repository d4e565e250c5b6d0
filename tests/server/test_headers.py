"""Every kind of answer carries the headers that isolate the site, and content pages set no cookie."""

import re
import socket

import pytest

from tests.live import PRODUCTION

CONTENT = ["/", "/procedures/", "/procedures/spinal-osteotomy/", "/conditions/", "/symptoms/", "/search/?q=back", "/about/"]
OTHER = [
    "/consultation/",
    "/admin/login/",
    "/no-such-page/",
    "/robots.txt",
    "/sitemap.xml",
    "/health/",
    "/site.webmanifest",
    "/favicon.ico",
]
ISOLATION = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def directives(headers):
    (policy,) = headers.get_all("Content-Security-Policy")
    return {name: values.split() for name, _, values in (part.strip().partition(" ") for part in policy.split(";"))}


def assert_isolated(headers):
    for name, value in ISOLATION.items():
        assert headers.get_all(name) == [value]
    policy = directives(headers)
    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    for values in policy.values():
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:"} & set(values)


@pytest.mark.parametrize("path", [*CONTENT, *OTHER])
def test_answer_is_isolated(site_server, path):
    _, headers, _ = site_server.ask("GET", path)
    assert_isolated(headers)
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert "gunicorn" not in headers["Server"]


@pytest.mark.parametrize("path", CONTENT)
def test_content_page_sets_no_cookie(site_server, path):
    status, headers, _ = site_server.ask("GET", path)
    assert status == 200
    assert headers["Set-Cookie"] is None


def test_static_files_are_isolated_hashed_and_cached_for_good(site_server):
    page = site_server.ask("GET", "/")[2].decode()
    (stylesheet, *_) = re.findall(r'href="(/static/css/site\.[0-9a-f]{12}\.css)"', page)
    status, headers, _ = site_server.ask("GET", stylesheet, headers={"Accept-Encoding": "br"})
    assert status == 200
    assert headers["Content-Encoding"] == "br"
    assert headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert headers["Set-Cookie"] is None
    assert_isolated(headers)


def test_redirect_and_refused_post_are_isolated(site_server):
    status, headers, _ = site_server.ask("GET", "/procedures")
    assert status == 301
    assert_isolated(headers)
    status, headers, _ = site_server.ask("POST", "/consultation/", b"name=x", {"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 403
    assert_isolated(headers)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /%s HTTP/1.1\r\n\r\n" % (b"a" * 5000), 414),
        (b"GET / HTTP/1.1\r\nCookie: %s\r\n\r\n" % (b"a" * 9000), 431),
        (b"GET / HTTP/1.1\r\n%s\r\n" % (b"X-Header: 1\r\n" * 100), 431),
        (b"GET / HTTP/1.1\r\nX-Long: %s" % (b"a" * 40_000), 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: strange\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nExpect: the-best\r\nContent-Length: 1\r\n\r\na", 417),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET /\0 HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_refused_and_isolated_and_not_echoed(site_server, request_bytes, status):
    with socket.create_connection(("127.0.0.1", site_server.port), timeout=10) as sender:
        sender.sendall(request_bytes)
        answer = b""
        while piece := sender.recv(65536):
            answer += piece
    head, _, body = answer.decode().partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ")
    for name, value in ISOLATION.items():
        assert f"{name}: {value}" in head
    assert "Content-Security-Policy: default-src 'none'" in head
    assert len(body) < 100
    assert "<" not in body
    assert site_server.is_answering()


def test_refusals_below_django_are_strict_about_https_in_production(start_server):
    server = start_server(**PRODUCTION)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sender:
        sender.sendall(b"nonsense\r\n\r\n")
        assert b"\r\nStrict-Transport-Security: max-age=63072000; includeSubDomains; preload\r\n" in sender.recv(65536)


def test_health_is_fresh_and_holds_only_numbers(site_server):
    status, headers, body = site_server.ask("GET", "/health/")
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert re.fullmatch(
        r'\{"status": "\w+", "database": "ok", '
        r'"spool": \{"waiting": \d+, "oldest_seconds": \d+, "set_aside": \d+, "reserve_kb": \d+, "is_usable": true\}, '
        r'"outbox": \{"waiting": \d+, "failed": \d+, "late_seconds": \d+\}, '
        r'"integrity": (null|\{"checked_at": "[\dT:.+-]+", "disagreements": \d+\})\}',
        body.decode(),
    )
