"""The page and its events over HTTP, for this computer alone.

The server is bound to 127.0.0.1. A page of another site could still reach it through a name that points there (DNS
rebinding), so only requests addressed to this very server are answered, and none that another site's page makes. It
answers GET and nothing else; there is nothing that a request could change.
"""

import errno
import json
import os
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

HOST = "127.0.0.1"
_HEARTBEAT_S = 1.0
"""A closed page is noticed within this time."""
_GOODBYE_S = 0.5
"""Pages have so long to read the last message."""
_SILENT_S = 20.0
"""Whoever connects and then says nothing, or reads nothing, is cut off."""


class LiveServer:
    """Serves ``/`` (the page), ``/events`` (server-sent events) and ``/clock`` (the server's time in milliseconds)."""

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
            raise InputError(f"--port is {port}; give 1 to 65535, or 0 for any free one")
        self.page = b""
        self._hub = hub
        try:
            self._http = _Http(port, self, hub, clock)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE or getattr(error, "winerror", None) in (10013, 10048)
            reason = "is used by another program" if taken else f"cannot be used ({error.strerror})"
            raise InputError(f"--port {port}: {reason}; choose another, or 0 for any free one") from error
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, name="live-server", daemon=True
        )

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.port}/"

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

    def __init__(self, port: int, live: LiveServer, hub: Hub, clock: Clock) -> None:
        self.live, self.hub, self.clock = live, hub, clock
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        # Without the base class's question to DNS for the name of this computer.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pages come and go as they like: a connection that breaks is no event."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def connected(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def disconnected(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def hang_up(self) -> None:
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Http  # pyright: ignore[reportIncompatibleVariableOverride]
    server_version, sys_version = "HyperLift", ""
    timeout = _SILENT_S

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.connected(self.connection)

    def finish(self) -> None:
        self.server.disconnected(self.connection)
        super().finish()

    def do_GET(self) -> None:
        if not self._is_for_us():
            self._answer(HTTPStatus.FORBIDDEN, "text/plain", b"This server answers its own page alone.\n")
        elif self.path == "/":
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", self.server.live.page)
        elif self.path == "/clock":
            now_ms = self.server.clock.now_ms()
            self._answer(HTTPStatus.OK, "application/json", json.dumps({"now_ms": round(now_ms, 3)}).encode())
        elif self.path == "/events":
            self._events()
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is nothing here.\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not worth a line."""

    def _is_for_us(self) -> bool:
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
