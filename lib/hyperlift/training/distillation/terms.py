"""Loss terms on hidden layers; their own parameters are trained with the student and then discarded.

Both follow ViTKD (Yang et al. 2022): early layers are mimicked, late layers are generated from masked ones.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hyperlift.shapes import Float

Activations = Sequence[Tensor]
"""One tensor [clips * a, b, channels] per layer."""


class Mimicking(nn.Module):
    """Squared error between linear projections of student layers and the teacher layers, summed per clip.

    Args:
        student_channels: C_s.
        teacher_channels: C_t.
        pairs: (student layer, teacher layer).
    """

    def __init__(self, student_channels: int, teacher_channels: int, pairs: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.pairs = pairs
        self.project = nn.ModuleList(nn.Linear(student_channels, teacher_channels) for _ in pairs)

    def forward(self, student: Activations, teacher: Activations, clips: int) -> Float[Tensor, ""]:
        """Compare the layers of ``clips`` clips."""
        errors = [
            project(student[ours]).float() - teacher[theirs].float()
            for project, (ours, theirs) in zip(self.project, self.pairs, strict=True)
        ]
        return torch.stack([error.square().sum() for error in errors]).sum() / clips


class Generation(nn.Module):
    """Squared error of teacher layers generated from masked student layers, summed per clip.

    Every second token in time is replaced by a learned mask token; two convolutions over time restore the masked
    tokens, and only these are compared.

    Args:
        student_channels: C_s.
        teacher_channels: C_t.
        pairs: (student layer, teacher layer).
    """

    def __init__(self, student_channels: int, teacher_channels: int, pairs: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.pairs = pairs
        self.generators = nn.ModuleList(TokenGenerator(student_channels, teacher_channels) for _ in pairs)

    def forward(self, student: Activations, teacher: Activations, clips: int) -> Float[Tensor, ""]:
        """Compare the temporal layers of ``clips`` clips."""
        masked = every_second(student[0].shape[1], student[0].device)
        errors = [
            (generate(student[ours], masked).float() - teacher[theirs].float())[:, masked]
            for generate, (ours, theirs) in zip(self.generators, self.pairs, strict=True)
        ]
        return torch.stack([error.square().sum() for error in errors]).sum() / clips


class TokenGenerator(nn.Module):
    """Projects to the channels of the teacher, masks, and restores by Conv(3) - ReLU - Conv(3) over time."""

    def __init__(self, student_channels: int, teacher_channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(student_channels, teacher_channels)
        self.mask_token = nn.Parameter(torch.zeros(teacher_channels))
        self.restore = nn.Sequential(
            nn.Conv1d(teacher_channels, teacher_channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(teacher_channels, teacher_channels, 3, padding=1),
        )
        nn.init.trunc_normal_(self.mask_token, std=0.02)

    def forward(self, x: Float[Tensor, "batch tokens c_s"], masked: Tensor) -> Float[Tensor, "batch tokens c_t"]:
        """Generate all tokens from the unmasked ones; ``masked`` is bool [tokens]."""
        x = self.project(x)
        x = torch.where(masked[:, None], self.mask_token.to(x.dtype), x)
        return self.restore(x.transpose(1, 2)).transpose(1, 2)


def every_second(tokens: int, device: torch.device) -> Tensor:
    """Mask, bool [tokens], of the tokens 1, 3, 5, …: each has an unmasked predecessor."""
    return torch.arange(tokens, device=device) % 2 == 1
