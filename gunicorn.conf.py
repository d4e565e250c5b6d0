"""How the web server runs: `gunicorn clinic_site.wsgi -c gunicorn.conf.py`. Settings come from the same environment."""

import ctypes
import ipaddress
import os
import sys

import gunicorn.http.wsgi

from clinic_site import settings

# Of glibc's heaps, which by default are as many as threads, and each of which keeps what its largest request took.
M_ARENA_MAX, HEAPS = -8, 2
if hasattr(ctypes.CDLL(None), "mallopt"):
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)

bind = settings.env.str("BIND", default="127.0.0.1:8000")
workers = settings.read_int("WEB_WORKERS", default=2, least=1)
threads = settings.read_int("WEB_THREADS", default=16, least=1)
worker_class = "clinic_site.whole_requests.WholeRequestWorker"
worker_connections = 400
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
# The application is loaded once, before any worker: a refusal to start ends the whole server.
preload_app = True

timeout = 60
graceful_timeout = 28
keepalive = 5
http_parser = "python"
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190

# TRUSTED_PROXIES alone decides which forwarded headers count, in Django.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# The site logs paths itself; gunicorn's access log would hold query strings.
accesslog = None
# Should somebody turn it on: method, path and status.
access_log_format = '%(h)s "%(m)s %(U)s %(H)s" %(s)s'
errorlog = "-"
loglevel = "warning"
logger_class = "clinic_site.whole_requests.QuietLogger"
control_socket_disable = True
proc_name = "clinic-web"
gunicorn.http.wsgi.SERVER = "web"


def on_starting(server: "gunicorn.arbiter.Arbiter") -> None:
    """Refuse to open a local site, with its generated keys and its sample content, to the network."""
    if not settings.PRODUCTION and not all(is_loopback(address) for address in server.cfg.address):
        sys.exit("clinic_site will not start: BIND is open to the network while SITE_MODE is local. Bind 127.0.0.1.")


def is_loopback(address: tuple[str, int] | str | int) -> bool:
    """Whether only this machine can reach the address; a Unix socket or an inherited one counts as such."""
    if not isinstance(address, tuple):
        return True
    host = address[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
