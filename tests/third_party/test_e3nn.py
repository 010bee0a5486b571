"""An e3nn network, equivariant under O(3) for all weights: a known answer.

Needs ``pip install e3nn``.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from goldstone import AuditSettings, audit
from goldstone.actions import point_cloud_symmetry
from goldstone.actions.points import POSITIONS, PointFeature
from goldstone.systems.losses import mse

e3nn = pytest.importorskip("e3nn", reason="needs pip install e3nn")
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")

POINTS = 5


class Convolution(nn.Module):
    """Messages h_j ⊗ Y(r_ij), weighted by an MLP of |r_ij|, a gate, and a linear map to vectors."""

    def __init__(self) -> None:
        super().__init__()
        from e3nn import o3

        self.harmonics = o3.Irreps.spherical_harmonics(2)
        hidden = o3.Irreps("4x0e + 4x1o + 2x2e")
        self.product = o3.FullyConnectedTensorProduct(
            "1x0e", self.harmonics, hidden, shared_weights=False
        )
        self.radial = nn.Sequential(nn.Linear(8, 16), nn.SiLU(), nn.Linear(16, self._weights()))
        self.square = o3.TensorSquare(hidden, hidden)
        self.last = o3.Linear(hidden + hidden, "1x1o")

    def _weights(self) -> int:
        return int(self.product.weight_numel)

    def forward(self, points: Tensor) -> Tensor:
        from e3nn import o3
        from e3nn.math import soft_one_hot_linspace

        between = points[:, :, None] - points[:, None]
        length = (between.square().sum(-1) + 1e-6).sqrt()
        radii = soft_one_hot_linspace(length, 0.0, 4.0, 8, "gaussian", cutoff=False)
        around = o3.spherical_harmonics(self.harmonics, between, normalize=False)
        one = torch.ones_like(length)[..., None]
        messages = self.product(one, around, self.radial(radii)).mean(2)
        found: Tensor = self.last(torch.cat([messages, self.square(messages)], -1))
        return found


class Fixed(nn.Module):
    """The same with an arrow painted on: the z axis is another one."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.arrow = nn.Parameter(torch.tensor([0.0, 0.0, 0.3], dtype=torch.float64))

    def forward(self, points: Tensor) -> Tensor:
        found: Tensor = self.inner(points) + self.arrow
        return found


def clouds(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Points, and what pulls each to the others, softened."""
    source = torch.Generator().manual_seed(seed)
    points = torch.randn(n, POINTS, 3, generator=source, dtype=torch.float64)
    between = points[:, None] - points[:, :, None]
    return points, (between / (1 + between.square().sum(-1, keepdim=True))).mean(2)


def convolution() -> nn.Module:
    """In double precision from the start: cast later, e3nn's constants would stay rounded."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return Convolution()
    finally:
        torch.set_default_dtype(before)


def trained(model: nn.Module, steps: int) -> nn.Module:
    x, y = clouds(64, 1)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        mse(model(x), y).mean().backward()
        optimiser.step()
    optimiser.zero_grad()
    return model.eval()


@pytest.mark.parametrize("name", ["so3", "o3", "e3", "permutations-e3"])
def test_equivariance_is_exact_and_learning_transports(
    small: Callable[..., AuditSettings], name: str
) -> None:
    model = trained(convolution(), 60)
    symmetry = point_cloud_symmetry(name, POINTS, POSITIONS, (PointFeature("force", "vector"),))
    symmetry = replace(symmetry, elements=symmetry.elements[:3])
    result = audit(model, clouds(32, 2), symmetry, settings=small())
    assert result.model.has_skill
    assert result.verdict.holds.answer == result.verdict.transports.answer == "yes"
    for element in result.elements:
        assert element.grade == "exact"
        assert element.equivariance_error.estimate < 1e-12
        for metric in ("euclidean", "galerkin"):
            assert element.orbit_coherence[metric].estimate == pytest.approx(1, abs=1e-6)


def test_an_arrow_breaks_it(small: Callable[..., AuditSettings]) -> None:
    model = Fixed(trained(convolution(), 60))
    forces = (PointFeature("force", "vector"),)
    symmetry = point_cloud_symmetry("so3", POINTS, POSITIONS, forces)
    symmetry = replace(symmetry, elements=symmetry.elements[:3])
    result = audit(model, clouds(32, 2), symmetry, settings=small())
    assert all(e.grade != "exact" for e in result.elements[1:])
    assert all(e.equivariance_error.estimate > 0.05 for e in result.elements[1:])
