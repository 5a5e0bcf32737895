"""What a frame of the viewer's page costs: five people, 10,000 frames each, in headless Chromium.

Three parts are told apart: the page's own script, handing the picture to WebGL, and the browser's style and layout
(asked of Chromium). What is left, drawing itself, is the graphics card's; without one the browser draws on the CPU, and
frames a second then say little. "Jumping" goes to another time in every frame, as somebody who drags the slider does:
every curve is drawn anew whenever the time leaves what is shown.

    python benchmarks/viewer_page.py [--people 5] [--frames 10000] [--seconds 10] [--chromium FILE]
"""

import tempfile
from pathlib import Path

import numpy as np
from chromium import Chromium, opened
from people import camera_before, walkers
from playwright.sync_api import CDPSession
from runner import Report, run, table
from timing import Seconds

from hyperlift.rendering.page.write_page import write_page

FPS = 30.0
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
_NOBODY = "hyperlift.data.people.forEach((one) => { one.shown = false; }); hyperlift.setTime(hyperlift.data.start)"
WAYS = (("playing", "0", False), ("jumping", "0", True), ("playing, the floor alone", _NOBODY, False))


def spread(values_ms: np.ndarray) -> str:
    return f"{np.median(values_ms):.1f}, {np.percentile(values_ms, 99):.1f}, {values_ms.max():.1f}"


def layout_ms(metrics: CDPSession) -> float:
    """Spent by the browser so far on working out how things look and where they are."""
    values = {entry["name"]: entry["value"] for entry in metrics.send("Performance.getMetrics")["metrics"]}
    return 1e3 * (values["RecalcStyleDuration"] + values["LayoutDuration"])


def viewer_page(*, people: int = 5, frames: int = 10_000, seconds: float = 10.0, chromium: Chromium = None) -> Report:
    rows, triangles, ready = [], 0, Seconds()
    meta = {"skeleton": "h36m17", "fps": FPS, "source": "walkers.json"}
    with tempfile.TemporaryDirectory() as folder, opened(chromium) as browser:
        path = Path(folder) / "page.html"
        page = write_page(path, walkers(people, frames, FPS, camera_before(6.0, 1280, 720)), meta)
        tab = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True).new_page()
        with ready.counted():
            tab.goto(path.as_uri())
            while not tab.evaluate("Boolean(window.hyperlift)"):
                tab.wait_for_timeout(50)
        metrics = tab.context.new_cdp_session(tab)
        metrics.send("Performance.enable")
        for name, prepare, jumping in WAYS:
            tab.evaluate(prepare)
            before_ms = layout_ms(metrics)
            result = tab.evaluate(_PLAY, [seconds, jumping])
            triangles = max(triangles, result["triangles"])
            each_ms = (layout_ms(metrics) - before_ms) / len(result["each"])
            gaps_ms = np.array(result["gaps"][1:])
            script_ms, draw_ms = np.array(result["each"]).T
            rows.append((name, spread(script_ms), spread(draw_ms), each_ms, spread(gaps_ms), 1e3 / gaps_ms.mean()))
    columns = ("script ms", "handing to WebGL ms", "style and layout ms {:.2f}", "between frames ms")
    yield table(["", *columns, "frames/s {:.0f}"], rows)
    yield (
        f"Median, 99 %, worst; style and layout: mean. {people} people, {frames} frames, 1440 × 900, {triangles} "
        f"triangles; page of {page.size_mb:.1f} MB, ready after {ready.wall:.1f} s. Chromium without a graphics card."
    )


if __name__ == "__main__":
    run(viewer_page, people=2, frames=300, seconds=1)
