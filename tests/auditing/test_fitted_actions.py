"""Errors of hidden layers up to the best linear map of their channels."""

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    LinearAction,
    Symmetry,
    TrivialAction,
    flow_symmetry,
    image_symmetry,
)
from goldstone.auditing import EquivarianceErrors, equivariance_errors
from goldstone.auditing.fitted_actions import cross_fitted_error
from goldstone.auditing.fitted_layers import another_trajectory
from goldstone.core import from_json, to_json
from goldstone.groups import DihedralGroup, SpecialOrthogonalGroup
from goldstone.nn import EquivariantLinear, SteerableConv2d
from goldstone.representations import (
    RegularRepresentation,
    StandardRepresentation,
    multiple,
)
from goldstone.systems.emulators.equivariant_unet import EquivariantUNet

GRID = (16, 16)
D4 = flow_symmetry("d4", NAVIER_STOKES_FIELDS, GRID)
CLASSES = replace(D4, on_output=TrivialAction())
REGULAR = RegularRepresentation(DihedralGroup(4))
VELOCITY = StandardRepresentation(DihedralGroup(4))


def noise(*shape: int, seed: int = 0) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=source, dtype=torch.float64)


def layers(found: EquivarianceErrors, element: int = 0) -> dict[str, float]:
    errors = found.elements[element].layers
    return {name: float("nan" if s.estimate is None else s.estimate) for name, s in errors.items()}


def ratio(y: Tensor, z: Tensor, of: Tensor | None = None) -> float:
    fit = cross_fitted_error(y, z, torch.arange(len(y)) if of is None else of, 0)
    return float((fit.residual.sum() / fit.variation.sum()).sqrt())


class Plain(nn.Module):
    """To the regular representation in another basis of channels, so that no layer tells it."""

    def __init__(self, broken: str = "") -> None:
        super().__init__()
        torch.manual_seed(0)
        first = SteerableConv2d(VELOCITY, multiple(REGULAR, 2), 3).to_plain()
        middle = SteerableConv2d(multiple(REGULAR, 2), multiple(REGULAR, 2), 3).to_plain()
        last = SteerableConv2d(multiple(REGULAR, 2), VELOCITY, 3).to_plain()
        self.first, self.act, self.middle, self.last = first, nn.Tanh(), middle, last
        if broken:
            nn.init.normal_(getattr(self, broken).weight, std=0.3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(self.middle(self.act(self.first(x))).tanh())
        return out


# ---- the fit ---------------------------------------------------------------------------------


def test_an_affine_map_is_found() -> None:
    z = noise(12, 20, 5)
    y = z @ noise(5, 3, seed=1) + noise(3, seed=2)
    assert ratio(y, z) < 1e-7


def test_against_a_slow_fit_by_least_squares() -> None:
    # Half of y is noise: the error of the best map on new samples is √½, and that of least squares
    # on the same halves nearly the same.
    z, of = noise(40, 50, 4), torch.arange(40) // 2
    y = (z + noise(40, 50, 4, seed=1)) / 2**0.5
    fit = cross_fitted_error(y, z, of, 0)
    total = float(fit.residual.sum())
    assert (total / float(fit.variation.sum())) ** 0.5 == pytest.approx(0.5**0.5, abs=0.02)
    ones = torch.ones(40, 50, 1, dtype=torch.float64)
    design = torch.cat((z, ones), 2)
    solution = torch.linalg.lstsq(design.flatten(0, 1), y.flatten(0, 1)).solution
    within = float((y - design @ solution).square().sum())
    assert within < total < 1.02 * within


@pytest.mark.parametrize(("points", "channels"), [(64, 4), (4, 60), (1, 200)])
def test_features_that_carry_nothing_are_at_one(points: int, channels: int) -> None:
    # Also where there are more channels than rows: the penalty then shrinks the map to nothing.
    y, z = noise(64, points, channels), noise(64, points, channels, seed=1)
    assert ratio(y, z) == pytest.approx(1.0, abs=0.03)


def test_what_never_moves_does_not_look_equivariant() -> None:
    # A pattern that stays where it is while the grid turns, and a tenth as large a signal.
    pattern, z = noise(1, 60, 3, seed=2), 0.1 * noise(30, 60, 3)
    assert ratio(z + pattern, z + pattern[:, torch.randperm(60)]) > 5
    still = cross_fitted_error(pattern.expand(30, 60, 3), z, torch.arange(30), 0)
    assert float(still.variation.sum()) < 1e-20


def test_trajectories_stay_whole() -> None:
    # The samples of a trajectory are copies. Were they split, a map of more channels than there are
    # trajectories would know the answers.
    z, y = noise(8, 1, 30), noise(8, 1, 30, seed=1)
    of = torch.arange(8).repeat_interleave(20)
    assert ratio(y[of], z[of], of) > 0.9
    other = another_trajectory(of, 0)
    assert bool((of[other] != of).all())


# ---- layers ----------------------------------------------------------------------------------


def test_an_equivariant_network_has_none_in_any_layer() -> None:
    torch.manual_seed(0)
    model = EquivariantUNet(NAVIER_STOKES_FIELDS, copies=1, stages=1).double().eval()
    found = equivariance_errors(model, noise(8, 2, *GRID), D4, layers="all")
    assert found.unmeasured == ()
    assert found.layer_actions["first"] == "declared"
    assert found.layer_actions["encoders.0.0.layers.1"] == "fitted"
    for element in range(7):
        assert max(layers(found, element).values()) < 1e-4
    assert all(s.estimate == pytest.approx(1.0, abs=0.05) for s in found.layer_nulls.values())
    # Taken for scalars they look broken: what is measured is not nothing.
    scalars = equivariance_errors(model, noise(8, 2, *GRID), D4, layers="all", fit=False)
    assert layers(scalars)["encoders.0.0.layers.1"] > 0.3
    assert scalars.layer_nulls == {}
    read = from_json(EquivarianceErrors, json.loads(json.dumps(to_json(found))))
    assert to_json(read) == to_json(found)


def test_hidden_bases_are_found() -> None:
    found = equivariance_errors(Plain().double(), noise(8, 2, *GRID), D4, layers="all")
    assert set(found.layer_actions.values()) == {"fitted"}
    assert max(layers(found).values()) < 1e-4


@pytest.mark.parametrize("broken", ["first", "middle", "last"])
def test_a_broken_layer_is_named(broken: str) -> None:
    found = equivariance_errors(Plain(broken).double(), noise(8, 2, *GRID), D4, layers="all")
    errors = layers(found)
    names = ["first", "act", "middle", "last"]
    assert list(errors) == names
    place = names.index(broken)
    # What follows is equivariant, but what it is given is not.
    assert all(errors[name] < 1e-4 for name in names[:place])
    assert all(errors[name] > 0.1 for name in names[place:])


def test_shifts_need_no_fit() -> None:
    shifts = flow_symmetry("shifts", NAVIER_STOKES_FIELDS, GRID)
    found = equivariance_errors(
        Plain().double(), noise(3, 2, *GRID), shifts, [(1, 0)], layers="all"
    )
    assert set(found.layer_actions.values()) == {"inferred"}
    assert max(layers(found).values()) < 1e-12


class Patches(nn.Module):
    """Tokens, of which the mean is taken."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Conv2d(2, 32, 4, 4)
        self.norm, self.head = nn.Identity(), nn.Linear(32, 4)
        self.place = nn.Parameter(torch.randn(16, 32))
        self.placed, self.constant = nn.Identity(), nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(self.embed(x).flatten(2).transpose(1, 2))
        self.constant(torch.zeros_like(x[:, :, 0, 0]))
        placed = self.placed(tokens + self.place)
        out: Tensor = self.head(placed.tanh().mean(1))
        return out


def test_tokens_vectors_and_constants() -> None:
    found = equivariance_errors(
        Patches().double(), noise(64, 2, *GRID), CLASSES, [(0, 1)], layers="all"
    )
    errors = layers(found)
    # A patch of 4×4×2 numbers in 32 channels: one-to-one, so that a turn is a map of channels.
    assert found.layer_actions["norm"] == "fitted"
    assert errors["embed"] < 1e-4
    assert errors["norm"] < 1e-4
    assert errors["placed"] > 0.5
    assert 0.3 < errors["head"] < 1.2
    assert found.elements[0].layers["constant"].estimate is None


def test_too_few_samples_to_tell() -> None:
    x = noise(64, 2, *GRID)
    few = equivariance_errors(Patches().double(), x[:2], CLASSES, [(0, 1)], layers="all")
    assert {"embed", "norm", "placed"} <= set(few.unmeasured)
    one = equivariance_errors(Patches().double(), x[:1], CLASSES, [(0, 1)], layers="all")
    assert one.elements[0].layers == {}


def test_vectors_and_layers_that_declare_themselves() -> None:
    group = SpecialOrthogonalGroup(3)
    vector = StandardRepresentation(group)
    act = LinearAction(vector)
    torch.manual_seed(0)
    hidden = multiple(vector, 4)
    model = nn.Sequential(
        EquivariantLinear(vector, hidden), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 3)
    ).double()
    symmetry = Symmetry("so3", group, act, act)
    found = equivariance_errors(model, noise(400, 3), symmetry, 2, layers="all")
    errors = layers(found)
    assert list(found.layer_actions.values()) == ["declared", "fitted", "fitted", "fitted"]
    assert errors["0"] < 1e-12
    assert errors["1"] < 1e-4  # any linear map of vectors turns by a map of its own
    assert errors["2"] > 0.1


@pytest.mark.parametrize(("name", "element"), [("rotations", None), ("p4m", ((2, 4), (1, 1)))])
def test_other_motions(name: str, element: Any) -> None:
    if name == "p4m":
        symmetry = flow_symmetry(name, NAVIER_STOKES_FIELDS, GRID)
        torch.manual_seed(0)
        model = nn.Sequential(SteerableConv2d(VELOCITY, REGULAR, 3), nn.Tanh()).double()
        model = nn.Sequential(*model, nn.Conv2d(8, 2, 1).double())
        found = equivariance_errors(model, noise(8, 2, *GRID), symmetry, [element], layers="all")
        assert found.layer_actions["0"] == "declared"
        assert layers(found)["0"] < 1e-12
        assert layers(found)["1"] < 1e-4
        return
    turns = image_symmetry(name, GRID, 2)
    x = nn.functional.avg_pool2d(noise(12, 2, *GRID), 5, 1, 2)
    found = equivariance_errors(nn.Sequential(nn.Identity(), nn.Tanh()), x, turns, layers="all")
    assert layers(found)["0"] < 1e-4


def test_the_number_of_elements_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, model = noise(8, 2, *GRID), Plain("middle").double()
    whole = equivariance_errors(model, x, D4, layers="all")
    monkeypatch.setattr("goldstone.auditing.fitted_layers.MEMORY", 1)
    parts = equivariance_errors(model, x, D4, layers="all", batch=3)
    for a, b in zip(whole.elements, parts.elements, strict=True):
        assert a.samples == pytest.approx(b.samples)
        for name in a.layers:
            assert a.layers[name].estimate == pytest.approx(b.layers[name].estimate, abs=1e-6)
            assert a.layers[name].low == pytest.approx(b.layers[name].low, abs=1e-6)
