"""The placement stage: lifted tracks and intrinsics in; people in metres, in a world with gravity and a floor, out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hyperlift.body.person import LiftedTrack, Person
from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError
from hyperlift.geometry.chunks import frame_chunks
from hyperlift.placement.body_height import BodyHeight, metric_pose
from hyperlift.placement.lens import Intrinsics
from hyperlift.placement.root_path import root_path
from hyperlift.placement.world_frame import PlacedBody, WorldFrame, floor_level, world_frame
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import skeleton_named
from hyperlift.skeletons.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Placement:
    """Camera, world and scale that placed people depend on."""

    world: WorldFrame
    intrinsics: Intrinsics
    height: BodyHeight
    floor_shift_m: Mapping[int, float]
    """Vertical shift by person id that puts resting feet on the floor. It is 0 if no foot rests, or if the distance to
    the floor is too large for the uncertainties of scale and tilt (a person on a roof)."""

    def as_dict(self) -> dict[str, Any]:
        """For the ``meta`` of outputs."""
        return {
            "intrinsics": self.intrinsics.as_dict(),
            "height": {
                "height_m": self.height.height_m,
                "std_m": self.height.std_m,
                "assumed": self.height.assumed,
                "sentence": self.height.sentence,
            },
            "world": self.world.as_dict(),
            "floor_shift_m": {f"p{number}": round(shift_m, 4) for number, shift_m in self.floor_shift_m.items()},
        }


def place_people(
    tracks: Sequence[LiftedTrack],
    lifter: LifterSpec,
    intrinsics: Intrinsics,
    height: BodyHeight | None = None,
    pitch_deg: float | None = None,
    roll_deg: float | None = None,
) -> tuple[list[Person], Placement]:
    """Scale lifted tracks to metres, find their root paths, and estimate gravity and the floor.

    Args:
        tracks: at least one.
        lifter: contract with label space and skeleton.
        intrinsics: of the upright picture in which the keypoints are.
        height: standing height of all people; None assumes an average adult.
        pitch_deg: of the camera, positive looks up; None estimates it.
        roll_deg: of the camera, positive is clockwise as seen from behind it; None estimates it.

    Raises:
        InputError: there are no tracks, time stamps do not increase, or an angle is out of range.

    Example:
        >>> import hyperlift
        >>> from hyperlift.keypoints.timestamps import even_times
        >>> from hyperlift.lifting.lift import lift_people, track_people
        >>> from hyperlift.placement.lens import choose_intrinsics
        >>> from hyperlift.placement.place import place_people
        >>> from hyperlift.runtime.loading import load_lifter
        >>> lifter, time_s = load_lifter("nano"), even_times(frames=226, fps=30)
        >>> detections = hyperlift.read_keypoints("examples/sports2d_demo.alphapose.json")
        >>> tracks = track_people(detections, 1768, 994, time_s)
        >>> lifted = lift_people(lifter, lifter.spec, tracks, 1768, 994, time_s)
        >>> people, placement = place_people(lifted, lifter.spec, choose_intrinsics(1768, 994, fov_deg=66))
        >>> people[0].world_m.shape, round(placement.intrinsics.fov_deg)
        ((169, 17, 3), 66)
    """
    height = height or BodyHeight()
    skeleton = skeleton_named(lifter.skeleton)
    bodies, paths = [], []
    for track in tracks:
        if (np.diff(track.time_s) <= 0).any():
            raise InputError(f"person {track.id}: time stamps do not increase; the video's clock is broken")
        keypoints_px = track.keypoints_px
        if (np.isfinite(keypoints_px[..., 0]) & ~track.valid).any():
            keypoints_px = np.where(track.valid[..., None], keypoints_px, np.nan)
        pose_m = metric_pose(track.pose_norm, track.valid, track.time_s, skeleton, lifter.label_space, height.height_m)
        path = root_path(pose_m, keypoints_px, intrinsics.K, track.time_s)
        paths.append(path)
        pose_m += path.root_m[:, None]
        bodies.append(PlacedBody(pose_m, track.valid, track.time_s, height.height_m))
    world = world_frame(bodies, skeleton, pitch_deg, roll_deg)
    people, floor_shift_m = [], {}
    for track, body, path in zip(tracks, bodies, paths, strict=True):
        shift_m = floor_shift(body, floor_level(body, skeleton, world.up), skeleton, world, height)
        floor_shift_m[track.id] = shift_m
        people.append(
            Person(
                **vars(track),
                joints_m=body.joints_m,
                root_m=path.root_m,
                root_std_m=path.std_m,
                world_m=_in_world(body.joints_m, world, shift_m),
                reprojection_px=path.reprojection_px,
            )
        )
    return people, Placement(world=world, intrinsics=intrinsics, height=height, floor_shift_m=floor_shift_m)


def _in_world(
    joints_m: Float[np.ndarray, "frames joints 3"], world: WorldFrame, shift_m: float
) -> Float[np.ndarray, "frames joints 3"]:
    world_m = np.empty_like(joints_m)
    for some in frame_chunks(len(joints_m)):
        world_m[some] = world.to_world(joints_m[some]) + [0.0, 0.0, shift_m]
    return world_m


def floor_shift(
    body: PlacedBody, level: tuple[float, float], skeleton: Skeleton, world: WorldFrame, height: BodyHeight
) -> float:
    """Vertical shift in metres that puts one person on the common floor.

    It is 0 if the distance exceeds what the uncertainties of scale and tilt explain.

    Args:
        body: the person.
        level: ``floor_level`` of the person.
        skeleton: of the joints.
        world: with the common floor.
        height: standing height of the person.
    """
    above_m = level[0] + world.camera_height_m
    # An overestimated scale puts the body too far from the camera, and so too far below it.
    by_size_m = height.std_m / height.height_m * abs(level[0])
    distance_m = float(np.median(np.linalg.norm(body.joints_m[:, skeleton.root], axis=-1)))
    by_tilt_m = np.radians(np.nan_to_num(world.tilt_std_deg)) * distance_m
    explained_m = 2 * float(np.hypot(by_size_m, by_tilt_m)) + 0.05
    return -above_m if level[1] > 0 and abs(above_m) <= explained_m else 0.0
