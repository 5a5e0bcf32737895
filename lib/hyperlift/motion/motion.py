"""``Motion``: everybody in a recording, in 3D, with everything that says what the numbers mean."""

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
from hyperlift.rendering.page.video_beside import check_recording
from hyperlift.rendering.page.write_page import WrittenPage, write_page
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import skeleton_named
from hyperlift.skeletons.skeleton import Skeleton

_LOG = logging.getLogger(__name__)

_LARGE_SHIFT_M = 0.1
"""Heights that are moved by more are mentioned."""
_UNKNOWN_FPS = 25.0
"""Of a file that does not say its frame rate."""
OnFrame = Callable[[int, int], object]
"""Told after every picture the number that is done and that of all."""
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
    """What the numbers mean and where they come from, as in ``pose3d.npz``."""
    recorded: Recorded | None = None
    """Picture size, times and video of the recording; None for a file that was loaded without its video."""
    detections: Detections | None = None
    """The keypoints that were lifted, as they came; None for a file, which holds none."""
    warnings: tuple[str, ...] = ()
    """What looks wrong about the keypoints, or about the video that was given with a file."""
    levelled_deg: float = 0.0
    """Roll of the camera that was taken out of the keypoints before lifting, given or found; positive is clockwise.
    Files do not say it."""

    @property
    def skeleton(self) -> Skeleton:
        """Of everybody's joints."""
        return skeleton_named(self.meta["skeleton"])

    @property
    def frames(self) -> int:
        """Of the recording, those with nobody included; of a file without its video up to the last with somebody."""
        return len(self.times_s)

    @property
    def times_s(self) -> Float[np.ndarray, " frames"]:
        """Seconds of every frame since frame 0; NaN where nobody was and the recording is not at hand."""
        if self.recorded is not None:
            return self.recorded.times_s
        times_s = np.full(max((int(person.frame[-1]) + 1 for person in self.people), default=0), np.nan)
        for person in self.people:
            times_s[person.frame] = person.time_s
        return times_s

    @property
    def intrinsics(self) -> Intrinsics | None:
        """Of the camera, and where they come from; None for a file that was written before people were placed."""
        return self._stated("intrinsics", Intrinsics.from_dict)

    @property
    def world(self) -> WorldFrame | None:
        """From camera axes to the world; None for a file that was written before people were placed."""
        return self._stated("world", WorldFrame.from_dict)

    @property
    def fits(self) -> dict[int, FittedMotion]:
        """Rigid bodies by person, of a motion that ``rigid`` returned: lengths, rotations, and what the fit moved."""
        return {person.id: person.fit for person in self.people if person.fit is not None}

    @property
    def summary(self) -> tuple[str, ...]:
        """Who was lifted, and what was assumed about camera, size and gravity, in sentences."""
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
        """How the camera was held and how surely that is known, for ``report.json``; None where people have no
        world."""
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
        """These people alone.

        Raises:
            InputError: there is no such person.
        """
        there = [person.id for person in self.people]
        for number in ids:
            if number not in there:
                raise InputError(
                    f"person {number} (`people`): there is no such person; choose from "
                    f"{', '.join(f'p{n}' for n in there)}"
                )
        return replace(self, people=[person for person in self.people if person.id in ids])

    def rigid(self, limits: JointLimits | None = None, cutoff_hz: float | None = DEFAULT_CUTOFF_HZ) -> "Motion":
        """The same motion with bones of constant length; ``fits`` and ``meta["rigid"]`` say what moved.

        The bones are fitted to the joints, and to the keypoints where they are known: a file holds none. Somebody who
        was never seen stays as they are. ``pose_norm`` stays what the network gave. A motion that is rigid already is
        not smoothed again.

        Args:
            limits: of joint angles; None for none.
            cutoff_hz: of the smoothing; None for none.

        Raises:
            InputError: somebody is not placed in metres, nobody was ever seen, or other joints than Human3.6M's 17.
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
        on_frame: OnFrame = lambda done, total: None,
    ) -> list[Path]:
        """Write a file of the kind that the suffix says, whole or not at all.

        ``.npz``, ``.json`` and ``.csv`` hold everybody's joints. ``.bvh``, ``.glb``, ``.trc`` and ``.c3d`` hold one
        rigid body each: ``walk.bvh`` of several people becomes ``walk_p0.bvh``, ``walk_p1.bvh`` … ``.mp4`` and
        ``.gif`` show everybody in 3D (``render`` shows the video as well).

        Args:
            path: of the file.
            naming: of nodes in BVH and glTF, ``plain`` or ``mixamo``.
            limits: of joint angles, for rigid bodies of a motion that is not rigid yet.
            on_frame: told about every picture of a clip.

        Returns:
            The files that were written.

        Raises:
            InputError: an unknown suffix or naming, nothing that could be written, as ``rigid``, or the folder cannot
                be written.
        """
        path = Path(path)
        kind = check_kind(path, naming)
        if kind in BODIES:
            return write_bodies(path, self.rigid(limits).fits, naming)
        check_output(path)
        if kind in CLIPS:
            # matplotlib and its fonts take long to import: only who draws waits for them.
            from hyperlift.rendering.pictures.scene_clip import write_clip

            write_clip(path, self.people, self._fps, on_frame)
        else:
            write_table(path, self.people, self.meta)
        return [path]

    def save_angles(self, path: str | Path) -> None:
        """Write hip, knee, shoulder, elbow and trunk angles in degrees as a CSV table, a row a person and frame.

        Raises:
            InputError: another suffix, other joints than Human3.6M's, somebody is not placed in metres, or the folder
                cannot be written.
        """
        if Path(path).suffix.lower() != ".csv":
            raise InputError(f"{path}: angles are written as .csv; choose such a name")
        check_output(path)
        write_angles_csv(path, self.people, self.skeleton)

    def save_keypoints(self, path: str | Path) -> None:
        """Write the keypoints as an AlphaPose results file, from which they can be lifted again.

        Raises:
            InputError: they are not known, or the folder cannot be written.
        """
        if self.detections is None or self.recorded is None:
            raise InputError(f"{self._source}: a file of poses holds no keypoints; lift the recording to have them")
        save_keypoints(path, self.detections, self.recorded)

    def render(self, path: str | Path, on_frame: OnFrame = lambda done, total: None) -> None:
        """Draw an mp4: the keypoints over the video, and the people in 3D beside it.

        Of a file that was loaded without its video the people alone are drawn.

        Args:
            path: the mp4.
            on_frame: told about every picture.

        Raises:
            InputError: nobody is there to draw, the folder cannot be written, or the video cannot be read.
        """
        from hyperlift.rendering.pictures.scene_clip import write_clip
        from hyperlift.rendering.pictures.skeleton_video import Recording, write_skeleton_video

        if not self.people:
            raise InputError(f"{self._source}: nobody is in it, there is nothing to draw")
        if self.recorded is None:
            write_clip(path, self.people, self._fps, on_frame)
            return
        recording = Recording(
            width=self.recorded.width,
            height=self.recorded.height,
            fps=self.recorded.fps,
            file=self.recorded.video,
            facts=self.recorded.facts,
        )
        write_skeleton_video(path, self.people, recording, on_frame)

    def view(self, path: str | Path) -> WrittenPage:
        """Write one self-contained HTML page: the people in 3D, the video beside them, curves; it needs no network.

        Raises:
            InputError: nobody is there, the folder cannot be written, or the video cannot be read.
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
        """A section of the meta data, which a foreign hand may have written."""
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
        video: the recording that the people were lifted from, to draw on; a smaller copy is welcome.

    Raises:
        InputError: the file is missing or damaged, holds nobody, or its arrays do not fit together; or the video is
            another recording's, missing or none.

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
    from hyperlift.video.reading import video_facts  # PyAV takes long to import: who has no video does not wait

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
    """Nothing where up was given and nobody contradicts it."""
    if world.seen_roll_deg is not None:
        return "taken as it was given, "
    if np.isnan(world.tilt_std_deg):
        return ""
    return f"up is {'not sure' if world.tilt_std_deg > MAX_UP_STD_DEG else 'known'} to ± {world.tilt_std_deg:.0f}°; "
