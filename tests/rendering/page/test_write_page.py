import html
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from packed_numbers import from_steps, unpack
from rigid_motions import without
from video_files import corner_picture, write_video
from viewed_people import META, walker

from hyperlift.body.person import Person
from hyperlift.errors import InputError
from hyperlift.rendering.page import write_page as viewer_page
from hyperlift.rendering.page.curves import curve_values, curves_of
from hyperlift.rendering.page.write_page import write_page
from hyperlift.rendering.pictures.skeleton_picture import LEFT, RIGHT, TAGS
from hyperlift.skeletons.joint_sets import H36M_17


def data_of(path: Path) -> dict:
    """The page's own data, as a foreign reader would take them out."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text(), re.S)[1])


def joints_m_of(person: dict) -> np.ndarray:
    local = from_steps(unpack(person["joints"]), 2e-4)
    return local + unpack(person["anchor"])[:, None] * 2e-4


def valid_of(person: dict) -> np.ndarray:
    return np.unpackbits(unpack(person["valid"]), axis=1, bitorder="little", count=17).astype(bool)


def test_what_was_written_can_be_read_from_the_page(tmp_path):
    people = [walker(3, 400), walker(9, 120, first=250)]
    write_page(tmp_path / "page.html", people, META)
    data = data_of(tmp_path / "page.html")
    assert [person["id"] for person in data["people"]] == [3, 9]
    assert data["joints"] == list(H36M_17.joints)
    for packed, person in zip(data["people"], people, strict=True):
        joints_m = joints_m_of(packed)
        np.testing.assert_array_equal(np.isnan(joints_m), np.isnan(person.world_m))
        assert np.nanmax(np.abs(joints_m - person.world_m)) <= 1.01e-4
        np.testing.assert_array_equal(valid_of(packed), person.valid)
        np.testing.assert_array_equal(unpack(packed["frame"]), person.frame)
        assert np.abs(unpack(packed["time"]) * 1e-4 - person.time_s).max() <= 0.51e-4
        curves = curves_of(H36M_17)
        wanted = curve_values(person.world_m, curves)
        steps = np.array([curve["step"] for curve in data["curves"]])
        apart = np.abs(from_steps(unpack(packed["curves"]), 1.0) * steps - wanted)
        assert (np.nanmax(apart, axis=0) <= 0.51 * steps).all()


def test_one_file_that_asks_for_nothing_else(tmp_path):
    write_page(tmp_path / "page.html", [walker(0, 30)], META)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    page = (tmp_path / "page.html").read_text()
    addresses = set(re.findall(r"https?://[^\s\"'`)]+", page))
    assert addresses <= {"http://www.w3.org/1999/xhtml"}  # a name, never fetched
    assert not re.search(r"(src|href)\s*=\s*[\"']", page)
    assert "default-src 'none'" in page
    assert "Permission is hereby granted, free of charge" in page


def test_five_people_of_ten_thousand_frames_are_a_few_megabytes(tmp_path):
    page = write_page(tmp_path / "page.html", [walker(number, 10_000) for number in range(5)], META)
    assert page.size_mb < 6


def test_what_a_recording_is_called_stays_text(tmp_path):
    write_page(tmp_path / "page.html", [walker(0, 5)], META)
    page = (tmp_path / "page.html").read_text()
    assert page.count(html.escape(META["source"])) == 2
    assert page.count("</script>") == page.count("<script")
    assert data_of(tmp_path / "page.html")["facts"][0] == ["Source", META["source"]]


def test_without_a_world_people_stand_upright_all_the_same(tmp_path):
    world = walker(0, 50)
    level = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    joints_m = world.world_m @ level.T + [0.3, 1.5, 4.0]
    write_page(tmp_path / "page.html", [replace(without(world, "world_m"), joints_m=joints_m)], META)
    data = data_of(tmp_path / "page.html")
    shown = joints_m_of(data["people"][0])
    apart = shown - world.world_m
    # The same but for a shift, which puts the lowest ankles where ankles are.
    np.testing.assert_allclose(apart, np.broadcast_to(np.nanmean(apart, (0, 1)), apart.shape) + 0 * apart, atol=3e-4)
    ankles = shown[:, H36M_17.indices(["RAnkle", "LAnkle"]), 2]
    assert np.percentile(ankles, 5) == pytest.approx(0.08, abs=1e-3)
    assert "camera axes" in dict(data["facts"])["Places"]


def test_without_any_place_everybody_gets_a_lane(tmp_path):
    pose = np.repeat(np.random.default_rng(1).normal(0, 0.3, (1, 17, 3)), 20, axis=0).astype(np.float32)
    pose -= pose[:, :1]
    people = [replace(without(walker(number, 20), "world_m"), pose_norm=pose) for number in range(3)]
    write_page(tmp_path / "page.html", people, META)
    data = data_of(tmp_path / "page.html")
    roots = np.array([joints_m_of(person)[0, H36M_17.root] for person in data["people"]])
    np.testing.assert_allclose(np.diff(roots[:, 0]), 1.3, atol=1e-3)
    assert "lane" in dict(data["facts"])["Places"]


def test_somebody_without_a_place_among_others_is_named_not_hidden(tmp_path):
    people = [walker(0, 20), without(walker(7, 20), "world_m")]
    page = write_page(tmp_path / "page.html", people, META)
    data = data_of(tmp_path / "page.html")
    assert [person["id"] for person in data["people"]] == [0]
    assert page.notes == ("p7 has no place in the world and is not shown",)
    assert "p7" in dict(data["facts"])["Not shown"]


def test_one_frame_and_nothing_but_missing_joints(tmp_path):
    nowhere = replace(without(walker(1, 4), "world_m", "pose_norm"), valid=np.zeros((4, 17), bool))
    write_page(tmp_path / "page.html", [walker(0, 1), nowhere], META)
    people = data_of(tmp_path / "page.html")["people"]
    assert joints_m_of(people[0]).shape == (1, 17, 3)
    assert np.isnan(joints_m_of(people[1])).all()


def test_a_small_video_is_inside(tmp_path):
    video = write_video(tmp_path / "clip.mp4", [corner_picture()] * 5)
    page = write_page(tmp_path / "page.html", [walker(0, 5)], META, video)
    assert page.notes == ()
    data = data_of(tmp_path / "page.html")["video"]
    assert data["address"] is None
    assert data["name"] == "clip.mp4"


def test_a_large_video_stays_beside_the_page(tmp_path):
    (tmp_path / "pages").mkdir()
    video = write_video(tmp_path / "my clip #1.mp4", [corner_picture()] * 5)
    page = write_page(tmp_path / "pages/page.html", [walker(0, 5)], META, video, max_embedded_mb=0)
    data = data_of(tmp_path / "pages/page.html")["video"]
    assert data["address"] == "../my%20clip%20%231.mp4"
    assert "keep my clip #1.mp4 at its place" in page.notes[0]
    assert re.search(r'id="video-data"></script>', (tmp_path / "pages/page.html").read_text())


ONE_SHORT = {
    "frame": np.arange(5),
    "time_s": np.arange(5) / 30.0,
    "pose_norm": np.zeros((5, 16, 3), np.float32),
    "valid": np.ones((5, 16), bool),
}


def spoiled(**changes):
    return [replace(walker(0, 5), **changes)]


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ([], "no people to show"),
        (
            [Person.of(id=0, **ONE_SHORT)],
            r"p0/pose_norm has shape \(5, 16, 3\); expected \(5, 17, 3\)",
        ),
        (spoiled(time_s=np.zeros(5)), "p0/time_s does not ascend"),
        (spoiled(time_s=np.full(5, np.nan)), "p0/time_s does not ascend"),
        ([walker(0, 0)], "p0 has no frames"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_people_that_do_not_fit(tmp_path, people, said):
    with pytest.raises(InputError, match=said):
        write_page(tmp_path / "page.html", people, META)
    assert not list(tmp_path.iterdir())


def test_meta_data_of_something_else(tmp_path):
    with pytest.raises(InputError, match="name no skeleton"):
        write_page(tmp_path / "page.html", [walker(0, 5)], {})
    with pytest.raises(InputError, match="h36m18"):
        write_page(tmp_path / "page.html", [walker(0, 5)], {"skeleton": "h36m18"})


def test_a_video_that_is_none(tmp_path):
    with pytest.raises(InputError, match="no such video;"):
        write_page(tmp_path / "page.html", [walker(0, 5)], META, tmp_path / "absent.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(InputError, match=r"text\.mp4"):
        write_page(tmp_path / "page.html", [walker(0, 5)], META, tmp_path / "text.mp4")
    assert not (tmp_path / "page.html").exists()


def test_colours_are_those_of_the_video():
    assert (viewer_page.RIGHT, viewer_page.LEFT, viewer_page.TAGS) == (RIGHT, LEFT, TAGS)
