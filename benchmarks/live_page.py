"""How old what the live page shows is: a video played as if it were a camera, in headless Chromium on this computer.

The page measures itself: every picture is stamped when it is there, the page asks for the server's clock, and takes the
time in its next turn after it drew the people of that picture. Without a graphics card "drawing" is the CPU's work,
which also takes time from everything else; give --gpu on a computer that has one.

    python benchmarks/live_page.py [--video FILE] [--seconds 20] [--detector movenet-fast] [--threads N] [--gpu]
"""

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright
from report import machine, write_section

from hyperlift.video.reading import read_frames
from hyperlift.video.writing import write_mp4

LOOK_AHEADS = (0, 2, 4, 8)
PARTS = ("waits", "detection", "look-ahead", "lift", "way to the page", "drawing")
_FLAGS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
_SIZE, _FPS = (540, 960), 30.0
_EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "multiperson.mp4"


def to_and_fro(path: Path, seconds: float) -> Path:
    """The bundled video at 30 frames a second, forwards and backwards until the time is over."""
    pictures = [frame.rgb for frame in read_frames(_EXAMPLE, _SIZE)][::2]
    course = [*pictures, *pictures[-2:0:-1]]
    with write_mp4(path, *_SIZE, _FPS) as video:
        for number in range(round(seconds * _FPS)):
            video.add(course[number % len(course)])
    return path


def measured(browser: Browser, video: Path, look_ahead: int, args: argparse.Namespace) -> dict:
    command = [sys.executable, "-m", "hyperlift.cli.main", "live", "--source", str(video), "--no-open", "--port", "0"]
    command += ["--look-ahead", str(look_ahead), "--detector", args.detector]
    command += [] if args.threads is None else ["--threads", str(args.threads)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        found = re.search(r"http://\S+", running.stdout.readline())
        assert found is not None, "the live server did not start"
        tab = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        tab.goto(found[0])
        samples: dict[int, list[float]] = {}
        tab.wait_for_timeout(2000)  # the first frames load code and look for everybody
        for _ in range(round(args.seconds)):
            tab.wait_for_timeout(1000)
            taken = tab.evaluate("hyperlift.live.samples.map((s) => [s.index, s.at, s.total, ...s.parts])")
            samples |= {int(sample[0]): sample[1:] for sample in taken}
        doubt_ms, dropped, came = tab.evaluate(
            "[hyperlift.live.doubt_ms, hyperlift.live.dropped, hyperlift.live.frames]"
        )
        tab.close()
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)
    values = np.array([samples[index] for index in sorted(samples)])
    return {
        "shown": 1e3 * (len(values) - 1) / (values[-1, 0] - values[0, 0]),
        "dropped": dropped / (dropped + came),
        "total": values[:, 1],
        "parts": np.median(values[:, 2:], axis=0),
        "doubt_ms": doubt_ms,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--video", type=Path, help="default: the bundled one, to and fro")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--detector", default="movenet-fast")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--look-ahead", type=int, nargs="+", default=LOOK_AHEADS)
    parser.add_argument("--gpu", action="store_true", help="let Chromium draw with the graphics card")
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    args = parser.parse_args()
    lines = [
        f"| look-ahead | shown a second | dropped | median ms | 95 % | {' | '.join(PARTS)} |",
        "|" + "---|" * (5 + len(PARTS)),
    ]
    doubts_ms = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        video = args.video or to_and_fro(Path(folder) / "camera.mp4", args.seconds + 10)
        browser = running.chromium.launch(executable_path=args.chromium, args=["--no-sandbox"] if args.gpu else _FLAGS)
        for look_ahead in args.look_ahead:
            result = measured(browser, video, look_ahead, args)
            doubts_ms.append(result["doubt_ms"])
            parts = " | ".join(f"{part:.0f}" for part in result["parts"])
            lines.append(
                f"| {look_ahead} | {result['shown']:.1f} | {result['dropped']:.0%} | {np.median(result['total']):.0f} "
                f"| {np.percentile(result['total'], 95):.0f} | {parts} |"
            )
            print(lines[-1], flush=True)
        browser.close()
    source = args.video.name if args.video else "three people, 540 × 960, 30 a second"
    drawn = "drawn by the graphics card" if args.gpu else "drawn by the same CPU"
    note = (
        f"Medians in ms; clocks known to ± {max(doubts_ms):.1f} ms. {source}; {args.detector}, page 1280 × 800 "
        f"{drawn}; {machine()}."
    )
    table = "\n".join([*lines, "", note])
    print(table)
    write_section("live-page", table)


if __name__ == "__main__":
    main()
