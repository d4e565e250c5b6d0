"""Searching never waits, and never shows what was withdrawn."""

import time
from contextlib import closing


def test_a_search_without_results_is_answered_before_it_is_counted(start_server):
    server = start_server(DATABASE_TIMEOUT="60")
    with server.written_by_another():
        status, _, page = server.ask("GET", "/search/?q=zzqx")
        assert status == 200 and b"0 results" in page
        assert server.rows("SELECT query FROM conditions_searchmiss") == []
    deadline = time.monotonic() + 30
    while not server.rows("SELECT query FROM conditions_searchmiss") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert server.rows("SELECT query, language, count FROM conditions_searchmiss") == [("zzqx", "en", 1)]
    assert "zzqx" not in server.log


def test_a_change_is_searched_within_seconds_and_what_was_withdrawn_is_gone(start_server):
    server = start_server()
    assert b"/conditions/kyphosis/" in server.ask("GET", "/search/?q=kyphosis")[2]
    with closing(server.connect()) as writer:
        writer.execute("UPDATE conditions_page SET status = 'draft' WHERE slug = 'kyphosis'")
        writer.execute("UPDATE conditions_page SET title_en = 'Quagga' WHERE slug = 'scoliosis'")
        writer.execute("UPDATE clinic_site_clinic SET content_revision = content_revision + 1")
    deadline = time.monotonic() + 30
    while b"/conditions/scoliosis/" not in server.ask("GET", "/search/?q=quagga")[2]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    # Each process looks for changes once a second.
    time.sleep(1.5)
    for _ in range(8):
        assert b"/conditions/kyphosis/" not in server.ask("GET", "/search/?q=kyphosis")[2]
