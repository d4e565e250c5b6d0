"""A first view is light on every kind of page, with nothing kept in the browser."""

import pytest

from .tabs import PHONE

MOST_BYTES = 150 * 1024
MOST_REQUESTS = 15
PATHS = [
    "/",
    "/procedures/spinal-osteotomy/",
    "/procedures/spinal-fusion/",
    "/conditions/kyphosis/",
    "/symptoms/low-back-pain/",
    "/guides/spinal-deformity-packet/",
    "/conditions/",
    "/glossary/",
    "/physicians/sample-surgeon-a/",
    "/search/?q=fusion",
    "/consultation/",
    "/privacy/",
    "/es/procedimientos/osteotomia-vertebral/",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_first_view_is_at_most_150_kilobytes_and_15_requests(open_tab, path):
    tab, watch = open_tab(PHONE)
    session = tab.context.new_cdp_session(tab)
    asked, received = [], []
    session.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    session.send("Network.enable")
    tab.goto(path, wait_until="networkidle")
    asked = [url for url in asked if not url.startswith("data:")]
    assert 2 < len(asked) <= MOST_REQUESTS, asked
    assert 10_000 < sum(received) <= MOST_BYTES
    assert watch.is_clean()
