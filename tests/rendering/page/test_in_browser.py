"""The page in a browser: what a person does with it, and whether it shows what was written."""

import io

import numpy as np
import pytest
from browser_page import PHONE, opened, settle, until
from PIL import Image
from video_files import corner_picture, write_video
from viewed_people import META, walker

from hyperlift.rendering.page.curves import curve_values, curves_of
from hyperlift.rendering.page.write_page import write_page
from hyperlift.skeletons.joint_sets import H36M_17


@pytest.fixture(scope="module")
def people():
    return [walker(0, 150), walker(1, 90, first=60)]


@pytest.fixture(scope="module")
def path(people, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    # As many pictures as the recording has frames, at its rate: darker first, brighter last.
    video = write_video(folder / "clip.mp4", [corner_picture(level=n) for n in range(150)], fps=30)
    write_page(folder / "page.html", people, META, video)
    return folder / "page.html"


def picture(page, selector: str) -> np.ndarray:
    settle(page)
    return np.asarray(Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("RGB")).astype(int)


def near(image: np.ndarray, colour: tuple[int, int, int]) -> int:
    """Pixels of about that colour."""
    return int((np.abs(image - colour).max(-1) < 40).sum())


def test_the_browser_holds_what_was_written(path, people):
    with opened(path) as page:
        for number, person in enumerate(people):
            places = np.array(page.evaluate(f"Array.from(hyperlift.data.people[{number}].places)"), float)
            np.testing.assert_allclose(places.reshape(person.world_m.shape), person.world_m, atol=1.1e-4)
            valid = np.array(page.evaluate(f"Array.from(hyperlift.data.people[{number}].valid)"))
            np.testing.assert_array_equal(valid.reshape(person.valid.shape), person.valid)
            times = np.array(page.evaluate(f"Array.from(hyperlift.data.people[{number}].time)"))
            np.testing.assert_allclose(times, person.time_s, atol=0.51e-4)
            wanted = curve_values(person.world_m, curves_of(H36M_17))
            drawn = page.evaluate(f"hyperlift.data.people[{number}].curves.map((curve) => Array.from(curve))")
            np.testing.assert_allclose(np.array(drawn, float).T, wanted, atol=0.06)


def test_the_frame_shown_is_the_last_that_has_begun(path, people):
    with opened(path) as page:
        for time_s in np.random.default_rng(0).uniform(people[0].time_s[0], people[0].time_s[-1], 40):
            page.evaluate(f"hyperlift.setTime({time_s})")
            settle(page)
            for number, person in enumerate(people):
                started = np.flatnonzero(person.time_s <= time_s)
                shown = page.evaluate(f"hyperlift.data.people[{number}].at")
                if not (np.abs(person.time_s - time_s) < 1e-4).any():
                    assert shown == (started[-1] if len(started) else -1)


def test_dragging_the_slider_moves_time_people_and_video(path, people):
    with opened(path) as page:
        box = page.locator("#slider").bounding_box()
        before = picture(page, "#view")
        height = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 8, height)
        page.mouse.down()
        page.mouse.move(box["x"] + 8 + 0.8 * (box["width"] - 16), height, steps=5)
        page.mouse.up()
        settle(page)
        time_s = page.evaluate("hyperlift.state.time")
        first, last = people[0].time_s[0], people[0].time_s[-1]
        assert time_s == pytest.approx(first + 0.8 * (last - first), abs=0.05)
        assert (np.abs(picture(page, "#view") - before).max(-1) > 40).sum() > 200
        until(page, f"Math.abs(document.getElementById('video').currentTime - {time_s}) < 0.02")
        assert f"frame {page.evaluate('hyperlift.data.people[0].frame[hyperlift.data.people[0].at]')}" in (
            page.locator("#now").text_content()
        )


def test_dragging_over_a_curve_moves_time_too(path):
    with opened(path) as page:
        box = page.locator(".panel canvas").nth(1).bounding_box()
        page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 10)
        settle(page)
        middle = page.evaluate("(hyperlift.data.start + hyperlift.data.end) / 2")
        assert page.evaluate("hyperlift.state.time") == pytest.approx(middle, abs=0.02)


def test_a_person_is_hidden_and_shown_again(path):
    with opened(path) as page:
        page.evaluate("hyperlift.setTime(3.0)")
        both = picture(page, "#view")
        violet, green = (0x6C, 0x4F, 0xB5), (0x1F, 0x8A, 0x5B)
        page.get_by_role("button", name="p1", exact=True).click()
        alone = picture(page, "#view")
        assert near(alone, green) < 0.3 * near(both, green)  # the button above keeps a ring
        assert near(alone, violet) > 0.8 * near(both, violet)
        page.get_by_role("button", name="p1", exact=True).click()
        page.mouse.move(0, 0)
        np.testing.assert_allclose(near(picture(page, "#view"), green), near(both, green), rtol=0.1)


def test_orbiting_changes_the_view_and_reset_brings_it_back(path):
    with opened(path) as page:
        where = "hyperlift.view.camera.position.toArray()"
        before = np.array(page.evaluate(where))
        box = page.locator("#view").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2 + 150, box["y"] + box["height"] / 2, steps=4)
        page.mouse.up()
        after = np.array(page.evaluate(where))
        assert np.linalg.norm(after - before) > 1.0
        assert after[2] == pytest.approx(before[2], abs=0.01)  # round the vertical
        page.get_by_role("button", name="Reset view").click()
        np.testing.assert_allclose(page.evaluate(where), before, atol=1e-6)


def test_playing_ends_at_the_end_and_keys_step_by_frames(path, people):
    with opened(path) as page:
        page.evaluate("hyperlift.setTime(2.0)")
        settle(page)
        at = page.evaluate("hyperlift.data.people[0].at")
        page.keyboard.press("ArrowRight")
        settle(page)
        assert page.evaluate("hyperlift.state.time") == pytest.approx(people[0].time_s[at + 1], abs=1e-4)
        page.locator("#speed").select_option("4")
        page.locator("#play").click()
        assert page.locator("#play").get_attribute("aria-label") == "Pause"
        until(page, "!hyperlift.state.playing")
        assert page.evaluate("hyperlift.state.time") == page.evaluate("hyperlift.data.end")


def test_what_was_not_seen_is_faint(path, people):
    with opened(path) as page:
        person = people[0]
        red = (0xE4, 0x57, 0x2E)
        page.get_by_role("button", name="p1", exact=True).click()
        page.evaluate(f"hyperlift.setTime({person.time_s[70]})")
        seen = near(picture(page, "#view"), red)
        page.evaluate(f"hyperlift.setTime({person.time_s[80]})")
        assert not person.valid[80].any()
        unseen = near(picture(page, "#view"), red)
        assert seen > 100
        assert unseen < 0.4 * seen  # the legend's red stays


def test_on_a_phone_nothing_is_wider_than_the_screen(path):
    with opened(path, **PHONE) as page:
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.locator("#slider").tap()
        settle(page)
        middle = page.evaluate("(hyperlift.data.start + hyperlift.data.end) / 2")
        assert page.evaluate("hyperlift.state.time") == pytest.approx(middle, abs=0.1)
        small = page.evaluate(
            "[...document.querySelectorAll('button, select, #slider')].filter((e) => e.offsetHeight < 32).length"
        )
        assert small == 0


def test_a_video_that_is_not_there_is_said_and_the_rest_works(tmp_path):
    video = write_video(tmp_path / "clip.mp4", [corner_picture()] * 5)
    write_page(tmp_path / "page.html", [walker(0, 20)], META, video, max_embedded_mb=0)
    with opened(tmp_path / "page.html") as page:
        until(page, "hyperlift.state.film")
    video.unlink()
    with opened(tmp_path / "page.html", tolerate="ERR_FILE_NOT_FOUND") as page:
        until(page, "document.getElementById('film-note').textContent.includes('could not be played')")
        page.evaluate("hyperlift.setTime(0.3)")
        settle(page)


def test_one_frame_and_somebody_who_is_nowhere(tmp_path):
    nowhere = walker(1, 4)
    nowhere.world_m[:] = np.nan
    write_page(tmp_path / "page.html", [walker(0, 1), nowhere], META)
    with opened(tmp_path / "page.html") as page:
        settle(page)
        page.locator("#play").click()
        until(page, "!hyperlift.state.playing")
