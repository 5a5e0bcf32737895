"""The terms on hidden layers, each with parameters of its own that are trained along and then thrown away.

Both follow ViTKD (Yang et al. 2022): early layers are mimicked, late ones are generated from a part of themselves.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hyperlift.shapes import Float

Activations = Sequence[Tensor]
"""One [clips * a, b, channels] a depth."""


class Mimicking(nn.Module):
    """Squared error between a linear image of the student's layers and the teacher's, summed, a clip.

    Args:
        student_channels: C_s.
        teacher_channels: C_t.
        pairs: depth of the student, depth of the teacher.
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
    """Squared error of the teacher's layers where they are restored from the student's other tokens, summed, a clip.

    Every second token in time is replaced by a learned one; two convolutions over time fill the gaps, and only the
    gaps are compared.

    Args:
        student_channels: C_s.
        teacher_channels: C_t.
        pairs: depth of the student, depth of the teacher.
    """

    def __init__(self, student_channels: int, teacher_channels: int, pairs: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.pairs = pairs
        self.generators = nn.ModuleList(TokenGenerator(student_channels, teacher_channels) for _ in pairs)

    def forward(self, student: Activations, teacher: Activations, clips: int) -> Float[Tensor, ""]:
        """Compare the layers of ``clips`` clips; they are over time."""
        masked = every_second(student[0].shape[1], student[0].device)
        errors = [
            (generate(student[ours], masked).float() - teacher[theirs].float())[:, masked]
            for generate, (ours, theirs) in zip(self.generators, self.pairs, strict=True)
        ]
        return torch.stack([error.square().sum() for error in errors]).sum() / clips


class TokenGenerator(nn.Module):
    """Project to the teacher's channels, mask, and restore by Conv(3) - ReLU - Conv(3) over time."""

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
        """Restore all tokens from those that ``masked`` ([tokens], bool) leaves."""
        x = self.project(x)
        x = torch.where(masked[:, None], self.mask_token.to(x.dtype), x)
        return self.restore(x.transpose(1, 2)).transpose(1, 2)


def every_second(tokens: int, device: torch.device) -> Tensor:
    """Which tokens are masked, [tokens] bool: 1, 3, 5, …, so that each has an unmasked neighbour on its left."""
    return torch.arange(tokens, device=device) % 2 == 1
