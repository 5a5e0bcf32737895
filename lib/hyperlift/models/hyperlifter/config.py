"""Sizes and conventions of a lifter, checked against each other."""

from dataclasses import dataclass, field
from typing import Literal

from hyperlift.choices import RelationBias
from hyperlift.contract import LabelSpace
from hyperlift.errors import InputError
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.streaming import Reach, StreamingConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.layers.tokens import TokenMergeConfig
from hyperlift.skeletons.joint_sets import H36M_17, H36M_25, skeleton_named
from hyperlift.skeletons.skeleton import Skeleton

_WIDEST = 1000


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Sizes and conventions of a lifter."""

    skeleton: str = "h36m17"
    extremities: Literal["tokens", "predicted"] = "tokens"
    """Of ``h36m25``. tokens: feet and hands are joints as all others, and the ``hypergraph`` names theirs too.
    predicted: the network has the 17 other joints; it sees feet and hands beside ankles and wrists and predicts them
    from there."""
    uncertainty: bool = False
    """Answer a standard deviation of every joint too; wants ``loss.uncertainty``."""
    channels: int = 512
    depth: int = 8
    """Layers of the transformer. 0 leaves it out: a ``frame_lifter`` alone."""
    heads: int = 8
    mlp_ratio: float = 2.0
    drop_path: float = 0.1
    """Stochastic depth of the last block; it rises linearly from 0."""
    n_frames: int = 243
    """Longest clip: the number of learned temporal positions."""
    frame_patch: int = 1
    """Neighbouring frames that share one token a joint. 1 is the published network; 3 costs a third a frame."""
    token_merge: TokenMergeConfig | None = None
    """After its first layers the transformer may go on with fewer tokens in time, which are restored at the end."""
    joint_block: Literal["two", "one"] = "two"
    """two: a spatial block, then a hyperedge block. one: both attentions see the same joints and are added, before one
    MLP for both."""
    share_layers: bool = False
    """All layers have the same weights (Lan et al. 2020). Cost stays; every layer drops paths at ``drop_path``."""
    input_frame: Literal["picture", "person"] = "picture"
    """Whether the network sees joints from the picture's centre or from the person's."""
    foreshortening: tuple[float, ...] = ()
    """Lengths that bones may have, in units of the person's spread; for each the network is told how far every bone
    would reach into depth. Wants ``input_frame: person``."""
    frame_lifter: FrameLifterConfig | None = None
    """An MLP that lifts every frame by itself first; the transformer sees its answer and corrects it."""
    smoothing: int = 0
    """Frames on either side that a learned filter of every joint's path reaches, at the very end; 0 for no filter. It
    starts as a Gaussian with a standard deviation of a quarter of that."""
    streaming: StreamingConfig | None = None
    """Lift frame by frame, with a bounded view of the past and the future, so that a live frame costs one frame."""
    use_confidence: bool = True
    """False: every joint counts as seen for sure, whatever the detector said."""
    label_space: LabelSpace = "image"
    rootrel: bool = True
    relation_bias: RelationBias = "uniform"
    """What the joint-relation bias starts from: the degree-normalised skeleton, or the identity."""
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
        if not 0 < self.mlp_ratio <= _WIDEST:
            raise InputError(f"mlp_ratio is {self.mlp_ratio:g}; it lies above 0 and at most at {_WIDEST}")
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
        """Whether feet and hands are predicted from the joints that they hang on."""
        return self.extremities == "predicted"

    @property
    def token_skeleton(self) -> Skeleton:
        """The joints that the transformer and the features of joints know."""
        return H36M_17 if self.predicts_extremities else skeleton_named(self.skeleton)

    @property
    def numbers(self) -> int:
        """Answers a joint."""
        return 4 if self.uncertainty else 3

    @property
    def reach(self) -> Reach:
        """What a streaming network sees.

        Raises:
            InputError: it sees further ahead than it waits.
        """
        assert self.streaming is not None
        return Reach(
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
        """The most neighbouring frames that share something: a token, or one evaluation of the frame lifter."""
        merges = 1 if self.token_merge is None else self.token_merge.size ** len(self.token_merge.after)
        return max(self.frame_patch * merges, 1 if self.frame_lifter is None else self.frame_lifter.frames)
