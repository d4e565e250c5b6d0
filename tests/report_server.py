"""A service on the loopback that takes error reports, in a thread."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli


class _Request(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = {"gzip": gzip.decompress, "br": brotli.decompress}[self.headers["Content-Encoding"]](body)
        self.server.raw.append(self.requestline.encode() + str(self.headers).encode() + body)
        # An envelope is lines of JSON: its head, then for each item a head and the item.
        self.server.reports += [json.loads(line) for line in body.splitlines()[2::2] if line.startswith(b"{")]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        """Says nothing."""


class ReportServer(ThreadingHTTPServer):
    """`with ReportServer() as server`: `server.dsn` is where to send; `reports` holds what came, `raw` its every byte."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Request)
        self.reports, self.raw = [], []
        self.dsn = f"http://key@127.0.0.1:{self.server_address[1]}/1"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.shutdown()
        self.server_close()
