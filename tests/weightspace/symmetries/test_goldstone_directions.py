"""Orbits and Hessians, at named minima and away from them."""

import pytest
import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.weightspace import (
    goldstone_directions,
    orbit_dimension,
    parameter_symmetries,
)
from tests.weightspace.networks import GPT, mlp, randomised


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_linear_network_at_the_best_low_rank_map() -> None:
    """Eckart–Young: W₂W₁ the truncated SVD is the global minimum, nondegenerate but for GL(2)."""
    target = torch.diag(torch.tensor([3.0, 2.0, 0.5], dtype=torch.float64))
    model = nn.Sequential(nn.Linear(3, 2, bias=False), nn.Linear(2, 3, bias=False)).double()
    mixing = normal(2, 2)
    with torch.no_grad():
        model[0].weight.copy_(torch.linalg.inv(mixing) @ torch.eye(2, 3).double())
        model[1].weight.copy_(torch.diag(torch.tensor([3.0, 2.0, 0.5]))[:, :2].double() @ mixing)
    inputs = torch.eye(3, dtype=torch.float64)
    symmetries = parameter_symmetries(model, (inputs,))
    measured = goldstone_directions(
        model, (inputs,), lambda out: (out - target).square().sum(), symmetries
    )
    assert measured.gradient_norm < 1e-12
    assert measured.dimension == measured.nullity == 4
    assert measured.null < 1e-14
    assert bool((measured.eigenvalues[4:] > 0).all())


def test_relu_network_at_its_teacher() -> None:
    """Noise-free data of the network itself: L = 0, nondegenerate but for one scale per unit."""
    model = randomised(mlp(nn.ReLU(), widths=(2, 3, 2)), seed=3, scale=1.0).double()
    inputs = 2 * normal(200, 2)
    with torch.no_grad():
        target = model(inputs)
    symmetries = parameter_symmetries(model, (inputs,))
    measured = goldstone_directions(
        model, (inputs,), lambda out: (out - target).square().mean(), symmetries
    )
    assert measured.gradient_norm < 1e-14
    assert measured.dimension == measured.nullity == 3
    assert measured.null < 1e-14


def test_dead_unit_has_a_smaller_orbit() -> None:
    model = randomised(mlp(nn.ReLU(), widths=(2, 3, 2))).double()
    symmetries = parameter_symmetries(model, (normal(4, 2),))
    assert orbit_dimension(symmetries, model.state_dict()) == 3
    with torch.no_grad():
        model[0].weight[1], model[0].bias[1], model[2].weight[:, 1] = 0.0, 0.0, 0.0
    assert orbit_dimension(symmetries, model.state_dict()) == 2


@pytest.mark.parametrize(("norm", "dimension"), [("layer", 3 + 16 + 12), ("rms", 6 + 16 + 12)])
def test_relation_away_from_critical_points(norm: str, dimension: int) -> None:
    """Frames make the action of O(n) nonlinear in the norms' weights; the relation holds."""
    model = randomised(GPT(width=4, depth=1, norm=norm, hidden=3, vocabulary=5)).double()  # type: ignore[arg-type]
    tokens = torch.arange(12).reshape(2, 6) % 5
    symmetries = parameter_symmetries(model, (tokens,))
    measured = goldstone_directions(
        model, (tokens,), lambda out: out.pow(3).mean() + out.sin().mean(), symmetries
    )
    assert measured.dimension == dimension
    assert measured.gradient_norm > 1e-2
    assert measured.relation < 1e-10
    assert measured.null > 1e-6  # not a critical point: the tangents are no null vectors


def test_large_networks_are_refused() -> None:
    model = mlp(nn.ReLU(), widths=(3, 60, 60, 2))
    inputs = torch.randn(2, 3)
    with pytest.raises(InputError, match="at most 3,000 parameters"):
        goldstone_directions(model, (inputs,), lambda out: out.sum(), ())
