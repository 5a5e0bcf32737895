"""Who is answered."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack

import pytest
from live_client import get

from hyperlift.errors import InputError
from hyperlift.live import owner
from hyperlift.live.capture import Clock
from hyperlift.live.events import Hub
from hyperlift.live.owner import may_listen, owner_of
from hyperlift.live.server import LiveServer

PATHS = ["/", "/clock", "/events", "/nothing", "/../etc/passwd", "/%2e%2e/etc/passwd"]


@pytest.fixture
def server():
    server = LiveServer(0, Hub(), Clock())
    server.start("<!doctype html><title>live</title>")
    yield server
    server.stop()


def status(server: LiveServer, target: str, method: str = "GET", **headers: str) -> int:
    """What a request line gets, as it stands."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest(method, target, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    connection.close()
    return answer.status


def raw(server: LiveServer, request: bytes) -> bytes:
    """The first line of the answer to these bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline()


def test_the_page_and_the_clock(server):
    assert get(server.url) == (200, b"<!doctype html><title>live</title>")
    code, first = get(server.url, "/clock")
    assert code == 200
    assert json.loads(get(server.url, "/clock")[1])["now_ms"] >= json.loads(first)["now_ms"] >= 0
    assert get(server.url, Host=f"localhost:{server.port}")[0] == 200
    assert get(server.url, "/nothing")[0] == 404
    assert get(server.url, "/../etc/passwd")[0] == 404


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_told_without_the_whole_token(server, path):
    token = server.token
    other = LiveServer(0, Hub(), Clock())
    other.stop()
    assert len(token) == len(other.token) >= 43
    queries = ["", "?", "?token", "?token=", f"?token={other.token}", f"?token={token[:-1]}", f"?token={token}x"]
    queries += [
        f"?token={token[:-1]}%C3%A9",
        f"?token={token.swapcase()}",
        f"?Token={token}",
        f"?{token}",
        f"#token={token}",
    ]
    queries += [f"?token={other.token}&token={token}", f"?token={token}&token={other.token}", f"?token={token}%00"]
    for query in queries:
        assert status(server, path + query) == 403, query
    for given in (f"token={token}", f"Bearer {token}"):
        assert status(server, path, Cookie=given, Authorization=given) == 403


def test_a_token_that_is_no_ascii(server):
    for given in (b"\xff\xfe", "é\u2603".encode(), server.token.encode()[:-1] + b"\xe9"):
        line = raw(server, b"GET /?token=" + given + f" HTTP/1.0\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        assert b" 403 " in line


def test_an_address_of_another_server_in_the_request_line(server):
    ours = {"Host": f"127.0.0.1:{server.port}"}
    assert status(server, f"http://evil.example/?{server.query}", **ours) == 404
    assert status(server, f"http://evil.example/?{server.query}", Host="evil.example") == 403
    assert status(server, f"http://127.0.0.1:{server.port}/") == 403
    assert status(server, f"//evil.example/?{server.query}") == 404


def test_a_request_to_another_name_is_refused(server):
    for host in ("evil.example", "127.0.0.1", "127.0.0.1:1", f"evil.example:{server.port}", ""):
        assert {get(server.url, path, Host=host)[0] for path in PATHS} == {403}, host


def test_another_site_s_page_is_refused(server):
    told = [{"Origin": "http://evil.example"}, {"Origin": "null"}]
    told += [{"Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "something-new")]
    for headers in told:
        assert {get(server.url, path, **headers)[0] for path in PATHS} == {403}, headers


def test_the_page_itself_and_the_user_are_no_other_site(server):
    assert get(server.url, Origin=f"http://127.0.0.1:{server.port}")[0] == 200
    assert get(server.url, "/clock", **{"Sec-Fetch-Site": "same-origin"})[0] == 200
    assert get(server.url, **{"Sec-Fetch-Site": "none"})[0] == 200


def test_two_host_lines_or_none_are_refused(server):
    for lines in ("", f"Host: 127.0.0.1:{server.port}\r\nHost: evil.example\r\n"):
        assert b" 403 " in raw(server, f"GET /?{server.query} HTTP/1.1\r\n{lines}\r\n".encode())


def test_nothing_but_get(server):
    for method in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "GETS"):
        assert get(server.url, "/", method)[0] in (405, 501)


def test_headers_without_end_are_refused(server):
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(200))
    assert b" 431 " in raw(server, f"GET /?{server.query} HTTP/1.0\r\n".encode() + lines + b"\r\n")
    assert b" 414 " in raw(server, b"GET /?" + b"a" * 70_000 + b" HTTP/1.0\r\n\r\n")


def test_the_token_is_said_to_nobody(server, capfd):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", f"/?{server.query}")
    answer = connection.getresponse()
    told = str(answer.headers) + answer.read().decode()
    connection.close()
    assert server.token not in told
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers
    raw(server, b"GARBAGE\r\n\r\n")
    assert server.token not in "".join(capfd.readouterr())


def test_silent_strangers_keep_nobody_waiting(server):
    before = threading.active_count()
    with ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60)) for _ in range(200)
        ]
        assert get(server.url)[0] == 200
        # The oldest were cut off, and their threads end.
        assert silent[0].recv(1) == b""
        deadline = threading.Event()
        while threading.active_count() > before + 70:
            deadline.wait(0.01)


def test_200_pages_at_once(server):
    codes = []
    threads = [threading.Thread(target=lambda: codes.append(get(server.url, "/clock")[0])) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Of very many at the same moment some may be cut off before they were heard; a page asks again.
    assert codes.count(200) == len(codes) >= 64


def test_listeners_are_no_strangers(server):
    """A page that listens is never cut off for others."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as page, ExitStack() as stack:
        page.sendall(f"GET /events?{server.query} HTTP/1.0\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        lines = page.makefile("rb")
        assert b" 200 " in lines.readline()
        for _ in range(200):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
        assert get(server.url)[0] == 200
        # Heartbeats go on.
        while lines.readline() != b":\n":
            pass


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells whose a connection is")
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
def test_whose_a_connection_is(server, family):
    if os.getuid() != 0:
        pytest.skip("only root can take the place of another user")
    code = f"""
import os, socket
os.setuid(65534)
there = socket.socket(socket.{family})
there.connect(("{"127.0.0.1" if family == "AF_INET" else "::ffff:127.0.0.1"}", {server.port}))
print(there.getsockname()[1], flush=True)
input()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        port = int(other.stdout.readline())
        assert owner_of(("127.0.0.1", port), server.port) == 65534
        other.communicate(b"\n")
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as ours:
        assert owner_of(ours.getsockname(), server.port) == os.getuid()
    assert owner_of(("127.0.0.1", 1), server.port) is None


def test_another_user_is_not_heard_even_with_the_token(server, monkeypatch):
    monkeypatch.setattr(owner.os, "getuid", lambda: 1000, raising=False)
    for theirs, heard in ((1000, True), (0, True), (None, True), (1001, False)):
        monkeypatch.setattr(owner, "owner_of", lambda peer, port, theirs=theirs: theirs)
        assert may_listen(("127.0.0.1", 4000), server.port) == heard
    with pytest.raises(OSError, match=r"closed|reset|without response"):
        get(server.url)


def test_a_server_of_root_hears_who_called_sudo_and_no_other_user(monkeypatch):
    monkeypatch.setattr(owner.os, "getuid", lambda: 0, raising=False)
    monkeypatch.setattr(owner, "owner_of", lambda peer, port: 1000)
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert not may_listen(("127.0.0.1", 4000), 8000)
    monkeypatch.setenv("SUDO_UID", "1000")
    assert may_listen(("127.0.0.1", 4000), 8000)
    monkeypatch.setenv("SUDO_UID", "1001")
    assert not may_listen(("127.0.0.1", 4000), 8000)


def test_other_addresses_of_this_computer_are_not_served(server):
    # Every 127.x.x.x is this computer: a server that were bound to all addresses would answer.
    with pytest.raises(OSError, match=r"refused|unreachable|assign"):
        socket.create_connection(("127.0.0.2", server.port), timeout=5)


def test_a_port_that_is_taken_or_none(server):
    with pytest.raises(InputError, match=rf"`port` {server.port}: is used by another program; choose another"):
        LiveServer(server.port, Hub(), Clock())
    with pytest.raises(InputError, match="`port` is 70000"):
        LiveServer(70000, Hub(), Clock())


def test_a_port_is_free_again_after_the_end(server):
    server.stop()
    again = LiveServer(server.port, Hub(), Clock())
    again.stop()


def test_somebody_who_connects_and_says_nothing_does_not_hold_up_the_end(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as silent:
        get(server.url)  # the silent one was accepted before
        server.stop()
        assert silent.recv(1) == b""
