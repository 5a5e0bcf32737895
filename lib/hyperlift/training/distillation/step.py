"""The training step of distillation: pose losses, and terms that compare the student with the teacher."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.shapes import Float
from hyperlift.training.distillation.config import DistillationConfig, FeatureTerm
from hyperlift.training.distillation.features import Features, capture_features, lifter_inside
from hyperlift.training.distillation.terms import Generation, Mimicking
from hyperlift.training.pose_losses import LossWeights, pose_loss, position_error

Scalar = Float[Tensor, ""]


class DistillationStep(nn.Module):
    """A ``LossStep`` whose parameters (projections, generators) are trained together with the student.

    The teacher is not part of the module: it is neither trained nor saved in the resume state.

    Args:
        config: terms and their weights; ``teacher.check_pair`` has accepted it.
        student: sizes of the student.
        teacher: the teacher on the device of training; it is frozen and set to eval mode here.
        weights: weights of the pose losses.

    Example:
        >>> import torch
        >>> from hyperlift.models.hyperlifter.config import ModelConfig
        >>> from hyperlift.models.hyperlifter.lifter import HyperLifter
        >>> from hyperlift.training.distillation.config import DistillationConfig, FeatureTerm, OutputTerm
        >>> from hyperlift.training.distillation.step import DistillationStep
        >>> from hyperlift.training.pose_losses import LossWeights
        >>> sizes = ModelConfig(channels=16, depth=2, heads=2, n_frames=9)
        >>> student, teacher = HyperLifter(sizes), HyperLifter(sizes)
        >>> off = FeatureTerm(enabled=False)
        >>> config = DistillationConfig(
        ...     spatial_mimicking=off, temporal_mimicking=off, generation=off, output=OutputTerm(enabled=True)
        ... )
        >>> step = DistillationStep(config, student.config, teacher, LossWeights())
        >>> loss, terms = step(student, torch.rand(2, 9, 17, 3), torch.rand(2, 9, 17, 3))
        >>> loss.isfinite().item(), "output" in terms
        (True, True)
    """

    part_weights: Tensor
    calls: Tensor

    def __init__(
        self, config: DistillationConfig, student: ModelConfig, teacher: HyperLifter, weights: LossWeights
    ) -> None:
        super().__init__()
        self.config, self.loss_weights = config, weights
        self._teacher = (teacher.eval().requires_grad_(False),)  # a tuple, so that nn.Module does not adopt it

        def layers(kind: type[Mimicking] | type[Generation], term: FeatureTerm) -> nn.Module:
            pairs = list(zip(term.student_layers, term.teacher_layers, strict=True))
            return kind(student.channels, teacher.config.channels, pairs)

        self.parts = nn.ModuleDict(
            {
                name: layers(Generation if name == "generation" else Mimicking, term)
                for name, term in config.feature_terms.items()
            }
        )
        # Buffers, because measured weights and the step counter belong to the resume state.
        self.register_buffer("part_weights", torch.tensor([term.weight for term in config.terms.values()]))
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))

    def forward(self, model: nn.Module, pose2d: Tensor, label: Tensor) -> tuple[Scalar, Mapping[str, Scalar]]:
        """Loss of a batch and its unweighted terms; measured weights are returned for the log."""
        main, terms, parts = self.losses(model, pose2d, label)
        balanced = {name: term.balance for name, term in self.config.terms.items() if term.balance}
        if balanced and torch.is_grad_enabled():
            if int(self.calls) % self.config.balance_every == 0:
                self._balance(gradient_norms(lifter_inside(model), {"pose": main, **parts}))
            self.calls += 1
        weights = dict(zip(parts, self.part_weights.clone().unbind(), strict=True))
        total = main + torch.stack([weights[name] * part for name, part in parts.items()]).sum()
        return total, {**terms, **parts, **{f"{name}_weight": weights[name] for name in balanced}}

    def losses(
        self, model: nn.Module, pose2d: Tensor, label: Tensor
    ) -> tuple[Scalar, Mapping[str, Scalar], dict[str, Scalar]]:
        """Pose losses (weighted sum, terms) and the unweighted terms of the distillation."""
        (teacher,) = self._teacher
        with torch.no_grad(), capture_features(teacher) as theirs:
            target = teacher(pose2d).float()
        with capture_features(model) as ours:
            pose = model(pose2d).float()
        main, terms = pose_loss(pose, label, self.loss_weights, teacher.skeleton)
        parts = {name: self._compare(name, ours, theirs, len(pose2d)) for name in self.config.feature_terms}
        if self.config.output.enabled:
            parts["output"] = position_error(pose, target, self.loss_weights.joints)
        return main, terms, parts

    def _compare(self, name: str, ours: Features, theirs: Features, clips: int) -> Scalar:
        stream = "spatial" if name == "spatial_mimicking" else "temporal"
        return self.parts[name](getattr(ours, stream), getattr(theirs, stream), clips)

    def _balance(self, norms: Mapping[str, float]) -> None:
        first = int(self.calls) == 0
        for index, (name, term) in enumerate(self.config.terms.items()):
            if term.balance is None or norms[name] == 0 or norms["pose"] == 0:
                continue
            measured = term.balance * norms["pose"] / norms[name]
            # One batch is a noisy estimate, so the geometric mean with the previous weight is used.
            self.part_weights[index] = measured if first else (measured * float(self.part_weights[index])) ** 0.5


def gradient_norms(model: nn.Module, losses: Mapping[str, Scalar]) -> dict[str, float]:
    """Norm of the gradient of each loss with respect to all weights of a network; the graphs are retained."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    norms = {}
    for name, loss in losses.items():
        gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        squares = [gradient.float().square().sum() for gradient in gradients if gradient is not None]
        norms[name] = float(torch.stack(squares).sum().sqrt()) if squares else 0.0
    return norms
