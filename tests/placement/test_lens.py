import json
from pathlib import Path

import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.placement.lens import Intrinsics, choose_intrinsics


def numbers(camera: Intrinsics) -> list[float]:
    return [camera.fx_px, camera.fy_px, camera.cx_px, camera.cy_px]


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920)])
def test_assumed_is_60_degrees_over_the_long_side(width: int, height: int):
    camera = choose_intrinsics(width, height)
    # tan 30° = 1 / sqrt 3: half of 1920 times sqrt 3.
    np.testing.assert_allclose(numbers(camera), [960 * 3**0.5, 960 * 3**0.5, width / 2, height / 2])
    assert camera.assumed
    assert "assumed" in camera.source
    assert "60" in camera.source
    assert camera.fov_deg == pytest.approx(60)


def test_fov_of_90_degrees_has_half_the_long_side_as_focal_length():
    camera = choose_intrinsics(720, 1280, fov_deg=90)
    np.testing.assert_allclose(numbers(camera), [640, 640, 360, 640])
    assert not camera.assumed
    np.testing.assert_allclose(camera.K, [[640, 0, 360], [0, 640, 640], [0, 0, 1]])


def test_lens_data_of_the_container():
    key = "com.apple.quicktime.camera.focal_length.35mm_equivalent"
    camera = choose_intrinsics(1080, 1920, metadata={key: "27", "encoder": "x"})
    assert camera.fx_px == pytest.approx(27 / 36 * 1920)
    assert "27 mm" in camera.source
    assert not camera.assumed
    # What the user says comes first; nonsense in the container is passed over.
    assert choose_intrinsics(1080, 1920, metadata={key: "27"}, fov_deg=90).fx_px == pytest.approx(960)
    assert choose_intrinsics(1080, 1920, metadata={key: "0"}).assumed
    assert choose_intrinsics(1080, 1920, metadata={key: "n/a"}).assumed


def test_four_numbers_and_files(tmp_path: Path):
    assert numbers(choose_intrinsics(1280, 720, given="1000, 1001,640.5,360")) == [1000, 1001, 640.5, 360]
    (tmp_path / "camera.yaml").write_text("fx: 1000\nfy: 1001\ncx: 640\ncy: 360\n")
    assert numbers(choose_intrinsics(1280, 720, given=tmp_path / "camera.yaml")) == [1000, 1001, 640, 360]
    matrix = {"K": [[2000, 0, 1280], [0, 2002, 720], [0, 0, 1]], "width": 2560, "height": 1440}
    (tmp_path / "camera.json").write_text(json.dumps(matrix))
    scaled = choose_intrinsics(1280, 720, given=str(tmp_path / "camera.json"))
    assert numbers(scaled) == [1000, 1001, 640, 360]
    assert "2560x1440" in scaled.source


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1000,1000,640", "four numbers"),
        ("1000", "four numbers"),
        ("gone.yaml", "no such file"),
        ("1000,1000,640,x", "four numbers"),
        ("-1,1000,640,360", "positive"),
        ("[1, 2]", "no mapping"),
        ("fx: 1000", "fy, cx, cy missing"),
        ("fx: 1\nfy: 1\ncx: 1\ncy: 1\nk1: 0.1", "has k1"),
        ("K: [[1000, 5, 640], [0, 1000, 360], [0, 0, 1]]", "skew"),
        ("K: [[1000, 0], [0, 1000]]", "3×3"),
        ("fx: 1\nfy: 1\ncx: 1\ncy: 1\nwidth: 720\nheight: 1280", "for a picture of 720x1280"),
        ("fx: [", "YAML"),
    ],
)
def test_what_cannot_be_a_camera(tmp_path: Path, text: str, message: str):
    given = text
    if text.startswith(("fx", "K", "[")):
        (tmp_path / "camera.yaml").write_text(text)
        given = str(tmp_path / "camera.yaml")
    with pytest.raises(InputError, match=message):
        choose_intrinsics(1280, 720, given=given)


def test_contradicting_or_impossible_options():
    with pytest.raises(InputError, match="give one"):
        choose_intrinsics(1280, 720, given="1,1,1,1", fov_deg=60)
    with pytest.raises(InputError, match="from 5 to 170"):
        choose_intrinsics(1280, 720, fov_deg=180)
    with pytest.raises(InputError, match="from 5 to 170"):
        choose_intrinsics(1280, 720, fov_deg=float("nan"))
