import resource
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.video.reading import read_frames, video_facts
from hyperlift.video.writing import write_mp4

RAMP = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 48, axis=0).repeat(3, axis=2)
COLOURS = np.repeat(np.array([[[220, 60, 40], [40, 90, 210]]], np.uint8), 48, axis=0).repeat(32, axis=1)


def test_written_pictures_come_back(tmp_path: Path):
    with write_mp4(tmp_path / "v.mp4", 64, 48, 12.5) as video:
        video.add(RAMP)
        video.add(np.concatenate([COLOURS, np.zeros((48, 64, 1), np.uint8)], axis=2))
    assert video_facts(tmp_path / "v.mp4").fps == 12.5
    grey, coloured = read_frames(tmp_path / "v.mp4")
    assert np.abs(grey.rgb.astype(int) - RAMP).mean() < 4
    assert np.abs(coloured.rgb.astype(int) - COLOURS).mean() < 6


def test_what_players_need(tmp_path: Path):
    with write_mp4(tmp_path / "v.mp4", 64, 48, 30.0) as video:
        for _ in range(5):
            video.add(RAMP)
    with av.open(str(tmp_path / "v.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt, stream.frames) == ("h264", "yuv420p", 5)
        frame = next(container.decode(stream))
        assert (frame.colorspace, frame.color_range) == (1, 1)  # BT.709, 16 to 235
    content = (tmp_path / "v.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_the_picture_may_be_changed_after_it_was_added(tmp_path: Path):
    levels = [10, 90, 170, 250, 30, 110]
    picture = np.zeros((48, 64, 4), np.uint8)
    with write_mp4(tmp_path / "v.mp4", 64, 48, 30.0) as video:
        for level in levels:
            picture[:] = level
            video.add(picture)
    np.testing.assert_allclose([frame.rgb.mean() for frame in read_frames(tmp_path / "v.mp4")], levels, atol=3)


def test_times(tmp_path: Path):
    times_s = [0.0, 0.02, 0.5, 0.5001, 2.0]
    with write_mp4(tmp_path / "v.mp4", 64, 48, 50.0) as video:
        for time_s in times_s:
            video.add(RAMP, time_s)
    np.testing.assert_allclose(video_facts(tmp_path / "v.mp4").times_s, times_s, atol=1e-4)


def test_nothing_is_left_of_a_video_that_fails(tmp_path: Path):
    def write():
        with write_mp4(tmp_path / "v.mp4", 64, 48, 30.0) as video:
            video.add(RAMP)
            raise KeyError("stop")

    with pytest.raises(KeyError):
        write()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="must be even"), write_mp4(tmp_path / "v.mp4", 63, 48, 30.0):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit on the size of files")
def test_full_disk(tmp_path: Path):
    """A limit on the size of files stops writing as a full disk does."""
    script = f"""
import resource, signal, sys
import numpy as np
from hyperlift.errors import InputError
from hyperlift.video.writing import write_mp4
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({1 << 16}, {resource.RLIM_INFINITY}))
rng = np.random.default_rng(0)
try:
    with write_mp4(sys.argv[1], 256, 256, 30.0) as video:
        for _ in range(60):
            video.add(rng.integers(0, 255, (256, 256, 3), dtype=np.uint8))
except InputError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "v.mp4")], capture_output=True, text=True, check=True
    )
    assert "v.mp4: cannot be written" in done.stdout
    assert list(tmp_path.iterdir()) == []
