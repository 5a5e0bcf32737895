"""The page and its events over HTTP, for this computer and whoever started the server alone.

The server is bound to 127.0.0.1, where every user of the computer and every page in a browser could still reach it. So
it answers nobody who does not send the token in its address, which is drawn anew at every start. There is no cookie: a
browser sends those along with requests of any page, and to every port. Beyond that only requests addressed to this very
server are answered (DNS rebinding), none that a page of another site makes, and on Linux only those of the same user,
who else could read the token in the list of processes while a browser is started.

It answers GET and nothing else. No request changes anything, but for the first that listens: a video file waits for it.
"""

import errno
import hmac
import json
import os
import secrets
import socket
import sys
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from hyperlift.errors import InputError
from hyperlift.live.capture import Clock
from hyperlift.live.events import GOODBYE, Hub
from hyperlift.live.owner import may_listen

HOST = "127.0.0.1"
_HEARTBEAT_S = 1.0
"""A closed page is noticed within this time."""
_GOODBYE_S = 0.5
"""Pages have so long to read the last message."""
_SILENT_S = 20.0
"""Whoever connects and then says nothing, or reads nothing, is cut off."""
_BACKLOG = 128
_MAX_STRANGERS = 64
"""Connections that have not sent the token yet; of more than these the oldest is cut off. So nobody without the token
can use up threads, and whoever has it, and sends it at once, is not kept waiting."""


class LiveServer:
    """Serves ``/`` (the page), ``/events`` (server-sent events) and ``/clock`` (the server's time in milliseconds).

    Example:
        >>> from hyperlift.live.capture import Clock
        >>> from hyperlift.live.events import Hub
        >>> from hyperlift.live.server import LiveServer
        >>> server = LiveServer(0, Hub(), Clock())  # 0: any free port
        >>> server.url
        'http://127.0.0.1:.../?token=...'
        >>> server.stop()
    """

    def __init__(self, port: int, hub: Hub, clock: Clock) -> None:
        """Take the port; nothing is answered before ``start``.

        Args:
            port: 0 takes any free one.
            hub: whose messages are sent.
            clock: whose time is told.

        Raises:
            InputError: the port is impossible, taken or not allowed.
        """
        if not 0 <= port <= 65535:
            raise InputError(f"`port` is {port}; give 1 to 65535, or 0 for any free one")
        self.page = b""
        self.token = secrets.token_urlsafe(32)
        self._hub = hub
        try:
            self._http = _Http(port, self, hub, clock)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE or getattr(error, "winerror", None) in (10013, 10048)
            reason = "is used by another program" if taken else f"cannot be used ({error.strerror})"
            raise InputError(f"`port` {port}: {reason}; choose another, or 0 for any free one") from error
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, name="live-server", daemon=True
        )

    @property
    def url(self) -> str:
        """Where the page is; with the token, so it is for the user's eyes alone."""
        return f"http://{HOST}:{self.port}/?{self.query}"

    @property
    def query(self) -> str:
        """What every address of this server must end with, after the question mark."""
        return f"token={self.token}"

    def start(self, page: str) -> None:
        """Begin to answer, with this page."""
        self.page = page.encode()
        self._thread.start()

    def stop(self) -> None:
        """Send everybody away and let the port go; no thread is left."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._hub.close()
        patience = time.monotonic() + _GOODBYE_S
        while self._hub.listeners and time.monotonic() < patience:
            time.sleep(0.01)
        self._http.hang_up()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    # Joined on closing, after their connections were cut.
    daemon_threads = False
    block_on_close = True
    # On Windows this option would let two programs take one port.
    allow_reuse_address = os.name == "posix"
    request_queue_size = _BACKLOG

    def __init__(self, port: int, live: LiveServer, hub: Hub, clock: Clock) -> None:
        self.live, self.hub, self.clock = live, hub, clock
        self._lock = threading.Lock()
        self._strangers: dict[socket.socket, None] = {}
        self._known: set[socket.socket] = set()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        # Without the base class's question to DNS for the name of this computer.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pages come and go as they like: a connection that breaks is no event."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether to listen at all; a connection of another user is closed."""
        if not may_listen(client_address, self.server_port):
            return False
        with self._lock:
            self._strangers[request] = None
            if len(self._strangers) > _MAX_STRANGERS:
                oldest = next(iter(self._strangers))
                del self._strangers[oldest]
                _cut(oldest)
        return True

    def recognised(self, connection: socket.socket) -> None:
        """The connection has sent the token."""
        with self._lock:
            self._strangers.pop(connection, None)
            self._known.add(connection)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        with self._lock:
            self._strangers.pop(request, None)
            self._known.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Cut off everybody."""
        with self._lock:
            for connection in (*self._strangers, *self._known):
                _cut(connection)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Http  # pyright: ignore[reportIncompatibleVariableOverride]
    server_version, sys_version = "HyperLift", ""
    timeout = _SILENT_S

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        # Compared in the same time wherever the first difference is; http.server reads lines as Latin-1.
        knows = hmac.compare_digest(query.encode("latin-1"), self.server.live.query.encode())
        if not (knows and self._is_for_us()):
            self._answer(HTTPStatus.FORBIDDEN, "text/plain", b"Open the whole address that hyperlift live prints.\n")
            return
        self.server.recognised(self.connection)
        if path == "/":
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", self.server.live.page)
        elif path == "/clock":
            now_ms = self.server.clock.now_ms()
            self._answer(HTTPStatus.OK, "application/json", json.dumps({"now_ms": round(now_ms, 3)}).encode())
        elif path == "/events":
            self._events()
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is nothing here.\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not worth a line."""

    def _is_for_us(self) -> bool:
        # A browser says whose page asks: ours, or "none" where the user opens an address. "same-site" is another port.
        if self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            return False
        port = self.server.server_port
        hosts = {f"{HOST}:{port}", f"localhost:{port}"} | ({HOST, "localhost"} if port == 80 else set())
        origin = self.headers.get("Origin")
        told = self.headers.get_all("Host") or []
        return (
            len(told) == 1
            and told[0].lower() in hosts
            and (origin is None or origin.lower() in {f"http://{host}" for host in hosts})
        )

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self._head(status, kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _head(self, status: HTTPStatus, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")

    def _events(self) -> None:
        self._head(HTTPStatus.OK, "text/event-stream; charset=utf-8")
        self.end_headers()
        listener = self.server.hub.listen()
        try:
            while (message := listener.get(_HEARTBEAT_S)) != GOODBYE:
                # A line with a colon is a comment: it finds out whether anybody is there.
                self.wfile.write(b":\n\n" if message is None else message)
        finally:
            self.server.hub.leave(listener)
