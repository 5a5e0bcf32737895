"""How old what the live page shows is: a video played as if it were a camera, in headless Chromium on this computer.

The page measures itself: every picture is stamped when it is there, the page asks for the server's clock, and takes the
time in its next turn after it drew the people of that picture. Without a graphics card "drawing" is the CPU's work,
which also takes time from everything else; give --gpu on a computer that has one.

    python benchmarks/live_page.py [--video FILE] [--seconds 20] [--detector movenet-fast] [--threads N] [--gpu]
"""

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from chromium import Chromium, opened
from playwright.sync_api import Browser
from runner import ROOT, Report, run, table

from hyperlift.video.reading import read_frames
from hyperlift.video.writing import write_mp4

PARTS = ("waits", "detection", "look-ahead", "lift", "way to the page", "drawing")
_SIZE, _FPS = (540, 960), 30.0


def to_and_fro(path: Path, seconds: float) -> Path:
    """The bundled video at 30 frames a second, forwards and backwards until the time is over."""
    pictures = [frame.rgb for frame in read_frames(ROOT / "examples" / "multiperson.mp4", _SIZE)][::2]
    course = [*pictures, *pictures[-2:0:-1]]
    with write_mp4(path, *_SIZE, _FPS) as video:
        for number in range(round(seconds * _FPS)):
            video.add(course[number % len(course)])
    return path


def measured(browser: Browser, command: Sequence[str], seconds: float) -> tuple[list[float], float]:
    """A row's numbers and the uncertainty of the clocks in ms, from a page that looks at a live server of its own."""
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        found = re.search(r"http://\S+", running.stdout.readline())
        assert found is not None, "the live server did not start"
        tab = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        tab.goto(found[0])
        samples: dict[int, list[float]] = {}
        tab.wait_for_timeout(2000)  # the first frames load code and look for everybody
        for _ in range(round(seconds)):
            tab.wait_for_timeout(1000)
            taken = tab.evaluate("hyperlift.live.samples.map((s) => [s.index, s.at, s.total, ...s.parts])")
            samples |= {int(sample[0]): sample[1:] for sample in taken}
        live = "hyperlift.live"
        doubt_ms, dropped, came = tab.evaluate(f"[{live}.doubt_ms, {live}.dropped, {live}.frames]")
        tab.close()
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)
    at, total, *parts = np.array([samples[index] for index in sorted(samples)]).T
    shown = 1e3 * (len(at) - 1) / (at[-1] - at[0])
    ages = np.median(total), np.percentile(total, 95), *np.median(parts, axis=1)
    return [shown, dropped / (dropped + came), *ages], doubt_ms


def live_page(
    *,
    video: Annotated[Path | None, "else the bundled one, to and fro"] = None,
    seconds: float = 20.0,
    detector: str = "movenet-fast",
    threads: int | None = None,
    look_ahead: tuple[int, ...] = (0, 2, 4, 8),
    gpu: Annotated[bool, "let Chromium draw with the graphics card"] = False,
    chromium: Chromium = None,
) -> Report:
    rows, doubts_ms = [], []
    with tempfile.TemporaryDirectory() as folder, opened(chromium, gpu=gpu) as browser:
        camera = video or to_and_fro(Path(folder) / "camera.mp4", seconds + 10)
        command = [sys.executable, "-m", "hyperlift", "live", "--source", str(camera), "--no-open"]
        command += ["--port", "0", "--detector", detector, *(["--threads", str(threads)] if threads else [])]
        for ahead in look_ahead:
            numbers, doubt_ms = measured(browser, [*command, "--look-ahead", str(ahead)], seconds)
            rows.append((ahead, *numbers))
            doubts_ms.append(doubt_ms)
    columns = ("shown a second {:.1f}", "dropped {:.0%}", "median ms {:.0f}", "95 % {:.0f}")
    yield table(["look-ahead", *columns, *(f"{part} {{:.0f}}" for part in PARTS)], rows)
    source = video.name if video else "three people, 540 × 960, 30 a second"
    yield (
        f"Medians in ms; clocks known to ± {max(doubts_ms):.1f} ms. {source}; {detector}, page 1280 × 800 drawn by "
        f"{'the graphics card' if gpu else 'the same CPU'}."
    )


if __name__ == "__main__":
    run(live_page, seconds=3, look_ahead=(0,))
