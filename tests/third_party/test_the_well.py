"""The U-Nets of The Well's benchmark on flows: BatchNorm, ConvNeXt blocks, checkpointing.

Needs ``pip install the_well timm torch_harmonics neuraloperator`` (the package's benchmark extra
pins older versions of some; its U-Nets need none of what changed) and torchvision for timm.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from goldstone import AuditSettings, audit
from goldstone.actions import image_symmetry
from goldstone.auditing import equivariance_errors

pytest.importorskip("the_well", reason="needs pip install the_well")
models = pytest.importorskip(
    "the_well.benchmark.models",
    reason="needs what The Well's models import: timm, torch_harmonics, neuraloperator",
    exc_type=ImportError,
)

GRID = 32
TURNS = image_symmetry("quarter-turns", (GRID, GRID), 2, "same")


def classic(**changes: object) -> nn.Module:
    model: nn.Module = models.UNetClassic(2, 2, 2, (GRID, GRID), init_features=4, **changes)
    return model


def convnext(**changes: object) -> nn.Module:
    sizes = {"stages": 2, "init_features": 4} | changes
    model: nn.Module = models.UNetConvNext(2, 2, 2, (GRID, GRID), **sizes)
    return model


def fields(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noise, and a third of its change under a Laplacian filter."""
    x = torch.randn(n, 2, GRID, GRID, generator=torch.Generator().manual_seed(seed))
    near = (x.roll(1, 2) + x.roll(-1, 2) + x.roll(1, 3) + x.roll(-1, 3)) / 4
    return x, (2 * x + near) / 3


def trained(model: nn.Module, steps: int) -> nn.Module:
    """Running statistics and weights away from their first values; in eval mode."""
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    model.train()
    for step in range(steps):
        x, y = fields(8, 100 + step)
        optimiser.zero_grad()
        (model(x) - y).square().mean().backward()
        optimiser.step()
    optimiser.zero_grad()
    return model.eval()


def symmetrised(model: nn.Module) -> nn.Module:
    """Every kernel replaced by its mean over quarter turns: equivariant, though not for all θ.

    Strides of two on even grids keep the cells' corners, about which the grid turns.
    """
    with torch.no_grad():
        for p in model.parameters():
            if p.ndim == 4:
                p.copy_(sum(p.rot90(k, (-2, -1)) for k in range(4)) / 4)
    return model


@pytest.mark.parametrize("make", [classic, convnext])
def test_quarter_turns_break_and_hold_again_when_the_kernels_are_symmetrised(
    make: Callable[..., nn.Module], small: Callable[..., AuditSettings]
) -> None:
    model = trained(make(), 15).double()
    buffers = {name: b.clone() for name, b in model.named_buffers()}
    data = fields(20, 0)
    settings = small(trajectories=12, samples=6)
    result = audit(model, data, TURNS, settings=settings)
    assert result.model.name == type(model).__name__
    assert all(e.grade != "exact" for e in result.elements[1:])
    assert all(e.equivariance_error.estimate > 1e-3 for e in result.elements[1:])
    assert all(torch.equal(buffers[name], b) for name, b in model.named_buffers())
    again = audit(symmetrised(model), data, TURNS, settings=settings)
    assert all(e.grade == "exact" for e in again.elements)
    # Learned, not built in: the gradients at a symmetric θ leave it in part.
    assert all(e.orbit_coherence["euclidean"].estimate < 0.999 for e in again.elements[1:])


@pytest.mark.parametrize("make", [classic, convnext])
def test_gradient_checkpointing_changes_the_path_and_nothing_else(
    make: Callable[..., nn.Module], small: Callable[..., AuditSettings]
) -> None:
    plain = trained(make(), 5).double()
    saving = make(gradient_checkpointing=True).double().eval()
    saving.load_state_dict(plain.state_dict())
    settings = small(trajectories=8, samples=6)
    found = audit(saving, fields(12, 0), TURNS, settings=settings)
    expected = audit(plain, fields(12, 0), TURNS, settings=settings)
    assert expected.provenance.gradient_path.endswith("forward mode")
    for element, other in zip(found.elements, expected.elements, strict=True):
        for metric in ("euclidean", "galerkin"):
            assert element.orbit_coherence[metric].estimate == pytest.approx(
                other.orbit_coherence[metric].estimate, abs=1e-6
            )


@pytest.mark.parametrize("make", [classic, convnext])
def test_layers_can_be_looked_at(make: Callable[..., nn.Module]) -> None:
    found = equivariance_errors(trained(make(), 2), fields(4, 0)[0], TURNS)
    assert all(e.error.estimate is not None for e in found.elements)
