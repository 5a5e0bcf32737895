"""A learned temporal filter of joint trajectories."""

import torch
from torch import Tensor, nn

from hyperlift.models.layers.precision import in_float32
from hyperlift.shapes import Bool, Float


class TemporalFilter(nn.Module):
    """Convolution over time with one kernel per joint and coordinate; clips are padded by repeating their ends.

    Args:
        joints: V.
        reach: half width in frames.
        spread: standard deviation, in frames, of the initial Gaussian kernel; 0: the identity.
        numbers: coordinates per joint.
    """

    def __init__(self, joints: int, reach: int, spread: float = 0.0, numbers: int = 3) -> None:
        super().__init__()
        self.reach, self.numbers = reach, numbers
        offsets = torch.arange(-reach, reach + 1)
        kernel = torch.exp(-0.5 * (offsets / spread) ** 2) if spread else (offsets == 0).float()
        self.kernel = nn.Parameter((kernel / kernel.sum()).expand(numbers * joints, 1, -1).clone())

    def forward(self, pose: Float[Tensor, "clips frames joints n"]) -> Float[Tensor, "clips frames joints n"]:
        """Filter clips."""
        path = nn.functional.pad(pose.flatten(2).transpose(1, 2), (self.reach, self.reach), mode="replicate")
        return self._filtered(path)

    def within(self, pose: Float[Tensor, "clips frames joints n"]) -> Float[Tensor, "clips inner joints n"]:
        """Filter without padding: the result lacks ``reach`` frames at either end."""
        return self._filtered(pose.flatten(2).transpose(1, 2))

    def step(
        self,
        pose: Float[Tensor, "people 1 joints n"],
        waiting: Float[Tensor, "people waiting joints n"],
        first: Bool[Tensor, " people"],
    ) -> tuple[Float[Tensor, "people 1 joints n"], Float[Tensor, "people waiting joints n"]]:
        """Filter the next pose of N streams.

        Args:
            pose: newest pose.
            waiting: the ``2 reach`` poses before it, oldest first.
            first: whether ``pose`` is the first of its stream; it is then repeated before the start.

        Returns:
            The filtered pose of ``reach`` frames before ``pose``, and the new ``waiting``.
        """
        path = torch.cat([waiting, pose], dim=1)
        path = torch.where(first[:, None, None, None], pose, path)
        return self.within(path), path[:, 1:]

    def _filtered(self, path: Float[Tensor, "clips paths frames"]) -> Float[Tensor, "clips inner joints n"]:
        return in_float32(self._along, path).transpose(1, 2).unflatten(-1, (-1, self.numbers))

    def _along(self, path: Float[Tensor, "clips paths frames"]) -> Float[Tensor, "clips paths inner"]:
        return nn.functional.conv1d(path, self.kernel, groups=path.shape[1])
