"""Whatever is sent, the server answers in time and in order, echoes nothing, and works on. Longer run: `make torture`.

What the form itself makes of generated answers is in tests/intake/test_hostile.py.
"""

import pytest

from tests.torture import hostile, rounds
from tests.torture.fixtures import sites  # noqa: F401


@pytest.mark.parametrize(("database", "count", "seed"), [("sqlite", 200, 11), ("postgres", 100, 12)])
def test_three_hundred_hostile_requests_get_no_error_of_ours_and_no_echo(sites, database, count, seed):  # noqa: F811
    site = sites(database).start()
    result = hostile.torture(site, count, seed)
    assert [str(finding) for finding in result.findings] == []
    assert result.p99 < 2  # a slow machine; the torture measures 0.5
    assert len(result.statuses) > 5
    assert rounds.takes_a_request(site)
    assert "Traceback" not in site.log


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 500 Oops\r\n\r\n", "answered 500"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>" + hostile.CANARY.encode(), "echoed unescaped"),
        (b"HTTP/1.1 302 Found\r\nX-Injected-Q7zx: 1\r\n\r\n", "a header was injected"),
        (b"", "no answer"),
        (b"garbage", "no answer"),
    ],
)
def test_the_judge_sees_what_must_not_be(monkeypatch, answer, why):
    monkeypatch.setattr(hostile, "exchange", lambda port, raw: (answer, False))
    assert why in hostile.judge(0, hostile.Case("fields", b"")).finding.why


def test_the_same_seed_makes_the_same_requests():
    form = {"submission": "x", "csrfmiddlewaretoken": "y"}
    first, second = (hostile.Generator(5, form, "a=b") for _ in range(2))
    assert [first.case().raw for _ in range(50)] == [second.case().raw for _ in range(50)]


def test_a_name_too_long_for_the_disk_is_not_found(sites):  # noqa: F811
    site = sites().start()
    for path in ("/media/", "/static/", "/procedures/", "/consultation/received/"):
        assert site.ask("GET", f"{path}{'a' * 3000}")[0] in (301, 404)
