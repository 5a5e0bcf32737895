"""Time and memory of long keypoint files: the decoders that could read them, reading them, and lifting them.

python benchmarks/long_keypoints.py
"""

import importlib.util
import json
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import numpy as np
from runner import Report, in_own_process, run, table

from hyperlift.contract import Predictor
from hyperlift.errors import InputError
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import COCO_17

Decoder = Literal["json", "json, a window", "orjson", "msgspec", "ijson"]
_FPS, _SIZE = 30.0, (1920, 1080)
_PACKAGES = ("orjson", "msgspec", "ijson")


def write_alphapose(path: Path, frames: int, people: int) -> None:
    """Results of people who sway, with a detector's noise."""
    rng = np.random.default_rng(0)
    body = np.concatenate([rng.uniform([0, 0], [120, 400], (len(COCO_17), 2)), np.full((len(COCO_17), 1), 0.9)], axis=1)
    with path.open("w", encoding="utf-8") as file:
        for frame in range(frames):
            for person in range(people):
                points = body + [200 + 300 * person + 60 * np.sin(frame / 40 + person), 300, 0]
                points[:, :2] += rng.normal(0, 1.5, (len(COCO_17), 2))
                numbers = np.round(points, 3).reshape(-1).tolist()
                entry = {"image_id": f"{frame}.jpg", "keypoints": numbers, "score": 2.9, "idx": person}
                file.write(("," if frame or person else "[") + json.dumps(entry))
        file.write("]")


def decode_cost(decoder: Decoder, path: Path) -> tuple[float, float]:
    """Processor seconds of decoding every entry, and the peak of memory above the imports."""
    before_s, before_mb = time.process_time(), _peak_mb()
    kept: object = None
    if decoder == "json":
        kept = json.loads(path.read_bytes())
    elif decoder == "json, a window":
        from hyperlift.keypoints.formats.json_stream import JsonList, read_json

        content = read_json(path)
        assert isinstance(content, JsonList)
        kept = sum(1 for _ in content)
    else:
        package = importlib.import_module(decoder)
        before_s, before_mb = time.process_time(), _peak_mb()
        if decoder == "orjson":
            kept = package.loads(path.read_bytes())
        elif decoder == "msgspec":
            entry = package.defstruct("Entry", [("image_id", str), ("keypoints", list[float]), ("idx", int)])
            kept = package.json.decode(path.read_bytes(), type=list[entry])
        else:
            with path.open("rb") as file:
                kept = sum(1 for _ in package.items(file, "item", use_float=True))
    cost = time.process_time() - before_s, _peak_mb() - before_mb
    del kept
    return cost


def read_cost(path: Path) -> tuple[float, float]:
    """Processor seconds of reading a file, and the peak of memory above the imports."""
    before_s, before_mb = time.process_time(), _peak_mb()
    kept = read_keypoints(path)
    cost = time.process_time() - before_s, _peak_mb() - before_mb
    del kept
    return cost


def lift_cost(path: Path) -> tuple[dict[str, float], float]:
    """Processor seconds of each stage of lifting a file, and the peak of memory of the whole process.

    The network is a stand-in that costs nothing: what is measured is everything around it.
    """
    from hyperlift.keypoints.checks import check_keypoints
    from hyperlift.lifting.lift import lift_people, track_people
    from hyperlift.motion.formats.poses_npz import poses_meta, write_poses
    from hyperlift.pipeline.lifter import Lifter
    from hyperlift.pipeline.options import LiftOptions
    from hyperlift.pipeline.recording_source import open_recording
    from hyperlift.placement.lens import assumed_intrinsics
    from hyperlift.placement.place import place_people

    spec = Lifter("small", threads=1).spec
    marks = [time.process_time()]
    recorded = open_recording(path, None, LiftOptions(picture_size=_SIZE, fps=_FPS))
    found = recorded.detections
    assert found is not None
    marks.append(time.process_time())
    tracks = track_people(found, *_SIZE, recorded.times_s, 0.05)
    check_keypoints(found, *_SIZE)
    marks.append(time.process_time())
    predict: Predictor = _flat
    lifted = lift_people(predict, spec, tracks, *_SIZE, recorded.times_s)
    marks.append(time.process_time())
    people, placement = place_people(lifted, spec, assumed_intrinsics(*_SIZE))
    marks.append(time.process_time())
    with TemporaryDirectory() as folder:
        meta = poses_meta(source="long", width=1920, height=1080, fps=_FPS, lifter=spec, placement=placement.as_dict())
        write_poses(Path(folder) / "pose3d.npz", people, meta)
    marks.append(time.process_time())
    names = ("read", "follow and check", "lift", "place", "write")
    return dict(zip(names, np.diff(marks).tolist(), strict=True)), _peak_mb()


def _flat(pose2d_norm: np.ndarray) -> np.ndarray:
    """Everybody in one plane."""
    relative = pose2d_norm[..., :2] - pose2d_norm[..., :1, :2]
    return np.concatenate([5 * relative, np.zeros_like(relative[..., :1])], axis=-1).astype(np.float32)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def long_keypoints(
    *,
    many: Annotated[int, "frames of five people, to read"] = 80_000,
    lift: Annotated[tuple[int, ...], "frames of one person, to lift"] = (10_000, 100_000, 1_000_000),
) -> Report:
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"decoders are compared and {', '.join(missing)} is not there: pip install {' '.join(missing)}"
        )
    with TemporaryDirectory() as folder:
        five, one = Path(folder) / "five.json", Path(folder) / "one.json"
        write_alphapose(five, many, 5)
        yield f"{many:,} frames of 5 people, AlphaPose, {five.stat().st_size / 1e6:.0f} MB:"
        decoders: tuple[Decoder, ...] = ("json", "json, a window", "orjson", "msgspec", "ijson")
        costs = [(name, *in_own_process(decode_cost, name, five)) for name in decoders]
        costs.append(("`read_keypoints`, to arrays", *in_own_process(read_cost, five)))
        yield table(("decoder", "processor, s {:.1f}", "memory, MB {:.0f}"), costs)
        rows = []
        for frames in lift:
            write_alphapose(one, frames, 1)
            stages, peak_mb = in_own_process(lift_cost, one)
            rows.append((frames, *stages.values(), sum(stages.values()), peak_mb))
        stage_columns = (f"{name}, s {{:.1f}}" for name in ("read", "follow", "lift", "place", "write", "all"))
        yield table(("frames of one person {:,}", *stage_columns, "peak, MB {:.0f}"), rows)
        yield "Processor seconds of one run each, one thread. The network is a stand-in that costs nothing."


if __name__ == "__main__":
    run(long_keypoints, many=300, lift=(300,))
