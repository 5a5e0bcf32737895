"""``Motion``: all people of a recording in 3D, with the metadata of their numbers."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hyperlift.body.joint_limits import JointLimits
from hyperlift.body.person import Person, known
from hyperlift.body.rigid_fit import FittedMotion
from hyperlift.body.rigid_people import fit_people, fit_record, fit_sentences
from hyperlift.body.rigid_person import DEFAULT_CUTOFF_HZ
from hyperlift.errors import InputError, quoted
from hyperlift.files.atomic import check_output
from hyperlift.geometry.chunks import frames_text
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.alphapose_writer import write_alphapose
from hyperlift.keypoints.recorded import Recorded
from hyperlift.motion.files import BODIES, CLIPS, check_kind, write_bodies, write_table
from hyperlift.motion.formats.angles_csv import write_angles_csv
from hyperlift.motion.formats.poses_npz import read_poses
from hyperlift.placement.lens import Intrinsics
from hyperlift.placement.world_frame import MAX_UP_STD_DEG, WorldFrame
from hyperlift.rendering.page.page_video import check_recording
from hyperlift.rendering.page.write_page import WrittenPage, write_page
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import skeleton_named
from hyperlift.skeletons.skeleton import Skeleton

_LOG = logging.getLogger(__name__)

_LARGE_SHIFT_M = 0.1
"""Larger floor shifts are reported. Chosen: above the usual error of a floor."""
_UNKNOWN_FPS = 25.0
"""Frame rate of a file that states none. Chosen: that of film (PAL)."""
OnProgress = Callable[[int, int], object]
"""Called after every picture with the number of drawn pictures and the total number."""
Stated = TypeVar("Stated")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Motion:
    """3D motion of everybody in a recording: what ``Lifter.lift`` returns and ``load_motion`` reads.

    Example:
        >>> import hyperlift
        >>> motion = hyperlift.load_motion("out/pose3d.npz")
        >>> motion.people
        [Person(p0: frames 0–168), Person(p1: frames 40–202), Person(p2: frames 190–225)]
        >>> rigid = motion.of([0]).rigid()
        >>> [path.name for path in rigid.save("person.bvh")]
        ['person.bvh']
    """

    people: Sequence[Person]
    """Each with ``joints_m`` [T,17,3] (metres, camera axes x right, y down, z forward), ``world_m`` (metres, z up, the
    floor at 0), ``root_m``, ``time_s``, ``frame``, ``valid``, ``keypoints_px`` and ``reprojection_px``."""
    meta: Mapping[str, Any]
    """Meaning and origin of the numbers, as in ``pose3d.npz``."""
    recorded: Recorded | None = None
    """Picture size, times and video of the recording; None for a file that was loaded without its video."""
    detections: Detections | None = None
    """The lifted keypoints before any processing; None for a file, which has none."""
    warnings: tuple[str, ...] = ()
    """Doubts about the keypoints, or about the video that was given with a file."""
    levelled_deg: float = 0.0
    """Camera roll that was removed from the keypoints before lifting, given or estimated; positive is clockwise. Files
    do not store it."""

    @property
    def skeleton(self) -> Skeleton:
        """Skeleton of the joints."""
        return skeleton_named(self.meta["skeleton"])

    @property
    def frames(self) -> int:
        """Number of frames of the recording; for a file without its video, up to the last frame with a person."""
        return len(self.times_s)

    @property
    def times_s(self) -> Float[np.ndarray, " frames"]:
        """Seconds of every frame since frame 0; NaN for frames without people of a file without its video."""
        if self.recorded is not None:
            return self.recorded.times_s
        times_s = np.full(max((int(person.frame[-1]) + 1 for person in self.people), default=0), np.nan)
        for person in self.people:
            times_s[person.frame] = person.time_s
        return times_s

    @property
    def intrinsics(self) -> Intrinsics | None:
        """Intrinsics of the camera and their origin; None for a file of a version without placement."""
        return self._stated("intrinsics", Intrinsics.from_dict)

    @property
    def world(self) -> WorldFrame | None:
        """The world frame; None for a file of a version without placement."""
        return self._stated("world", WorldFrame.from_dict)

    @property
    def fits(self) -> dict[int, FittedMotion]:
        """Rigid bodies by person id, for a motion that ``rigid`` returned."""
        return {person.id: person.fit for person in self.people if person.fit is not None}

    @property
    def summary(self) -> tuple[str, ...]:
        """Sentences about the lifted people, and the assumptions about camera, size and gravity."""
        people = [
            f"p{person.id}: {frames_text(person.frame)}"
            + (f", reprojection {np.nanmedian(person.reprojection_px):.1f} px" if known(person.reprojection_px) else "")
            for person in self.people
        ]
        if self.fits:
            people += fit_sentences(self.people)
        world, camera = self.world, self.intrinsics
        if world is None or camera is None:
            return tuple(people)
        assumed = (
            f"camera: {camera.source}",
            f"gravity: {world.tilt_source}; {_how_sure(world)}the camera looks "
            f"{_looks(world.pitch_deg)}, is {_rolled(world.roll_deg)} and is {world.camera_height_m:.1f} m above the "
            "floor" + (f"; keypoints were turned upright by {self.levelled_deg:.0f}°" if self.levelled_deg else ""),
            f"size: {self._stated('height', itemgetter('sentence'))}",
        )
        shifts_m = self._stated("floor_shift_m", dict) or {}
        shifts = [
            f"p{person.id} was {'lifted' if shift_m > 0 else 'set down'} by {abs(shift_m):.2f} m onto the floor"
            for person in self.people
            if abs(shift_m := shifts_m.get(f"p{person.id}", 0.0)) > _LARGE_SHIFT_M
        ]
        return (*people, *assumed, *shifts)

    @property
    def gravity(self) -> Mapping[str, Any] | None:
        """Tilt of the camera and its uncertainty, for ``report.json``; None without a world frame."""
        world = self.world
        if world is None:
            return None
        sure = bool(np.isfinite(world.tilt_std_deg))
        return {
            "camera_pitch_deg": round(world.pitch_deg, 2),
            "camera_roll_deg": round(world.roll_deg, 2),
            "std_deg": round(world.tilt_std_deg, 2) if sure else None,
            "source": world.tilt_source,
            "levelled_deg": round(float(self.levelled_deg), 2),
            "doubted": world.seen_roll_deg is not None or (sure and world.tilt_std_deg > MAX_UP_STD_DEG),
            "seen_roll_deg": None if world.seen_roll_deg is None else round(world.seen_roll_deg, 2),
        }

    def __repr__(self) -> str:
        people = ", ".join(f"p{person.id} {frames_text(person.frame)}" for person in self.people)
        return f"Motion({self.meta.get('source', 'people')}: {self.frames} frames; {people or 'nobody'})"

    def of(self, ids: Sequence[int]) -> "Motion":
        """The same motion with only these people.

        Raises:
            InputError: an id does not exist.
        """
        known_ids = [person.id for person in self.people]
        for number in ids:
            if number not in known_ids:
                raise InputError(
                    f"person {number} (`people`): there is no such person; choose from "
                    f"{', '.join(f'p{n}' for n in known_ids)}"
                )
        return replace(self, people=[person for person in self.people if person.id in ids])

    def rigid(self, limits: JointLimits | None = None, cutoff_hz: float | None = DEFAULT_CUTOFF_HZ) -> "Motion":
        """The same motion with bones of constant length; ``fits`` and ``meta["rigid"]`` state the changes.

        Bones are fitted to the joints, and to the keypoints if they are known (files have none). People without a
        detected joint, and ``pose_norm``, are unchanged. A motion that is already rigid is not smoothed again.

        Args:
            limits: of joint angles; None for none.
            cutoff_hz: of the smoothing; None for no smoothing.

        Raises:
            InputError: a person has no metres, no person has a detected joint, or the joints are not ``H36M_17``.
        """
        if self.fits and limits is None:
            return self
        before = self.meta.get("rigid")
        cutoff_hz = None if before else cutoff_hz
        camera_matrix = None if self.intrinsics is None else self.intrinsics.K
        people = fit_people(self.people, self.skeleton.name, camera_matrix, limits, cutoff_hz)
        record = before if before and limits is None else fit_record(people, limits, cutoff_hz)
        return replace(self, people=people, meta={**self.meta, "rigid": record})

    def save(
        self,
        path: str | Path,
        *,
        naming: str = "plain",
        limits: JointLimits | None = None,
        on_progress: OnProgress = lambda done, total: None,
        on_frame: OnProgress | None = None,
    ) -> list[Path]:
        """Write a file of the kind that the suffix states, atomically.

        ``.npz``, ``.json`` and ``.csv`` hold the joints of all people. ``.bvh``, ``.glb``, ``.trc`` and ``.c3d`` hold
        one rigid body each: ``walk.bvh`` of several people becomes ``walk_p0.bvh``, ``walk_p1.bvh`` … ``.mp4`` and
        ``.gif`` show all people in 3D (``render`` also shows the video).

        Args:
            path: of the file.
            naming: of nodes in BVH and glTF, ``plain`` or ``mixamo``.
            limits: of joint angles, for rigid bodies of a motion that is not rigid.
            on_progress: called after every picture of a clip.
            on_frame: former name of ``on_progress``.

        Returns:
            The files that were written.

        Raises:
            InputError: the suffix or naming is unknown, no rigid body can be fitted (see ``rigid``), or the folder
                cannot be written.
        """
        path = Path(path)
        kind = check_kind(path, naming)
        if kind in BODIES:
            return write_bodies(path, self.rigid(limits).fits, naming)
        check_output(path)
        if kind in CLIPS:
            from hyperlift.rendering.pictures.scene_clip import write_clip  # Matplotlib is slow to import

            write_clip(path, self.people, self._fps, on_frame or on_progress)
        else:
            write_table(path, self.people, self.meta)
        return [path]

    def save_angles(self, path: str | Path) -> None:
        """Write hip, knee, shoulder, elbow and trunk angles in degrees as CSV, one row per person and frame.

        Raises:
            InputError: another suffix, joints other than ``H36M_17``, a person without metres, or the folder cannot be
                written.
        """
        if Path(path).suffix.lower() != ".csv":
            raise InputError(f"{path}: angles are written as .csv; choose such a name")
        check_output(path)
        write_angles_csv(path, self.people, self.skeleton)

    def save_keypoints(self, path: str | Path) -> None:
        """Write the keypoints as an AlphaPose results file, which can be lifted again.

        Raises:
            InputError: the motion has no keypoints, or the folder cannot be written.
        """
        if self.detections is None or self.recorded is None:
            raise InputError(f"{self._source}: a file of poses holds no keypoints; lift the recording to have them")
        save_keypoints(path, self.detections, self.recorded)

    def render(
        self,
        path: str | Path,
        on_progress: OnProgress = lambda done, total: None,
        on_frame: OnProgress | None = None,
    ) -> None:
        """Draw an mp4 with the keypoints over the video on the left and the people in 3D on the right.

        For a file that was loaded without its video, only the people are drawn.

        Args:
            path: the mp4.
            on_progress: called after every picture.
            on_frame: former name of ``on_progress``.

        Raises:
            InputError: there are no people, the folder cannot be written, or the video cannot be read.
        """
        from hyperlift.rendering.pictures.scene_clip import write_clip
        from hyperlift.rendering.pictures.skeleton_video import SourceVideo, write_skeleton_video

        on_progress = on_frame or on_progress
        if not self.people:
            raise InputError(f"{self._source}: nobody is in it, there is nothing to draw")
        if self.recorded is None:
            write_clip(path, self.people, self._fps, on_progress)
            return
        recording = SourceVideo(
            width=self.recorded.width,
            height=self.recorded.height,
            fps=self.recorded.fps,
            file=self.recorded.video,
            facts=self.recorded.facts,
        )
        write_skeleton_video(path, self.people, recording, on_progress)

    def view(self, path: str | Path) -> WrittenPage:
        """Write one self-contained HTML page with the people in 3D, the video and curves; it needs no network.

        Raises:
            InputError: there are no people, the folder cannot be written, or the video cannot be read.
        """
        page = write_page(path, self.people, self.meta, None if self.recorded is None else self.recorded.video)
        for note in page.notes:
            _LOG.info("%s", note)
        return page

    @property
    def _source(self) -> str:
        return str(self.recorded.path if self.recorded is not None else self.meta.get("source", "people"))

    @property
    def _fps(self) -> float:
        return float(self.meta.get("fps") or _UNKNOWN_FPS)

    def _stated(self, section: str, read: Callable[[Mapping[str, Any]], Stated]) -> Stated | None:
        """A section of the metadata, validated because files can be edited; None without it."""
        if section not in self.meta:
            return None
        try:
            return read(self.meta[section])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{section} in the meta data is {quoted(self.meta[section])}; lift the recording again"
            ) from error


def load_motion(path: str | Path, video: str | Path | None = None) -> Motion:
    """Read a ``pose3d.npz``.

    Args:
        path: of the file.
        video: the recording that the people were lifted from, for drawing; a copy in another size is accepted.

    Raises:
        InputError: the file is missing or damaged, has no people, or its shapes do not match; or the video is missing,
            not a video, or of another recording.

    Example:
        >>> import hyperlift
        >>> motion = hyperlift.load_motion("out/pose3d.npz")
        >>> len(motion.people), motion.skeleton.name
        (3, 'h36m17')
    """
    people, meta = read_poses(path)
    if not people:
        raise InputError(f"{path}: nobody is in it, there is nothing to look at")
    if video is None:
        return Motion(people=people, meta=meta)
    from hyperlift.video.reading import video_facts  # PyAV is slow to import

    video = Path(video)
    facts = video_facts(video, allow_truncated=True)
    doubt = check_recording(video, facts, people, meta)
    recorded = Recorded.of_video(video, facts)
    return Motion(people=people, meta=meta, recorded=recorded, warnings=() if doubt is None else (doubt,))


def save_keypoints(path: str | Path, detections: Detections, recorded: Recorded) -> None:
    """Write keypoints as an AlphaPose results file with an entry for every frame of the recording.

    Raises:
        InputError: the folder cannot be written.
    """
    people = detections.people.over(len(recorded.times_s))
    write_alphapose(path, replace(detections, frames=people), recorded.width, recorded.height)


def _looks(pitch_deg: float) -> str:
    return f"{abs(pitch_deg):.0f}° {'up' if pitch_deg > 0 else 'down'}" if abs(pitch_deg) >= 0.5 else "level"


def _rolled(roll_deg: float) -> str:
    turned = "clockwise" if roll_deg > 0 else "counter-clockwise"
    return f"rolled {abs(roll_deg):.0f}° {turned}" if abs(roll_deg) >= 0.5 else "not rolled"


def _how_sure(world: WorldFrame) -> str:
    """Uncertainty of up in words; empty if up was given and is not contradicted."""
    if world.seen_roll_deg is not None:
        return "taken as it was given, "
    if np.isnan(world.tilt_std_deg):
        return ""
    return f"up is {'not sure' if world.tilt_std_deg > MAX_UP_STD_DEG else 'known'} to ± {world.tilt_std_deg:.0f}°; "
