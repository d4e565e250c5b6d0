"""The shipped nginx configuration, run by a real nginx in front of the real server."""

import datetime
import http.client
import os
import re
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.live import PRODUCTION, ROOT, free_port
from tests.prerequisites import nginx

pytestmark = pytest.mark.once

HOST = "www.example.org"
MARK = "zq7marker"


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


class Proxy:
    """nginx with deploy/nginx.conf; only ports and paths are the test's own."""

    def __init__(self, folder: Path, upstream: str) -> None:
        self.folder = folder
        self.http, self.https = free_port(), free_port()
        write_certificate(folder)
        site = (ROOT / "deploy/nginx.conf").read_text()
        site = re.sub(r"^\s*listen \[::\].*\n", "", site, flags=re.M)
        for shipped, ours in (
            ("listen 80;", f"listen 127.0.0.1:{self.http};"),
            ("listen 443 ssl http2;", f"listen 127.0.0.1:{self.https} ssl http2;"),
            ("unix:/run/clinic/web.sock", upstream),
            ("/etc/ssl/clinic", str(folder)),
            ("/var/log/nginx", str(folder)),
        ):
            assert shipped in site
            site = site.replace(shipped, ours)
        temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"{user} daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{ worker_connections 256; }}\n"
            f"http {{ {temporary}\n{site}\n }}"
        )
        self.process = subprocess.Popen(
            [nginx(), "-c", folder / "nginx.conf", "-e", folder / "error.log"], stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.https), timeout=1).close()
                return
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None, (folder / "error.log").read_text()
                time.sleep(0.05)

    def connect(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=self.folder / "fullchain.pem")
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.https), timeout=20), server_hostname=HOST)

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(HOST)
        connection.sock = self.connect()
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    @property
    def logs(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


@pytest.fixture
def server(start_server):
    return start_server(**PRODUCTION | {"ALLOWED_HOSTS": HOST, "SITE_URL": f"https://{HOST}"})


@pytest.fixture
def proxy(server, tmp_path):
    proxy = Proxy(tmp_path, f"127.0.0.1:{server.port}")
    yield proxy
    proxy.process.terminate()
    proxy.process.wait(10)


def test_site_is_served_over_https_and_plain_http_is_sent_there(proxy):
    status, headers, body = proxy.ask("GET", "/procedures/spinal-osteotomy/")
    assert status == 200
    assert b"Spinal Osteotomy" in body
    assert headers["Strict-Transport-Security"].startswith("max-age=63072000")
    assert headers.get_all("Content-Security-Policy") and len(headers.get_all("Content-Security-Policy")) == 1
    plain = http.client.HTTPConnection("127.0.0.1", proxy.http, timeout=10)
    plain.request("GET", "/procedures/", headers={"Host": HOST})
    answer = plain.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}/procedures/")


def test_page_answers_within_two_seconds_beside_slow_senders(proxy):
    senders = [proxy.connect() for _ in range(24)]
    for sender in senders:
        sender.sendall(f"POST /consultation/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5000\r\n\r\nname=".encode())
    try:
        for _ in range(10):
            for sender in senders:
                sender.sendall(b"x")
            started = time.monotonic()
            assert proxy.ask("GET", "/procedures/spinal-osteotomy/")[0] == 200
            assert time.monotonic() - started < 2
            time.sleep(0.2)
    finally:
        for sender in senders:
            sender.close()


def test_true_client_address_is_logged_and_a_claimed_one_is_not_believed(proxy, server):
    proxy.ask("GET", "/robots.txt", headers={"X-Forwarded-For": "203.0.113.9"})
    assert re.search(r"GET /robots.txt 200 \d+ms 127\.0\.0\.1\n", server.log)
    assert "203.0.113.9" not in server.log


def test_proxy_writes_nothing_of_a_request_to_its_logs_or_temporary_files(proxy):
    form = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"https://{HOST}/?{MARK}"}
    assert proxy.ask("POST", f"/consultation/?{MARK}", b"name=" + MARK.encode() * 20_000, form)[0] == 403
    proxy.ask("GET", f"/no-such-page/?{MARK}", headers={"Referer": MARK})
    time.sleep(0.2)
    assert " POST 403 " in proxy.logs
    assert MARK not in proxy.logs
    written = [path for kind in ("client_body", "proxy") for path in (proxy.folder / kind).rglob("*") if path.is_file()]
    assert written == []


def test_oversized_form_is_refused_by_the_proxy(proxy):
    assert proxy.ask("POST", "/consultation/", b"x" * 300_000)[0] == 413


def test_restarting_site_is_said_honestly_and_claims_nothing_about_a_form(proxy, server):
    server.stop()
    status, headers, body = proxy.ask("POST", "/consultation/", b"name=x")
    assert status == 503
    assert headers["Retry-After"] == "10"
    assert headers["Cache-Control"] == "no-store"
    assert b"reload this page" in body and "vuelva a cargar esta página".encode() in body
    assert b"not sent" not in body
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
