"""``pose3d.npz`` with legal but odd contents, and damaged ones: a right file or one line, never a crash."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rigid_motions import lifted, poses_file, without

import hyperlift
from hyperlift.body.person import Person
from hyperlift.errors import InputError
from hyperlift.motion.formats.poses_npz import write_poses
from hyperlift.rendering.page.write_page import write_page

PERSON = lifted(0, 12)
POSES = ("pose_norm", "joints_m", "world_m")


def first(person: Person, frames: int) -> Person:
    return Person(**{name: v[:frames] if isinstance(v, np.ndarray) else v for name, v in vars(person).items()})


def poses(change: Callable[[np.ndarray], np.ndarray]) -> Person:
    return replace(PERSON, **{name: change(getattr(PERSON, name)) for name in POSES})


ODD = {
    "one frame": [first(PERSON, 1)],
    "two frames": [first(PERSON, 2)],
    "nothing known": [poses(lambda pose: np.full_like(pose, np.nan))],
    "one of two known": [poses(lambda pose: np.full_like(pose, np.nan)), lifted(3, 12)],
    "a point": [poses(np.zeros_like)],
    "large": [poses(lambda pose: pose * 1e4)],
    "nothing seen": [replace(PERSON, valid=np.zeros_like(PERSON.valid))],
    "late": [replace(PERSON, frame=PERSON.frame + 10**5, time_s=PERSON.time_s + 4000)],
    "odd numbers": [replace(PERSON, id=-4), replace(PERSON, id=10**15 - 1)],
    "not placed": [without(PERSON, "joints_m", "world_m", "root_m")],
    "no world": [without(PERSON, "world_m")],
}
NO_BODY = {"nothing known", "nothing seen", "not placed"}


@pytest.mark.parametrize("what", ODD)
def test_every_kind_of_file_of_odd_motions(tmp_path: Path, what: str):
    motion = hyperlift.load_motion(poses_file(tmp_path / "p.npz", ODD[what]))
    for kind in (".npz", ".json", ".csv", ".gif"):
        assert motion.save(tmp_path / f"o{kind}")[0].stat().st_size > 0
    assert len(hyperlift.load_motion(tmp_path / "o.npz").people) == len(ODD[what])
    json.loads((tmp_path / "o.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    write_page(tmp_path / "o.html", motion.people, motion.meta)
    for kind in (".bvh", ".glb", ".trc"):
        if what in NO_BODY:
            with pytest.raises(InputError, match=r"nobody was seen|has no joints in metres"):
                motion.save(tmp_path / f"o{kind}")
        else:
            assert all(path.stat().st_size > 0 for path in motion.save(tmp_path / f"o{kind}"))


def test_nobody(tmp_path: Path):
    empty = hyperlift.load_motion(poses_file(tmp_path / "p.npz", [PERSON])).of([])
    for kind in (".npz", ".json", ".csv"):
        empty.save(tmp_path / f"o{kind}")
    for kind in (".bvh", ".gif"):
        with pytest.raises(InputError, match="nobody"):
            empty.save(tmp_path / f"o{kind}")
    with pytest.raises(InputError, match="nobody is in it"):
        hyperlift.load_motion(tmp_path / "o.npz")


def stored(tmp_path: Path, **changes: object) -> Path:
    with np.load(poses_file(tmp_path / "p.npz", [PERSON])) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name, value in changes.items():
        if name == "meta" and callable(value):
            arrays["meta"] = np.array(json.dumps(value(json.loads(str(arrays["meta"])))))
        else:
            arrays[name if name == "meta" else f"p0/{name}"] = value(arrays[f"p0/{name}"]) if callable(value) else value
    np.savez(tmp_path / "q.npz", **arrays)
    return tmp_path / "q.npz"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"meta": np.array("[" * 5000)}, "meta data"),
        ({"meta": np.array("7")}, "its meta data are 7"),
        ({"meta": np.zeros(3)}, "holds no 3D poses"),
        ({"meta": lambda meta: meta | {"format": ["x"] * 1000}}, "expected hyperlift-poses version 1"),
        ({"meta": lambda meta: meta | {"fps": "fast"}}, "fps in its meta data is 'fast'"),
        ({"meta": lambda meta: meta | {"fps": 1e-320}}, "fps in its meta data is"),
        ({"meta": lambda meta: meta | {"fps": 10**400}}, "fps in its meta data is an integer of"),
        ({"meta": lambda meta: meta | {"skeleton": 3}}, "name no skeleton"),
        ({"meta": lambda meta: meta | {"skeleton": "x" * 5000}}, "skeleton"),
        ({"meta": lambda meta: meta | {"model": [1]}}, r"model in its meta data is \[1\]"),
        ({"frame": lambda frame: frame * 10**8}, "expected every frame from first to last"),
        ({"frame": lambda frame: frame + 10**12}, "frame runs from 1000000000000 to"),
        ({"frame": lambda frame: frame.astype(float)}, "p0/frame is float64"),
        ({"frame": np.int64(3)}, "p0/frame has shape|TypeCheckError"),  # tests check shapes sooner
        ({"time_s": lambda time_s: time_s[::-1]}, "does not ascend"),
        ({"time_s": lambda time_s: time_s + 1e9}, "expected the seconds of each frame since frame 0"),
        ({"valid": lambda valid: valid.astype(np.int64)}, "p0/valid is int64"),
        ({"pose_norm": lambda pose: pose[:, :5]}, "p0/pose_norm has shape|TypeCheckError"),
        ({"world_m": lambda world_m: world_m * 1e300}, "infinite or absurd numbers"),
        ({"joints_m": lambda joints_m: joints_m + np.inf}, "infinite or absurd numbers"),
    ],
)
def test_damaged_motions_are_refused_in_one_line(tmp_path: Path, changes: dict, message: str):
    path = stored(tmp_path, **changes)
    with pytest.raises(InputError, match=message) as caught:
        hyperlift.load_motion(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert path.name in str(caught.value)


def test_a_name_that_is_no_text(tmp_path: Path):
    path = stored(tmp_path, meta=lambda meta: meta | {"source": "bad\udcff.mp4"})
    motion = hyperlift.load_motion(path)
    assert motion.meta["source"] == "bad?.mp4"
    for kind in (".npz", ".json", ".csv"):
        motion.save(tmp_path / f"o{kind}")
    write_page(tmp_path / "o.html", motion.people, motion.meta)


def test_arrays_of_nobody_we_know(tmp_path: Path):
    meta = hyperlift.load_motion(poses_file(tmp_path / "p.npz", [PERSON])).meta
    write_poses(tmp_path / "o.npz", [PERSON], meta)
    np.savez(tmp_path / "q.npz", **dict(np.load(tmp_path / "o.npz")), **{"p" + "9" * 400 + "/frame": np.arange(3)})
    with pytest.raises(InputError, match="expected those of people"):
        hyperlift.load_motion(tmp_path / "q.npz")
