"""The score that the MDN HTTP Observatory's published method gives, on a production server.

https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring (read 2026-11-24). Its highest score, 145, is reached
only by an answer that sets cookies (secure ones give 5, none gives 0) and from a domain on the browsers' HSTS preload
list (5), which no test can enter: so a page that sets no cookie reaches 140 at most, and both are 5 less off the list.
"""

import re

import pytest

from tests.live import PRODUCTION

pytestmark = pytest.mark.once

HTTPS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7", "Host": "www.clinic.example"}
ON_THE_PRELOAD_LIST = 5


@pytest.fixture(scope="module")
def production(new_site):
    site = new_site(**PRODUCTION).start()
    yield site
    site.stop()
    site.kill()


def score(headers, html):
    """Points of one answer, before the preload list; no penalty applies or the test fails."""
    policy = {part.split()[0]: part.split()[1:] for part in headers["Content-Security-Policy"].split(";") if part.strip()}
    everything = [value for values in policy.values() for value in values]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "*"} & set(everything)
    assert headers["X-Content-Type-Options"] == "nosniff"
    hsts = headers["Strict-Transport-Security"]
    assert int(re.search(r"max-age=(\d+)", hsts)[1]) >= 31_536_000 and "includeSubDomains" in hsts and "preload" in hsts
    points = 100
    points += 10 * (policy["default-src"] == ["'none'"] and policy["form-action"] == ["'self'"])
    points += 5 * ("frame-ancestors" in policy)
    points += 5 * (headers["Referrer-Policy"] in ("no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"))
    points += 10 * (headers["Cross-Origin-Resource-Policy"] in ("same-origin", "same-site"))
    scripts = re.findall(r"<script\b[^>]*\bsrc=[^>]*>", html)
    points += 5 * (bool(scripts) and all("integrity=" in script for script in scripts))
    cookies = headers.get_all("Set-Cookie") or []
    for cookie in cookies:
        assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=" in cookie
    return points + 5 * bool(cookies)


@pytest.mark.parametrize("path", ["/", "/procedures/spinal-osteotomy/", "/conditions/", "/search/?q=back", "/about/", "/glossary/"])
def test_a_page_without_cookies_has_all_the_points_it_can_have(production, path):
    status, headers, body = production.ask("GET", path, headers=HTTPS)
    assert status == 200
    assert score(headers, body.decode()) + ON_THE_PRELOAD_LIST == 140


@pytest.mark.parametrize("path", ["/consultation/", "/admin/login/"])
def test_a_page_with_cookies_has_the_highest_score(production, path):
    status, headers, body = production.ask("GET", path, headers=HTTPS)
    assert status == 200
    assert score(headers, body.decode()) + ON_THE_PRELOAD_LIST == 145
