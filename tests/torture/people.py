"""People who send the form and don't give up: each presses the button again, on the same page, until told "received"."""

import http.client
import re
import threading
import time
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode

FORM = "/consultation/"
RECEIPT = re.compile(r"^/consultation/received/([2-9A-Z]{8})\.[^/]+/$")
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
LEAST = {
    "name": "Sam Sample",
    "phone": "(703) 555-0163",
    "email": "sam@example.org",
    "consent": "on",
    "on_behalf_of": "me",
    "best_time": "any",
}
PATIENCE_SECONDS = 90
PAUSE_SECONDS = 0.05
BROKEN = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float

    @property
    def reference(self):
        """The reference of the receipt it sends the person to; empty if it is none."""
        found = RECEIPT.match(self.headers.get("Location", "")) if self.status == 303 else None
        return found[1] if found else ""


class Browser:
    """Keeps one connection and one cookie."""

    def __init__(self, port, timeout=20):
        self.port, self.timeout = port, timeout
        self.connection, self.cookie = None, ""

    def ask(self, method, path, body=None, headers=None):
        """One request; raises OSError or HTTPException where no whole answer comes."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        started = time.monotonic()
        try:
            self.connection.request(
                method, path, body, {"Cookie": self.cookie, **(headers or {})} if self.cookie else headers or {}
            )
            response = self.connection.getresponse()
            answer = Answer(response.status, response.headers, response.read(), time.monotonic() - started)
        except BROKEN:
            self.close()
            raise
        for cookie in response.headers.get_all("Set-Cookie") or []:
            self.cookie = cookie.split(";")[0]
        return answer

    def open_form(self, path=FORM):
        """The hidden values of a fresh form."""
        answer = self.ask("GET", path)
        if answer.status != 200:
            raise http.client.HTTPException(f"the form answered {answer.status}")
        return {name: unescape(value) for name, value in HIDDEN.findall(answer.body.decode())}

    def post(self, data, path=FORM, headers=None):
        """Send a form as a browser does."""
        body = data if isinstance(data, bytes) else urlencode(data, doseq=True).encode()
        return self.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})})

    def close(self):
        """Drop the connection."""
        if self.connection:
            self.connection.close()
        self.connection = None


@dataclass
class Story:
    """What the people of a stream saw."""

    acknowledged: dict[str, tuple[str, float]] = field(default_factory=dict)  # marker: reference, moment
    given_up: list[str] = field(default_factory=list)
    refused: list[tuple[str, int]] = field(default_factory=list)  # an answer that no retry can help
    unanswered: int = 0
    told_not_sent: int = 0
    server_errors: int = 0
    slowest: float = 0.0


class Stream:
    """`with Stream(port) as stream`: people send requests, each with a marker of its own, until the block ends.

    On leaving, everyone still gets the answer to what they have sent.
    """

    def __init__(self, port, people=4, pause=0.0):
        self.port, self.pause = port, pause
        self.story, self.over, self.lock = Story(), threading.Event(), threading.Lock()
        self.run = f"{time.time_ns():x}"
        self.threads = [threading.Thread(target=self._live, args=(number,), daemon=True) for number in range(people)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        for thread in self.threads:
            thread.join(PATIENCE_SECONDS + 30)

    def wait_for(self, count, seconds=60):
        """Until so many more were acknowledged."""
        target, deadline = len(self.story.acknowledged) + count, time.monotonic() + seconds
        while len(self.story.acknowledged) < target:
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {len(self.story.acknowledged)} acknowledged, {target} expected")
            time.sleep(0.01)

    def _live(self, person):
        number = 0
        while not self.over.is_set():
            self._send(f"marker-{self.run}-{person}-{number}")
            number += 1
            if self.pause:
                time.sleep(self.pause)

    def _send(self, marker):
        browser, data = Browser(self.port), None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                data = data or {**browser.open_form(), **LEAST, "message": marker}
                answer = browser.post(data)
            except BROKEN:
                with self.lock:
                    self.story.unanswered += data is not None
                time.sleep(PAUSE_SECONDS)
                continue
            with self.lock:
                self.story.slowest = max(self.story.slowest, answer.seconds)
                if answer.reference:
                    self.story.acknowledged[marker] = (answer.reference, time.time())
                    break
                if answer.status == 503:
                    self.story.told_not_sent += 1
                elif answer.status >= 500:
                    self.story.server_errors += 1
                else:
                    self.story.refused.append((marker, answer.status))
                    break
            time.sleep(PAUSE_SECONDS)
        else:
            with self.lock:
                self.story.given_up.append(marker)
        browser.close()
