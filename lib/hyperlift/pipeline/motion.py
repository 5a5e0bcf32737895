"""``Motion``: everybody in a recording, in 3D, with everything that says what the numbers mean."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.animation import USUAL_CUTOFF_HZ
from hyperlift.errors import InputError, valid_unicode
from hyperlift.geometry.contract import LifterSpec
from hyperlift.kinematics import FittedMotion, JointLimits
from hyperlift.pipeline.motion_files import BODIES, check_kind
from hyperlift.pipeline.rigid import fit_people, fit_sentences
from hyperlift.pipeline.saved_motion import SavedMotion, save_angles
from hyperlift.pipeline.source import Recorded
from hyperlift.shapes import Float
from hyperlift.trajectory.intrinsics import Intrinsics
from hyperlift.trajectory.place import Placement
from hyperlift.trajectory.world import WorldFrame
from hyperlift.wild.alphapose_writer import write_alphapose
from hyperlift.wild.keypoints import Detections, LiftedPerson, frames_text
from hyperlift.wild.levelling import SURE_DEG
from hyperlift.wild.poses_npz import PosesMeta

_LOG = logging.getLogger(__name__)

_LARGE_SHIFT_M = 0.1
"""Heights that are moved by more are mentioned."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Motion:
    """3D motion of everybody in a recording."""

    people: Sequence[LiftedPerson]
    """Each with ``joints_m`` [T,17,3] (metres, camera axes x right, y down, z forward), ``world_m`` (metres, z up, the
    floor at 0), ``root_m``, ``time_s``, ``frame``, ``valid``, ``keypoints_px`` and ``reprojection_px``. Empty where
    nobody was seen."""
    detections: Detections
    """The keypoints that were lifted, as they came."""
    recorded: Recorded
    """Picture size and times of the recording."""
    lifter: LifterSpec
    placement: Placement | None
    """Camera, height and world; None where nobody was seen."""
    warnings: tuple[str, ...] = ()
    """What looks wrong about the keypoints."""
    levelled_deg: float = 0.0
    """Roll of the camera that was taken out of the keypoints before lifting, given or found; positive is clockwise."""
    fits: Mapping[int, FittedMotion] | None = None
    """Rigid bodies by person, of a motion that ``rigid`` returned: lengths, rotations, and what the fit moved."""
    rigid_record: Mapping[str, Any] | None = None
    """What ``meta`` says about them."""

    @property
    def frames(self) -> int:
        """Of the recording, those with nobody included."""
        return len(self.recorded.times_s)

    @property
    def times_s(self) -> Float[np.ndarray, " frames"]:
        """Seconds of every frame of the recording since frame 0."""
        return self.recorded.times_s

    @property
    def intrinsics(self) -> Intrinsics | None:
        """Of the camera, and where they come from."""
        return None if self.placement is None else self.placement.intrinsics

    @property
    def world(self) -> WorldFrame | None:
        """From camera axes to the world."""
        return None if self.placement is None else self.placement.world

    @property
    def meta(self) -> PosesMeta:
        """What the files say about their numbers."""
        return PosesMeta(
            source=valid_unicode(self.recorded.path.name),
            width=self.recorded.width,
            height=self.recorded.height,
            fps=self.recorded.fps,
            lifter=self.lifter,
            placement=self.placement,
            rigid=self.rigid_record,
        )

    @property
    def summary(self) -> tuple[str, ...]:
        """Who was lifted, and what was assumed about camera, size and gravity, in sentences."""
        people = [
            f"p{person.id}: {frames_text(person.frame)}"
            + (
                ""
                if person.reprojection_px is None
                else f", reprojection {np.nanmedian(person.reprojection_px):.1f} px"
            )
            for person in self.people
        ]
        if self.fits is not None:
            people += fit_sentences(self.people, self.fits)
        if self.placement is None:
            return tuple(people)
        world = self.placement.world
        camera = (
            f"camera: {self.placement.intrinsics.source}",
            f"gravity: {world.tilt_source}; {_how_sure(world)}the camera looks "
            f"{_looks(world.pitch_deg)}, is {_rolled(world.roll_deg)} and is {world.camera_height_m:.1f} m above the "
            "floor" + (f"; keypoints were turned upright by {self.levelled_deg:.0f}°" if self.levelled_deg else ""),
            f"size: {self.placement.height.sentence}",
        )
        shifts = [
            f"p{person.id} was {'lifted' if shift_m > 0 else 'set down'} by {abs(shift_m):.2f} m onto the floor"
            for person in self.people
            for shift_m in [next((p.floor_shift_m for p in self.placement.people if p.id == person.id), 0.0)]
            if abs(shift_m) > _LARGE_SHIFT_M
        ]
        return (*people, *camera, *shifts)

    @property
    def gravity(self) -> Mapping[str, Any] | None:
        """How the camera was held and how surely that is known, for ``report.json``; None where nobody was seen."""
        if self.placement is None:
            return None
        world = self.placement.world
        sure = bool(np.isfinite(world.tilt_std_deg))
        return {
            "camera_pitch_deg": round(world.pitch_deg, 2),
            "camera_roll_deg": round(world.roll_deg, 2),
            "std_deg": round(world.tilt_std_deg, 2) if sure else None,
            "source": world.tilt_source,
            "levelled_deg": round(float(self.levelled_deg), 2),
            "doubted": world.seen_roll_deg is not None or (sure and world.tilt_std_deg > SURE_DEG),
            "seen_roll_deg": None if world.seen_roll_deg is None else round(world.seen_roll_deg, 2),
        }

    def __repr__(self) -> str:
        people = ", ".join(f"p{person.id} {frames_text(person.frame)}" for person in self.people)
        return f"Motion({self.recorded.path.name}: {self.frames} frames; {people or 'nobody'})"

    def rigid(self, limits: JointLimits | None = None, cutoff_hz: float | None = USUAL_CUTOFF_HZ) -> "Motion":
        """The same motion with bones of constant length, fitted to joints and keypoints; ``fits`` say what moved.

        Somebody who was never seen stays as they are. ``pose_norm`` stays what the network gave. A motion that is rigid
        already stays as it is, or is joined to the limits without being smoothed again.

        Args:
            limits: of joint angles; None for none.
            cutoff_hz: of the smoothing; None for none.

        Raises:
            InputError: nobody was ever seen, or other joints than Human3.6M's 17.
        """
        already = self.fits is not None
        if already and limits is None:
            return self
        camera_matrix = None if self.intrinsics is None else self.intrinsics.K.astype(np.float64)
        rigid = fit_people(self.people, self.lifter.skeleton, camera_matrix, limits, None if already else cutoff_hz)
        return replace(self, people=rigid.people, fits=rigid.fits, rigid_record=rigid.record)

    def save(self, path: str | Path, *, naming: str = "plain", limits: JointLimits | None = None) -> list[Path]:
        """Write a file of the kind that the suffix says, whole or not at all.

        ``.npz``, ``.json`` and ``.csv`` hold everybody's joints. ``.bvh``, ``.glb``, ``.trc`` and ``.c3d`` hold one
        rigid body each: ``walk.bvh`` of several people becomes ``walk_p0.bvh``, ``walk_p1.bvh`` … ``.mp4`` and
        ``.gif`` show everybody in 3D (``render`` shows the video as well).

        Args:
            path: of the file.
            naming: of nodes in BVH and glTF, ``plain`` or ``mixamo``.
            limits: of joint angles, for rigid bodies of a motion that is not rigid yet.

        Returns:
            The files that were written.

        Raises:
            InputError: an unknown suffix or naming, as ``rigid``, or the folder cannot be written.
        """
        path = Path(path)
        kind = check_kind(path, naming)
        fits = self.fits
        if kind in BODIES and (fits is None or limits is not None):
            fits = self.rigid(limits).fits
        saved = SavedMotion(people=self.people, meta=self.meta.as_dict(), fits=fits)
        return saved.save(path, naming=naming)

    def save_angles(self, path: str | Path) -> None:
        """Write hip, knee, shoulder, elbow and trunk angles in degrees as a CSV table, a row a person and frame.

        Raises:
            InputError: another suffix, other joints than Human3.6M's, or the folder cannot be written.
        """
        save_angles(path, self.people, self.lifter.skeleton)

    def save_keypoints(self, path: str | Path) -> None:
        """Write the keypoints as an AlphaPose results file, from which they can be lifted again.

        Raises:
            InputError: the folder cannot be written.
        """
        save_keypoints(path, self.detections, self.recorded)

    def render(self, path: str | Path, on_frame: Callable[[int, int], object] = lambda done, total: None) -> None:
        """Draw an mp4: the keypoints over the video, and the people in 3D beside it.

        Args:
            path: the mp4.
            on_frame: called after every frame with the number that is done and that of all.

        Raises:
            InputError: nobody is there to draw, the folder cannot be written, or the video cannot be read.
        """
        # matplotlib and its fonts take long to import: only who draws waits for them.
        from hyperlift.visualization.skeleton_video import Recording, frames_shown, write_skeleton_video
        from hyperlift.visualization.stage import Places

        if not self.people:
            raise InputError(f"{self.recorded.path}: nobody is in it, there is nothing to draw")
        recording = Recording(
            width=self.recorded.width,
            height=self.recorded.height,
            fps=self.recorded.fps,
            file=self.recorded.video,
            facts=self.recorded.facts,
        )
        total, done = len(frames_shown(self.people, self.recorded.fps)), 0

        def told() -> None:
            nonlocal done
            done += 1
            on_frame(done, total)

        worlds = {person.id: person.world_m for person in self.people if person.world_m is not None}
        places = Places(joints_m=worlds, axes="world") if len(worlds) == len(self.people) else None
        write_skeleton_video(path, self.people, recording, told, places)

    def view(self, path: str | Path) -> None:
        """Write one self-contained HTML page: the people in 3D, the video beside them, curves; it needs no network.

        Raises:
            InputError: nobody is there, the folder cannot be written, or the video cannot be read.
        """
        from hyperlift.viewer import write_page

        for note in write_page(path, self.people, self.meta, self.recorded.video).notes:
            _LOG.info("%s", note)


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
    return f"up is {'not sure' if world.tilt_std_deg > SURE_DEG else 'known'} to ± {world.tilt_std_deg:.0f}°; "
