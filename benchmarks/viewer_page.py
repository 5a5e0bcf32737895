"""What a frame of the viewer's page costs: five people, 10,000 frames each, in headless Chromium.

Three parts are told apart: the page's own script, handing the picture to WebGL, and the browser's style and layout
(asked of Chromium). What is left, drawing itself, is the graphics card's; without one the browser draws on the CPU, and
frames a second then say little. "Jumping" goes to another time in every frame, as somebody who drags the slider does:
every curve is drawn anew whenever the time leaves what is shown.

    python benchmarks/viewer_page.py [--people 5] [--frames 10000] [--seconds 10] [--chromium FILE]
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import CDPSession, sync_playwright
from report import machine, write_section

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from viewed_people import META, walker  # pyright: ignore[reportMissingImports]

from hyperlift.viewer import write_page

_FLAGS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
_PLAY = """async ([seconds, jumping]) => {
  const page = window.hyperlift, gaps = [];
  if (!jumping) page.setPlaying(true);
  await new Promise((done) => setTimeout(done, 1000));
  const each = page.cost.each = [], begun = performance.now();
  let last = begun, turn = 0;
  await new Promise((done) => {
    const tick = (now) => {
      gaps.push(now - last);
      last = now;
      // Golden steps: everywhere, and nowhere twice.
      if (jumping) page.setTime(page.data.start + (turn++ * 0.6180339887 % 1) * (page.data.end - page.data.start));
      if (now - begun > 1000 * seconds) done(); else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  page.setPlaying(false);
  page.cost.each = null;
  return { each, gaps, triangles: page.view.renderer.info.render.triangles };
}"""
_NOBODY = (
    "hyperlift.data.people.forEach((person) => { person.shown = false; }); hyperlift.setTime(hyperlift.data.start)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=5)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10.0)
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
        metrics = tab.context.new_cdp_session(tab)
        metrics.send("Performance.enable")
        rows, triangles = [], 0
        for name, prepare, jumping in (
            ("playing", "0", False),
            ("jumping", "0", True),
            ("playing, the floor alone", _NOBODY, False),
        ):
            tab.evaluate(prepare)
            before = _layout_ms(metrics)
            result = tab.evaluate(_PLAY, [args.seconds, jumping])
            triangles = max(triangles, result["triangles"])
            layout_ms = (_layout_ms(metrics) - before) / len(result["each"])
            script_ms, draw_ms = np.array(result["each"]).T
            gaps_ms = np.array(result["gaps"][1:])
            rows.append(
                f"| {name} | {_spread(script_ms)} | {_spread(draw_ms)} | {layout_ms:.2f} | {_spread(gaps_ms)} "
                f"| {1e3 / gaps_ms.mean():.0f} |"
            )
            print(rows[-1], flush=True)
        browser.close()
    table = "\n".join(
        [
            "| | script ms | handing to WebGL ms | style and layout ms | between frames ms | frames/s |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            f"Median, 99 %, worst; style and layout: mean. {args.people} people, {args.frames} frames, "
            f"1440 × 900, {triangles} triangles; Chromium without a graphics card, {machine()}.",
        ]
    )
    print(table)
    write_section("viewer-page", table)


def _spread(values_ms: np.ndarray) -> str:
    return f"{np.median(values_ms):.1f}, {np.percentile(values_ms, 99):.1f}, {values_ms.max():.1f}"


def _layout_ms(metrics: CDPSession) -> float:
    """Spent by the browser so far on working out how things look and where they are."""
    values = {entry["name"]: entry["value"] for entry in metrics.send("Performance.getMetrics")["metrics"]}
    return 1e3 * (values["RecalcStyleDuration"] + values["LayoutDuration"])


if __name__ == "__main__":
    main()
