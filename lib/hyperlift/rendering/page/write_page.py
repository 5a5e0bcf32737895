"""``write_page``: people in 3D as one self-contained HTML file with three.js, styles and data."""

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
from hyperlift.rendering.page.initial_view import initial_azimuth_deg
from hyperlift.rendering.page.packing import MISSING, pack, quantised
from hyperlift.rendering.page.page_video import MAX_EMBEDDED_MB, PageVideo, page_video
from hyperlift.rendering.staging import Staged, stage_people
from hyperlift.skeletons.joint_sets import skeleton_named
from hyperlift.skeletons.skeleton import Skeleton

THREE = "three-0.187.0.min.js"
TIME_STEP_S, PLACE_STEP_M = 1e-4, 2e-4
"""Quantisation steps of the data. Chosen: 0.1 ms and 0.2 mm are below what can be seen."""
RIGHT, LEFT = "#e4572e", "#2e86de"
TAGS = ("#6c4fb5", "#1f8a5b", "#b8741a", "#b03a7a", "#28808f", "#6b6f1d")
"""Colours of sides and of people by id, as in ``pose3d.mp4``."""
DRAWN_WITH = "three.js 0.187.0, MIT licence, © 2010–2026 three.js authors"
_PLACES = {
    "world_m": "metres in the world, z up, the floor at 0",
    "joints_m": "metres in camera axes, taken for level; the floor is put where the feet are lowest",
    "pose_norm": "no places are known: everybody has average size and a lane of their own, the lower foot on the floor",
}
_SCRIPTS = ("data.js", "scene.js", "curves.js", "live.js", "player.js")


@dataclass(frozen=True)
class WrittenPage:
    """Path, size and limitations of a written page."""

    path: Path
    size_mb: float
    notes: tuple[str, ...]
    """What the page lacks: a video that is not embedded, people without a place."""


def write_page(
    path: Path | str,
    people: Sequence[Person],
    meta: Mapping[str, Any],
    video: Path | str | None = None,
    max_embedded_mb: float = MAX_EMBEDDED_MB,
) -> WrittenPage:
    """Write one self-contained HTML file atomically.

    The page shows ``world_m`` (metres, z up); without it ``joints_m``, or ``pose_norm`` side by side. NaN joints are
    not drawn, joints that are not valid are drawn faintly. Positions are stored to 0.2 mm, times to 0.1 ms.

    Args:
        path: of the page.
        people: at least one, each with at least one frame.
        meta: of ``pose3d.npz``.
        video: the recording, whose frame 0 is second 0.
        max_embedded_mb: a larger video is not embedded, and is linked relative to the page.

    Raises:
        InputError: there are no people, shapes do not match, the video is missing or not a video, or the page cannot
            be written.
    """
    path = Path(path)
    skeleton = _skeleton(meta)
    if not people:
        raise InputError("there are no people to show")
    check_people(people, skeleton)
    check_output(path)
    embedded = None if video is None else page_video(Path(video), path, max_embedded_mb)
    staged = stage_people(people, skeleton)
    page = page_text(_data(staged, skeleton, meta, embedded), str(meta.get("source", "lifted people")), embedded)
    with atomic_file(path) as partial:
        partial.write_text(page, encoding="utf-8")
    notes = [f"p{number} has no place in the world and is not shown" for number in staged.left_out]
    if embedded is not None and embedded.note is not None:
        notes.append(embedded.note)
    return WrittenPage(path, path.stat().st_size / 1e6, tuple(notes))


def _skeleton(meta: Mapping) -> Skeleton:
    if "skeleton" not in meta:
        raise InputError("the meta data name no skeleton; expected what lifting writes")
    return skeleton_named(meta["skeleton"])


def page_frame(skeleton: Skeleton, fps: float | None, facts: Mapping[str, object]) -> dict:
    """The part of the data that all pages have: joints, bones, colours, curves, quantisation.

    Args:
        skeleton: of the people.
        fps: frame rate; None if it is unknown.
        facts: rows of "About", name and text; empty ones are skipped.
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


def _data(staged: Staged, skeleton: Skeleton, meta: Mapping, embedded: PageVideo | None) -> dict:
    curves = curves_of(skeleton)
    return {
        **page_frame(skeleton, float(meta.get("fps", 0.0)) or None, _facts(staged, meta)),
        "azimuth_deg": initial_azimuth_deg(staged),
        "video": None
        if embedded is None
        else {
            "name": embedded.name,
            "address": embedded.address,
            "kind": embedded.kind,
            "size": embedded.size,
            "note": embedded.note,
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
        "time": pack(quantised(np.asarray(person.time_s, np.float64), TIME_STEP_S, "int32")),
        "anchor": pack(anchor),
        "joints": pack(quantised(joints_m - anchor[:, None] * PLACE_STEP_M, PLACE_STEP_M, "int16")),
        "valid": pack(np.packbits(person.valid, axis=1, bitorder="little")),
        "curves": pack(quantised(values / steps, 1.0, "int16")),
    }


def _anchor_steps(joints_m: np.ndarray) -> np.ndarray:
    """Mean position of the joints in every frame, the origin of their int16 positions: int32 [T,3] in steps."""
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


def page_text(data: dict, title: str, embedded: PageVideo | None = None) -> str:
    """The HTML text of a page.

    Args:
        data: for JSON, with the keys of ``page_frame``. If ``live`` is set, the page may connect to its own server;
            otherwise all connections are forbidden.
        title: any text.
        embedded: the video of the recording.
    """
    assets = files("hyperlift.rendering.page") / "assets"

    def asset(name: str) -> str:
        return (assets / name).read_text(encoding="utf-8")

    parts = {
        "title": html.escape(title),
        "style": asset("page.css"),
        "three": f"/*\n{asset('three.LICENSE')}*/\n{asset(THREE)}",
        "script": "\n".join(asset(name) for name in _SCRIPTS),
        # Escaped, so that text from a recording cannot close the script element.
        "data": json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        "connect": "; connect-src 'self'" if data["live"] else "",
        "video": "" if embedded is None else embedded.data,
    }
    # One pass: inserted text is not searched for placeholders.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], asset("page.html"))


def live_page(name: str, skeleton: Skeleton, fps: float, kept_s: float, facts: Mapping[str, object]) -> str:
    """The HTML text of a live page, which receives people from its server.

    It requests ``/events`` and ``/clock`` of its own server, with the query of its own address, and nothing else.

    Args:
        name: of the camera or file, for the title.
        skeleton: of the people, in world metres.
        fps: frame rate of the source.
        kept_s: length of the history in the page.
        facts: rows of "About", name and text.
    """
    data = page_frame(skeleton, fps, {**facts, "Drawn with": DRAWN_WITH})
    data |= {"video": None, "people": [], "tags": TAGS, "live": {"kept_s": kept_s}}
    return page_text(data, name)
