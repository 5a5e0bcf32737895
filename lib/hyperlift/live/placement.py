"""Causal placement of people in live streams: scale, root, gravity and floor from the frames so far.

The estimates are those for recordings (``hyperlift.placement``) over the past only: the scale is a median over the last
seconds; the root is the last point of the smoothed path of the last half second; gravity and floor are estimated from
the last seconds of all people, often at first and then rarely. The world converges smoothly to a new estimate.
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
"""Window of the running median of the scale to metres. Chosen: several strides."""
_IMAGE_SIZE_MEMORY_S = 1.0
"""The same in label space "image", where a body grows as it comes closer; as in ``placement.body_height``."""
PATH_MEMORY_S = 0.5
"""Window of the smoothing of the root. Chosen: about the correlation time of the errors (``ERROR_TIME_S``)."""
WORLD_MEMORY_S = 8.0
"""Window of the estimates of gravity and floor. Chosen: long enough for several foot contacts."""
_SAMPLE_EVERY_S = 0.04
"""Interval of the samples of a body in that window. Chosen: 25 per second, also for faster cameras."""
CONVERGE_S = 0.5
"""Time constant of the convergence to a new estimate of the world. Chosen: fast, but without a visible jump."""
_FIRST_ESTIMATES_S = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Times of the first estimates of the world. Chosen: often while the window fills."""
_LATER_EVERY_S = 5.0
"""Interval of the later estimates. Chosen: cameras rarely move, and an estimate takes time."""
_SETTLED_REST_S, _SETTLED_TILT_DEG, _SETTLED_M = 1.0, 8.0, 0.02
"""The floor is settled if a foot has rested for this time, up has at most this standard deviation (as
``MAX_UP_STD_DEG``), and the applied world is within this height and 1° of the estimate."""
_FORGOTTEN_S = 2.0
"""A person who is missing for this time is removed. Chosen: longer than the tracker keeps an id."""


@dataclass
class _Body:
    """History of one person."""

    sizes: deque[tuple[float, float]] = field(default_factory=deque)
    """Time and sum of bone lengths in the label space of the lifter."""
    path: deque[tuple[float, np.ndarray, np.ndarray]] = field(default_factory=deque)
    """Time, root [3] from that frame alone in metres, and its information matrix [3,3] in 1/m²."""
    seen: deque[tuple[float, np.ndarray, np.ndarray]] = field(default_factory=deque)
    """Time, joints [17,3] in camera metres and valid [17], for estimates of the world."""
    shift_m: float = 0.0
    """Applied vertical shift onto the common floor."""
    target_shift_m: float = 0.0


class LivePlacement:
    """Places people frame by frame."""

    def __init__(
        self,
        lifter: LifterSpec,
        intrinsics: Intrinsics,
        height: BodyHeight | None = None,
        pitch_deg: float | None = None,
        roll_deg: float | None = None,
    ) -> None:
        """Start without people.

        Args:
            lifter: contract with label space and skeleton.
            intrinsics: of the upright picture.
            height: standing height of all people; None assumes an average adult.
            pitch_deg: of the camera, positive looks up; None estimates it.
            roll_deg: of the camera, positive is clockwise as seen from behind it; None estimates it.
        """
        import_module("scipy.linalg")  # slow to import: not during the first frame
        self._height = height or BodyHeight()
        self._skeleton, self._image_space = skeleton_named(lifter.skeleton), lifter.label_space == "image"
        self._intrinsics, self._angles = intrinsics, (pitch_deg, roll_deg)
        self._target_m = bone_sum_of(self._height.height_m)
        self._bodies: dict[int, _Body] = {}
        self._since_s: float | None = None
        self._estimated_s = -math.inf
        self._converged_s = 0.0
        self._estimate: WorldFrame | None = None
        self._up = np.array([0.0, -1.0, 0.0])
        self._floor_m = 0.0
        self._sure = self._settled = False

    @property
    def world(self) -> WorldFrame | None:
        """The applied world: z up, y the viewing direction along the floor, the origin on the floor below the camera.
        None before the first person."""
        if self._estimate is None:
            return None
        return WorldFrame(
            R=world_axes(self._up),
            origin_m=self._floor_m * self._up,
            tilt_source=self._estimate.tilt_source,
            tilt_std_deg=self._estimate.tilt_std_deg,
            floor_source=self._estimate.floor_source,
        )

    @property
    def settled(self) -> bool:
        """Whether gravity and floor have had enough evidence; until then they can be far off. It stays True."""
        return self._settled

    def place(self, time_s: float, poses: Mapping[int, StreamedPose]) -> dict[int, Float[np.ndarray, "joints 3"]]:
        """Place the people of the next frame in world metres: z up, the floor at 0.

        Args:
            time_s: time stamp of the frame, later than the previous one.
            poses: by person id, with keypoints; poses with NaN are skipped.
        """
        camera_m = {}
        for number, pose in poses.items():
            if pose.keypoints_px is None or not np.isfinite(pose.pose_norm).all():
                continue
            body = self._bodies.setdefault(number, _Body())
            camera_m[number] = self._in_camera(body, time_s, pose.pose_norm, pose.valid, pose.keypoints_px)
        self._forget(time_s)
        if self._estimate_is_due(time_s):
            self._estimate_world(time_s)
        world = self._converge(time_s)
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
        if not body.seen or time_s - body.seen[-1][0] >= _SAMPLE_EVERY_S - 1e-6:
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
            # People who left still contribute to the floor while the window covers them.
            if body.path[-1][0] < now_s - _FORGOTTEN_S and not body.seen:
                del self._bodies[number]

    def _estimate_is_due(self, now_s: float) -> bool:
        if not any(body.seen for body in self._bodies.values()):
            return False
        self._since_s = now_s if self._since_s is None else self._since_s
        passed_s, before_s = now_s - self._since_s, self._estimated_s - self._since_s
        first = any(before_s < due_s <= passed_s for due_s in _FIRST_ESTIMATES_S)
        return first or now_s - self._estimated_s >= _LATER_EVERY_S

    def _estimate_world(self, now_s: float) -> None:
        """Estimate gravity and floor from the last seconds of all people."""
        self._estimated_s = now_s
        people = [body for body in self._bodies.values() if body.seen]
        placed = []
        for body in people:
            times_s, joints_m, valid = (np.array(column) for column in zip(*body.seen, strict=True))
            placed.append(PlacedBody(joints_m, valid, times_s, self._height.height_m))
        self._estimate = world_frame(placed, self._skeleton, *self._angles)
        levels = [floor_level(evidence, self._skeleton, self._estimate.up) for evidence in placed]
        # The standard deviation of a given tilt is NaN, for which the comparison is false.
        unsure = self._estimate.tilt_std_deg > _SETTLED_TILT_DEG
        self._sure = max(rest_s for _, rest_s in levels) >= _SETTLED_REST_S and not unsure
        for body, evidence, level in zip(people, placed, levels, strict=True):
            body.target_shift_m = floor_shift(evidence, level, self._skeleton, self._estimate, self._height)

    def _converge(self, now_s: float) -> WorldFrame | None:
        """Move the applied world exponentially towards the estimate."""
        if self._estimate is None:
            return None
        first = self._since_s == now_s
        share = 1.0 if first else 1 - math.exp(-max(now_s - self._converged_s, 0.0) / CONVERGE_S)
        self._converged_s = now_s
        up = (1 - share) * self._up + share * self._estimate.up
        self._up = up / np.linalg.norm(up)
        self._floor_m += share * (-self._estimate.camera_height_m - self._floor_m)
        floor_is_close = abs(self._floor_m + self._estimate.camera_height_m) < _SETTLED_M
        up_is_close = float(self._up @ self._estimate.up) > math.cos(math.radians(1.0))
        self._settled |= self._sure and floor_is_close and up_is_close
        for body in self._bodies.values():
            body.shift_m += share * (body.target_shift_m - body.shift_m)
        return self.world


def _end_of_path(path: deque[tuple[float, np.ndarray, np.ndarray]]) -> Float[np.ndarray, " 3"]:
    """The last position of the smoothed path through the roots of the last frames.

    Unlike for recordings, the weights of the joints are not recomputed from the path, which would need iterations.
    """
    times_s, places_m, information = (np.array(column) for column in zip(*path, strict=True))
    if len(times_s) < 3:
        return places_m[-1]
    information = information / max(1.0, 2 * ERROR_TIME_S / float(np.median(np.diff(times_s))))
    system = PathSystem.of(information, times_s, ACCELERATION_DENSITY)
    return system.path((information @ places_m[..., None])[..., 0])[-1]
