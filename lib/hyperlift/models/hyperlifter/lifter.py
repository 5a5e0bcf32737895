"""HyperLift's network: a spatio-temporal transformer with a hypergraph over the joints, composed of its parts."""

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from hyperlift.models.hyperlifter.answers import PLACE, Answers, Lifted, start_uncertain
from hyperlift.models.hyperlifter.config import ModelConfig
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.joint_features import ClipView, JointFeatures, Seen, StreamView, flatten_frames
from hyperlift.models.hyperlifter.person_frame import PersonFrame
from hyperlift.models.hyperlifter.transformer import JointTimeTransformer, Past
from hyperlift.models.layers.frame_lifter import FrameLifter
from hyperlift.models.layers.temporal_filter import TemporalFilter
from hyperlift.shapes import Float, Int
from hyperlift.skeletons.joint_sets import skeleton_named

__all__ = ["HyperLifter", "HypergraphConfig", "ModelConfig", "StreamCache"]


class StreamCache(NamedTuple):
    """State of N streams, one person each; rows are independent.

    ``frames_seen`` 0 starts a new stream: the other values of the row are ignored, but must be finite.
    """

    frames_seen: Int[Tensor, " people"]
    recent: Float[Tensor, "people history joints 3"]
    """Keypoints of the latest frames, oldest first."""
    answers: Float[Tensor, "people waiting joints numbers"]
    """Latest outputs before the temporal filter, oldest first: twice its half width, or none without a filter."""
    past: Past
    """Cache of the transformer; empty without one."""


class HyperLifter(nn.Module):
    """pose2d [N,T,V,3] (x, y in normalised picture space, confidence) to pose3d [N,T,V,3] in the label space.

    Joint features enter an optional ``frame_lifter``, an optional ``transformer`` (which adds a correction to the pose
    of the frame lifter) and an optional temporal ``filter``. With ``config.streaming``, ``forward`` has the receptive
    field of a stream, and ``step`` lifts a stream frame by frame with the same result. With ``config.uncertainty``,
    ``lift`` also returns a standard deviation per joint.

    Args:
        config: sizes and conventions.

    Raises:
        InputError: the hypergraph does not fit the skeleton.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.skeleton = skeleton_named(config.skeleton)
        joints, features = len(config.token_skeleton), JointFeatures(config)
        self.view = ClipView(features) if config.streaming is None else StreamView(features, config.reach)
        lifter, smoothing = config.frame_lifter, config.smoothing
        self.answers = Answers(config)
        self.frame_lifter = None
        if lifter is not None:
            more = len(self.skeleton) - joints
            self.frame_lifter = FrameLifter(lifter, joints, features.count, extremities=more, numbers=config.numbers)
            if config.uncertainty:
                start_uncertain(cast(nn.Linear, self.frame_lifter.head[-1]))
        self.filter = None
        if smoothing:
            self.filter = TemporalFilter(len(self.skeleton), smoothing, smoothing / 4, config.numbers)
        self.transformer = None
        if config.depth:
            self.transformer = JointTimeTransformer(config, features.count + (0 if lifter is None else 3))
            if lifter is not None:
                self.transformer.start_at_zero()

    def forward(
        self, pose2d: Float[Tensor, "clips frames joints 3"], only: int | None = None, *, with_std: bool = False
    ) -> Float[Tensor, "clips lifted joints 3"] | Lifted:
        """Lift clips of at most ``config.n_frames`` frames; a streaming network takes clips of any length.

        Args:
            pose2d: the clips.
            only: see ``lift``.
            with_std: return the standard deviations too, as ``lift`` does.
        """
        lifted = self.lift(pose2d, only)
        return lifted if with_std else lifted.pose

    def lift(self, pose2d: Float[Tensor, "clips frames joints 3"], only: int | None = None) -> Lifted:
        """Lift clips; returns poses, and standard deviations if the network predicts them.

        Args:
            pose2d: the clips.
            only: index of a single frame to lift (or the middle frame of a group, which is returned as a whole),
                without temporal filter; only for networks without transformer. None: lift all frames.
        """
        pose2d = self.view.features.keypoints(pose2d)
        if only is not None:
            assert self.config.frame_lifter is not None
            assert self.transformer is None
            seen = self.view.at(pose2d, only, self.config.frame_lifter)
            return self._placed(self._scaled(self._first_guess(seen), seen.frame), seen.frame)
        seen = self.view(pose2d)
        features, extremities, pose = self._transformer_inputs(seen)
        if self.transformer is not None:
            pose = pose + self.transformer(features, extremities)
        pose = self._scaled(pose, seen.frame)
        if self.filter is not None:
            pose = self.view.filtered(self.filter, pose)
        return self._placed(pose, seen.frame)

    def step(
        self, pose2d: Float[Tensor, "people 1 joints 3"], cache: StreamCache
    ) -> tuple[Float[Tensor, "people 1 joints 3"], StreamCache]:
        """Lift the next frame of N streams; requires ``config.streaming``.

        The returned pose belongs to the frame ``look_ahead`` frames before the given one; the first ``look_ahead``
        returned poses are undefined. The poses of a stream equal those that ``forward`` returns for the clip.
        """
        lifted, cache = self.lift_next(pose2d, cache)
        return lifted.pose, cache

    def lift_next(self, pose2d: Float[Tensor, "people 1 joints 3"], cache: StreamCache) -> tuple[Lifted, StreamCache]:
        """As ``step``; returns the standard deviations too."""
        assert isinstance(self.view, StreamView)
        reach = self.view.reach
        pose2d = self.view.features.keypoints(pose2d)
        new = (cache.frames_seen == 0)[:, None, None, None]
        recent = torch.where(new, pose2d, torch.cat([cache.recent[:, 1:], pose2d], dim=1))
        token = cache.frames_seen - reach.token_lag
        seen = self.view.through(recent, torch.arange(reach.history, device=pose2d.device)[None])
        features, extremities, pose = self._transformer_inputs(seen)
        past, answers = cache.past, cache.answers
        if self.transformer is not None:
            limbs = None if extremities is None else extremities[:, 0]
            correction, past = self.transformer.step(features[:, 0], token, past, limbs)
            pose = pose + correction[:, None]
        pose = self._scaled(pose, seen.frame)
        if self.filter is not None:
            pose, answers = self.filter.step(pose, answers, token <= 0)
        lifted = self.answers.lifted(self.answers.rooted(pose))
        return lifted, StreamCache(cache.frames_seen + 1, recent, answers, past)

    def new_cache(self, people: int) -> StreamCache:
        """State of ``people`` streams that have not started."""
        reach, joints = self.config.reach, len(self.skeleton)
        like = next(self.parameters())
        return StreamCache(
            frames_seen=torch.zeros(people, dtype=torch.int64, device=like.device),
            recent=like.new_zeros(people, reach.history, joints, 3),
            answers=like.new_zeros(people, 2 * reach.smoothing, joints, self.config.numbers),
            past=Past((), ()) if self.transformer is None else self.transformer.empty_past(people),
        )

    def _first_guess(self, seen: Seen) -> Float[Tensor, "clips lifted joints numbers"]:
        """Outputs of the frame lifter, root at 0."""
        assert self.frame_lifter is not None
        if seen.around is not None:
            return self.answers.rooted(self.frame_lifter.lift(seen.around))
        features = seen.features
        if seen.extremities is not None:
            features = flatten_frames(features, seen.extremities)[:, :, None]
        return self.answers.rooted(self.frame_lifter(features))

    def _transformer_inputs(
        self, seen: Seen
    ) -> tuple[
        Float[Tensor, "clips frames joints c"],
        Float[Tensor, "clips frames extremities e"] | None,
        Float[Tensor, "clips frames lifted numbers"],
    ]:
        """Inputs of the transformer for joints and for feet and hands, and the output that it corrects.

        Without a frame lifter that output is 0.
        """
        features, extremities = seen.features, seen.extremities
        if self.frame_lifter is None:
            sizes = (*features.shape[:2], len(self.skeleton), self.config.numbers)
            return features, extremities, features.new_zeros(sizes)
        answer = self._first_guess(seen)
        place, tokens = answer[..., PLACE], features.shape[2]
        if extremities is None:
            return torch.cat([features, place], dim=-1), None, answer
        return (
            torch.cat([features, place[:, :, :tokens]], dim=-1),
            torch.cat([extremities, place[:, :, tokens:]], dim=-1),
            answer,
        )

    def _scaled(
        self, answer: Float[Tensor, "clips frames joints n"], frame: PersonFrame | None
    ) -> Float[Tensor, "clips frames joints n"]:
        """Convert from units of the spread to those of the label space."""
        return answer if frame is None or self.config.label_space != "image" else answer * frame.spread

    def _placed(self, answer: Float[Tensor, "clips frames joints n"], frame: PersonFrame | None) -> Lifted:
        """Place the root: at 0, or at the centre of the person for absolute poses in picture space."""
        if frame is not None and self.config.label_space == "image" and not self.config.rootrel:
            return Lifted(answer + nn.functional.pad(frame.centre, (0, 1)), None)
        return self.answers.lifted(self.answers.rooted(answer))
