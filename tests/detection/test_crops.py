import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlift.detection.crops import check_picture, cut_out
from hyperlift.errors import InputError


def ramp(height: int, width: int) -> np.ndarray:
    """Red grows by one a column, green by one a row; a pixel's centre at x + 0.5 holds x."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.arange(width)
    picture[..., 1] = np.arange(height)[:, None]
    return picture


def test_a_cut_at_scale_one_is_the_picture_itself():
    picture = ramp(40, 60)
    np.testing.assert_array_equal(cut_out(picture, 5, 7, 1.0, 20, 10), picture[7:17, 5:25])


def test_what_lies_outside_is_black():
    picture = np.full((10, 10, 3), 200, np.uint8)
    canvas = cut_out(picture, -5, -3, 1.0, 20, 20)
    assert (canvas[3:13, 5:15] == 200).all()
    assert canvas.sum() == 200 * 3 * 100
    assert cut_out(picture, 50, 0, 1.0, 8, 8).sum() == 0
    assert cut_out(picture, -50, 0, 1.0, 8, 8).sum() == 0


@pytest.mark.parametrize("scale", [0.5, 1.6, 3.0])
@pytest.mark.parametrize("left", [-20.3, 0.0, 11.7])
def test_points_land_where_the_formula_says(scale, left):
    picture, top = ramp(120, 200), 13.4
    width, height = int(60 * scale), int(50 * scale)
    canvas = cut_out(picture, left, top, scale, width, height).astype(float)
    columns = left + (np.arange(width) + 0.5) / scale - 0.5
    rows = top + (np.arange(height) + 0.5) / scale - 0.5
    inside = columns > 2  # beyond the smoothing at the picture's border
    np.testing.assert_allclose(canvas[4, inside, 0], columns[inside], atol=0.75)
    np.testing.assert_allclose(canvas[:, -1, 1], rows, atol=0.75)


def test_shrinking_averages():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, ::2] = 200  # finer than the small picture can show
    assert np.abs(cut_out(picture, 0, 0, 1 / 8, 8, 8).astype(int) - 100).max() <= 2


@given(
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    left=st.floats(-60, 60),
    top=st.floats(-60, 60),
    scale=st.floats(0.01, 40),
)
def test_any_rectangle_can_be_cut(height, width, left, top, scale):
    canvas = cut_out(np.full((height, width, 3), 90, np.uint8), left, top, scale, 16, 24)
    assert canvas.shape == (24, 16, 3)
    assert set(np.unique(canvas)) <= {0, 90}


@pytest.mark.parametrize(
    "picture",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_what_is_no_rgb_picture_is_refused(picture):
    with pytest.raises(InputError, match="expected"):
        check_picture(picture)
