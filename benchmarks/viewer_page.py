"""Frames a second of the viewer's page: five people, 10,000 frames each, in headless Chromium.

Without a graphics card the browser draws on the CPU, so the page's own script is also timed by itself: whatever the
device, a frame costs at least that.

    python benchmarks/viewer_page.py [--people 5] [--frames 10000] [--chromium FILE]
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from viewed_people import META, walker  # pyright: ignore[reportMissingImports]

from hyperlift.viewer import write_page

_FLAGS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
_PLAY = """async (seconds) => {
  const page = window.hyperlift, gaps = [];
  page.setPlaying(true);
  await new Promise((done) => setTimeout(done, 1000));
  const before = { ...page.cost }, begun = performance.now();
  let last = begun;
  await new Promise((done) => {
    const tick = (now) => {
      gaps.push(now - last);
      last = now;
      if (now - begun > 1000 * seconds) done(); else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  page.setPlaying(false);
  gaps.sort((a, b) => a - b);
  const drawn = page.cost.frames - before.frames;
  return {
    frames_a_second: 1000 * drawn / (last - begun),
    median_gap_ms: gaps[gaps.length >> 1],
    script_ms: (page.cost.script_ms - before.script_ms) / drawn,
    draw_calls_ms: (page.cost.draw_ms - before.draw_ms) / drawn,
    triangles: page.view.renderer.info.render.triangles,
  };
}"""
_NOBODY = (
    "hyperlift.data.people.forEach((person) => { person.shown = false; }); hyperlift.setTime(hyperlift.data.start)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=5)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        path = Path(folder) / "page.html"
        page = write_page(path, [walker(number, args.frames) for number in range(args.people)], META)
        browser = running.chromium.launch(executable_path=args.chromium, args=_FLAGS)
        tab = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True).new_page()
        begun = time.perf_counter()
        tab.goto(path.as_uri())
        while not tab.evaluate("Boolean(window.hyperlift)"):
            tab.wait_for_timeout(50)
        print(f"page {page.size_mb:.1f} MB, ready after {time.perf_counter() - begun:.1f} s")
        for name, prepare in (("everybody", "0"), ("the floor alone", _NOBODY)):
            tab.evaluate(prepare)
            result = tab.evaluate(_PLAY, args.seconds)
            print(f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in result.items()))
        browser.close()


if __name__ == "__main__":
    main()
