"""A run that was interrupted goes on, and finds what a run finds that was not."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest

from hyperlift.detection.detector import Detector, ResumableDetector, detect_video
from hyperlift.detection.journal import MAGIC, JournalFile, read_journal
from hyperlift.detection.movenet import MoveNetDetector
from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.skeletons.joint_sets import COCO_17
from hyperlift.video.reading import read_frames

CLIP = Path(__file__).parents[2] / "examples" / "multiperson.mp4"


@dataclass(frozen=True)
class Frame:
    index: int
    rgb: np.ndarray


class Walk:
    """Remembers: everybody is a random step from where they were; two people, nobody in each fifth frame."""

    name = "walk"
    skeleton = COCO_17

    def __init__(self, fails_in: int | None = None, error: type[BaseException] = RuntimeError) -> None:
        self.fails_in, self.error = fails_in, error
        self.looked_at: list[int] = []
        self.reset()

    def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
        self._random.random(100)  # what is half done when it fails must not be gone on from
        if index == self.fails_in:
            raise self.error("no memory\nat all")
        self.looked_at.append(index)
        if index % 5 == 0:
            return []
        self._at += self._random.normal(size=2)
        people = np.broadcast_to(self._at, (2, len(COCO_17), 2))
        people = np.concatenate([people, np.full((2, len(COCO_17), 1), 0.7)], -1).astype(np.float32)
        people[0, 3] = np.nan
        return [Detection(people[0]), Detection(people[1], track_id=index)]

    def reset(self) -> None:
        self._random = np.random.default_rng(5)
        self._at = np.full(2, 0.5)

    def state(self):
        return {"random": self._random.bit_generator.state, "at": self._at.tolist()}

    def restore(self, state) -> None:
        self._random.bit_generator.state = state["random"]
        self._at = np.array(state["at"])


class Forgetful:
    """The same without hooks."""

    name = "forgetful"
    skeleton = COCO_17

    def __init__(self, fails_in: int | None = None) -> None:
        self._walk = Walk(fails_in)
        self.looked_at = self._walk.looked_at
        self.detect = self._walk.detect
        self.reset = self._walk.reset


def frames(first: int = 0, last: int = 40) -> Iterator[Frame]:
    for index in range(first, last):
        yield Frame(index, np.zeros((4, 4, 3), np.uint8))


def detected(file: JournalFile, detector: Detector, last: int = 40) -> Detections:
    with file.opened(detector) as journal:
        first = 0 if journal is None else journal.next_frame
        return detect_video(frames(first, last), detector, source="a.mp4", log=journal)


def assert_equal(one: Detections, other: Detections) -> None:
    assert list(one.frames) == list(other.frames)
    for index, people in one.frames.items():
        assert [p.track_id for p in people] == [p.track_id for p in other.frames[index]]
        for mine, theirs in zip(people, other.frames[index], strict=True):
            assert mine.keypoints_px.dtype == theirs.keypoints_px.dtype
            np.testing.assert_array_equal(mine.keypoints_px, theirs.keypoints_px)


@pytest.fixture
def file(tmp_path: Path) -> JournalFile:
    return JournalFile(tmp_path / "out" / ".journal", "a.mp4 and options", write_every_s=0.0)


def written(file: JournalFile, frames_kept: int) -> bytes:
    """A journal of so many frames, a record each."""
    file.remove()
    with pytest.raises(InputError):
        detected(file, Walk(frames_kept))
    return file.path.read_bytes()


UNDISTURBED = detect_video(frames(), Walk())
FACTS = json.dumps({"detector": "walk", "made_from": "a.mp4 and options", "skeleton": "coco17"})


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("every_s", [0.0, 3600.0])
def test_an_interrupted_run_goes_on_where_it_ended(file: JournalFile, error, every_s: float):
    """Twice, once at the frame where it began again; whether each frame was written or all when the run ended."""
    file = replace(file, write_every_s=every_s)
    looked_at = []
    for fails_in in (17, 18, 33, None):
        detector = Walk(fails_in, error)
        if fails_in is None:
            assert_equal(detected(file, detector), UNDISTURBED)
        else:
            with pytest.raises(KeyboardInterrupt if error is KeyboardInterrupt else InputError):
                detected(file, detector)
        looked_at += detector.looked_at
    assert looked_at == list(range(40)), "no frame is looked at twice"
    file.remove()
    assert not file.path.exists()


def test_a_detector_that_fails_says_where(file: JournalFile, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    with pytest.raises(InputError, match=r"^a\.mp4: the detector walk fails in frame 17: no memory$") as raised:
        detected(file, Walk(17))
    assert isinstance(raised.value.__cause__, RuntimeError)
    assert "the next run continues at frame 17" in caplog.text


def test_a_detector_without_hooks_begins_anew_with_a_line(file: JournalFile, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    assert not isinstance(Forgetful(), ResumableDetector)
    with pytest.raises(InputError):
        detected(file, Forgetful(17))
    again = Forgetful()
    assert_equal(detected(file, again), UNDISTURBED)
    assert again.looked_at == list(range(40))
    assert "forgetful has no state() and restore()" in caplog.text
    assert not file.path.exists()


def test_a_tail_torn_at_any_byte_is_left_out(file: JournalFile, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # some hundred runs: nobody pulls the plug here
    records = written(file, 1), written(file, 2), written(file, 3)
    before, shorter, whole = records
    for size in (*range(0, len(shorter), 29), *range(len(shorter) - 1, len(whole))):
        file.path.write_bytes(whole[:size])
        kept = read_journal(file.path, FACTS, COCO_17)
        assert len(kept.frames) == sum(size >= len(record) for record in records)
    undisturbed = detect_video(frames(0, 4), Walk())
    for size in (*range(len(shorter), len(whole), 101), len(shorter) - 1, len(before), 100, 9, 3, 0):
        # A disk may also have kept the length of the file and not what was in it.
        for torn in (whole[:size], whole[:size].ljust(len(whole), b"\0")):
            file.path.write_bytes(torn)
            if torn and not MAGIC.startswith(torn[: len(MAGIC)]):
                continue
            detector = Walk()
            assert_equal(detected(file, detector, last=4), undisturbed)
            assert detector.looked_at[0] == (2 if size >= len(shorter) else 1 if size >= len(before) else 0)
            assert file.path.read_bytes()[: len(whole)] == whole, "the torn record is replaced"


def test_any_changed_byte_is_noticed(file: JournalFile):
    whole = written(file, 3)
    frames_before = detect_video(frames(0, 3), Walk())
    for at in range(len(MAGIC), len(whole), 7):
        file.path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        kept = read_journal(file.path, FACTS, COCO_17).frames
        assert len(kept) < 3
        assert_equal(
            replace(frames_before, frames=kept),
            replace(frames_before, frames=dict(list(frames_before.frames.items())[: len(kept)])),
        )


@pytest.mark.parametrize("other", ["made_from", "name", "skeleton"])
def test_a_journal_of_something_else_is_left_with_a_line(file: JournalFile, caplog: pytest.LogCaptureFixture, other):
    with pytest.raises(InputError):
        detected(file, Walk(17))
    detector = Walk()
    if other == "made_from":
        file = replace(file, made_from="another video")
    elif other == "name":
        detector.name = "run"
    else:
        detector.skeleton = replace(COCO_17, name="another17")
    assert_equal(detected(file, detector), UNDISTURBED)
    assert "is of another video, detector or version; detection starts again from frame 0" in caplog.text
    assert detector.looked_at == list(range(40))


def test_what_is_no_journal_is_neither_read_nor_written(file: JournalFile, tmp_path: Path):
    file.path.parent.mkdir()
    file.path.write_bytes(b"notes of mine")
    with pytest.raises(InputError, match="is no journal of detections; move it away"):
        detected(file, Walk())
    assert file.path.read_bytes() == b"notes of mine"
    file.path.unlink()
    (tmp_path / "mine").write_bytes(MAGIC)
    file.path.symlink_to(tmp_path / "mine")
    with pytest.raises(InputError, match="cannot be written"):
        detected(file, Walk())
    assert (tmp_path / "mine").read_bytes() == MAGIC


def test_a_whole_record_that_makes_no_sense_begins_anew(file: JournalFile, caplog: pytest.LogCaptureFixture):
    from hyperlift.detection.journal import _record

    with pytest.raises(InputError):
        detected(file, Walk(3))
    whole = file.path.read_bytes()
    for payload in (b"", b"[]\n", b'{"frames": [["1", []]], "state": 0}\n', b'{"frames": [[1, []]], "state": 0}\n'):
        file.path.write_bytes(whole + _record(payload))
        caplog.clear()
        assert_equal(detected(file, Walk()), UNDISTURBED)
        assert "starts again from frame 0" in caplog.text


def test_a_detector_that_cannot_be_restored_begins_anew(file: JournalFile, caplog: pytest.LogCaptureFixture):
    class Later(Walk):
        def restore(self, state) -> None:
            self._at = state["where"]

    with pytest.raises(InputError):
        detected(file, Walk(17))
    assert_equal(detected(file, Later()), UNDISTURBED)
    assert "walk cannot resume ('where'); it starts again from frame 0" in caplog.text


def test_a_state_that_is_no_json(file: JournalFile):
    class Secret(Walk):
        def state(self):
            return self._at

    with pytest.raises(InputError, match=r"the detector walk gives a state\(\) that is not made of plain JSON values"):
        detected(file, Secret())


def test_keypoints_of_another_skeleton_are_refused():
    class Three(Walk):
        def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
            return [Detection(np.zeros((3, 3)))]

    with pytest.raises(InputError, match=r"shape \[3, 3\] in frame 0; its skeleton coco17 has \[17, 3\]"):
        detect_video(frames(), Three())


def test_a_full_disk_leaves_a_journal_to_go_on_from(file: JournalFile):
    """The file may grow by a part of the next record only, as on a disk that becomes full."""
    script = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_journal import JournalFile, Walk, detected
from hyperlift.errors import InputError
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    detected(JournalFile(Path({str(file.path)!r}), {file.made_from!r}, 0.0), Walk())
except InputError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (
        "the journal of detections cannot be written (File too large); free disk space and start again" in ended.stdout
    )
    detector = Walk()
    assert_equal(detected(file, detector), UNDISTURBED)
    assert 0 < detector.looked_at[0] < 40


def test_movenet_goes_on_to_the_last_bit(tmp_path: Path):
    """Killed by a signal in a process of its own, then failing; the second run begins in the middle of the clip."""
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_journal import movenet_run
movenet_run(Path({str(tmp_path / "journal")!r}), lambda index: index == 13 and os.kill(os.getpid(), signal.SIGKILL))
"""
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    looked_at, undisturbed = [], movenet_run(None)

    def stop_at_21(index: int) -> None:
        looked_at.append(index)
        if index == 21:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        movenet_run(tmp_path / "journal", stop_at_21)
    assert_equal(movenet_run(tmp_path / "journal", looked_at.append), undisturbed)
    assert looked_at == list(range(14, 30))
    assert max(len(people) for people in undisturbed.frames.values()) > 1


def movenet_run(path: Path | None, on_frame=lambda index: None) -> Detections:
    def clip(first: int = 0) -> Iterator[Frame]:
        return takewhile(lambda frame: frame.index < 30, read_frames(CLIP, (272, 480), first=first))

    detector = MoveNetDetector("lightning", long_side=256, fps=60.0, threads=1)
    if path is None:
        return detect_video(clip(), detector)
    with JournalFile(path, "clip", write_every_s=0.0).opened(detector) as journal:
        assert journal is not None
        return detect_video(
            clip(journal.next_frame), detector, on_frame=lambda index, people: on_frame(index), log=journal
        )
