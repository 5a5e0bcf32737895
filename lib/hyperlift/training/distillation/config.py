"""Configuration of distillation; the files ``distill_config/*.yaml`` fill it."""

from dataclasses import dataclass, field
from pathlib import Path

from hyperlift.errors import InputError


@dataclass(frozen=True, kw_only=True)
class FeatureTerm:
    """A loss term on hidden layers."""

    enabled: bool = True
    weight: float = 1.0e-6
    """Weight of the term, which is a squared error summed over all axes except the clips."""
    balance: float | None = None
    """Replaces ``weight``: gradient norm of the weighted term divided by that of the pose losses, on the student."""
    student_layers: tuple[int, ...] = (0, 1, 2, 3)
    """Layers of the student, from 0."""
    teacher_layers: tuple[int, ...] = (0, 1, 2, 3)
    """Corresponding layers of the teacher."""

    def __post_init__(self) -> None:
        _check_weights(self.weight, self.balance)
        if not self.student_layers or len(self.student_layers) != len(self.teacher_layers):
            raise InputError(
                f"student_layers {list(self.student_layers)} and teacher_layers {list(self.teacher_layers)} must be "
                "pairs: lists of the same length"
            )


@dataclass(frozen=True, kw_only=True)
class OutputTerm:
    """A loss term on poses."""

    enabled: bool = False
    weight: float = 1.0
    balance: float | None = None

    def __post_init__(self) -> None:
        _check_weights(self.weight, self.balance)


@dataclass(frozen=True, kw_only=True)
class DistillationConfig:
    """Terms of the distillation loss, each with a switch and a weight.

    Example:
        >>> from hyperlift.training.distillation.config import DistillationConfig
        >>> list(DistillationConfig().terms)  # the parts that are on
        ['spatial_mimicking', 'temporal_mimicking', 'generation']
    """

    teacher: Path | None = None
    """Checkpoint of the teacher."""
    teacher_global: Path | None = None
    """Checkpoint of the teacher for students with ``rootrel: false``; None: ``teacher``."""
    spatial_mimicking: FeatureTerm = field(default_factory=FeatureTerm)
    """Outputs of the spatial and hyperedge blocks of each layer."""
    temporal_mimicking: FeatureTerm = field(default_factory=FeatureTerm)
    """Outputs of the temporal block of each layer."""
    generation: FeatureTerm = field(default_factory=lambda: FeatureTerm(student_layers=(5,), teacher_layers=(7,)))
    """Outputs of the last temporal blocks, reconstructed where every second token is masked."""
    output: OutputTerm = field(default_factory=OutputTerm)
    """The predicted pose."""
    balance_every: int = 50
    """Steps between measurements of the gradient norms of terms with ``balance``."""

    def __post_init__(self) -> None:
        if not (self.feature_terms or self.output.enabled):
            raise InputError("every part of the distillation is off; enable one, or train without a teacher")
        if self.balance_every < 1:
            raise InputError(f"balance_every is {self.balance_every}; it must be at least 1")

    @property
    def feature_terms(self) -> dict[str, FeatureTerm]:
        """The enabled terms on hidden layers, by name."""
        terms = {name: getattr(self, name) for name in ("spatial_mimicking", "temporal_mimicking", "generation")}
        return {name: term for name, term in terms.items() if term.enabled}

    @property
    def terms(self) -> dict[str, FeatureTerm | OutputTerm]:
        """All enabled terms, by name."""
        return {**self.feature_terms, **({"output": self.output} if self.output.enabled else {})}


def _check_weights(weight: float, balance: float | None) -> None:
    if weight <= 0 or (balance is not None and balance <= 0):
        raise InputError(f"weight {weight} and balance {balance} must be positive; enabled: false switches a part off")
