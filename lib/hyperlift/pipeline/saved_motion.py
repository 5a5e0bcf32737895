"""``SavedMotion``: everybody's motion as ``pose3d.npz`` holds it, and what can be made of it without the recording."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hyperlift.animation import USUAL_CUTOFF_HZ, write_angles_csv
from hyperlift.errors import InputError
from hyperlift.files import check_output
from hyperlift.kinematics import FittedMotion, JointLimits
from hyperlift.pipeline.motion_files import BODIES, CLIPS, check_kind, write_bodies, write_table
from hyperlift.pipeline.rigid import fit_people
from hyperlift.skeletons import skeleton_named
from hyperlift.viewer import from_npz
from hyperlift.wild.keypoints import LiftedPerson, frames_text

_UNKNOWN_FPS = 25.0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SavedMotion:
    """People and the facts about their numbers; ``load_motion`` reads one."""

    people: Sequence[LiftedPerson]
    meta: Mapping[str, Any]
    """As in ``pose3d.npz``."""
    fits: Mapping[int, FittedMotion] | None = None
    """By person, of a motion that ``rigid`` returned."""

    def __repr__(self) -> str:
        people = ", ".join(f"p{person.id} {frames_text(person.frame)}" for person in self.people)
        return f"SavedMotion({self.meta.get('source', 'people')}: {people or 'nobody'})"

    def rigid(self, limits: JointLimits | None = None, cutoff_hz: float | None = USUAL_CUTOFF_HZ) -> "SavedMotion":
        """The same people with bones of constant length; ``fits`` and ``meta["rigid"]`` say what moved.

        The file has no keypoints, so the fit knows the joints alone; that of ``Motion.rigid`` knows the lines of sight
        as well. A motion that is rigid already is not smoothed again.

        Args:
            limits: of joint angles; None for none.
            cutoff_hz: of the smoothing; None for none.

        Raises:
            InputError: somebody is not placed in metres, nobody was ever seen, or other joints than Human3.6M's 17.
        """
        if self.fits is not None and limits is None:
            return self
        already = self.meta.get("rigid")
        rigid = fit_people(self.people, self.meta["skeleton"], None, limits, None if already else cutoff_hz)
        record = already if already and limits is None else rigid.record
        return replace(self, people=rigid.people, meta={**self.meta, "rigid": record}, fits=rigid.fits)

    def of(self, ids: Sequence[int]) -> "SavedMotion":
        """These people alone.

        Raises:
            InputError: there is no such person.
        """
        known = [person.id for person in self.people]
        for number in ids:
            if number not in known:
                raise InputError(
                    f"person {number} (--person): there is no such person; choose from "
                    f"{', '.join(f'p{n}' for n in known)}"
                )
        fits = None if self.fits is None else {number: fit for number, fit in self.fits.items() if number in ids}
        return replace(self, people=[person for person in self.people if person.id in ids], fits=fits)

    def save(
        self,
        path: str | Path,
        *,
        naming: str = "plain",
        limits: JointLimits | None = None,
        on_frame: Callable[[int, int], object] = lambda done, total: None,
    ) -> list[Path]:
        """Write a file of the kind that the suffix says, whole or not at all.

        ``.npz``, ``.json`` and ``.csv`` hold everybody's joints. ``.bvh``, ``.glb``, ``.trc`` and ``.c3d`` hold one
        rigid body each: ``walk.bvh`` of several people becomes ``walk_p0.bvh``, ``walk_p1.bvh`` … ``.mp4`` and
        ``.gif`` show everybody in 3D.

        Args:
            path: of the file.
            naming: of nodes in BVH and glTF, ``plain`` or ``mixamo``.
            limits: of joint angles, for rigid bodies of a motion that is not rigid yet.
            on_frame: called after every picture of a clip with the number that is done and that of all.

        Returns:
            The files that were written.

        Raises:
            InputError: an unknown suffix or naming, nothing that could be written, as ``rigid``, or the folder cannot
                be written.
        """
        path = Path(path)
        kind = check_kind(path, naming)
        if kind in BODIES:
            fits = self.fits if self.fits is not None and limits is None else self.rigid(limits).fits
            return write_bodies(path, fits or {}, naming)
        check_output(path)
        if kind in CLIPS:
            # matplotlib and its fonts take long to import: only who draws waits for them.
            from hyperlift.visualization.scene_clip import write_clip

            write_clip(path, self.people, float(self.meta.get("fps") or _UNKNOWN_FPS), on_frame)
        else:
            write_table(path, self.people, self.meta)
        return [path]

    def save_angles(self, path: str | Path) -> None:
        """Write hip, knee, shoulder, elbow and trunk angles in degrees as a CSV table, a row a person and frame.

        Raises:
            InputError: another suffix, other joints than Human3.6M's, somebody is not placed in metres, or the folder
                cannot be written.
        """
        save_angles(path, self.people, self.meta["skeleton"])


def save_angles(path: str | Path, people: Sequence[LiftedPerson], skeleton: str) -> None:
    """``SavedMotion.save_angles`` for people who are in memory."""
    if Path(path).suffix.lower() != ".csv":
        raise InputError(f"{path}: angles are written as .csv; choose such a name")
    check_output(path)
    write_angles_csv(path, people, skeleton_named(skeleton))


def load_motion(path: str | Path) -> SavedMotion:
    """Read a ``pose3d.npz``.

    Raises:
        InputError: the file is missing or damaged, holds nobody, or its arrays do not fit together.
    """
    people, meta = from_npz(path)
    return SavedMotion(people=people, meta=meta)
