"""Searching never waits for what it leaves behind."""

import sqlite3
import time


def test_a_search_without_results_is_answered_before_it_is_counted(start_server):
    server = start_server(DATABASE_TIMEOUT="60")
    writer = sqlite3.connect(server.database, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    status, _, page = server.ask("GET", "/search/?q=zzqx")
    assert status == 200 and b"0 results" in page
    assert server.rows("SELECT query FROM conditions_searchmiss") == []
    writer.execute("ROLLBACK")
    writer.close()
    deadline = time.monotonic() + 30
    while not server.rows("SELECT query FROM conditions_searchmiss") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert server.rows("SELECT query, language, count FROM conditions_searchmiss") == [("zzqx", "en", 1)]
    assert "zzqx" not in server.log
