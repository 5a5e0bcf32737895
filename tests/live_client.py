"""A live session for tests, and a reader of its events that knows nothing but the standard library."""

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np

from hyperlift.live.capture import Clock
from hyperlift.live.events import Hub
from hyperlift.live.server import LiveServer
from hyperlift.live.session import LiveOptions, LiveSession
from hyperlift.live.source import LiveSource
from hyperlift.pipeline.lifter import Lifter
from hyperlift.pipeline.options import LiftOptions

STEP_M = 2e-4
PATIENCE_S = 300


@dataclass
class Running:
    session: LiveSession
    server: LiveServer
    clock: Clock


@contextmanager
def session_of(
    source: LiveSource, lifter: Lifter, *, lift=None, detector=None, start=True, **live
) -> Iterator[Running]:
    clock, hub = Clock(), Hub()
    server = LiveServer(0, hub, clock)
    lift, options = lift or LiftOptions(detector="movenet-fast"), LiveOptions(**live)
    with ExitStack() as stack:
        stack.callback(server.stop)
        session = LiveSession(source, server, hub, clock, lifter=lifter, lift=lift, live=options, detector=detector)
        stack.pop_all()
    with session:
        if start:
            session.start()
        yield Running(session, server, clock)


def get(url: str, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """Ask the server of an address for a path, with what the address says after the question mark."""
    server = urlsplit(url)
    connection = http.client.HTTPConnection(server.netloc, timeout=PATIENCE_S)
    connection.request(method, f"{path}?{server.query}", headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


@contextmanager
def listening(url: str) -> Iterator[Iterator[tuple[str, dict]]]:
    """Events with their data as they come; ends with the server."""
    server = urlsplit(url)
    connection = http.client.HTTPConnection(server.netloc, timeout=PATIENCE_S)
    connection.request("GET", f"/events?{server.query}")
    response = connection.getresponse()
    assert response.status == 200
    assert (response.getheader("Content-Type") or "").startswith("text/event-stream")

    def events() -> Iterator[tuple[str, dict]]:
        event, data = "", []
        while line := response.readline():
            text = line.decode().rstrip("\n")
            if text.startswith("event: "):
                event = text.removeprefix("event: ")
            elif text.startswith("data: "):
                data.append(text.removeprefix("data: "))
            elif not text and event:
                yield event, json.loads("\n".join(data))
                event, data = "", []

    try:
        yield events()
    finally:
        response.close()
        connection.close()


def frames_until_end(url: str) -> list[dict]:
    frames = []
    with listening(url) as events:
        for event, data in events:
            if event == "past":
                frames += data["frames"]
            elif event == "frame":
                frames.append(data)
            elif event == "end":
                break
    return frames


def joints_m(person: dict) -> np.ndarray:
    return np.array(person["joints"], float).reshape(-1, 3) * STEP_M
