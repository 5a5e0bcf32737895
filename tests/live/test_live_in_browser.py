"""The live page in a browser: somebody moves, and the page says how old that is."""

import io
import re

import numpy as np
import pytest
from browser_page import opened, until
from live_client import get, session_of
from PIL import Image
from pipeline_recordings import SpotDetector, write_spots

from hyperlift.live.source import VideoFile
from hyperlift.pipeline.lifter import Lifter


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Somebody goes to and fro before a camera, for longer than it takes to look."""
    to_and_fro = 320 + 220 * np.sin(2 * np.pi * np.arange(4000) / 200)
    spots = write_spots(tmp_path_factory.mktemp("spots") / "spot.mp4", to_and_fro, fps=25.0)
    lifter = Lifter("small", threads=1)
    with session_of(VideoFile(spots), lifter, detector=SpotDetector(), every_frame=True) as running:
        yield running


def picture(page) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(page.locator("#view").screenshot())).convert("RGB")).astype(int)


def test_people_move_and_their_age_is_told(running):
    with opened(running.server.url) as page:
        until(page, "hyperlift.live.frames > 20")
        assert page.evaluate("hyperlift.data.people.map((person) => person.name)") == ["p0"]
        # Nobody has stood for a second yet.
        until(page, "document.getElementById('summary').textContent.includes('floor: provisional')")
        before, x = picture(page), "hyperlift.data.people[0].places[51 * (hyperlift.data.people[0].frames - 1)]"
        until(page, f"Math.abs({x} - {page.evaluate(x)}) > 0.3")
        assert (np.abs(picture(page) - before).max(-1) > 40).sum() > 100
        until(page, "document.getElementById('latency').textContent.includes('dropped')")
        said = page.locator("#latency").text_content()
        assert re.fullmatch(
            r"\d+ ms from picture to screen \(95 %: \d+, known to ± \d+\): waits \d+ \+ detection \d+ \+ "
            r"look-ahead \d+ \+ lift \d+ \+ way -?\d+ \+ drawing \d+ · [\d.]+ frames/s · 0 dropped",
            said,
        )
        until(page, "document.getElementById('shot').naturalWidth === 480")
        # Live is where the page stays.
        assert page.evaluate("hyperlift.state.live && hyperlift.state.time === hyperlift.data.end")


def test_the_age_is_what_the_server_s_own_clock_says(running):
    """Whoever asks for the server's time after a frame was shown learns a time after it."""
    with opened(running.server.url) as page:
        until(page, "hyperlift.live.samples.length > 5")
        bounds = page.evaluate(
            """async () => {
              const live = hyperlift.live, bounds = [];
              for (let turn = 0; turn < 12; turn++) {
                const seen = live.samples.length ? live.samples.at(-1).index : -1;
                while (!live.samples.length || live.samples.at(-1).index === seen)
                  await new Promise((done) => setTimeout(done, 1));
                const sample = live.samples.at(-1), asked = performance.now();
                const answer = await fetch("/clock" + location.search);
                const now_ms = (await answer.json()).now_ms, came = performance.now();
                bounds.push([sample.shown_ms + (asked - sample.at), now_ms, sample.shown_ms + (came - sample.at)]);
              }
              return bounds;
            }"""
        )
        doubt_ms = page.evaluate("hyperlift.live.doubt_ms")
        earliest, told, latest = np.array(bounds).T
        assert (earliest - doubt_ms <= told).all()
        assert (told <= latest + doubt_ms).all()
        totals = page.evaluate("hyperlift.live.samples.map((sample) => [sample.total, ...sample.parts])")
        np.testing.assert_allclose([sum(parts[1:]) for parts in totals], [parts[0] for parts in totals], atol=0.1)


def test_looking_back_and_returning(running):
    with opened(running.server.url) as page:
        until(page, "hyperlift.live.frames > 60")
        box = page.locator("#slider").bounding_box()
        page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
        assert page.locator("#live").get_attribute("aria-pressed") == "false"
        stands = page.evaluate("hyperlift.state.time")
        was = page.evaluate("hyperlift.live.frames")
        until(page, f"hyperlift.live.frames > {was} + 10")
        assert page.evaluate("hyperlift.state.time") == stands < page.evaluate("hyperlift.data.end")
        page.locator("#live").click()
        until(page, "hyperlift.state.time === hyperlift.data.end && hyperlift.state.live")
        page.locator("#play").click()
        assert not page.evaluate("hyperlift.state.live")
        page.locator("#play").click()
        until(page, "hyperlift.state.playing || hyperlift.state.live")


def test_a_second_tab_sees_the_same_past_and_a_closed_one_stops_nothing(running):
    with opened(running.server.url) as page:
        until(page, "hyperlift.live.frames > 20")
        second = page.context.new_page()
        second.goto(running.server.url)
        until(second, "Boolean(window.hyperlift) && hyperlift.live.frames > 30")
        assert second.evaluate("hyperlift.data.people[0].frame[0]") == page.evaluate(
            "hyperlift.data.people[0].frame[0]"
        )
        second.close()
        was = page.evaluate("hyperlift.live.frames")
        until(page, f"hyperlift.live.frames > {was} + 10")
    assert get(running.server.url)[0] == 200


def test_a_stopped_server_is_told(tmp_path):
    spots = write_spots(tmp_path / "spot.mp4", np.linspace(60, 580, 2000), fps=25.0)
    lifter = Lifter("small", threads=1)
    with (
        session_of(VideoFile(spots), lifter, detector=SpotDetector(), every_frame=True) as running,
        opened(running.server.url, tolerate="ERR_") as page,
    ):
        until(page, "hyperlift.live.frames > 5")
        running.session.stop()
        until(page, "document.getElementById('latency').textContent.includes('stopped')")
        assert page.evaluate("document.getElementById('failure').hidden")
