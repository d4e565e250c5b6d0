"""A mail server on the loopback, in a thread, that can misbehave: accept, defer, refuse or hang."""

import email
import email.policy
import socketserver
import threading


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        server = self.server
        server.connections += 1
        if server.mode == "hang":
            server.closing.wait(30)
            return
        self.say("220 loopback ready")
        while line := self.rfile.readline().decode("ascii", "replace").strip():
            verb = line.split(" ")[0].upper()
            server.verbs.append(verb)
            if verb == "QUIT":
                self.say("221 bye")
                return
            if verb == "DATA":
                self.data()
            elif verb == "RCPT" and server.mode == "defer":
                self.say("451 4.7.1 <somebody@example.org> try again later")
            elif verb == "RCPT" and server.mode == "refuse":
                self.say("550 5.1.1 <somebody@example.org> no such user")
            else:
                self.say("250 fine")

    def data(self):
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        raw = b"".join(lines)
        self.server.raw.append(raw)
        self.server.messages.append(email.message_from_bytes(raw, policy=email.policy.default))
        if self.server.mode == "hang after data":
            self.server.closing.wait(30)
            return
        self.say("250 taken")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


class MailServer(socketserver.ThreadingTCPServer):
    """`with MailServer() as server`: listens on `server.port`; `messages` holds what it took."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, mode="accept"):
        super().__init__(("127.0.0.1", 0), _Session)
        self.mode, self.connections = mode, 0
        self.messages, self.raw, self.verbs = [], [], []
        self.closing = threading.Event()
        self.port = self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.closing.set()
        self.shutdown()
        self.server_close()
