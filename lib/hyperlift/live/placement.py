"""Metres for people who move right now: size, place, gravity and floor from what was seen so far.

The same estimates as for recordings (``hyperlift.placement``), looking back only: sizes are medians of the last
seconds, a root is the last point of the smoothed path of the last half second, and gravity and floor are found anew
from the last seconds of everybody, at first often, then seldom. What is drawn glides to a new floor, without a jump.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module

import numpy as np

from hyperlift.contract import LifterSpec
from hyperlift.geometry.body_size import bone_lengths, bone_sum_of
from hyperlift.lifting.streams import StreamedPose
from hyperlift.placement.body_height import BodyHeight
from hyperlift.placement.lens import Intrinsics
from hyperlift.placement.path_smoothing import PathSystem
from hyperlift.placement.place import floor_shift
from hyperlift.placement.root_path import ACCELERATION_DENSITY, ERROR_TIME_S, root_path
from hyperlift.placement.world_frame import PlacedBody, WorldFrame, floor_level, world_axes, world_frame
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import skeleton_named

SIZE_MEMORY_S = 10.0
"""The scale from the lifter's space to metres is a running median over this time ..."""
_IMAGE_SIZE_MEMORY_S = 1.0
"""... and in label space "image", where a body grows as it comes closer, over this."""
PATH_MEMORY_S = 0.5
"""A root's place is smoothed over this time."""
WORLD_MEMORY_S = 8.0
"""Gravity and floor follow from this time, of people ..."""
_LOOK_EVERY_S = 0.04
"""... looked at this often."""
GLIDE_S = 0.5
"""Time constant with which the world goes over to a better estimate."""
_FIRST_LOOKS_S = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
_LATER_EVERY_S = 5.0
_SETTLED_REST_S, _SETTLED_TILT_DEG, _SETTLED_M = 1.0, 8.0, 0.02
"""The floor is more than a guess when somebody's feet rested on it for so long, up is known to so many degrees, and
what is drawn has come within this (and a degree) of it."""
_FORGOTTEN_S = 2.0
"""Whoever was not seen for so long is somebody new; their numbers are never given again."""


@dataclass
class _Body:
    """What is remembered of one person; all deques are as long as each other in their own seconds."""

    sizes: deque[tuple[float, float]] = field(default_factory=deque)
    """Time and sum of the bones in the lifter's space."""
    path: deque[tuple[float, np.ndarray, np.ndarray]] = field(default_factory=deque)
    """Time, place [3] of the root in that frame by itself, metres, and its information [3,3], 1/m²."""
    seen: deque[tuple[float, np.ndarray, np.ndarray]] = field(default_factory=deque)
    """Time, camera metres [17,3] and valid [17], for the world."""
    shift_m: float = 0.0
    """Onto the common floor, as it is applied."""
    shift_wanted_m: float = 0.0


class LivePlacing:
    """Places people frame by frame."""

    def __init__(
        self,
        lifter: LifterSpec,
        intrinsics: Intrinsics,
        height: BodyHeight | None = None,
        pitch_deg: float | None = None,
        roll_deg: float | None = None,
    ) -> None:
        """Nobody has been seen yet.

        Args:
            lifter: tells label space and skeleton.
            intrinsics: of the upright picture.
            height: standing height of everybody; None assumes that of an adult.
            pitch_deg: of the camera, positive looks up; None finds it.
            roll_deg: of the camera, positive is clockwise as seen from behind it; None finds it.
        """
        import_module("scipy.linalg")  # takes a moment, which the first frame should not
        self._height = height or BodyHeight()
        self._skeleton, self._image_space = skeleton_named(lifter.skeleton), lifter.label_space == "image"
        self._intrinsics, self._angles = intrinsics, (pitch_deg, roll_deg)
        self._target_m = bone_sum_of(self._height.height_m)
        self._bodies: dict[int, _Body] = {}
        self._since_s: float | None = None
        self._looked_s = -math.inf
        self._glided_s = 0.0
        self._wanted: WorldFrame | None = None
        self._up = np.array([0.0, -1.0, 0.0])
        self._floor_m = 0.0
        self._sure = self._settled = False

    @property
    def world(self) -> WorldFrame | None:
        """From camera axes to the world as it is applied: z up, y the viewing direction along the floor, the origin on
        the floor below the camera. None before anybody was seen."""
        if self._wanted is None:
            return None
        return WorldFrame(
            R=world_axes(self._up),
            origin_m=self._floor_m * self._up,
            tilt_source=self._wanted.tilt_source,
            tilt_std_deg=self._wanted.tilt_std_deg,
            floor_source=self._wanted.floor_source,
        )

    @property
    def settled(self) -> bool:
        """Whether gravity and floor rest on enough evidence; before that they may be far off. Once they do, they do."""
        return self._settled

    def place(self, time_s: float, poses: Mapping[int, StreamedPose]) -> dict[int, Float[np.ndarray, "joints 3"]]:
        """World metres of everybody in the next frame; z is up, the floor at 0.

        Args:
            time_s: of the frame; later than that of the frame before.
            poses: by number, with their keypoints; those with NaN are left out.
        """
        camera_m = {}
        for number, pose in poses.items():
            if pose.keypoints_px is None or not np.isfinite(pose.pose_norm).all():
                continue
            body = self._bodies.setdefault(number, _Body())
            camera_m[number] = self._in_camera(body, time_s, pose.pose_norm, pose.valid, pose.keypoints_px)
        self._forget(time_s)
        if self._look_is_due(time_s):
            self._look(time_s)
        world = self._glide(time_s)
        if world is None:
            return {}
        lifted = {number: [0.0, 0.0, self._bodies[number].shift_m] for number in camera_m}
        return {number: world.to_world(joints) + lifted[number] for number, joints in camera_m.items()}

    def _in_camera(
        self,
        body: _Body,
        time_s: float,
        pose_norm: Float[np.ndarray, "joints 3"],
        valid: Bool[np.ndarray, " joints"],
        keypoints_px: Float[np.ndarray, "joints 3"],
    ) -> Float[np.ndarray, "joints 3"]:
        relative = pose_norm.astype(np.float64) - pose_norm[self._skeleton.root]
        if valid.mean() >= 0.5 or not body.sizes:
            body.sizes.append((time_s, max(float(bone_lengths(relative, self._skeleton).sum()), 1e-6)))
        size = float(np.median([size for _, size in body.sizes]))
        pose_m = relative * (self._target_m / size)
        alone = root_path(pose_m[None], keypoints_px[None], self._intrinsics.K, np.array([time_s]), np.inf)
        body.path.append((time_s, alone.root_m[0], np.linalg.inv(alone.covariance_m2[0])))
        joints_m = pose_m + _end_of_path(body.path)
        if not body.seen or time_s - body.seen[-1][0] >= _LOOK_EVERY_S - 1e-6:
            body.seen.append((time_s, joints_m, valid))
        return joints_m

    def _forget(self, now_s: float) -> None:
        size_s = _IMAGE_SIZE_MEMORY_S if self._image_space else SIZE_MEMORY_S
        for body in self._bodies.values():
            for memory, reach_s in ((body.path, PATH_MEMORY_S), (body.sizes, size_s)):
                while len(memory) > 1 and memory[0][0] < now_s - reach_s:
                    memory.popleft()
            while body.seen and body.seen[0][0] < now_s - WORLD_MEMORY_S:
                body.seen.popleft()
        for number, body in list(self._bodies.items()):
            # Their last seconds still tell of the floor; their path does not go on.
            if body.path[-1][0] < now_s - _FORGOTTEN_S and not body.seen:
                del self._bodies[number]

    def _look_is_due(self, now_s: float) -> bool:
        if not any(body.seen for body in self._bodies.values()):
            return False
        self._since_s = now_s if self._since_s is None else self._since_s
        passed_s, looked_s = now_s - self._since_s, self._looked_s - self._since_s
        return now_s - self._looked_s >= _LATER_EVERY_S or any(looked_s < due_s <= passed_s for due_s in _FIRST_LOOKS_S)

    def _look(self, now_s: float) -> None:
        """Gravity and floor from everybody's last seconds."""
        self._looked_s = now_s
        people = [body for body in self._bodies.values() if body.seen]
        placed = []
        for body in people:
            times_s, joints_m, valid = (np.array(column) for column in zip(*body.seen, strict=True))
            placed.append(PlacedBody(joints_m, valid, times_s, self._height.height_m))
        self._wanted = world_frame(placed, self._skeleton, *self._angles)
        levels = [floor_level(evidence, self._skeleton, self._wanted.up) for evidence in placed]
        # A given tilt has no standard deviation: NaN is not more.
        unsure = self._wanted.tilt_std_deg > _SETTLED_TILT_DEG
        self._sure = max(rest_s for _, rest_s in levels) >= _SETTLED_REST_S and not unsure
        for body, evidence, level in zip(people, placed, levels, strict=True):
            body.shift_wanted_m = floor_shift(evidence, level, self._skeleton, self._wanted, self._height)

    def _glide(self, now_s: float) -> WorldFrame | None:
        if self._wanted is None:
            return None
        first = self._since_s == now_s
        share = 1.0 if first else 1 - math.exp(-max(now_s - self._glided_s, 0.0) / GLIDE_S)
        self._glided_s = now_s
        up = (1 - share) * self._up + share * self._wanted.up
        self._up = up / np.linalg.norm(up)
        self._floor_m += share * (-self._wanted.camera_height_m - self._floor_m)
        there = abs(self._floor_m + self._wanted.camera_height_m) < _SETTLED_M
        level = float(self._up @ self._wanted.up) > math.cos(math.radians(1.0))
        self._settled |= self._sure and there and level
        for body in self._bodies.values():
            body.shift_m += share * (body.shift_wanted_m - body.shift_m)
        return self.world


def _end_of_path(path: deque[tuple[float, np.ndarray, np.ndarray]]) -> Float[np.ndarray, " 3"]:
    """The last place of the most likely path through the places of the last frames.

    In a recording the joints of a frame are weighed by how well they fit the whole path, which costs several rounds.
    """
    times_s, places_m, information = (np.array(column) for column in zip(*path, strict=True))
    if len(times_s) < 3:
        return places_m[-1]
    information = information / max(1.0, 2 * ERROR_TIME_S / float(np.median(np.diff(times_s))))
    system = PathSystem.of(information, times_s, ACCELERATION_DENSITY)
    return system.path((information @ places_m[..., None])[..., 0])[-1]
