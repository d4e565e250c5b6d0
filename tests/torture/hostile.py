"""Generated requests that no well-meaning browser sends, and what must hold of every answer to them.

Each is written to a socket byte by byte as it is, so that what no HTTP library would send is sent too.
"""

import random
import re
import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_from_bytes, urlencode

from .people import FORM, LEAST, Browser
from .site import processes

CANARY = "<q7zx onfocus=x>"  # what an answer must never hold unescaped
INJECTED = "X-Injected-Q7zx"  # what no answer may have as a header
FORM_TYPE = "application/x-www-form-urlencoded"
SECONDS = 15
MOST_MEGABYTES = 20  # of growth, all processes together, in the last quarter of a run
SAMPLES = 100  # of memory in a run
FIELDS = (
    *LEAST, "patient_name", "relation", "patient_is_minor", "preferred_contact", "may_leave_voicemail", "interest", "pain_area",
    "message", "imaging", "referral_source", "spoken_language", "needs_interpreter", "access_needs", "red_flags", "submission",
    "origin", "warning", "website", "switch_language", "csrfmiddlewaretoken", "pk", "status", "__proto__", "name[]", "",
)  # fmt: skip
TEXTS = (
    CANARY, f'"\'>{CANARY}</textarea>{CANARY}', f"--></title></style>{CANARY}", f"{{{{ request }}}}{CANARY}{{% debug %}}",
    "${7*7}#{7*7}", "' OR '1'='1' --", "1; DROP TABLE intake_consultationrequest", "\" UNION SELECT sql FROM sqlite_schema --",
    "%s%n%x{0}{0.__class__}", f"x\r\n{INJECTED}: 1\r\n\r\n", f"x\n{INJECTED}: 1", "x@example.org\r\nBcc: all@example.org",
    "=cmd|' /C calc'!A0", "@SUM(1+1)", "\x00", "a\x00b", "\x01\x02\x1b[31m\x7f\x85", "\u202eevil\u202c", "\u2066a\u2069",
    "\u200b\u200d\ufeff", "\ufffe\uffff", "Z\u0351\u036b" * 90, "\U0001f600" * 60, "\ufdfa" * 100, "\u0660" * 40,
    "\uff0b\uff11\uff17\uff10\uff13", "-1", "0", "1e309", "NaN", "true", "null", "[]", '{"a":1}', "../../../../etc/passwd",
    "file:///etc/passwd", "javascript:alert(1)", "a" * 5_000, "a" * 70_000, "\n" * 3_000, " " * 3_000, "x@" + "a" * 300,
    "(" * 500, "+" + "1" * 400, "a@b." * 80, "xn--" + "a" * 80,
)  # fmt: skip
BYTES = (
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\x80" * 200,
    b"+ADw-script+AD4-",
    b"\xfe\xff\x00<",
    b"%",
    b"%zz%0",
)
CHARSETS = (
    "utf-16", "utf-16-le", "utf-32", "utf-7", "cp037", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined",
    "hex", "zlib", "rot13", "base64", "bz2", "latin-1", "ascii", "utf-8-sig", "mbcs", "\x00", "", "x" * 400, "é", '"utf-8',
    "../x",
)  # fmt: skip
TYPES = (
    "", "text/plain", "application/json", "application/xml", "multipart/form-data", "multipart/mixed; boundary=x", "a" * 500,
    "/", ";", FORM_TYPE.upper(), f"{FORM_TYPE}; charset", f"{FORM_TYPE};;;", "multipart/form-data; boundary=" + "b" * 300,
    "multipart/form-data; boundary=é",
)  # fmt: skip
METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "HEAD", "PROPFIND", "get", "P\x00ST", "X" * 60, CANARY)
HOSTS = (
    "evil.example", "127.0.0.1:99999", "127.0.0.1:x", "", "localhost,evil.example", "user:pass@localhost", "[::1", "[::ffff:1]",
    "a" * 300, "local_host", "localhost\x00", "local\thost", CANARY, "é.example", "localhost.", "127.1", "0x7f.1",
)  # fmt: skip
PATHS = (
    "/consultation/received/%s/", "/consultation/%s", "/procedures/%s/", "/conditions/%s/", "/es/%s/", "/search/?q=%s",
    "/consultation/?about=%s", "/media/%s", "/static/%s", "/admin/login/?next=%s", "/admin/%s", "/?%s", "/%s", "//%s", "/./%s",
    "/%%00%s", "/consultation/received/../%s/",
)  # fmt: skip
HEADERS = (
    "Referer", "Origin", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Cookie", "Accept-Language",
    "Accept-Encoding", "If-None-Match", "If-Modified-Since", "Range", "Accept", "User-Agent", "Content-Length",
    "Transfer-Encoding", "Expect", "Connection", "Authorization", "X-CSRFToken", "X-HTTP-Method-Override", "Upgrade",
    "Content-Encoding", "Content-Type",
)  # fmt: skip


@dataclass
class Case:
    """One request as bytes, and what kind of nonsense it is."""

    kind: str
    raw: bytes
    may_be_dropped: bool = False  # so broken that a closed connection is answer enough


@dataclass
class Finding:
    """An answer that must not be."""

    kind: str
    why: str
    raw: bytes

    def __str__(self):
        return f"{self.kind}: {self.why}: {self.raw[:400]!r}"


@dataclass
class Judgement:
    """One answer: its status (0 for none), how long it took, and what is wrong with it, if anything."""

    status: int
    seconds: float
    finding: Finding | None


@dataclass
class Result:
    """What a run found."""

    statuses: dict[int, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)  # megabytes at even distances, the first before the first request

    @property
    def p99(self):
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)] if self.seconds else 0.0

    @property
    def server_errors(self):
        return sum(count for status, count in self.statuses.items() if status >= 500)

    def megabytes_at(self, part):
        """Memory when that part of the run was done, as the middle of the samples around."""
        middle = round((len(self.memory) - 1) * part)
        around = sorted(self.memory[max(0, middle - 2) : middle + 3])
        return around[len(around) // 2]

    @property
    def grown_megabytes(self):
        """By how much memory grew in the last quarter: what is bounded has levelled off by then."""
        return self.megabytes_at(1) - self.megabytes_at(0.75)

    @property
    def is_good(self):
        """Every answer is as it must be, in time, and memory stays bounded."""
        return not self.findings and self.p99 < 0.5 and self.grown_megabytes < MOST_MEGABYTES


class Generator:
    """Makes cases; the same seed makes the same ones. `form` and `cookie` are of a form that was really opened."""

    def __init__(self, seed, form, cookie):
        self.chance, self.form, self.cookie = random.Random(seed), form, cookie
        self.kinds = [
            self.fields,
            self.fields,
            self.keys,
            self.tokens,
            self.types,
            self.multipart,
            self.methods,
            self.hosts,
            self.paths,
            self.headers,
            self.sizes,
            self.noise,
        ]

    def case(self):
        """The next one."""
        return self.chance.choice(self.kinds)()

    def value(self):
        """A nasty value, percent-encoded."""
        if self.chance.random() < 0.2:
            return quote_from_bytes(self.chance.choice(BYTES))
        text = self.chance.choice(TEXTS)
        if self.chance.random() < 0.3:
            text += self.chance.choice(TEXTS)
        return quote_from_bytes(text.encode("utf-8", "surrogatepass"))

    def request(self, method="POST", path=FORM, body=b"", headers=None, host="127.0.0.1"):
        """Bytes of a request with the cookie of the real form."""
        lines = {
            "Host": host,
            "Cookie": self.cookie,
            "Content-Type": FORM_TYPE,
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        lines |= headers or {}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("utf-8", "surrogatepass") + body

    def whole_form(self, **changes):
        """The real form, filled in."""
        return self.form | LEAST | changes

    def fields(self):
        """A whole form with some nasty answers."""
        chosen = self.chance.sample(FIELDS, self.chance.choice((1, 1, 2, 5)))
        pairs = [f"{quote(name)}={quote(value)}" for name, value in self.whole_form().items() if name not in chosen]
        pairs += [f"{quote(name)}={self.value()}" for name in chosen]
        return Case("fields", self.request(body="&".join(pairs).encode()))

    def keys(self):
        """Repeated, unknown, countless keys."""
        pairs = [f"{quote(name)}={quote(value)}" for name, value in self.whole_form().items()]
        shape = self.chance.randrange(4)
        if shape == 0:
            pairs += [f"{self.chance.choice(FIELDS)}={self.value()}" for _ in range(self.chance.choice((2, 30)))]
        elif shape == 1:
            pairs += [f"{self.value()[:200]}={self.value()}" for _ in range(5)]
        elif shape == 2:
            pairs += ["x=1"] * self.chance.choice((1_500, 20_000))
        else:
            pairs = ["&&&===", "=", "%00=%00", *pairs, "&;=&"]
        return Case("keys", self.request(body="&".join(pairs).encode()))

    def tokens(self):
        """Missing, altered, foreign or stale tokens and cookies."""
        form = self.whole_form(message=CANARY)
        for name in self.chance.sample(("submission", "csrfmiddlewaretoken", "warning", "origin"), self.chance.choice((1, 2))):
            real = form.get(name, "")
            form[name] = self.chance.choice(
                ("", real[:-1], real[::-1], real + "x", "x:y:z", f"{'0' * 32}:1:aaa", "\x00", CANARY, "a" * 4_000)
            )
        cookie = self.chance.choice(
            (self.cookie, self.cookie, "", "csrftoken=" + quote(CANARY), "csrftoken=é", "sessionid=" + "x" * 300, "=;=;=", ";" * 50)
        )
        return Case("tokens", self.request(body=urlencode(form, errors="surrogatepass").encode(), headers={"Cookie": cookie}))

    def types(self):
        """Odd charsets and content types."""
        body = urlencode(self.whole_form(message=CANARY)).encode()
        content_type = self.chance.choice([f"{FORM_TYPE}; charset={charset}" for charset in CHARSETS] + list(TYPES))
        if self.chance.random() < 0.3:
            body = urlencode(self.whole_form()).encode("utf-16")
        return Case("types", self.request(body=body, headers={"Content-Type": content_type}), may_be_dropped="\x00" in content_type)

    def multipart(self):
        """Abuses of multipart bodies."""
        parts = []
        for name, value in self.whole_form(message=CANARY).items():
            parts.append(f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n')
        nasty = self.chance.choice(TEXTS)[:3000]
        parts += self.chance.choice(
            (
                [
                    f'--x\r\nContent-Disposition: form-data; name="message"; filename="../../{CANARY}"\r\n'
                    f"Content-Type: text/html\r\n\r\n{CANARY}\r\n"
                ],
                [f'--x\r\nContent-Disposition: form-data; name="{nasty}"\r\n\r\n{nasty}\r\n'],
                ['--x\r\nContent-Disposition: form-data; name="name"\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%=\r\n'],
                ['--x\r\nContent-Disposition: form-data; name="name"\r\nContent-Type: text/plain; charset=utf-16\r\n\r\nab\r\n'],
                ["--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n", "--x\r\n\r\n\r\n", "--x\r\nnonsense\r\n\r\n"],
                [
                    "--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"
                    '--y\r\nContent-Disposition: file; filename="a"\r\n\r\nx\r\n--y--\r\n'
                ],
                ["--x\r\n" + "X-Long: " + "a" * 20_000 + "\r\n\r\nx\r\n"],
                ['--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'] * 1_500,
                ['--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n1\r\n'] * 300,
                ["--x\r\nContent-Disposition: form-data; name*=utf-16''%FF%FE; filename*=hex''zz\r\n\r\nx\r\n"],
            )
        )
        self.chance.shuffle(parts)
        body = ("".join(parts) + self.chance.choice(("--x--\r\n", "--x--", "", "--x", "\r\n\r\n--x-"))).encode(
            "utf-8", "surrogatepass"
        )
        if self.chance.random() < 0.2:
            body = body[: self.chance.randrange(len(body))]
        return Case(
            "multipart",
            self.request(
                body=body,
                headers={
                    "Content-Type": self.chance.choice(
                        (
                            "multipart/form-data; boundary=x",
                            'multipart/form-data; boundary="x',
                            "multipart/form-data; boundary=y",
                            "multipart/form-data",
                        )
                    )
                },
            ),
        )

    def methods(self):
        """Methods that the form doesn't have."""
        method = self.chance.choice(METHODS)
        path = self.chance.choice(
            (FORM, "/", "/procedures/spinal-osteotomy/", "/admin/login/", "/health/", "*", "/consultation/received/x/")
        )
        return Case("methods", self.request(method, path, self.chance.choice((b"", b"a=1"))), may_be_dropped=True)

    def hosts(self):
        """Names that are not ours."""
        body = urlencode(self.whole_form(message=CANARY)).encode()
        method, path = self.chance.choice((("GET", "/"), ("GET", FORM), ("POST", FORM)))
        raw = self.request(method, path, body if method == "POST" else b"", host=self.chance.choice(HOSTS))
        if self.chance.random() < 0.2:
            raw = raw.replace(b"Host:", b"Host: localhost\r\nHost:", 1)
        return Case("hosts", raw, may_be_dropped=True)

    def paths(self):
        """Addresses with nonsense in them."""
        path = self.chance.choice(PATHS) % self.value()[:3_000]
        if self.chance.random() < 0.1:
            path = self.chance.choice(PATHS) % CANARY.replace(" ", "/")
        return Case("paths", self.request("GET", path, headers={"Content-Type": None, "Content-Length": None}), may_be_dropped=True)

    def headers(self):
        """Nonsense in headers."""
        value = self.chance.choice(
            (*TEXTS, "bytes=0-,1-,2-", "gzip;q=9,*;q=-1", "999999999999999999999", "-5", "chunked", "100-continue", 'W/"', ",")
        )
        value = re.sub(r"[\r\n]", " ", value)[: self.chance.choice((100, 7_000, 20_000))]
        body = urlencode(self.whole_form(message=CANARY)).encode()
        method, path = self.chance.choice((("GET", "/"), ("GET", FORM), ("POST", FORM)))
        name = self.chance.choice(HEADERS)
        return Case(
            "headers", self.request(method, path, body if method == "POST" else b"", headers={name: value}), may_be_dropped=True
        )

    def sizes(self):
        """Too much of everything."""
        shape = self.chance.randrange(4)
        if shape == 0:
            return Case(
                "sizes", self.request(body=b"message=" + b"a" * self.chance.choice((300_000, 2_000_000))), may_be_dropped=True
            )
        if shape == 1:
            return Case(
                "sizes", self.request(headers={"Content-Length": str(10 ** self.chance.choice((8, 15, 30)))}), may_be_dropped=True
            )
        if shape == 2:
            return Case(
                "sizes",
                self.request("GET", "/", headers={f"X-{number}": "a" * 50 for number in range(self.chance.choice((90, 2_000)))}),
                may_be_dropped=True,
            )
        return Case("sizes", self.request(body=b"%00" * 80_000))

    def noise(self):
        """What is no HTTP at all, or two requests in one."""
        whole = self.request(body=urlencode(self.whole_form()).encode())
        return Case(
            "noise",
            self.chance.choice(
                (
                    self.chance.randbytes(self.chance.choice((1, 50, 3_000))) + b"\r\n\r\n",
                    b"GET /\r\n\r\n",
                    b"GET / HTTP/9.9\r\n\r\n",
                    b"\r\n" * 200,
                    b"GET / HTTP/1.1\nHost: localhost\n\n",
                    b"POST /consultation/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
                    b"5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n",
                    whole.replace(b"\r\n\r\n", b"\r\n folded: x\r\n\r\n", 1),
                    whole.replace(b"HTTP/1.1", f"HTTP/1.1 {CANARY}".encode(), 1),
                    whole + whole,
                    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                )
            ),
            may_be_dropped=True,
        )


def torture(site, count, seed, threads=2):
    """Send so many cases; returns what was found. The site must be running."""
    result = Result()
    batch = 50

    def one_batch(number):
        browser = Browser(site.port)
        form = browser.open_form()
        browser.close()
        generator = Generator(seed + number, form, browser.cookie)
        return [judge(site.port, generator.case()) for _ in range(min(batch, count - number * batch))]

    batches = (count + batch - 1) // batch
    result.memory.append(megabytes(site))
    with ThreadPoolExecutor(threads) as pool:
        for number, outcomes in enumerate(pool.map(one_batch, range(batches)), 1):
            for judgement in outcomes:
                result.statuses[judgement.status] = result.statuses.get(judgement.status, 0) + 1
                result.seconds.append(judgement.seconds)
                if judgement.finding:
                    result.findings.append(judgement.finding)
            if number * SAMPLES // batches > (number - 1) * SAMPLES // batches:
                result.memory.append(megabytes(site))
    return result


def judge(port, case):
    """Send a case and look at the answer."""
    started = time.monotonic()
    answer, timed_out = exchange(port, case.raw)
    seconds = time.monotonic() - started
    head, _, body = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    status = int(found[1]) if found else 0
    why = ""
    if timed_out:
        why = f"no end within {SECONDS} s"
    elif not found and (answer or not case.may_be_dropped):
        why = f"no answer, or none in HTTP: {answer[:100]!r}"
    elif status >= 500:
        why = f"answered {status}"
    elif re.search(rb"^" + INJECTED.encode(), head, re.I | re.M):
        why = "a header was injected"
    elif CANARY.encode() in head or (CANARY.encode() in body and b"text/html" in head.lower()):
        why = "echoed unescaped"
    elif b"Traceback" in body or b"DEBUG = True" in body:
        why = "shows its insides"
    return Judgement(status, seconds, Finding(case.kind, why, case.raw) if why else None)


def exchange(port, raw):
    """Send bytes, read until the other side closes: what came, and whether time ran out."""
    received = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
            try:
                connection.sendall(raw)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused before all was sent: the answer is there already
            while piece := connection.recv(65536):
                received += piece
    except TimeoutError:
        return received, True
    except OSError:
        return received, False
    return received, False


def megabytes(site):
    """The resident memory of all web processes."""
    pages = sum(int(Path(f"/proc/{process}/statm").read_text().split()[1]) for process in [site.web.pid, *processes(site)])
    return pages * resource.getpagesize() / 1e6
