"""An hour of live frames: does memory stay flat?

python benchmarks/long_stream.py [--hours 1]

The bundled keypoints, again and again, as fast as they are taken, with the time stamps of 30 frames a second: into
``Lifter.streams``, and through a whole live session (pictures, detector, lifter, placing, server) to a listener.
"""

import http.client
import re
import threading
from collections.abc import Generator, Iterator, Mapping
from time import monotonic

import numpy as np
from long_video import HEIGHT, WIDTH, memory_mb
from runner import ROOT, in_own_process, run, table

from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.keypoints.people_by_frame import Detection
from hyperlift.live.capture import Clock
from hyperlift.live.events import Hub
from hyperlift.live.options import LiveOptions
from hyperlift.live.server import LiveServer
from hyperlift.live.session import LiveSession
from hyperlift.pipeline.lifter import Lifter
from hyperlift.pipeline.options import LiftOptions
from hyperlift.skeletons.joint_sets import COCO_17
from hyperlift.video.facts import Frame

FPS = 30
SAMPLES = 60
"""Times that memory is read."""
WARM = 5
"""Samples until everything is in memory that stays there: a page gets the last minute, which fills up first."""


def recorded() -> list[dict[int, np.ndarray]]:
    """The bundled keypoints, frame by frame, scaled into the picture: everybody by number."""
    detections = read_keypoints(ROOT / "examples" / "sports2d_demo.alphapose.json")
    scale = np.array([WIDTH / 1920, HEIGHT / 1080, 1.0])
    return [
        {person.track_id or 0: person.keypoints_px * scale for person in detections.frames.get(frame, ())}
        for frame in range(detections.span)
    ]


def of_streams(frames: int, model: str, threads: int) -> tuple[list[float], int, float]:
    """Memory in MB while it goes on, poses that came out, and seconds."""
    clip, memory, poses = recorded(), [], 0
    streams = Lifter(model, threads=threads).streams(WIDTH, HEIGHT, FPS, skeleton=COCO_17.name)
    started = monotonic()
    for index in range(frames):
        poses += len(streams.push(clip[index % len(clip)], index / FPS))
        if index % max(1, frames // SAMPLES) == 0:
            memory.append(memory_mb())
    return memory, poses, monotonic() - started


class Replay:
    """A source and a detector in one: the next picture comes when the last one was looked at."""

    name, width, height, fps, waits = "replay", WIDTH, HEIGHT, float(FPS), False
    skeleton = COCO_17

    def __init__(self, frames: int) -> None:
        self.metadata: Mapping[str, str] = {}
        self.memory: list[float] = []
        self._frames, self._clip, self._looked = frames, recorded(), threading.Semaphore(1)

    def frames(self) -> Generator[Frame, None, None]:
        noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        for index in range(self._frames):
            self._looked.acquire()
            if index % max(1, self._frames // SAMPLES) == 0:
                self.memory.append(memory_mb())
            yield Frame(index, index / FPS, np.roll(noise, index, 0))

    def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
        self._looked.release()
        return [Detection(points, number) for number, points in self._clip[index % len(self._clip)].items()]

    def close(self) -> None:
        self._looked.release()

    def reset(self) -> None:
        """Nothing to forget."""


def of_a_session(frames: int, model: str, threads: int) -> tuple[list[float], int, float]:
    """The same, of what a listener of the server hears."""
    replay, hub, clock, heard = Replay(frames), Hub(), Clock(), [0]
    server, lifter = LiveServer(0, hub, clock), Lifter(model, threads=threads)
    session = LiveSession(
        replay, server, hub, clock, lifter=lifter, lift=LiftOptions(), live=LiveOptions(), detector=replay
    )

    def listen() -> None:
        address = re.match(r"http://([^/]+)/(.*)", server.url)
        assert address is not None
        connection = http.client.HTTPConnection(address[1])
        connection.request("GET", f"/events{address[2]}")
        for line in connection.getresponse():
            heard[0] += line.startswith(b"event")

    started = monotonic()
    with session:
        session.start()
        threading.Thread(target=listen, daemon=True).start()
        session.wait()
        return replay.memory, heard[0], monotonic() - started


def long_stream(*, hours: float = 1.0, model: str = "small_stream", threads: int = 1) -> Iterator[str]:
    frames, rows = round(hours * 3600 * FPS), []
    for what, measured in (("`Lifter.streams`", of_streams), ("live session and a listener", of_a_session)):
        memory, given, seconds = in_own_process(measured, frames, model, threads)
        warm = memory[WARM:] or memory
        rows.append((what, frames, given, frames / seconds, warm[0], memory[-1], max(warm)))
    columns = ["what", "frames", "poses, or events heard", "frames/s {:.0f}", "MB when warm {:.0f}"]
    yield table([*columns, "at the end {:.0f}", "peak {:.0f}"], rows)
    yield f"{hours:g} h at {FPS} frames/s, up to two people, {model}, {threads} thread."


if __name__ == "__main__":
    run(long_stream, hours=0.01)
