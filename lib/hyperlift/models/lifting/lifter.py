"""HyperLift's network: a spatio-temporal transformer with a hypergraph over the joints, composed of its parts."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from hyperlift.models.layers.frame_lifter import FrameLifter
from hyperlift.models.layers.temporal_filter import TemporalFilter
from hyperlift.models.lifting.config import ModelConfig
from hyperlift.models.lifting.hypergraph import HypergraphConfig
from hyperlift.models.lifting.joint_features import ClipView, JointFeatures, Seen, StreamView
from hyperlift.models.lifting.person_frame import PersonFrame
from hyperlift.models.lifting.transformer import JointTimeTransformer, Past
from hyperlift.shapes import Float, Int
from hyperlift.skeletons import skeleton_named

__all__ = ["HyperLifter", "HypergraphConfig", "ModelConfig", "StreamCache"]


class StreamCache(NamedTuple):
    """What a stream remembers of N people; rows are independent of one another.

    A person whose ``frames_seen`` is 0 is new: whatever else stands in the row is not looked at, as long as it is
    finite.
    """

    frames_seen: Int[Tensor, " people"]
    recent: Float[Tensor, "people history joints 3"]
    """Keypoints of the latest frames, oldest first."""
    answers: Float[Tensor, "people waiting joints 3"]
    """Latest poses before the final filter, oldest first; twice its reach, none without a filter."""
    past: Past
    """Of the transformer; no layers without one."""


class HyperLifter(nn.Module):
    """pose2d [N,T,V,3] (x, y in normalised picture space, confidence) to pose3d [N,T,V,3] in the label space.

    Features of the joints, then the parts that the configuration asks for: a ``frame_lifter``, whose pose a
    ``transformer`` corrects (or which it makes alone), and a temporal ``filter``. A network with ``config.streaming``
    sees of a clip what a stream of its frames would see; ``step`` lifts such a stream frame by frame.

    Args:
        config: sizes and conventions.

    Raises:
        InputError: the hypergraph does not fit the skeleton.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.skeleton = skeleton_named(config.skeleton)
        joints, features = len(self.skeleton), JointFeatures(config)
        self.view = ClipView(features) if config.streaming is None else StreamView(features, config.reach)
        lifter, smoothing = config.frame_lifter, config.smoothing
        self.frame_lifter = None if lifter is None else FrameLifter(lifter, joints, features.count)
        self.filter = TemporalFilter(joints, smoothing, smoothing / 4) if smoothing else None
        self.transformer = None
        if config.depth:
            self.transformer = JointTimeTransformer(config, features.count + (0 if lifter is None else 3))
            if lifter is not None:
                self.transformer.start_at_zero()

    def forward(
        self, pose2d: Float[Tensor, "clips frames joints 3"], only: int | None = None
    ) -> Float[Tensor, "clips lifted joints 3"]:
        """Lift clips of at most ``config.n_frames`` frames (a streaming network takes any number).

        Args:
            pose2d: the clips.
            only: of a network without transformer, the one frame to lift, or the middle one of the group that its
                frame lifter lifts at once, all of which come back unfiltered; None lifts all.
        """
        pose2d = self.view.features.keypoints(pose2d)
        if only is not None:
            assert self.config.frame_lifter is not None
            assert self.transformer is None
            seen = self.view.at(pose2d, only, self.config.frame_lifter)
            return self._placed(self._scaled(self._first_guess(seen), seen.frame), seen.frame)
        seen = self.view(pose2d)
        features, pose = self._told(seen)
        if self.transformer is not None:
            pose = pose + self.transformer(features)
        pose = self._scaled(pose, seen.frame)
        if self.filter is not None:
            pose = self.view.filtered(self.filter, pose)
        return self._placed(pose, seen.frame)

    def step(
        self, pose2d: Float[Tensor, "people 1 joints 3"], cache: StreamCache
    ) -> tuple[Float[Tensor, "people 1 joints 3"], StreamCache]:
        """Lift the next frame of N streams; wants ``config.streaming``.

        A frame comes in, and the pose of the frame ``look_ahead`` frames before it goes out; before there is such a
        frame, what goes out means nothing. Frame by frame that is what ``forward`` makes of a whole clip.
        """
        assert isinstance(self.view, StreamView)
        reach = self.view.reach
        pose2d = self.view.features.keypoints(pose2d)
        new = (cache.frames_seen == 0)[:, None, None, None]
        recent = torch.where(new, pose2d, torch.cat([cache.recent[:, 1:], pose2d], dim=1))
        token = cache.frames_seen - reach.token_lag
        seen = self.view.through(recent, torch.arange(reach.history, device=pose2d.device)[None])
        features, pose = self._told(seen)
        past, answers = cache.past, cache.answers
        if self.transformer is not None:
            correction, past = self.transformer.step(features[:, 0], token, past)
            pose = pose + correction[:, None]
        pose = self._scaled(pose, seen.frame)
        if self.filter is not None:
            pose, answers = self.filter.step(pose, answers, token <= 0)
        return self._rooted(pose), StreamCache(cache.frames_seen + 1, recent, answers, past)

    def new_cache(self, people: int) -> StreamCache:
        """Of people whom no stream has seen yet."""
        reach, joints = self.config.reach, len(self.skeleton)
        like = next(self.parameters())
        return StreamCache(
            frames_seen=torch.zeros(people, dtype=torch.int64, device=like.device),
            recent=like.new_zeros(people, reach.history, joints, 3),
            answers=like.new_zeros(people, 2 * reach.smoothing, joints, 3),
            past=Past((), ()) if self.transformer is None else self.transformer.no_past(people),
        )

    def _first_guess(self, seen: Seen) -> Float[Tensor, "clips lifted joints 3"]:
        """The frame lifter's pose."""
        assert self.frame_lifter is not None
        around = seen.around
        return self._rooted(
            self.frame_lifter(seen.features) if around is None else self.frame_lifter.lift(around.flatten(2))
        )

    def _told(
        self, seen: Seen
    ) -> tuple[Float[Tensor, "clips frames joints c"], Float[Tensor, "clips frames joints 3"]]:
        """What the transformer is told of every joint, and the pose that it corrects: 0 without a frame lifter."""
        if self.frame_lifter is None:
            return seen.features, torch.zeros_like(seen.features[..., :3])
        pose = self._first_guess(seen)
        return torch.cat([seen.features, pose], dim=-1), pose

    def _scaled(
        self, pose: Float[Tensor, "clips frames joints 3"], frame: PersonFrame | None
    ) -> Float[Tensor, "clips frames joints 3"]:
        """From sizes of the person to the label space."""
        return pose if frame is None or self.config.label_space != "image" else pose * frame.spread

    def _placed(
        self, pose: Float[Tensor, "clips frames joints 3"], frame: PersonFrame | None
    ) -> Float[Tensor, "clips frames joints 3"]:
        """The root at 0, or where the person stands in the picture."""
        if frame is not None and self.config.label_space == "image" and not self.config.rootrel:
            return pose + nn.functional.pad(frame.centre, (0, 1))
        return self._rooted(pose)

    def _rooted(self, pose: Float[Tensor, "clips frames joints 3"]) -> Float[Tensor, "clips frames joints 3"]:
        """The root at 0, where poses are root-relative."""
        root = self.skeleton.root
        return pose - pose[:, :, root : root + 1] if self.config.rootrel else pose
