"""``write_page``: people and what is known about them as one HTML file with three.js, styles and data inside."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.body.person import Person, check_people
from hyperlift.errors import InputError
from hyperlift.files.atomic import atomic_file, check_output
from hyperlift.rendering.page.curves import curve_values, curves_of
from hyperlift.rendering.page.initial_view import first_azimuth_deg
from hyperlift.rendering.page.packing import MISSING, in_steps, pack
from hyperlift.rendering.page.video_beside import LARGEST_INSIDE_MB, VideoBeside, video_beside
from hyperlift.rendering.staging import Staged, stage_people
from hyperlift.skeletons.joint_sets import skeleton_named
from hyperlift.skeletons.skeleton import Skeleton

THREE = "three-0.187.0.min.js"
TIME_STEP_S, PLACE_STEP_M = 1e-4, 2e-4
"""The precision of the page's data."""
RIGHT, LEFT = "#e4572e", "#2e86de"
TAGS = ("#6c4fb5", "#1f8a5b", "#b8741a", "#b03a7a", "#28808f", "#6b6f1d")
"""The colours of ``pose3d.mp4``: sides, and people by their id."""
DRAWN_WITH = "three.js 0.187.0, MIT licence, © 2010–2026 three.js authors"
_PLACES = {
    "world_m": "metres in the world, z up, the floor at 0",
    "joints_m": "metres in camera axes, taken for level; the floor is put where the feet are lowest",
    "pose_norm": "no places are known: everybody has average size and a lane of their own, the lower foot on the floor",
}
_SCRIPTS = ("data.js", "scene.js", "curves.js", "live.js", "player.js")


@dataclass(frozen=True)
class WrittenPage:
    """What somebody who writes a page wants to know of it."""

    path: Path
    size_mb: float
    notes: tuple[str, ...]
    """What the page does not hold: a video beside it, people without a place."""


def write_page(
    path: Path | str,
    people: Sequence[Person],
    meta: Mapping[str, Any],
    video: Path | str | None = None,
    largest_inside_mb: float = LARGEST_INSIDE_MB,
) -> WrittenPage:
    """Write one self-contained HTML file, whole or not at all.

    The page shows ``world_m`` (metres, z up); without it ``joints_m``, or ``pose_norm`` side by side. NaN joints are
    not drawn, joints that are not valid are drawn faintly. Places are kept to 0.2 mm, times to 0.1 ms.

    Args:
        path: of the page.
        people: at least one, each with at least one frame.
        meta: of ``pose3d.npz``.
        video: the recording, whose frame 0 is second 0.
        largest_inside_mb: a larger video stays outside and is named by its place relative to the page.

    Raises:
        InputError: there is nobody, arrays do not fit together, the video is missing or no video, or the page cannot
            be written.
    """
    path = Path(path)
    skeleton = _skeleton(meta)
    if not people:
        raise InputError("nobody is there, there is nothing to look at")
    check_people(people, skeleton)
    check_output(path)
    beside = None if video is None else video_beside(Path(video), path, largest_inside_mb)
    staged = stage_people(people, skeleton)
    page = page_text(_data(staged, skeleton, meta, beside), str(meta.get("source", "lifted people")), beside)
    with atomic_file(path) as partial:
        partial.write_text(page, encoding="utf-8")
    notes = [f"p{number} has no place in the world and is not shown" for number in staged.left_out]
    if beside is not None and beside.note is not None:
        notes.append(beside.note)
    return WrittenPage(path, path.stat().st_size / 1e6, tuple(notes))


def _skeleton(meta: Mapping) -> Skeleton:
    if "skeleton" not in meta:
        raise InputError("the meta data name no skeleton; expected what lifting writes")
    return skeleton_named(meta["skeleton"])


def page_frame(skeleton: Skeleton, fps: float | None, facts: Mapping[str, object]) -> dict:
    """What every page's data begin with: joints, bones, colours, curves, precision.

    Args:
        skeleton: of the people.
        fps: frames a second, as far as they are known.
        facts: what the page says under "About", name and sentence; empty ones are left out.
    """
    side_of = {joint: side for pair in skeleton.pairs for joint, side in zip(pair, ("right", "left"), strict=True)}
    return {
        "format": "hyperlift-page",
        "version": 1,
        "joints": list(skeleton.joints),
        "root": skeleton.root,
        "bones": [[parent, child, side_of.get(child, "trunk")] for parent, child in skeleton.bones],
        "steps": {"time_s": TIME_STEP_S, "place_m": PLACE_STEP_M},
        "missing": MISSING,
        "colours": {"right": RIGHT, "left": LEFT},
        "curves": [vars(curve) for curve in curves_of(skeleton)],
        "fps": fps,
        "facts": [[name, str(sentence)] for name, sentence in facts.items() if sentence],
        "live": None,
    }


def _data(staged: Staged, skeleton: Skeleton, meta: Mapping, beside: VideoBeside | None) -> dict:
    curves = curves_of(skeleton)
    return {
        **page_frame(skeleton, float(meta.get("fps", 0.0)) or None, _facts(staged, meta)),
        "azimuth_deg": first_azimuth_deg(staged),
        "video": None
        if beside is None
        else {
            "name": beside.name,
            "address": beside.address,
            "kind": beside.kind,
            "size": beside.size,
            "note": beside.note,
        },
        "people": [
            _person(person, curve_values(person.world_m, curves), [curve.step for curve in curves])
            for person in staged.people
        ],
    }


def _person(person: Person, values: np.ndarray, steps: list[float]) -> dict:
    joints_m = person.world_m
    anchor = _anchor_steps(joints_m)
    return {
        "id": person.id,
        "colour": TAGS[person.id % len(TAGS)],
        "frame": pack(person.frame.astype(np.int32)),
        "time": pack(in_steps(np.asarray(person.time_s, np.float64), TIME_STEP_S, "int32")),
        "anchor": pack(anchor),
        "joints": pack(in_steps(joints_m - anchor[:, None] * PLACE_STEP_M, PLACE_STEP_M, "int16")),
        "valid": pack(np.packbits(person.valid, axis=1, bitorder="little")),
        "curves": pack(in_steps(values / steps, 1.0, "int16")),
    }


def _anchor_steps(joints_m: np.ndarray) -> np.ndarray:
    """A point near the body in every frame, from which its joints are measured: int32 [T,3] in steps."""
    known = np.isfinite(joints_m).all(-1, keepdims=True)
    total = np.where(known, joints_m, 0.0).sum(1)
    count = known.sum(1)
    middle = total / np.maximum(count, 1)
    largest = np.iinfo(np.int32).max // 2
    return np.clip(np.round(middle / PLACE_STEP_M), -largest, largest).astype(np.int32)


def _facts(staged: Staged, meta: Mapping) -> dict[str, object]:
    model = meta.get("model", {})
    return {
        "Source": meta.get("source"),
        "Places": _PLACES[staged.space],
        "Size": meta.get("height", {}).get("sentence"),
        "Camera": meta.get("intrinsics", {}).get("source"),
        "Gravity": meta.get("world", {}).get("tilt_source"),
        "Not shown": ", ".join(f"p{number}" for number in staged.left_out) + " (no place known)"
        if staged.left_out
        else None,
        "Lifter": " · ".join(str(model[key]) for key in ("name", "licence") if model.get(key)),
        "Credit": model.get("credit"),
        "Written by": f"HyperLift {meta.get('hyperlift', '')}".strip(),
        "Drawn with": DRAWN_WITH,
    }


def page_text(data: dict, title: str, beside: VideoBeside | None = None) -> str:
    """The page with its data inside.

    Args:
        data: for JSON, beginning with ``page_frame``. A page whose ``live`` is set may talk to its own server, any
            other to nobody.
        title: any text.
        beside: the recording's video.
    """
    assets = files("hyperlift.rendering.page") / "assets"

    def asset(name: str) -> str:
        return (assets / name).read_text(encoding="utf-8")

    parts = {
        "title": html.escape(title),
        "style": asset("page.css"),
        "three": f"/*\n{asset('three.LICENSE')}*/\n{asset(THREE)}",
        "script": "\n".join(asset(name) for name in _SCRIPTS),
        # Text of a recording must not end the script that holds it.
        "data": json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        "connect": "; connect-src 'self'" if data["live"] else "",
        "video": "" if beside is None else beside.data,
    }
    # In one go: what a recording is called may look like a place for another part.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], asset("page.html"))


def live_page(name: str, skeleton: Skeleton, fps: float, kept_s: float, facts: Mapping[str, object]) -> str:
    """The page without people, as text: they come from the server that it is from, while somebody looks.

    It listens to ``/events`` and asks ``/clock`` of that server, and nobody else; what its own address says after the
    question mark it says there too.

    Args:
        name: of the camera or file, for the title.
        skeleton: of the people that will come, in world metres.
        fps: frames a second of the source.
        kept_s: seconds back that the page remembers.
        facts: what the page says under "About", name and sentence.
    """
    data = page_frame(skeleton, fps, {**facts, "Drawn with": DRAWN_WITH})
    data |= {"video": None, "people": [], "tags": TAGS, "live": {"kept_s": kept_s}}
    return page_text(data, name)
