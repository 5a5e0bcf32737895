import struct
import subprocess
import sys
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from shared_data import shared_path
from video_files import HEIGHT, WIDTH, corner_picture, patch_track_matrix, write_video

from hyperlift.errors import InputError
from hyperlift.video.reading import read_frames, video_facts

ONE, W = 1 << 16, 1 << 30
"""16.16 and 2.30 fixed point."""
CORNERS = {"upper left": (0, 0), "upper right": (0, 1), "lower left": (1, 0), "lower right": (1, 1)}


def red_corner(rgb: np.ndarray) -> str:
    """In which quarter of a picture the red is."""
    height, width = rgb.shape[:2]
    quarters = {
        name: rgb[y * height // 2 : (y + 1) * height // 2, x * width // 2 : (x + 1) * width // 2].reshape(-1, 3).mean(0)
        for name, (y, x) in CORNERS.items()
    }
    return max(quarters, key=lambda name: float(quarters[name][0] - quarters[name][1]))


# The matrix (a b u; c d v; x y w) takes a stored point to (a x + c y, b x + d y): by hand for each turn.
TURNS = [
    (0, [ONE, 0, 0, 0, ONE, 0, 0, 0, W], "upper left"),
    (90, [0, ONE, 0, -ONE, 0, 0, HEIGHT * ONE, 0, W], "upper right"),
    (180, [-ONE, 0, 0, 0, -ONE, 0, WIDTH * ONE, HEIGHT * ONE, W], "lower right"),
    (270, [0, -ONE, 0, ONE, 0, 0, 0, WIDTH * ONE, W], "lower left"),
]


@pytest.mark.parametrize(("turn_deg", "matrix", "corner"), TURNS)
def test_rotation_flag(tmp_path: Path, turn_deg: int, matrix: list[int], corner: str):
    path = write_video(tmp_path / "v.mp4", [corner_picture()] * 3)
    patch_track_matrix(path, matrix)
    facts = video_facts(path)
    assert facts.rotation_deg == turn_deg
    assert facts.size == ((HEIGHT, WIDTH) if turn_deg in (90, 270) else (WIDTH, HEIGHT))
    frames = list(read_frames(path))
    assert [frame.rgb.shape for frame in frames] == [(facts.height, facts.width, 3)] * 3
    assert {red_corner(frame.rgb) for frame in frames} == {corner}
    (small, *_) = read_frames(path, (40, 30))
    assert small.rgb.shape == (30, 40, 3)
    assert red_corner(small.rgb) == corner


@pytest.mark.parametrize(
    ("a", "b", "c", "d", "corner"),
    [
        (-1, 0, 0, 1, "upper right"),
        (1, 0, 0, -1, "lower left"),
        (0, 1, 1, 0, "upper left"),
        (0, -1, -1, 0, "lower right"),
    ],
)
def test_mirrored(tmp_path: Path, a: int, b: int, c: int, d: int, corner: str):
    picture = corner_picture()
    picture[: HEIGHT // 2, WIDTH // 4 : WIDTH // 2] = [200, 60, 60]  # the outer half of the red is redder
    matrix = [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, W]
    path = write_video(tmp_path / "v.mp4", [picture], matrix=matrix)
    facts = video_facts(path)
    assert facts.orientation.mirrored
    (frame,) = read_frames(path)
    assert red_corner(frame.rgb) == corner
    assert frame.rgb.shape[:2] == ((WIDTH, HEIGHT) if a == 0 else (HEIGHT, WIDTH))


def test_facts_of_a_plain_video(tmp_path: Path):
    rate = Fraction(30000, 1001)
    path = write_video(tmp_path / "v.mp4", [corner_picture()] * 10, rate, metadata={"title": "walk"})
    facts = video_facts(path)
    assert (facts.width, facts.height, facts.frames, facts.rotation_deg) == (WIDTH, HEIGHT, 10, 0)
    assert facts.fps == float(rate)
    assert facts.duration_s == pytest.approx(10 / float(rate), abs=1e-4)
    assert not facts.variable_rate
    assert facts.metadata["title"] == "walk"
    np.testing.assert_allclose(facts.times_s, np.arange(10) / float(rate), atol=1e-4)


def test_variable_rate_with_pictures_out_of_order(tmp_path: Path):
    """B-frames are stored in another order than shown; times must come out sorted and with their own picture."""
    times_s = np.array([0.5, 0.54, 0.58, 0.7, 0.74, 1.4, 1.44, 1.5])
    levels = np.arange(8) * 30
    pictures = [np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level in levels]
    options = {"crf": "5", "bf": "3", "b-adapt": "0", "preset": "veryfast"}
    path = write_video(tmp_path / "v.mp4", pictures, 25, times_s.tolist(), options=options)
    with av.open(str(path)) as container:
        stored = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert stored != sorted(stored)
    np.testing.assert_allclose(video_facts(path).times_s, times_s - 0.5, atol=1e-4)
    frames = list(read_frames(path))
    assert [frame.index for frame in frames] == list(range(8))
    np.testing.assert_allclose([frame.time_s for frame in frames], times_s - 0.5, atol=1e-4)
    np.testing.assert_allclose([frame.rgb.mean() for frame in frames], levels, atol=6)
    assert video_facts(path).variable_rate


@pytest.mark.parametrize("first", [0, 1, 7, 19, 20, 99])
def test_beginning_later_gives_the_same_frames(tmp_path: Path, first: int):
    """With pictures that are made from earlier ones and stored out of order."""
    pictures = [np.full((HEIGHT, WIDTH, 3), 12 * number, np.uint8) for number in range(20)]
    path = write_video(tmp_path / "a.mp4", pictures, options={"g": "8", "bf": "3", "preset": "veryslow"})
    frames, later = list(read_frames(path)), list(read_frames(path, first=first))
    assert [(frame.index, frame.time_s) for frame in later] == [(f.index, f.time_s) for f in frames[first:]]
    for one, other in zip(later, frames[first:], strict=True):
        np.testing.assert_array_equal(one.rgb, other.rgb)


def test_header_that_lies_about_number_and_rate(tmp_path: Path):
    """An avi says its rate and number of frames in its header, four times each here."""
    path = write_video(tmp_path / "v.avi", [corner_picture()] * 12, 20, codec="mpeg4", options={})
    content = bytearray(path.read_bytes())
    header = content.index(b"avih") + 8
    assert int.from_bytes(content[header + 16 : header + 20], "little") == 12
    content[header + 16 : header + 20] = (999).to_bytes(4, "little")
    stream = content.index(b"strh") + 8
    content[stream + 32 : stream + 36] = (999).to_bytes(4, "little")
    path.write_bytes(content)
    facts = video_facts(path)
    assert facts.frames == 12
    assert facts.duration_s == pytest.approx(0.6)
    assert len(list(read_frames(path))) == 12


def test_rate_is_counted_where_the_header_is_wrong(tmp_path: Path):
    """Frames that come at 10 a second in a stream that was announced with 50."""
    path = write_video(tmp_path / "v.mkv", [corner_picture()] * 21, 50, (np.arange(21) / 10).tolist())
    facts = video_facts(path)
    assert facts.fps == pytest.approx(10, rel=1e-3)
    assert facts.frames == 21


def test_without_time_stamps(tmp_path: Path):
    path = write_video(tmp_path / "v.h264", [corner_picture()] * 7, 25, options={"bf": "2", "preset": "veryfast"})
    facts = video_facts(path)
    assert facts.frames == 7
    assert [frame.index for frame in read_frames(path)] == list(range(7))


def test_oblong_pixels_are_made_square(tmp_path: Path):
    wide = write_video(tmp_path / "wide.mp4", [corner_picture()], sample_aspect=Fraction(4, 3))
    assert video_facts(wide).size == (128, HEIGHT)
    tall = write_video(tmp_path / "tall.mp4", [corner_picture()], sample_aspect=Fraction(1, 2))
    assert video_facts(tall).size == (WIDTH, 2 * HEIGHT)
    (frame,) = read_frames(tall)
    assert frame.rgb.shape == (2 * HEIGHT, WIDTH, 3)
    turned = write_video(tmp_path / "turned.mp4", [corner_picture()], sample_aspect=Fraction(4, 3), matrix=TURNS[1][1])
    assert video_facts(turned).size == (HEIGHT, 128)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "size"),
    [
        ("odd.mkv", "ffv1", "yuv444p", (95, 63)),
        ("ten_bit.mkv", "ffv1", "yuv420p10le", (WIDTH, HEIGHT)),
        ("alpha.mkv", "ffv1", "bgra", (WIDTH, HEIGHT)),
        ("grey.mkv", "ffv1", "gray", (WIDTH, HEIGHT)),
        ("picture.png", "png", "rgb24", (WIDTH, HEIGHT)),
    ],
)
def test_pixel_formats(tmp_path: Path, name: str, codec: str, pixel_format: str, size: tuple[int, int]):
    picture = corner_picture(*size, level=120)
    path = write_video(tmp_path / name, [picture], codec=codec, pixel_format=pixel_format, options={})
    assert video_facts(path).size == size
    (frame,) = read_frames(path)
    assert frame.rgb.dtype == np.uint8
    assert frame.rgb.shape == picture.shape
    assert np.abs(frame.rgb[-10:, -10:].astype(int) - 120).max() <= 3
    if pixel_format != "gray":
        assert np.abs(frame.rgb[5, 5].astype(int) - [255, 0, 0]).max() <= 3


def test_full_and_usual_range_of_luma_give_the_same_picture(tmp_path: Path):
    greys = []
    for name, luma, colour_range in (("usual", 126, 1), ("full", 128, 2)):
        with av.open(str(tmp_path / f"{name}.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.codec_context.color_range = colour_range
            planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
            planes[:HEIGHT] = luma
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.color_range = colour_range
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        (frame,) = read_frames(tmp_path / f"{name}.mkv")
        greys.append(frame.rgb.mean())
    # (126 - 16) / 219 = 128 / 255 = 0.502
    np.testing.assert_allclose(greys, 128, atol=1)


def test_scaled_while_decoding(tmp_path: Path):
    path = write_video(tmp_path / "v.mp4", [corner_picture(640, 360)] * 2)
    for pixels, channels in (("rgb24", 3), ("rgba", 4)):
        for frame in read_frames(path, (64, 36), pixels=pixels):
            assert frame.rgb.shape == (36, 64, channels)
            assert red_corner(frame.rgb[..., :3]) == "upper left"


def cut_file(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def noisy(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.mark.parametrize(("suffix", "known"), [("mp4", " of 2.0"), ("mkv", " of 2.0"), ("avi", "")])
def test_cut_off(tmp_path: Path, suffix: str, known: str):
    """The index in front, as downloads have it."""
    front = {"movflags": "faststart"} if suffix == "mp4" else {}
    path = write_video(tmp_path / f"v.{suffix}", [noisy(i) for i in range(50)], container_options=front)
    cut_file(path, 0.5)
    with pytest.raises(InputError, match=rf"is cut off: (0\.9|1\.\d){known} s can be read"):
        video_facts(path)
    facts = video_facts(path, allow_truncated=True)
    assert 20 <= facts.frames <= 30
    frames = list(read_frames(path, allow_truncated=True))
    assert facts.frames - 2 <= len(frames) <= facts.frames


def test_cut_off_before_the_index(tmp_path: Path):
    path = cut_file(write_video(tmp_path / "v.mp4", [noisy(i) for i in range(20)]), 0.6)
    with pytest.raises(InputError, match=r"v\.mp4: is cut off and cannot be opened: \d+ of \d+ bytes"):
        video_facts(path)


def test_cut_in_the_tail_after_the_film(tmp_path: Path):
    path = write_video(tmp_path / "v.mp4", [corner_picture()] * 5, container_options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes() + (1000).to_bytes(4, "big") + b"free" + bytes(10))
    assert video_facts(path).frames == 5


def test_damaged_in_the_middle(tmp_path: Path):
    """Frames that cannot be decoded are left out, and the others keep their numbers."""
    path = write_video(tmp_path / "v.mkv", [noisy(i) for i in range(30)], codec="ffv1", pixel_format="bgr0", options={})
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        content = bytearray(path.read_bytes())
        for packet in packets[10:12]:
            stored = bytes(packet)
            start = content.index(stored)
            content[start : start + len(stored)] = b"\xff" * len(stored)
    path.write_bytes(content)
    frames = list(read_frames(path))
    missing = set(range(30)) - {frame.index for frame in frames}
    assert missing <= {10, 11}
    np.testing.assert_array_equal(next(f for f in frames if f.index == 20).rgb, noisy(20))


def test_mostly_damaged(tmp_path: Path):
    path = write_video(tmp_path / "v.mov", [noisy(i) for i in range(20)], codec="png", pixel_format="rgb24", options={})
    content = bytearray(path.read_bytes())
    marks = [i for i in range(len(content) - 4) if content[i : i + 4] == b"\x89PNG"]
    for mark in marks[5:]:
        content[mark : mark + 200] = b"\xff" * 200
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"is damaged: only 5 of 20 frames"):
        list(read_frames(path))
    assert len(list(read_frames(path, allow_truncated=True))) == 5


def test_files_that_are_no_video(tmp_path: Path):
    with pytest.raises(InputError, match="no such video"):
        video_facts(tmp_path / "gone.mp4")
    with pytest.raises(InputError, match="is a folder"):
        video_facts(tmp_path)
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(InputError, match="is an empty file"):
        video_facts(tmp_path / "empty.mp4")
    (tmp_path / "text.mp4").write_text("text")
    with pytest.raises(InputError, match=r"text\.mp4: is not a video"):
        video_facts(tmp_path / "text.mp4")


def test_playlist_never_leads_to_the_network(tmp_path: Path):
    (tmp_path / "list.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/part.ts\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(InputError, match=r"list\.m3u8"):
        video_facts(tmp_path / "list.m3u8")


def write_png(path: Path, side: int) -> None:
    """A black square; 300 KB where ``side`` is 10,000."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer = zlib.compressobj()
    rows = b"".join(packer.compress(bytes(1 + 3 * side)) for _ in range(side)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the process's peak memory from Linux's /proc")
def test_a_picture_of_absurd_size_is_refused_before_its_memory_is_taken(tmp_path: Path):
    write_png(tmp_path / "large.png", 7000)
    # Decoded it would take 147 MB, as RGB as much again.
    script = f"""
import re
from pathlib import Path
from hyperlift.errors import InputError
from hyperlift.video.reading import video_facts
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
try:
    video_facts({str(tmp_path / "large.png")!r})
except InputError as error:
    print(peak() - before, error)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    kilobytes, _, said = run.stdout.partition(" ")
    assert "scale it to 8192x4320 pixels or less" in said
    assert int(kilobytes) < 40_000


def test_a_codec_that_is_not_known(tmp_path: Path):
    path = write_video(tmp_path / "v.mkv", [corner_picture()] * 3, codec="mpeg4", options={})
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/ASP", b"V_STRANGE/CODEC"))
    with pytest.raises(InputError, match=r"v\.mkv: its video is of a codec that is not known here"):
        video_facts(path)


def test_frames_that_are_years_apart(tmp_path: Path):
    path = write_video(tmp_path / "v.mkv", [corner_picture()] * 3, times_s=[0, 0.04, 40_000])
    with pytest.raises(InputError, match="its 3 frames span 40000 s, which is no film"):
        video_facts(path)


def test_sound_without_video(tmp_path: Path):
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(InputError, match="holds no video stream"):
        video_facts(tmp_path / "a.wav")


def test_no_frames(tmp_path: Path):
    with av.open(str(tmp_path / "v.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        container.start_encoding()
    with pytest.raises(InputError, match=r"holds no (frame|video)"):
        video_facts(tmp_path / "v.mp4")


def test_one_frame(tmp_path: Path):
    facts = video_facts(write_video(tmp_path / "v.mp4", [corner_picture()], 30))
    assert facts.times_s.tolist() == [0.0]
    assert facts.fps == 30
    assert facts.duration_s == pytest.approx(1 / 30)


def test_recording_of_a_phone():
    facts = video_facts(shared_path("data/wild/sports2d_demo.mp4"))
    assert (facts.size, facts.fps, facts.frames) == ((1768, 994), 30.0, 230)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the process's peak memory from Linux's /proc")
def test_memory_does_not_grow_with_the_length(tmp_path: Path):
    """Pictures of 4K take 24.9 MB each: 60 of them would be 1.5 GB."""
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=60)
        stream.width, stream.height, stream.pix_fmt = 3840, 2160, "yuv420p"
        stream.options = {"preset": "ultrafast", "threads": "1"}
        planes = np.full((3240, 3840), 90, np.uint8)
        for number in range(60):
            planes[:200] = number
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    script = (
        "import gc, sys; gc.disable(); from hyperlift.video.reading import read_frames\n"
        "assert sum(frame.rgb.shape == (2160, 3840, 3) for frame in read_frames(sys.argv[1])) == 60\n"
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    peak_bytes = int(done.stdout) * 1024
    assert peak_bytes < 700e6
