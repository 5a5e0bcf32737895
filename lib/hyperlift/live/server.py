"""HTTP server of the page and its events, only for the user who started it on this computer.

The server is bound to 127.0.0.1, which every user of the computer and every page in a browser can reach. Therefore each
request must carry a random token, which is new at every start. There is no cookie: browsers send cookies with requests
of any page and to every port. Requests with another Host (DNS rebinding) or from pages of other sites are rejected, and
on Linux connections of other users, who can read the token in the list of processes while a browser is started.

Only GET is answered. No request has side effects, except that a video file starts with the first listener.
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
"""Interval of comments to idle pages, which detect a closed page. Chosen: small traffic, quick detection."""
_GOODBYE_S = 0.5
"""Time for pages to read the last message. Chosen: ample on one computer, short at exit."""
_SILENT_S = 20.0
"""Timeout of a connection that sends or reads nothing. Chosen: longer than any pause of a page that works."""
_BACKLOG = 128
"""Connections that wait to be accepted: the default limit of older Linux kernels (net.core.somaxconn)."""
_MAX_UNAUTHENTICATED = 64
"""Limit of connections that have not sent the token; beyond it, the oldest is closed, so that clients without the token
cannot exhaust threads. Chosen: far more than pages open at once."""


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
            port: 0 takes any free port.
            hub: whose messages are sent.
            clock: for ``/clock``.

        Raises:
            InputError: the port is out of range, in use or not permitted.
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
        """Address of the page with the token, which must stay secret."""
        return f"http://{HOST}:{self.port}/?{self.query}"

    @property
    def query(self) -> str:
        """The query that every request to this server must have."""
        return f"token={self.token}"

    def start(self, page: str) -> None:
        """Serve this page."""
        self.page = page.encode()
        self._thread.start()

    def stop(self) -> None:
        """Close all connections, release the port and end all threads."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._hub.close()
        patience = time.monotonic() + _GOODBYE_S
        while self._hub.listeners and time.monotonic() < patience:
            time.sleep(0.01)
        self._http.close_connections()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    # Threads are joined on closing, after their connections were closed.
    daemon_threads = False
    block_on_close = True
    # On Windows, this option would allow two programs to share a port.
    allow_reuse_address = os.name == "posix"
    request_queue_size = _BACKLOG

    def __init__(self, port: int, live: LiveServer, hub: Hub, clock: Clock) -> None:
        self.live, self.hub, self.clock = live, hub, clock
        self._lock = threading.Lock()
        self._unauthenticated: dict[socket.socket, None] = {}
        self._authenticated: set[socket.socket] = set()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        # The base class would also look up the name of this computer in DNS.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that break: pages close at any time."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Accept a connection, unless it belongs to another user."""
        if not may_listen(client_address, self.server_port):
            return False
        with self._lock:
            self._unauthenticated[request] = None
            if len(self._unauthenticated) > _MAX_UNAUTHENTICATED:
                oldest = next(iter(self._unauthenticated))
                del self._unauthenticated[oldest]
                _shut_down(oldest)
        return True

    def authenticate(self, connection: socket.socket) -> None:
        """Register a connection that has sent the token."""
        with self._lock:
            self._unauthenticated.pop(connection, None)
            self._authenticated.add(connection)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and unregister it."""
        with self._lock:
            self._unauthenticated.pop(request, None)
            self._authenticated.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Shut down all connections."""
        with self._lock:
            for connection in (*self._unauthenticated, *self._authenticated):
                _shut_down(connection)


def _shut_down(connection: socket.socket) -> None:
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
        # Comparison in constant time; http.server decodes lines as Latin-1.
        has_token = hmac.compare_digest(query.encode("latin-1"), self.server.live.query.encode())
        if not (has_token and self._is_same_site()):
            self._answer(HTTPStatus.FORBIDDEN, "text/plain", b"Open the whole address that hyperlift live prints.\n")
            return
        self.server.authenticate(self.connection)
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
        """Do not log requests."""

    def _is_same_site(self) -> bool:
        # Browsers send "same-origin" for this page and "none" for an address that the user opens; "same-site" is
        # another port.
        if self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            return False
        port = self.server.server_port
        hosts = {f"{HOST}:{port}", f"localhost:{port}"} | ({HOST, "localhost"} if port == 80 else set())
        origin = self.headers.get("Origin")
        sent = self.headers.get_all("Host") or []
        return (
            len(sent) == 1
            and sent[0].lower() in hosts
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
                # A line that starts with a colon is a comment; writing it fails if the page was closed.
                self.wfile.write(b":\n\n" if message is None else message)
        finally:
            self.server.hub.leave(listener)
