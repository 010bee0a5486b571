"""Equivariance errors by element, sample, channel, wavenumber, step and layer."""

import dataclasses
import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    LinearAction,
    Symmetry,
    flow_symmetry,
    image_symmetry,
    point_cloud_symmetry,
)
from goldstone.auditing import EquivarianceErrors, equivariance_errors, lie_derivative_by_layer
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import SpecialOrthogonalGroup
from goldstone.representations import StandardRepresentation

GRID = (16, 16)
D4 = flow_symmetry("d4", NAVIER_STOKES_FIELDS, GRID)
SHIFTS = flow_symmetry("shifts", NAVIER_STOKES_FIELDS, GRID)


def noise(samples: int = 5, channels: int = 2) -> Tensor:
    source = torch.Generator().manual_seed(0)
    return torch.randn(samples, channels, *GRID, generator=source, dtype=torch.float64)


def value(statistic: Any) -> float:
    assert statistic.estimate is not None
    return float(statistic.estimate)


def by_name(found: EquivarianceErrors) -> dict[str, Any]:
    return {element.name: element for element in found.elements}


def speed(x: Tensor) -> Tensor:
    """The velocity times its own size: equivariant under D4."""
    return x * x.square().sum(1, keepdim=True)


def test_an_equivariant_model_has_none() -> None:
    found = equivariance_errors(speed, noise(), D4, rollout_steps=3)
    assert [e.name for e in found.elements] == ["r", "r²", "r³", "s", "sr", "sr²", "sr³"]
    for element in found.elements:
        assert value(element.error) < 1e-14
        assert len(element.rollout) == 3
        assert all(value(step) < 1e-13 for step in element.rollout)


def test_a_wrong_action_has() -> None:
    wrong = flow_symmetry("reversed-d4", NAVIER_STOKES_FIELDS, GRID)
    found = by_name(equivariance_errors(lambda x: x.square() + x, noise(), wrong))
    assert value(found["r"].error) > 0.5


def test_known_values_by_element_sample_and_channel() -> None:
    # f scales u by 2 and v by 1. Under r, Δ = f(gx) − g f(x): in u (2 − 1)(−v), in v (1 − 2) u.
    x = noise()
    scale = torch.tensor([2.0, 1.0], dtype=torch.float64)[:, None, None]
    found = by_name(equivariance_errors(lambda x: x * scale, x, D4))
    assert value(found["r²"].error) == 0.0
    assert value(found["s"].error) == 0.0
    u, v = x.square().sum((2, 3)).unbind(1)
    expected = ((u + v) / (4 * u + v)).sqrt()
    assert found["r"].samples == pytest.approx(expected.tolist())
    assert value(found["r"].error) == pytest.approx(float(expected.mean()))
    # Of (g f(x)) the components are −v and 2u.
    assert [value(c) for c in found["r"].channels] == pytest.approx([1.0, 0.5])


def test_wavenumber_bands() -> None:
    # The error is made at |k| = 5 along one axis alone.
    places = torch.arange(16, dtype=torch.float64) / 16
    wave = torch.sin(2 * torch.pi * 5 * places)[:, None].expand(GRID)
    found = equivariance_errors(lambda x: x + 0.1 * wave, noise(), D4, [(0, 1)])
    bands = found.elements[0].bands
    assert [(b.low, b.high) for b in bands[:4]] == [(0, 0.5), (0.5, 1.5), (1.5, 3), (3, 6)]
    assert bands[-1].high > 8 * 2**0.5
    shares = [value(b.share) for b in bands]
    assert shares[3] == pytest.approx(1.0)
    assert sum(shares) == pytest.approx(1.0)
    assert value(bands[2].error) < 1e-12 < value(bands[3].error)


def test_no_error_has_no_part_in_any_band() -> None:
    # A half turn of a pointwise map is exact, bit by bit.
    bands = by_name(equivariance_errors(lambda x: 2 * x, noise(), D4))["r²"].bands
    assert [value(b.share) for b in bands] == [0.0] * len(bands)


def test_rollouts_grow() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular").double()
    found = equivariance_errors(
        lambda x: x + 0.2 * layer(x), noise(), D4, [(0, 1)], rollout_steps=4
    )
    sizes = [value(s) for s in found.elements[0].rollout]
    assert sizes[0] == pytest.approx(value(found.elements[0].error))
    assert sizes == sorted(sizes)
    with pytest.raises(InputError, match="rollout needs"):
        equivariance_errors(lambda x: x[:, :1], noise(), SHIFTS, [(1, 0)], rollout_steps=1)


class Strided(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(2, 4, 3, padding=1, padding_mode="circular")
        self.act = nn.ReLU(inplace=True)
        self.down = nn.Conv2d(4, 4, 2, 2)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.down(self.act(self.first(x))).mean((2, 3)))


def test_layers() -> None:
    model = Strided().double()
    symmetry = image_symmetry("shifts", GRID, 2, mode="fourier", boundary="periodic")
    found = equivariance_errors(model, noise(), symmetry, [(1.0, 0.0), (2.0, 0.0)], layers="all")
    assert found.unmeasured == ("head",)
    assert found.layer_actions == dict.fromkeys(("first", "act", "down"), "inferred")
    one, two = found.elements
    # A shift by the stride is one by a cell of the coarse grid.
    assert all(value(two.layers[name]) < 1e-12 for name in ("first", "act", "down"))
    assert value(one.layers["first"]) < 1e-12
    assert value(one.layers["down"]) > 0.1
    assert found.worst == symmetry.group.element_name((1.0, 0.0))
    named = equivariance_errors(model, noise(), symmetry, [(1.0, 0.0)], layers=["down"])
    assert dict(named.elements[0].layers) == {"down": one.layers["down"]}
    assert not model.first._forward_hooks
    assert not model.down._forward_hooks
    with pytest.raises(InputError, match="no layer 'nowhere'"):
        equivariance_errors(model, noise(), symmetry, layers=["nowhere"])


def test_the_model_is_left_as_found() -> None:
    model = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2).eval(), nn.Tanh()).double()
    model[0].weight.grad = gradient = torch.ones(2, 2, 1, 1, dtype=torch.float64)
    modes = [m.training for m in model.modules()]
    state = {name: t.clone() for name, t in model.state_dict().items()}
    random = torch.get_rng_state()
    equivariance_errors(model, noise(), D4, layers="all", rollout_steps=2)
    assert [m.training for m in model.modules()] == modes
    assert model[0].weight.grad is gradient
    assert model[0].weight.requires_grad
    assert all(torch.equal(t, state[name]) for name, t in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert torch.equal(torch.get_rng_state(), random)
    with pytest.raises(InputError, match="training mode"):
        equivariance_errors(model.train(), noise(), D4)


def test_declared_layers() -> None:
    # A hidden layer of vectors: declared it is equivariant, taken for scalars it is not.
    model = nn.Sequential(nn.Identity(), nn.Tanh())
    declared = dataclasses.replace(D4, on_layers={"0": D4.on_input})
    found = equivariance_errors(model, noise(), declared, [(0, 1)])
    assert found.layer_actions == {"0": "declared"}
    assert value(found.elements[0].layers["0"]) == 0.0
    inferred = equivariance_errors(model, noise(), D4, [(0, 1)], layers=["0"])
    assert value(inferred.elements[0].layers["0"]) > 0.5


def test_elements_from_haar_measure() -> None:
    # f(x) = (x₀, 0) of the plane: ‖f(gx) − g f(x)‖² = |x|² sin²θ, whose mean over θ is |x|²/2.
    turns = SpecialOrthogonalGroup(2)
    action = LinearAction(StandardRepresentation(turns))
    x = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    found = equivariance_errors(
        lambda x: x * x.new_tensor([1.0, 0.0]), x, Symmetry("so2", turns, action, action), 400
    )
    squares = [value(e.error) ** 2 for e in found.elements]
    assert len(squares) == 400
    assert sum(squares) / 400 == pytest.approx(0.5, abs=4 * (1 / 8 / 400) ** 0.5)
    again, other = (
        equivariance_errors(lambda x: x, x, Symmetry("so2", turns, action, action), 400, seed=seed)
        for seed in (0, 1)
    )
    assert [e.name for e in again.elements] == [e.name for e in found.elements]
    assert [e.name for e in other.elements] != [e.name for e in found.elements]
    with pytest.raises(InputError, match="not compact"):
        equivariance_errors(
            nn.Tanh(), noise(), flow_symmetry("translations", NAVIER_STOKES_FIELDS, GRID), 3
        )


@pytest.mark.parametrize("embedding", ["grid", None])
def test_a_fourier_neural_operator(embedding: str | None) -> None:
    # Shift-equivariant but for its default grid embedding, which tells it where it is.
    models = pytest.importorskip("neuralop.models", reason="neuraloperator is not installed")
    torch.manual_seed(0)
    model = models.FNO(
        n_modes=(6, 6), in_channels=2, out_channels=2, hidden_channels=8, n_layers=2,
        positional_embedding=embedding,
    ).eval()  # fmt: skip
    x = noise().float()
    found = equivariance_errors(model, x, SHIFTS, [(3, 0)], layers="all")
    assert found.layer_actions["lifting.fcs.0"] == "inferred"
    (element,) = found.elements
    if embedding is None:
        assert value(element.error) < 1e-6
        assert all(value(layer) < 1e-6 for layer in element.layers.values())
    else:
        assert value(element.error) > 1e-3
        assert value(element.layers["positional_embedding"]) > 1e-2
    symmetry = flow_symmetry("translations", NAVIER_STOKES_FIELDS, GRID)
    layers = lie_derivative_by_layer(model, x, symmetry, (1.0, 0.0), exact=True)
    assert layers.chain_rule_error < 1e-5
    assert layers.merged == ()


def test_batches_trajectories_and_json() -> None:
    model, x = nn.Tanh(), noise(6)
    whole = equivariance_errors(model, x, D4, rollout_steps=2)
    parts = equivariance_errors(model, x, D4, rollout_steps=2, batch=1)
    for a, b in zip(whole.elements, parts.elements, strict=True):
        assert a.samples == pytest.approx(b.samples)
        assert a.error.low == pytest.approx(b.error.low)
    paired = equivariance_errors(model, x, D4, trajectory=torch.tensor([0, 0, 1, 1, 2, 2]))
    assert paired.elements[0].error.n == 3
    read = from_json(EquivarianceErrors, json.loads(json.dumps(to_json(whole))))
    assert to_json(read) == to_json(whole)


def test_point_clouds_and_bad_input() -> None:
    clouds = torch.randn(3, 5, 3, generator=torch.Generator().manual_seed(0))
    so3 = point_cloud_symmetry("so3", 5)
    assert value(equivariance_errors(lambda x: torch.cdist(x, x), clouds, so3).average) < 1e-5
    with pytest.raises(InputError, match="not an element"):
        equivariance_errors(nn.Tanh(), noise(), D4, [(0, 9)])
    with pytest.raises(InputError, match="none"):
        equivariance_errors(nn.Tanh(), noise(), D4, [])
    with pytest.raises(InputError, match="one or more elements"):
        equivariance_errors(nn.Tanh(), noise(), D4, 0)
    with pytest.raises(InputError, match="finite"):
        equivariance_errors(nn.Tanh(), noise() / 0, D4)
