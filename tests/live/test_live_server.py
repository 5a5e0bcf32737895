"""Who is answered."""

import json
import socket

import pytest
from live_client import get

from hyperlift.errors import InputError
from hyperlift.live.capture import Clock
from hyperlift.live.events import Hub
from hyperlift.live.server import LiveServer


@pytest.fixture
def server():
    server = LiveServer(0, Hub(), Clock())
    server.start("<!doctype html><title>live</title>")
    yield server
    server.stop()


def test_the_page_and_the_clock(server):
    assert get(server.port) == (200, b"<!doctype html><title>live</title>")
    status, first = get(server.port, "/clock")
    assert status == 200
    assert json.loads(get(server.port, "/clock")[1])["now_ms"] >= json.loads(first)["now_ms"] >= 0
    assert get(server.port, Host=f"localhost:{server.port}")[0] == 200


@pytest.mark.parametrize("path", ["/", "/clock", "/events", "/../etc/passwd"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "evil.example:{port}", ""])
def test_a_request_to_another_name_is_refused(server, path, host):
    assert get(server.port, path, Host=host.format(port=server.port))[0] == 403


def test_another_site_s_page_is_refused(server):
    assert get(server.port, Origin="http://evil.example")[0] == 403
    assert get(server.port, Origin="null")[0] == 403
    assert get(server.port, Origin=f"http://127.0.0.1:{server.port}")[0] == 200


def test_two_host_lines_or_none_are_refused(server):
    for lines in ("", f"Host: 127.0.0.1:{server.port}\r\nHost: evil.example\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())
            assert b" 403 " in connection.makefile("rb").readline()


def test_nothing_but_get_and_nothing_but_what_there_is(server):
    assert get(server.port, "/", "POST")[0] == 501
    assert get(server.port, "/nothing")[0] == 404


def test_other_addresses_of_this_computer_are_not_served(server):
    # Every 127.x.x.x is this computer: a server that were bound to all addresses would answer.
    with pytest.raises(OSError, match=r"refused|unreachable|assign"):
        socket.create_connection(("127.0.0.2", server.port), timeout=5)


def test_a_port_that_is_taken_or_none(server):
    with pytest.raises(InputError, match=rf"--port {server.port}: is used by another program; choose another"):
        LiveServer(server.port, Hub(), Clock())
    with pytest.raises(InputError, match="--port is 70000"):
        LiveServer(70000, Hub(), Clock())


def test_a_port_is_free_again_after_the_end(server):
    server.stop()
    again = LiveServer(server.port, Hub(), Clock())
    again.stop()


def test_somebody_who_connects_and_says_nothing_does_not_hold_up_the_end(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as silent:
        get(server.port)  # the silent one was accepted before
        server.stop()
        assert silent.recv(1) == b""
