"""Stopping the server finishes what is under way."""

import socket
import threading
import time

from tests.live import Visitor


def test_stop_during_a_request_lets_it_finish(start_server):
    server = start_server(DATABASE_TIMEOUT="20")
    visitor = Visitor(server)
    fields = visitor.fill_in(name="Robin Restart")
    outcome = []
    sending = threading.Thread(target=lambda: outcome.append(visitor.open_once("/consultation/", fields)))
    with server.written_by_another():  # the request waits for the database meanwhile
        sending.start()
        time.sleep(1)
        server.web.terminate()
        time.sleep(1)
    sending.join(20)
    assert server.web.wait(20) == 0
    (answer,) = outcome
    assert answer[0] == 303
    assert "/consultation/received/" in answer[1]
    assert server.rows("SELECT count(*) FROM intake_consultationrequest") == [(1,)]


def test_stop_waits_for_a_form_that_is_still_arriving(start_server):
    server = start_server()
    with socket.create_connection(("127.0.0.1", server.port)) as sender:
        sender.settimeout(10)
        sender.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        time.sleep(0.5)
        server.web.terminate()
        time.sleep(1)
        sender.sendall(b"\r\n")
        assert sender.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert server.web.wait(30) == 0


def test_stop_does_not_wait_for_idle_connections(start_server):
    server = start_server()
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
    time.sleep(0.5)
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 8
    for connection in idle:
        connection.close()


def test_stored_requests_survive_a_power_cut(start_server):
    server = start_server()
    visitor = Visitor(server)
    assert "/consultation/received/" in visitor.send(visitor.fill_in())[1]
    server.kill()
    server.start()
    assert server.rows("SELECT count(*) FROM intake_consultationrequest") == [(1,)]
    assert server.is_answering()
