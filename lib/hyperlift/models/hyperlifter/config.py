"""Configuration of the network, with checks between its fields."""

from dataclasses import dataclass, field
from typing import Literal

from hyperlift.choices import RelationBias
from hyperlift.contract import LabelSpace
from hyperlift.errors import InputError
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.streaming import ReceptiveField, StreamingConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.layers.tokens import TokenMergeConfig
from hyperlift.skeletons.joint_sets import H36M_17, H36M_25, skeleton_named
from hyperlift.skeletons.skeleton import Skeleton

_MAX_MLP_RATIO = 1000
"""Chosen: far above any useful width (2 to 4). It bounds the memory that a damaged checkpoint can ask for."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Sizes and conventions of a lifter."""

    skeleton: str = "h36m17"
    extremities: Literal["tokens", "predicted"] = "tokens"
    """Feet and hands of ``h36m25``. tokens: they have tokens like all other joints, and the ``hypergraph`` includes
    them. predicted: tokens are the 17 other joints; feet and hands are extra inputs of ankle and wrist tokens, and are
    predicted from these tokens."""
    uncertainty: bool = False
    """Also predict a standard deviation per joint; training requires ``loss.uncertainty``."""
    channels: int = 512
    depth: int = 8
    """Layers of the transformer. 0: no transformer, only a ``frame_lifter``."""
    heads: int = 8
    mlp_ratio: float = 2.0
    drop_path: float = 0.1
    """Stochastic depth of the last block; it rises linearly from 0."""
    n_frames: int = 243
    """Maximum frames of a clip: the number of learned temporal positions."""
    frame_patch: int = 1
    """Consecutive frames per token. 1 is the published network; 3 costs a third per frame."""
    token_merge: TokenMergeConfig | None = None
    """Merge tokens over time after the first layers, and restore them before the head. None: no merging."""
    joint_block: Literal["two", "one"] = "two"
    """two: a spatial block, then a hyperedge block. one: a single block whose attention is the sum of both."""
    share_layers: bool = False
    """All layers share their weights (ALBERT, Lan et al. 2020) and drop paths at ``drop_path``. Cost is unchanged."""
    input_frame: Literal["picture", "person"] = "picture"
    """Origin and scale of the 2D inputs: normalised picture space, or centre and spread of the person."""
    foreshortening: tuple[float, ...] = ()
    """Candidate bone lengths in units of the person's spread. For each candidate the depth extent of every bone is an
    input of the network. Requires ``input_frame: person``."""
    frame_lifter: FrameLifterConfig | None = None
    """An MLP that lifts each frame first; the transformer takes its pose as input and adds a correction."""
    smoothing: int = 0
    """Half width, in frames, of the learned temporal filter of the output; 0: no filter. The initial kernel is a
    Gaussian whose standard deviation is a quarter of the half width."""
    streaming: StreamingConfig | None = None
    """Bounds the receptive field in time, so that a stream is lifted one frame at a time. None: clips only."""
    use_confidence: bool = True
    """False: the confidence of all joints is replaced by 1."""
    label_space: LabelSpace = "image"
    rootrel: bool = True
    relation_bias: RelationBias = "uniform"
    """Initial joint-relation bias: the degree-normalised adjacency of the skeleton, or the identity."""
    hypergraph: HypergraphConfig = field(
        default_factory=lambda: HypergraphConfig(joint_label=(0, 1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 4, 4, 4, 5, 5, 5))
    )

    def __post_init__(self) -> None:
        sizes = ("channels", "depth", "heads", "n_frames", "frame_patch")
        without_layers = self.depth == 0 and self.frame_lifter is not None
        least = min(getattr(self, size) for size in sizes if not (without_layers and size == "depth"))
        if least < 1 or self.channels % self.heads:
            raise InputError(
                f"{', '.join(f'{size} {getattr(self, size)}' for size in sizes)}: all must be positive and channels "
                "a multiple of heads; depth 0 wants a frame_lifter"
            )
        if self.n_frames % self.frame_patch:
            raise InputError(f"n_frames {self.n_frames} is no multiple of frame_patch {self.frame_patch}")
        if self.depth and self.token_merge is not None and self.token_merge.after[-1] >= self.depth:
            raise InputError(
                f"token_merge: after is {list(self.token_merge.after)}; of {self.depth} layers the last one follows "
                "every merge"
            )
        if not 0 < self.mlp_ratio <= _MAX_MLP_RATIO:
            raise InputError(f"mlp_ratio is {self.mlp_ratio:g}; it lies above 0 and at most at {_MAX_MLP_RATIO}")
        if not 0 <= self.drop_path < 1:
            raise InputError(f"drop_path is {self.drop_path}; it lies between 0 and 1")
        if self.smoothing < 0:
            raise InputError(f"smoothing is {self.smoothing}; it counts frames")
        if self.foreshortening and (self.input_frame != "person" or min(self.foreshortening) <= 0):
            raise InputError(
                f"foreshortening {list(self.foreshortening)}, input_frame {self.input_frame}; lengths are positive and "
                "in units of the person's spread, so input_frame must be person"
            )
        skeleton = self.token_skeleton
        if self.rootrel and len(skeleton.bones) != len(skeleton) - 1:
            raise InputError(f"skeleton {self.skeleton} is no tree of bones; a lifter needs its root")
        self.hypergraph.check(skeleton, self.heads)
        if self.predicts_extremities and (self.skeleton != H36M_25.name or not self.rootrel):
            raise InputError(
                f"extremities: predicted, with skeleton {self.skeleton} and rootrel {str(self.rootrel).lower()}; feet "
                f"and hands are predicted of {H36M_25.name} with rootrel: true"
            )
        if self.uncertainty and self.label_space != "camera":
            raise InputError(
                f"uncertainty: label_space is {self.label_space}; a standard deviation is in metres, camera"
            )
        if self.numbers > 3 and self.frame_lifter is not None and self.frame_lifter.smoothing:
            raise InputError(
                "uncertainty: frame_lifter.smoothing is not 0; smooth at the end (smoothing) or not at all"
            )
        if self.streaming is not None:
            self._check_streaming()

    @property
    def predicts_extremities(self) -> bool:
        """Whether feet and hands are predicted from the tokens of their parent joints."""
        return self.extremities == "predicted"

    @property
    def token_skeleton(self) -> Skeleton:
        """The joints that have tokens of their own."""
        return H36M_17 if self.predicts_extremities else skeleton_named(self.skeleton)

    @property
    def numbers(self) -> int:
        """Outputs per joint: x, y, z and, with ``uncertainty``, the logarithm of the standard deviation."""
        return 4 if self.uncertainty else 3

    @property
    def reach(self) -> ReceptiveField:
        """Receptive field of the streaming network.

        Raises:
            InputError: the receptive field exceeds ``look_ahead``.
        """
        assert self.streaming is not None
        return ReceptiveField(
            look_back=self.streaming.look_back,
            look_ahead=self.streaming.look_ahead,
            neighbours=(0,) if self.frame_lifter is None else self.frame_lifter.neighbours,
            smoothing=self.smoothing,
            person=self.input_frame == "person",
        )

    def _check_streaming(self) -> None:
        if self.depth and self.frame_patch != 1:
            raise InputError(f"streaming: frame_patch is {self.frame_patch}; a stream has a token a frame, 1")
        if not self.rootrel:
            raise InputError("streaming: rootrel is false; a stream has no first frame to measure depth from")
        if self.frame_lifter is not None and self.frame_lifter.smoothing:
            raise InputError("streaming: frame_lifter.smoothing is not 0; smooth at the end (smoothing) or not at all")
        if self.token_merge is not None:
            raise InputError("streaming: token_merge is set; the tokens of a stream come one by one and cannot merge")
        if self.frame_lifter is not None and self.frame_lifter.frames > 1:
            raise InputError(
                f"streaming: frame_lifter.frames is {self.frame_lifter.frames}; a stream lifts one at once, 1"
            )
        _ = self.reach

    @property
    def frames_together(self) -> int:
        """Group size of consecutive frames: those of one (merged) token or of one evaluation of the frame lifter."""
        merges = 1 if self.token_merge is None else self.token_merge.size ** len(self.token_merge.after)
        return max(self.frame_patch * merges, 1 if self.frame_lifter is None else self.frame_lifter.frames)
