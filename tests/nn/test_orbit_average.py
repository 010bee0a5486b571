"""Averaging a model over the orbit of its input."""

import copy
import pickle

import pytest
import torch
from torch import Tensor, nn

from goldstone import audit
from goldstone.actions import (
    Context,
    LinearAction,
    Symmetry,
    TreeAction,
    TrivialAction,
    image_symmetry,
    linear_symmetry,
    point_cloud_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup, SpecialOrthogonalGroup, SymmetricGroup
from goldstone.nn.orbit_average import OrbitAverage
from goldstone.representations import (
    RegularRepresentation,
    StandardRepresentation,
    reynolds_average,
)

D4 = DihedralGroup(4)
IMAGES = image_symmetry("turns-and-flips", (8, 8), 2, "same")


def backbone(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = (nn.Conv2d(2, 6, 3, padding=1), nn.Tanh(), nn.Conv2d(6, 2, 3, padding=1))
    return nn.Sequential(*layers).double()


def images(n: int = 3, seed: int = 1) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(n, 2, 8, 8, generator=rng, dtype=torch.float64)


def worst_error(model: nn.Module, symmetry: Symmetry, x: Tensor) -> float:
    errors = [
        model(symmetry.on_input.act(g, x, Context()))
        - symmetry.on_output.act(g, model(x), Context())
        for g in symmetry.group.elements()
    ]
    return float((torch.stack(errors).abs().max() / model(x).abs().max()).detach())


def test_it_is_exact_over_a_finite_group():
    model = backbone()
    assert worst_error(model, IMAGES, images()) > 0.1
    averaged = OrbitAverage(model, IMAGES)
    assert averaged.is_exact
    assert worst_error(averaged, IMAGES, images()) < 1e-13


def test_it_is_the_slow_loop():
    model, x = backbone(), images()
    wanted = torch.zeros_like(x)
    for i in range(len(x)):
        for g in D4.elements():
            moved = IMAGES.on_input.act(g, x[i : i + 1], Context())
            back = IMAGES.on_output.act(D4.inverse(g), model(moved), Context())
            wanted[i] += back[0] / 8
    torch.testing.assert_close(OrbitAverage(model, IMAGES)(x), wanted, rtol=0, atol=1e-14)
    small = OrbitAverage(model, IMAGES, largest_batch=5)
    torch.testing.assert_close(small(x), wanted, rtol=0, atol=1e-14)


def test_a_linear_model_is_projected_on_intertwiners():
    source, target = RegularRepresentation(D4), StandardRepresentation(D4)
    model = nn.Linear(8, 2, bias=False).double()
    averaged = OrbitAverage(model, linear_symmetry(source, target))
    projected = reynolds_average(model.weight.detach(), source, target)
    torch.testing.assert_close(averaged(torch.eye(8).double()), projected.mT)


def test_it_never_costs_accuracy_over_whole_orbits():
    # ‖f − y‖² = ‖f̄ − y‖² + ‖f − f̄‖² summed over a test set closed under the group.
    model = backbone()
    start = images(2)
    x = torch.cat([IMAGES.on_input.act(g, start, Context()) for g in D4.elements()])
    y = 0.1 * (x.square() - x)  # pointwise on scalars: equivariant
    averaged = OrbitAverage(model, IMAGES)
    before, after = (model(x) - y).square().sum(), (averaged(x) - y).square().sum()
    gap = (model(x) - averaged(x)).square().sum()
    torch.testing.assert_close(before, after + gap)
    assert gap > 0.01 * before


def test_an_audit_finds_full_coherence():
    x = images(12)
    averaged = OrbitAverage(backbone(), IMAGES).eval()
    result = audit(
        averaged,
        (x, averaged(x).detach() + 0.05 * x),
        image_symmetry("quarter-turns", (8, 8), 2, "same"),
        ground_truth=None,
    )
    for element in result.elements:
        assert element.holds == "yes"
        assert element.equivariance_error.high < 1e-6
        assert element.orbit_coherence["euclidean"].estimate == pytest.approx(1, abs=1e-5)


def test_batch_statistics_in_training_are_over_the_orbit():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2), nn.Tanh()).double()
    averaged = OrbitAverage(model, IMAGES).train()
    assert worst_error(averaged, IMAGES, images()) < 1e-13


def test_uniform_elements_are_an_estimate():
    space = point_cloud_symmetry("so3", 5, output=None)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(15, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    x = torch.randn(40, 5, 3, dtype=torch.float64)
    few, many = (OrbitAverage(model, space, k) for k in (8, 512))
    assert not many.is_exact
    g = space.elements[0]
    errors = [
        float((f(space.on_input.act(g, x, Context())) - f(x)).square().mean().sqrt().detach())
        for f in (few, many)
    ]
    # Monte Carlo: √(512/8) = 8 times less.
    assert 4 < errors[0] / errors[1] < 16


def test_fresh_elements_in_training_alone():
    plane = Symmetry(
        "so2",
        SpecialOrthogonalGroup(2),
        LinearAction(StandardRepresentation(SpecialOrthogonalGroup(2))),
        TrivialAction(),
    )
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh()).double()
    x = torch.randn(3, 2, dtype=torch.float64)
    averaged = OrbitAverage(model, plane, 2, fresh=True, seed=3)
    again = copy.deepcopy(averaged)
    first, second = averaged(x), averaged(x)
    assert not torch.allclose(first, second)
    assert torch.equal(first, again(x))
    averaged.eval()
    assert torch.equal(averaged(x), averaged(x))


def test_trees_go_to_the_model_as_they_come():
    c4 = CyclicGroup(4)
    plane = LinearAction(StandardRepresentation(c4))

    class Pair(nn.Module):
        def forward(self, position: Tensor, charge: Tensor) -> dict[str, Tensor]:
            return {"force": (position * charge).exp(), "energy": position[:, :1].exp() * charge}

    moves = {"position": plane, "charge": TrivialAction()}
    outputs = TreeAction({"force": plane, "energy": TrivialAction()})
    x = {"position": torch.randn(5, 2).double(), "charge": torch.rand(5, 1).double()}
    by_name = OrbitAverage(Pair(), Symmetry("c4", c4, TreeAction(moves), outputs))
    in_order = OrbitAverage(Pair(), Symmetry("c4", c4, TreeAction(tuple(moves.values())), outputs))
    moved = by_name(position=plane.act(1, x["position"], Context()), charge=x["charge"])
    still = in_order(x["position"], x["charge"])
    torch.testing.assert_close(moved["energy"], still["energy"])
    torch.testing.assert_close(moved["force"], plane.act(1, still["force"], Context()))


def test_the_state_is_that_of_the_model():
    model = backbone()
    averaged = OrbitAverage(model, IMAGES)
    assert set(averaged.state_dict()) == {f"model.{key}" for key in model.state_dict()}
    other = OrbitAverage(backbone(5), IMAGES)
    other.load_state_dict(averaged.state_dict())
    x = images()
    for twin in (other, copy.deepcopy(averaged), pickle.loads(pickle.dumps(averaged))):
        assert torch.equal(twin(x), averaged(x))
    compiled = torch.compile(averaged, backend="aot_eager")
    torch.testing.assert_close(compiled(x), averaged(x))


def test_what_cannot_be_averaged_is_refused():
    model = nn.Linear(3, 3)
    space = point_cloud_symmetry("so3", 4)
    with pytest.raises(InputError, match="elements=32"):
        OrbitAverage(model, space)
    with pytest.raises(InputError, match="FrameAverage"):
        OrbitAverage(model, point_cloud_symmetry("se3", 4), 8)
    with pytest.raises(InputError, match="number of elements to draw"):
        OrbitAverage(model, IMAGES, fresh=True)
    invariant = Symmetry("s3", SymmetricGroup(3), TrivialAction(), TrivialAction())
    labels = OrbitAverage(nn.Identity(), invariant)
    with pytest.raises(InputError, match="no mean"):
        labels(torch.ones(2, 1, dtype=torch.int64))
    with pytest.raises(InputError, match="by keyword"):
        labels(torch.ones(2, 1), x=torch.ones(2, 1))
