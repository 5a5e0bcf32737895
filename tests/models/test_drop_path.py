import pytest
import torch

from hyperlift.models.layers.blocks import DropPath


@pytest.mark.parametrize("number", [torch.float32, torch.bfloat16])
def test_branches_are_dropped_for_whole_samples_and_the_mean_stays(number: torch.dtype):
    """In bfloat16 as under autocast: the residual path is float32, the branch is not."""
    x, branch = torch.randn(4000, 2, 3), torch.full((4000, 2, 3), 0.5, dtype=number)
    branch.requires_grad_()
    torch.manual_seed(0)
    out = DropPath(0.2)(x, branch)
    added = (out - x).detach()
    assert out.dtype == torch.float32
    kept = added[:, 0, 0] > 0
    torch.testing.assert_close(added, (kept / (1 - 0.2) * 0.5)[:, None, None].expand(-1, 2, 3), atol=1e-6, rtol=1e-6)
    assert kept.float().mean() == pytest.approx(0.8, abs=0.03)
    out.sum().backward()
    assert branch.grad is not None
    assert branch.grad.dtype == number
    torch.testing.assert_close(branch.grad[:, 0, 0].float(), kept / (1 - 0.2), atol=0.01, rtol=0)


def test_nothing_is_dropped_outside_training():
    x, branch = torch.randn(5, 2, 3), torch.randn(5, 2, 3)
    assert torch.equal(DropPath(0.9).eval()(x, branch), x + branch)
    assert torch.equal(DropPath(0.0)(x, branch), x + branch)
