"""What a person types is readable nowhere: real processes, working and broken, and every byte they leave behind."""

import base64
import re
import sqlite3
import subprocess
import sys
import time
from urllib.parse import quote, urlencode

import psycopg
import pytest

from intake.form_fields import Line
from intake.forms import ConsultationForm
from tests.admin.addresses import QUEUE
from tests.live import Visitor
from tests.report_server import ReportServer
from tests.smtp_server import MailServer
from tests.torture import rounds
from tests.torture.fixtures import own_postgres, sites  # noqa: F401
from tests.torture.people import FORM, Browser
from tests.torture.site import health, read, run_python

MARKER = "q7zleakmark"
TYPED = {
    "name": f"Pat {MARKER}name",
    "email": f"{MARKER}mail@example.org",
    "phone": "(703) 555-0188",
    "message": f"{MARKER}message\nsecond line <b>{MARKER}",
    "on_behalf_of": "other",
    "patient_name": f"Sam {MARKER}patient",
    "relation": f"{MARKER}relation",
    "spoken_language": f"{MARKER}language",
    "access_needs": f"{MARKER}needs",
    "consent": "on",
    "red_flags": "none",
}
DIGITS = "7035550188"
HEADERS = {"Referer": f"http://elsewhere.example/{MARKER}referer?q={MARKER}", "User-Agent": "Mozilla/5.0"}


def shapes(text):
    """The ways in which bytes may hold a text."""
    yield text.encode()
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield text.encode().hex().encode()
    for shift in range(3):
        # Of Base64, the part that doesn't depend on what stands before and after.
        whole = base64.b64encode(b"x" * shift + text.encode())
        yield whole[4 if shift else 0 : len(whole) // 4 * 4 - 4]


SHAPES = [shape.lower() for text in (MARKER, DIGITS) for shape in shapes(text)]


def found_in(content):
    content = content.lower()
    return [shape for shape in SHAPES if shape in content]


def files_with_marker(folder):
    return [str(path) for path in folder.rglob("*") if path.is_file() and found_in(path.read_bytes())]


def part(name, value, extra=""):
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n{value}\r\n'


class Person:
    """Types the same answers into each form; remembers every address they were sent to."""

    def __init__(self, site):
        self.site, self.addresses = site, []

    def send(self, headers=None, **changes):
        browser = Browser(self.site.port)
        form = {**browser.open_form(f"{FORM}?about={MARKER}"), **TYPED, **changes}
        return self.post(browser, form, headers)

    def post(self, browser, form, headers=None):
        answer = browser.post(form, headers=HEADERS | (headers or {}))
        self.addresses.append(answer.headers.get("Location", ""))
        if answer.headers.get("Location"):
            receipt = browser.ask("GET", answer.headers["Location"], headers=HEADERS)
            assert receipt.status == 200
            assert not found_in(receipt.body)
        return answer

    def bend(self):
        """Requests that are refused, each with every answer in it; returns their statuses."""
        browser = Browser(self.site.port)
        form = {**browser.open_form(), **TYPED}
        body = urlencode(form).encode()
        plain = {"Content-Type": "application/x-www-form-urlencoded"}
        whole = "".join(part(name, value) for name, value in form.items())
        upload = part("file", MARKER * 600_000, f'; filename="{MARKER}.txt"')
        multipart = {"Content-Type": "multipart/form-data; boundary=b", "Cookie": browser.cookie}
        statuses = [
            self.post(Browser(self.site.port), form).status,  # without its cookie
            self.post(browser, form | {"consent": ""}).status,
            self.post(browser, form | {"submission": MARKER}).status,
            self.post(browser, form | {"message": f"{MARKER}\x00"}).status,
            self.post(browser, form | {"message": MARKER * 3_000}).status,
            self.post(browser, form | {"message": MARKER * 60_000}).status,
            self.post(browser, form, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"}).status,
            self.post(browser, form | {MARKER: MARKER, "website": MARKER}).status,
            self.site.ask("PUT", FORM, body, plain)[0],
            self.site.ask("POST", FORM, body, plain | {"Host": f"{MARKER}.example"})[0],
            self.site.ask("POST", f"/no-such-page/?q={MARKER}", body, plain)[0],
            self.site.ask("POST", FORM, f"{whole}{upload}--b--\r\n".encode(), multipart)[0],
            self.site.ask("GET", "/search/?q=" + quote("how a page in the list of unanswered searches is found"), None, HEADERS)[0],
            self.site.ask("POST", "/admin/login/", body, plain)[0],
        ]
        broken_off = self.site.connection(3)
        broken_off.putrequest("POST", FORM)
        broken_off.putheader("Content-Length", str(len(body) + 10))
        broken_off.endheaders(body)
        broken_off.close()
        return statuses


class Away:
    """Takes a site's database away and brings it back."""

    def __init__(self, site, postgres=None):
        self.site, self.postgres = site, postgres

    def __enter__(self):
        if self.postgres:
            self.postgres.stop()
        else:
            self.holder = hold(self.site.database)

    def __exit__(self, *exc):
        if self.postgres:
            self.postgres.start()
        else:
            self.holder.communicate(b"done\n")


def hold(database):
    """Another process that holds the database for itself: a lock of our own would go with any file of it that we close."""
    code = (
        "import sqlite3, sys; held = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "held.execute('BEGIN EXCLUSIVE'); print('held', flush=True); sys.stdin.readline(); held.execute('ROLLBACK')"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    return process


def wait_until(is_so, seconds=20):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Staff:
    """Someone at the front desk, who looks at what came; remembers titles and addresses."""

    def __init__(self, site):
        self.visitor, self.seen = Visitor(site), []
        given = re.search(r"password\s+(\S+)", site.manage("first_account").stdout)[1]
        self.visitor.fill_out("/admin/login/", username="staff", password=given)
        own = {"old_password": given, "new_password1": "a-fine-day-for-a-walk", "new_password2": "a-fine-day-for-a-walk"}
        self.visitor.fill_out("/admin/password_change/", **own)

    def look(self, path, fields=None):
        """Open a page; its text."""
        status, address, text = self.visitor.open(path, fields)
        assert status == 200
        self.seen.append(address)
        self.seen += re.findall(r"<title>.*?</title>", text, re.S)
        return text

    def work(self):
        """Look for the person by name, open what is found, and note a call."""
        queue = self.look(QUEUE)
        assert MARKER in queue  # here staff are to see it
        token = queue.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        found = self.look(f"{QUEUE}search/", {"csrfmiddlewaretoken": token, "term": TYPED["name"]})
        assert any("?found=" in place for place in self.seen)
        lead = re.findall(rf'href="({QUEUE}\d+/change/)', found)[-1]  # later ones are suspected spam
        assert MARKER in self.look(lead)
        note = {"csrfmiddlewaretoken": token, "outcome": "voicemail", "channel": "phone", "note": f"{MARKER}note"}
        assert f"{MARKER}note" in self.look(lead.replace("change", "contact"), note)
        self.look(lead.replace("change", "history"))


def sessions(site):
    """What the site remembers of sessions and of what staff did, unpacked."""
    code = (
        "import django; django.setup()\n"
        "from django.contrib.sessions.models import Session; from django.contrib.admin.models import LogEntry\n"
        "print([session.get_decoded() for session in Session.objects.all()])\n"
        "print(list(LogEntry.objects.values_list('object_repr', 'change_message')))"
    )
    return run_python(site, "-c", code)


def test_every_field_that_takes_words_is_typed_in():
    words = {name for name, field in ConsultationForm.base_fields.items() if isinstance(field, Line)}
    assert words <= set(TYPED)
    assert all(MARKER in TYPED[name] for name in words - {"phone"})


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_nothing_typed_can_be_read_anywhere(sites, tmp_path, request, database):  # noqa: F811
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    loaded = request.getfixturevalue("own_postgres") if database == "postgres" else None
    postgres = loaded and loaded.databases
    with MailServer() as mail, ReportServer() as reports:
        environment = {
            "SENTRY_DSN": reports.dsn,
            # An operator may turn on the web server's own access log.
            "GUNICORN_CMD_ARGS": "--access-logfile -",
            "FLOOD_LIMIT": "8",
            "DATABASE_TIMEOUT": "1",
            "LOG_LEVEL": "DEBUG",
            "EMAIL_TIMEOUT": "2",
            "TMPDIR": str(temporary),
        }
        site = sites(database, postgres=loaded, EMAIL_URL=f"smtp://127.0.0.1:{mail.port}", **environment).start()
        site.start_worker()
        staff = Staff(site)
        person = Person(site)

        # All well: stored, mailed, then refused for their number.
        assert person.send().status == 303
        assert {403, 422, 400, 413, 200} <= set(person.bend())
        assert person.send(message=f"{MARKER} and more", red_flags="bladder").status == 200
        wait_until(lambda: len(mail.messages) >= 2)
        mail.mode = "refuse"
        statuses = [person.send(message=f"{MARKER} number {number}").status for number in range(8)]
        assert statuses[0] == 303
        assert statuses[-1] == 429
        wait_until(lambda: mail.verbs.count("RCPT") >= 4)

        staff.work()

        # The database is away: into the spool.
        site.worker.kill()
        with Away(site, postgres):
            assert person.send(message=f"{MARKER} spooled").status == 303
            assert health(site)["spool"]["waiting"] == 1
            assert not files_with_marker(site.folder / "spool")

            # The spool is away too.
            (site.folder / "spool").rename(site.folder / "spool-kept")
            (site.folder / "spool").write_text("no folder")
            assert person.send(message=f"{MARKER} nowhere").status == 503
            person.bend()
        (site.folder / "spool").unlink()
        (site.folder / "spool-kept").rename(site.folder / "spool")

        # Everything as before; a spool file that no key opens is reported.
        (site.folder / "spool" / "bad.sealed").write_bytes(b"altered")
        output = [site.manage("worker", "--once"), site.manage("backup"), site.manage("check_integrity", check=False)]
        output.append(site.manage("doctor", check=False))
        for path in ("/", FORM, "/search/?q=pain", "/health/", "/no-such-page/", "/procedures/spinal-osteotomy/"):
            assert not found_in(site.ask("GET", path)[2])

        held = [row["marker"] for row in read(site)["requests"]]
        assert [message for message in held if message.endswith("spooled")] == [f"{MARKER} spooled"]
        assert all(MARKER in message for message in held)
        assert files_with_marker(site.folder) == []
        assert files_with_marker(temporary) == []
        assert "_auth_user_id" in sessions(site)
        assert not found_in(sessions(site).encode())
        assert not found_in("\n".join(staff.seen).encode())
        assert reports.raw
        assert not found_in(b"".join(reports.raw))
        assert '"GET /consultation/ ' in site.log
        assert not found_in(site.log.encode())
        assert not found_in("\n".join(person.addresses).encode())
        assert not found_in("\n".join(done.stdout + done.stderr for done in output).encode())
        assert_mails_hold_no_answer(mail)
        site.kill()
        assert files_with_marker(site.folder) == []
        if postgres:
            # Its tables, its write-ahead log, and its log of refused statements.
            with psycopg.connect(site.environment["DATABASE_URL"], autocommit=True) as connection:
                connection.execute("CHECKPOINT")
            assert files_with_marker(postgres.folder) == []


def assert_mails_hold_no_answer(mail):
    assert mail.messages
    for raw, message in zip(mail.raw, mail.messages, strict=True):
        # An acknowledgement has to be addressed; beyond that, no answer.
        recipient = message["To"]
        assert not found_in(raw.replace(f"To: {recipient}".encode(), b""))
        assert recipient in {TYPED["email"], "frontdesk@localhost"}
    assert b"Pat" in mail.raw[0] + mail.raw[1]


def test_an_error_of_ours_shows_and_logs_nothing_typed(sites):  # noqa: F811
    site = sites().start()
    with sqlite3.connect(site.database) as database:
        database.execute("ALTER TABLE intake_searchkey RENAME TO intake_searchkey_gone")
    answer = Person(site).send()
    assert answer.status == 303
    assert health(site)["spool"]["waiting"] == 1
    assert not found_in(site.log.encode())
    assert files_with_marker(site.folder) == []
    assert rounds.takes_a_request(site)


@pytest.mark.parametrize(
    "encode",
    [
        str.encode,
        lambda text: text.encode("utf-16-le"),
        lambda text: text.upper().encode(),
        lambda text: text.encode().hex().encode(),
    ],
)
def test_the_search_for_the_marker_finds_it_in_every_shape(tmp_path, encode):
    (tmp_path / "leak").write_bytes(b"before" + encode(TYPED["message"]) + b"after")
    assert files_with_marker(tmp_path) == [str(tmp_path / "leak")]


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_the_search_for_the_marker_finds_it_in_base64(before):
    assert found_in(base64.b64encode(f"{before}{TYPED['message']}".encode()))
    assert found_in(base64.b64encode(f"{before}+1{DIGITS} and more".encode()))
