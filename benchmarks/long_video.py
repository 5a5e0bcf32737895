"""Hours of video through the command line, which is killed in the middle and given again.

python benchmarks/long_video.py FOLDER [--hours 2] [--fps 30]

The bundled clip, cut to 640 x 360 and looped. Progress, told every ten seconds, says frames; memory is read then.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Annotated, NamedTuple

import av
from runner import ROOT, run, table

from hyperlift.video.reading import read_frames, video_facts

WIDTH, HEIGHT = 640, 360
_MB = 1 << 20


class Told(NamedTuple):
    """A line of progress."""

    seconds: float
    stage: str
    frames: int
    memory_mb: float


def memory_mb(pid: int | str = "self") -> float:
    """Memory that a process holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / _MB


def looped_video(path: Path, hours: float, fps: int) -> None:
    """The bundled clip forward and backward, cut to its middle, encoded once; its packets again and again."""
    crop = slice(640, 640 + 612)  # two people, whole and in part
    source = read_frames(ROOT / "examples" / "multiperson.mp4", (1088, 1920))
    pictures = [frame.rgb[crop] for frame in source if frame.index % 2 == 0]
    pictures = [*pictures, *pictures[-2:0:-1]]
    once = path.with_suffix(".once.mp4")
    with av.open(str(once), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"bf": "0", "g": str(len(pictures))})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24").reformat(WIDTH, HEIGHT)))
        container.mux(stream.encode())
    with av.open(str(once)) as container, av.open(str(path), "w") as target:
        out = target.add_stream_from_template(container.streams.video[0])
        for loop in range(max(1, round(hours * 3600 * fps / len(pictures)))):
            container.seek(0)
            for packet in container.demux(container.streams.video[0]):
                if packet.dts is not None and packet.pts is not None and packet.time_base:
                    ticks = round(loop * len(pictures) / fps / packet.time_base)
                    packet.pts, packet.dts, packet.stream = packet.pts + ticks, packet.dts + ticks, out
                    target.mux(packet)
    once.unlink()


def lift(command: list[str], kill_at: int | None) -> tuple[int, list[Told], float]:
    """Run the command; its exit code, what it told, and its seconds."""
    started, told = monotonic(), []
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=sys.stderr, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            print(line, end="", file=sys.stderr, flush=True)
            if (found := re.match(r"(\w+): (\d+) of", line)) is None:
                continue
            told.append(Told(monotonic() - started, found[1], int(found[2]), memory_mb(process.pid)))
            if kill_at is not None and found[1] == "detect" and told[-1].frames >= kill_at:
                process.send_signal(signal.SIGKILL)
                break
    return process.returncode, told, monotonic() - started


def long_video(
    folder: Annotated[Path, "for the video and its results"],
    *,
    hours: float = 2.0,
    fps: Annotated[int, "of the video"] = 30,
    detector: str = "movenet-fast",
    model: str = "small",
    threads: int = 1,
) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hours:g}h_{fps}fps.mp4"
    if not path.exists():
        looped_video(path, hours, fps)
    frames = video_facts(path).frames
    command = [sys.executable, "-m", "hyperlift", "lift", str(path), "--out", str(folder / path.stem)]
    command += ["--detector", detector, "--threads", str(threads), "--no-render", "--model", model]
    rows = []
    for what, kill_at in (("until the kill", frames // 2), ("after it", None)):
        code, told, seconds = lift(command, kill_at)
        assert code == (0 if kill_at is None or not told else -signal.SIGKILL), f"ended with {code}"
        seen = [one for one in told if one.stage == "detect"]
        rate = (seen[-1].frames - seen[0].frames) / (seen[-1].seconds - seen[0].seconds) if len(seen) > 1 else None
        first, last = (seen[0], seen[-1]) if seen else (None, None)
        rows.append(
            (what, first and first.frames, last and last.frames, rate, first and first.memory_mb)
            + (last and last.memory_mb, max((one.memory_mb for one in told), default=None), seconds)
        )
    columns = ["run", "first frame told", "last", "frames/s {:.1f}", "MB at the first {:.0f}", "at the last {:.0f}"]
    yield table([*columns, "peak {:.0f}", "seconds {:.0f}"], rows)
    size = f"{WIDTH} × {HEIGHT} at {fps} frames/s: {frames} frames"
    yield f"{hours:g} hours of {size}; {detector}, {model}, {threads} thread."


if __name__ == "__main__":
    run(long_video, hours=0.002)
