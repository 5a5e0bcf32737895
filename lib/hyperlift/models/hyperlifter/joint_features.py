"""What a network is told of every joint, of whole clips or of the frames that a stream has seen so far."""

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
from hyperlift.models.hyperlifter.streaming import Reach
from hyperlift.models.layers.foreshortening import Foreshortening
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.layers.temporal_filter import TemporalFilter
from hyperlift.shapes import Float, Int
from hyperlift.skeletons.extremities import CORE, PARENTS_OF_EXTREMITIES


class JointFeatures(nn.Module):
    """Keypoints, seen from the picture's centre or from the person's, and how far every bone may reach into depth.

    Args:
        config: ``input_frame``, ``use_confidence``, ``foreshortening`` and ``extremities`` count.
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
        """Numbers a joint."""
        self.register_buffer("carriers", torch.tensor(PARENTS_OF_EXTREMITIES), persistent=False)

    def core(self, pose2d: Float[Tensor, "clips frames joints 3"]) -> Float[Tensor, "clips frames tokens 3"]:
        """The joints that have features of their own, and by which a person's place and size are measured."""
        return pose2d[:, :, CORE] if self.predicts_extremities else pose2d

    def extremities(
        self, pose2d: Float[Tensor, "clips frames joints 3"], frame: PersonFrame | None
    ) -> Float[Tensor, "clips frames extremities 3"] | None:
        """x, y of feet and hands from the ankle or wrist, and their confidence; None where they are no matter apart.

        Args:
            pose2d: normalised picture space, confidence.
            frame: of the person, in whose spread lengths are measured; None in picture space.
        """
        if not self.predicts_extremities:
            return None
        points = pose2d[:, :, CORE.stop :]
        away = points[..., :2] - pose2d.index_select(2, self.carriers)[..., :2]
        return torch.cat([away if frame is None else away / frame.spread, points[..., 2:]], dim=-1)

    def keypoints(self, pose2d: Float[Tensor, "clips frames joints 3"]) -> Float[Tensor, "clips frames joints 3"]:
        """x, y and the confidence that counts: 1 for every joint without ``use_confidence``."""
        if self.use_confidence:
            return pose2d
        return torch.cat([pose2d[..., :2], torch.ones_like(pose2d[..., 2:])], dim=-1)

    def forward(
        self, pose2d: Float[Tensor, "clips frames joints 3"], frame: PersonFrame | None
    ) -> Float[Tensor, "clips frames tokens c"]:
        """The features of every joint.

        Args:
            pose2d: normalised picture space, confidence.
            frame: of the person; None in picture space.
        """
        pose2d = self.core(pose2d)
        features = pose2d if frame is None else into_person_frame(pose2d, frame)
        if self.foreshortening is None:
            return features
        return torch.cat([features, self.foreshortening(features[..., :2])], dim=-1)


class Seen(NamedTuple):
    """What the parts of a network see of a person."""

    features: Float[Tensor, "clips frames joints c"]
    frame: PersonFrame | None
    """Of the frames that are lifted; its spread may differ from frame to frame. None in picture space."""
    around: Float[Tensor, "clips frames seen"] | None = None
    """What the frame lifter sees, gathered; None where it gathers from the features itself."""
    extremities: Float[Tensor, "clips frames extremities 3"] | None = None
    """Of feet and hands, where they are predicted."""


class ClipView(nn.Module):
    """Whole clips: the size of a person is measured over all frames.

    Args:
        features: of every joint.
    """

    def __init__(self, features: JointFeatures) -> None:
        super().__init__()
        self.features = features

    def forward(self, pose2d: Float[Tensor, "clips frames joints 3"]) -> Seen:
        """Look at every frame."""
        frame = person_frame(self.features.core(pose2d)) if self.features.person else None
        return Seen(self.features(pose2d, frame), frame, None, self.features.extremities(pose2d, frame))

    def at(self, pose2d: Float[Tensor, "clips frames joints 3"], middle: int, lifter: FrameLifterConfig) -> Seen:
        """Look at the neighbours of one frame only; the person's size is still measured over all frames.

        Args:
            pose2d: the clips.
            middle: the frame, or the middle one of the group that the frame lifter lifts at once.
            lifter: which neighbours it sees.
        """
        frame = person_frame(self.features.core(pose2d)) if self.features.person else None
        seen = torch.tensor(lifter.neighbours, device=pose2d.device).add(middle).clamp(0, pose2d.shape[1] - 1)
        around = None if frame is None else PersonFrame(frame.centre[:, seen], frame.spread)
        features = self.features(pose2d[:, seen], around)
        extremities = self.features.extremities(pose2d[:, seen], around)
        group = None if frame is None else PersonFrame(frame.centre[:, lifter.group_at(middle)], frame.spread)
        return Seen(features, group, of_each_frame(features, extremities).flatten(1)[:, None])

    def filtered(
        self, temporal_filter: TemporalFilter, pose: Float[Tensor, "clips frames joints n"]
    ) -> Float[Tensor, "clips frames joints n"]:
        """The filter over whole clips."""
        return temporal_filter(pose)


class StreamView(nn.Module):
    """Clips as a stream has them: every token sees the frames that have come by then.

    Args:
        features: of every joint.
        reach: which frames are looked at.
    """

    def __init__(self, features: JointFeatures, reach: Reach) -> None:
        super().__init__()
        self.features, self.reach = features, reach

    def forward(self, pose2d: Float[Tensor, "clips frames joints 3"]) -> Seen:
        """What a stream of these frames sees, the last frame held until all poses are out."""
        return self.through(pose2d, self.reach.windows_of(pose2d))

    def at(self, pose2d: Float[Tensor, "clips frames joints 3"], middle: int, lifter: FrameLifterConfig) -> Seen:
        """``ClipView.at``; a stream lifts one frame at once."""
        return self.through(pose2d, self.reach.windows_of(pose2d)[middle : middle + lifter.frames])

    def through(self, pose2d: Float[Tensor, "clips frames joints 3"], windows: Int[Tensor, "tokens history"]) -> Seen:
        """Gather what tokens see.

        Args:
            pose2d: frames of the stream.
            windows: for every token, the latest frames that had come, oldest first.
        """
        reach = self.reach
        chosen = windows[:, [reach.history - 1 - reach.token_lag + offset for offset in reach.neighbours]]
        around, own = _at(pose2d, chosen), reach.neighbours.index(0)
        if not reach.person:
            return self._told(around, None, own)
        centre, square, weight = frame_moments(self.features.core(pose2d))
        measured = windows[:, -reach.look_back :]
        spread = root_mean_square(_at(square, measured).sum(2), _at(weight, measured).sum(2))
        return self._told(around, PersonFrame(_at(centre, chosen).flatten(0, 1), spread), own)

    def _told(self, around: Tensor, frame: PersonFrame | None, own: int) -> Seen:
        each = None if frame is None else PersonFrame(frame.centre, frame.spread.flatten(0, 1)[:, None])
        sizes = around.shape[:2]
        told = self.features(around.flatten(0, 1), each)
        extremities = self.features.extremities(around.flatten(0, 1), each)
        whole = of_each_frame(told, extremities).unflatten(0, sizes).flatten(2)
        told = told.unflatten(0, sizes)
        if frame is not None:
            frame = PersonFrame(frame.centre.unflatten(0, around.shape[:2])[:, :, own], frame.spread)
        if extremities is not None:
            extremities = extremities.unflatten(0, sizes)[:, :, own]
        return Seen(told[:, :, own], frame, whole, extremities)

    def filtered(
        self, temporal_filter: TemporalFilter, pose: Float[Tensor, "clips tokens joints n"]
    ) -> Float[Tensor, "clips frames joints n"]:
        """The filter as a stream has it: before the first frame that frame stands still."""
        return temporal_filter.within(torch.cat([pose[:, :1].expand(-1, temporal_filter.reach, -1, -1), pose], dim=1))


def of_each_frame(
    features: Float[Tensor, "clips frames joints c"], extremities: Float[Tensor, "clips frames extremities 3"] | None
) -> Float[Tensor, "clips frames n"]:
    """All numbers of a frame in a row: joint after joint, then feet and hands."""
    if extremities is None:
        return features.flatten(2)
    return torch.cat([features.flatten(2), extremities.flatten(2)], dim=-1)


def _at(x: Float[Tensor, "clips frames joints c"], index: Int[Tensor, "tokens seen"]) -> Tensor:
    """[clips, tokens, seen, joints, c]."""
    return x.index_select(1, index.flatten()).unflatten(1, tuple(index.shape))
