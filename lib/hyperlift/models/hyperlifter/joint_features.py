"""Input features of the joints, for clips and for streams."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from hyperlift.models.hyperlifter.config import ModelConfig
from hyperlift.models.hyperlifter.person_frame import (
    PersonFrame,
    frame_moments,
    into_person_frame,
    person_frame,
    root_mean_square,
)
from hyperlift.models.hyperlifter.streaming import ReceptiveField
from hyperlift.models.layers.foreshortening import Foreshortening
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.layers.temporal_filter import TemporalFilter
from hyperlift.shapes import Float, Int
from hyperlift.skeletons.extremities import CORE, PARENTS_OF_EXTREMITIES


class JointFeatures(nn.Module):
    """Features per joint: keypoints in picture space or in the frame of the person, and depth extents of bones.

    Args:
        config: ``input_frame``, ``use_confidence``, ``foreshortening`` and ``extremities`` are used.
    """

    carriers: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.use_confidence = config.use_confidence
        self.person = config.input_frame == "person"
        lengths = config.foreshortening
        self.foreshortening = Foreshortening(config.token_skeleton, lengths) if lengths else None
        self.predicts_extremities = config.predicts_extremities
        bones = 0 if self.foreshortening is None else self.foreshortening.features
        self.count = (6 if self.person else 3) + bones
        """Features per joint."""
        self.register_buffer("carriers", torch.tensor(PARENTS_OF_EXTREMITIES), persistent=False)

    def core(self, pose2d: Float[Tensor, "clips frames joints 3"]) -> Float[Tensor, "clips frames tokens 3"]:
        """The joints with tokens; they also define centre and spread of the person."""
        return pose2d[:, :, CORE] if self.predicts_extremities else pose2d

    def extremities(
        self, pose2d: Float[Tensor, "clips frames joints 3"], frame: PersonFrame | None
    ) -> Float[Tensor, "clips frames extremities 3"] | None:
        """x, y of feet and hands relative to ankle or wrist, and confidence; None unless they are predicted.

        Args:
            pose2d: x, y in normalised picture space, and confidence.
            frame: frame of the person, whose spread is the unit of length; None: picture space.
        """
        if not self.predicts_extremities:
            return None
        points = pose2d[:, :, CORE.stop :]
        relative = points[..., :2] - pose2d.index_select(2, self.carriers)[..., :2]
        return torch.cat([relative if frame is None else relative / frame.spread, points[..., 2:]], dim=-1)

    def keypoints(self, pose2d: Float[Tensor, "clips frames joints 3"]) -> Float[Tensor, "clips frames joints 3"]:
        """x, y and confidence, which is 1 for every joint without ``use_confidence``."""
        if self.use_confidence:
            return pose2d
        return torch.cat([pose2d[..., :2], torch.ones_like(pose2d[..., 2:])], dim=-1)

    def forward(
        self, pose2d: Float[Tensor, "clips frames joints 3"], frame: PersonFrame | None
    ) -> Float[Tensor, "clips frames tokens c"]:
        """Features of all joints.

        Args:
            pose2d: x, y in normalised picture space, and confidence.
            frame: frame of the person; None: picture space.
        """
        pose2d = self.core(pose2d)
        features = pose2d if frame is None else into_person_frame(pose2d, frame)
        if self.foreshortening is None:
            return features
        return torch.cat([features, self.foreshortening(features[..., :2])], dim=-1)


class Seen(NamedTuple):
    """Inputs of the parts of a network."""

    features: Float[Tensor, "clips frames joints c"]
    frame: PersonFrame | None
    """Frame of the person in the frames to lift; streams have one spread per frame. None: picture space."""
    around: Float[Tensor, "clips frames seen"] | None = None
    """Gathered inputs of the frame lifter; None: it gathers them from ``features``."""
    extremities: Float[Tensor, "clips frames extremities 3"] | None = None
    """Inputs for feet and hands; None unless they are predicted."""


class ClipView(nn.Module):
    """Network inputs of clips: the spread of a person is measured over all frames of the clip.

    Args:
        features: computes the features of the joints.
    """

    def __init__(self, features: JointFeatures) -> None:
        super().__init__()
        self.features = features

    def forward(self, pose2d: Float[Tensor, "clips frames joints 3"]) -> Seen:
        """Inputs of all frames."""
        frame = person_frame(self.features.core(pose2d)) if self.features.person else None
        return Seen(self.features(pose2d, frame), frame, None, self.features.extremities(pose2d, frame))

    def at(self, pose2d: Float[Tensor, "clips frames joints 3"], middle: int, lifter: FrameLifterConfig) -> Seen:
        """Inputs to lift one frame (or one group of frames); the spread is still measured over all frames.

        Args:
            pose2d: the clips.
            middle: index of the frame, or of the middle frame of the group.
            lifter: defines the neighbouring frames and the group.
        """
        frame = person_frame(self.features.core(pose2d)) if self.features.person else None
        seen = torch.tensor(lifter.neighbours, device=pose2d.device).add(middle).clamp(0, pose2d.shape[1] - 1)
        around = None if frame is None else PersonFrame(frame.centre[:, seen], frame.spread)
        features = self.features(pose2d[:, seen], around)
        extremities = self.features.extremities(pose2d[:, seen], around)
        group = None if frame is None else PersonFrame(frame.centre[:, lifter.group_at(middle)], frame.spread)
        return Seen(features, group, flatten_frames(features, extremities).flatten(1)[:, None])

    def filtered(
        self, temporal_filter: TemporalFilter, pose: Float[Tensor, "clips frames joints n"]
    ) -> Float[Tensor, "clips frames joints n"]:
        """Apply the filter to clips."""
        return temporal_filter(pose)


class StreamView(nn.Module):
    """Network inputs of clips as in a stream: the inputs of a token come from frames that have arrived by then.

    Args:
        features: computes the features of the joints.
        reach: receptive field in time.
    """

    def __init__(self, features: JointFeatures, reach: ReceptiveField) -> None:
        super().__init__()
        self.features, self.reach = features, reach

    def forward(self, pose2d: Float[Tensor, "clips frames joints 3"]) -> Seen:
        """Inputs of a stream of these frames; the last frame is repeated until all poses are returned."""
        return self.through(pose2d, self.reach.windows_of(pose2d))

    def at(self, pose2d: Float[Tensor, "clips frames joints 3"], middle: int, lifter: FrameLifterConfig) -> Seen:
        """As ``ClipView.at``; a stream lifts one frame at a time."""
        return self.through(pose2d, self.reach.windows_of(pose2d)[middle : middle + lifter.frames])

    def through(self, pose2d: Float[Tensor, "clips frames joints 3"], windows: Int[Tensor, "tokens history"]) -> Seen:
        """Gather the inputs of tokens.

        Args:
            pose2d: frames of the stream.
            windows: per token, the indices of the latest frames that have arrived, oldest first.
        """
        reach = self.reach
        chosen = windows[:, [reach.history - 1 - reach.token_lag + offset for offset in reach.neighbours]]
        around, own = _at(pose2d, chosen), reach.neighbours.index(0)
        if not reach.person:
            return self._gathered(around, None, own)
        centre, square, weight = frame_moments(self.features.core(pose2d))
        measured = windows[:, -reach.look_back :]
        spread = root_mean_square(_at(square, measured).sum(2), _at(weight, measured).sum(2))
        return self._gathered(around, PersonFrame(_at(centre, chosen).flatten(0, 1), spread), own)

    def _gathered(self, around: Tensor, frame: PersonFrame | None, own: int) -> Seen:
        each = None if frame is None else PersonFrame(frame.centre, frame.spread.flatten(0, 1)[:, None])
        sizes = around.shape[:2]
        features = self.features(around.flatten(0, 1), each)
        extremities = self.features.extremities(around.flatten(0, 1), each)
        lifter_inputs = flatten_frames(features, extremities).unflatten(0, sizes).flatten(2)
        features = features.unflatten(0, sizes)
        if frame is not None:
            frame = PersonFrame(frame.centre.unflatten(0, around.shape[:2])[:, :, own], frame.spread)
        if extremities is not None:
            extremities = extremities.unflatten(0, sizes)[:, :, own]
        return Seen(features[:, :, own], frame, lifter_inputs, extremities)

    def filtered(
        self, temporal_filter: TemporalFilter, pose: Float[Tensor, "clips tokens joints n"]
    ) -> Float[Tensor, "clips frames joints n"]:
        """Apply the filter as in a stream: the first pose is repeated before the start."""
        return temporal_filter.within(torch.cat([pose[:, :1].expand(-1, temporal_filter.reach, -1, -1), pose], dim=1))


def flatten_frames(
    features: Float[Tensor, "clips frames joints c"], extremities: Float[Tensor, "clips frames extremities 3"] | None
) -> Float[Tensor, "clips frames n"]:
    """Flatten each frame into one vector: the joints in order, then feet and hands."""
    if extremities is None:
        return features.flatten(2)
    return torch.cat([features.flatten(2), extremities.flatten(2)], dim=-1)


def _at(x: Float[Tensor, "clips frames joints c"], index: Int[Tensor, "tokens seen"]) -> Tensor:
    """Gather frames by index; returns [clips, tokens, seen, joints, c]."""
    return x.index_select(1, index.flatten()).unflatten(1, tuple(index.shape))
