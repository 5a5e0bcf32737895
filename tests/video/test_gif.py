import numpy as np
import pytest
from PIL import Image

from hyperlift.errors import InputError
from hyperlift.video.gif import palette_of, write_gif

RED, GREEN, PAPER = (228, 87, 46), (31, 138, 91), (251, 251, 249)


def picture(x: int, colour: tuple[int, int, int]) -> np.ndarray:
    pixels = np.full((40, 60, 3), PAPER, np.uint8)
    pixels[10:20, x : x + 10] = colour
    return pixels


def test_another_reader_finds_the_pictures_and_their_times(tmp_path):
    pictures = [picture(5, RED), picture(25, GREEN), picture(45, RED)]
    with write_gif(tmp_path / "spot.gif", 60, 40, palette_of(pictures), last_s=0.5) as gif:
        for shown, time_s in zip(pictures, (0.0, 0.04, 0.20), strict=True):
            gif.add(shown, time_s)
    with Image.open(tmp_path / "spot.gif") as read:
        assert (read.n_frames, read.size, read.info["loop"]) == (3, (60, 40), 0)
        for number, (shown, lasts_ms) in enumerate(zip(pictures, (40, 160, 500), strict=True)):
            read.seek(number)
            assert read.info["duration"] == lasts_ms
            np.testing.assert_array_equal(np.asarray(read.convert("RGB")), shown)


def test_rare_bright_colours_stay_beside_many_shades():
    shades = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=-1) * np.ones((1, 50, 1), np.uint8)
    shades[:, 40:, 2] //= 2
    shades[100:102, :40] = RED  # a thin line
    palette = palette_of([shades]).astype(int)
    assert np.abs(palette - RED).sum(-1).min() == 0
    nearest = np.abs(shades.reshape(-1, 1, 3)[::7].astype(int) - palette).sum(-1).min(-1)
    assert nearest.max() <= 24


def test_a_failure_leaves_nothing(tmp_path):
    def breaks_off() -> None:
        with write_gif(tmp_path / "a.gif", 60, 40, palette_of([picture(5, RED)])) as gif:
            gif.add(picture(5, RED), 0.0)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        breaks_off()
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with (
        pytest.raises(InputError, match="file"),
        write_gif(tmp_path / "file" / "a.gif", 60, 40, palette_of([picture(5, RED)])),
    ):
        pass
