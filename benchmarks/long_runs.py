"""Hours of video and of live frames: does it end, does it go on after a kill, does memory stay flat?

python benchmarks/long_runs.py video FOLDER [--hours 2] [--fps 30] [--detector movenet-fast]
python benchmarks/long_runs.py stream [--hours 1] [--model small_stream]
python benchmarks/long_runs.py live [--hours 1] [--model small_stream]

``video`` loops the bundled clip, lifts it with the command line, kills the command in the middle and starts it again.
``stream`` pushes the bundled keypoints into ``Lifter.streams``; ``live`` shows them through a whole live session to a
listener. Both go as fast as they can, with the time stamps of 30 frames a second. Each prints a row for the page.
"""

import argparse
import http.client
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping
from pathlib import Path

import av
import numpy as np
from report import machine

from hyperlift.detection.detector import Detection
from hyperlift.live.capture import Clock
from hyperlift.live.events import Hub
from hyperlift.live.server import LiveServer
from hyperlift.live.session import LiveOptions, LiveSession
from hyperlift.pipeline.lifter import Lifter
from hyperlift.pipeline.options import LiftOptions
from hyperlift.skeletons import COCO_17
from hyperlift.video.reading import Frame, read_frames, video_facts
from hyperlift.wild.formats import read_keypoints

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
WIDTH, HEIGHT, FPS = 640, 360, 30
_MB = 1 << 20


def memory_mb(pid: int | str = "self") -> float:
    """Memory that a process holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / _MB


def looped_video(path: Path, hours: float, fps: int) -> int:
    """The bundled clip forward and backward, cut to its middle, encoded once; its packets repeated. Returns frames."""
    crop = slice(640, 640 + 612)  # the upper bodies of two people
    size = (1088, 1920)
    pictures = [f.rgb[crop] for f in read_frames(EXAMPLES / "multiperson.mp4", size) if f.index % 2 == 0]
    pictures = [*pictures, *pictures[-2:0:-1]]
    once = path.with_suffix(".once.mp4")
    with av.open(str(once), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"bf": "0", "g": str(len(pictures))})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24").reformat(WIDTH, HEIGHT)))
        container.mux(stream.encode())
    loops = round(hours * 3600 * fps / len(pictures))
    with av.open(str(once)) as source, av.open(str(path), "w") as target:
        out = target.add_stream_from_template(source.streams.video[0])
        for loop in range(loops):
            source.seek(0)
            for packet in source.demux(source.streams.video[0]):
                if packet.dts is not None and packet.pts is not None and packet.time_base:
                    ticks = round(loop * len(pictures) / fps / packet.time_base)
                    packet.pts, packet.dts, packet.stream = packet.pts + ticks, packet.dts + ticks, out
                    target.mux(packet)
    once.unlink()
    return loops * len(pictures)


def lift(command: list[str], kill_at: int | None) -> tuple[int, list[tuple[float, str, int, float]]]:
    """Run the command; (exit code, a row every time that it tells how far it is: seconds, stage, frames, MB)."""
    started, rows = time.monotonic(), []
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=sys.stderr, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            told = re.match(r"(\w+): (\d+) of", line)
            if told is None:
                print(line, end="", flush=True)
                continue
            rows.append((time.monotonic() - started, told[1], int(told[2]), memory_mb(process.pid)))
            print(*(f"{value}" for value in rows[-1]), flush=True)
            if kill_at is not None and told[1] == "detect" and rows[-1][2] >= kill_at:
                process.send_signal(signal.SIGKILL)
                break
    return process.returncode, rows


def video(args: argparse.Namespace) -> None:
    args.folder.mkdir(parents=True, exist_ok=True)
    path = args.folder / f"{args.hours:g}h_{args.fps}fps.mp4"
    if not path.exists():
        looped_video(path, args.hours, args.fps)
    frames = video_facts(path).frames
    command = [sys.executable, "-m", "hyperlift.cli.main", "lift", str(path), "--out", str(args.folder / path.stem)]
    command += ["--detector", args.detector, "--threads", str(args.threads), "--no-render", "--model", args.model]
    rows = []
    for kill_at in (frames // 2, None):
        code, told = lift(command, kill_at)
        print(f"ended with {code}", flush=True)
        rows += told
    detected = [row for row in rows if row[1] == "detect"]
    by_tenth = [max((r[3] for r in detected if r[2] <= frames * part / 10), default=0) for part in range(1, 11)]
    print(f"{machine()}: {frames} frames; MB while detecting, by tenths: {', '.join(f'{mb:.0f}' for mb in by_tenth)}")
    print(f"peak {max(row[3] for row in rows):.0f} MB; {sum(told[-1][0] for told in (rows,)):.0f} s in the last run")


def recorded() -> list[dict[int, np.ndarray]]:
    """The bundled keypoints, frame by frame, scaled into the picture: everybody by number."""
    detections = read_keypoints(EXAMPLES / "sports2d_demo.alphapose.json")
    scale = np.array([WIDTH / 1920, HEIGHT / 1080, 1.0])
    return [
        {person.track_id or 0: person.keypoints_px * scale for person in detections.frames.get(frame, ())}
        for frame in range(detections.span)
    ]


def stream(args: argparse.Namespace) -> None:
    clip, frames = recorded(), round(args.hours * 3600 * FPS)
    streams = Lifter(args.model, threads=args.threads).streams(WIDTH, HEIGHT, FPS, skeleton=COCO_17.name)
    started, memory, poses = time.monotonic(), [], 0
    for index in range(frames):
        poses += len(streams.push(clip[index % len(clip)], index / FPS))
        if index % (frames // 60) == 0:
            memory.append(memory_mb())
    told("`Lifter.streams`", args, frames, poses, memory, time.monotonic() - started)


class Replay:
    """A source and a detector in one: the next picture comes when the last one was looked at."""

    name, width, height, fps, waits = "replay", WIDTH, HEIGHT, float(FPS), False
    skeleton = COCO_17

    def __init__(self, frames: int, memory: list[float]) -> None:
        self.metadata: Mapping[str, str] = {}
        self._frames, self._memory, self._clip = frames, memory, recorded()
        self._looked, self._rng = threading.Semaphore(1), np.random.default_rng(0)

    def frames(self) -> Generator[Frame, None, None]:
        noise = self._rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        for index in range(self._frames):
            self._looked.acquire()
            if index % (self._frames // 60) == 0:
                self._memory.append(memory_mb())
            yield Frame(index, index / FPS, np.roll(noise, index, 0))

    def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
        self._looked.release()
        return [Detection(points, number) for number, points in self._clip[index % len(self._clip)].items()]

    def close(self) -> None:
        self._looked.release()

    def reset(self) -> None:
        """Nothing to forget."""


def live(args: argparse.Namespace) -> None:
    frames, memory = round(args.hours * 3600 * FPS), list[float]()
    replay, hub, clock = Replay(frames, memory), Hub(), Clock()
    server, events = LiveServer(0, hub, clock), [0]
    lifter = Lifter(args.model, threads=args.threads)
    session = LiveSession(
        replay, server, hub, clock, lifter=lifter, lift=LiftOptions(), live=LiveOptions(), detector=replay
    )

    def listen() -> None:
        address = re.match(r"http://([^/]+)(/.*)", server.url)
        assert address is not None
        connection = http.client.HTTPConnection(address[1])
        connection.request("GET", address[2].replace("/?", "/events?") if "?" in address[2] else f"{address[2]}events")
        for line in connection.getresponse():
            events[0] += line.startswith(b"event")

    started = time.monotonic()
    with session:
        session.start()
        threading.Thread(target=listen, daemon=True).start()
        session.wait()
        print(session.summary())
    told("`LiveSession` and a listener", args, frames, events[0], memory, time.monotonic() - started)


def told(what: str, args: argparse.Namespace, frames: int, given: int, memory: list[float], seconds: float) -> None:
    print(f"{machine()}, {args.model}, {args.threads} thread: {[round(mb) for mb in memory]}")
    warm = memory[5:]
    print(
        f"| {what} | {frames} | {given} | {frames / seconds:.0f} | {warm[0]:.0f} | {memory[-1]:.0f} | {max(warm):.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(required=True)
    for run, hours in ((video, 2.0), (stream, 1.0), (live, 1.0)):
        kind = kinds.add_parser(run.__name__)
        kind.set_defaults(run=run)
        kind.add_argument("--hours", type=float, default=hours)
        kind.add_argument("--threads", type=int, default=1)
        kind.add_argument("--model", default="small" if run is video else "small_stream")
        if run is video:
            kind.add_argument("folder", type=Path)
            kind.add_argument("--fps", type=int, default=FPS)
            kind.add_argument("--detector", default="movenet-fast")
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
