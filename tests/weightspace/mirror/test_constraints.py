"""Constraints made symmetries: coordinates, parametrisations, penalties, and the lasso."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrize

from goldstone.core import InputError, generator
from goldstone.weightspace.mirror import (
    LowRank,
    PiecewiseConstant,
    Sparsity,
    TiedUnits,
    Vanishing,
    constrain_by_symmetry,
    decay_groups,
    induced_penalty,
    redundancy_penalty,
)
from goldstone.weightspace.mirror.coordinates import (
    ColumnCoordinates,
    EntryCoordinates,
    contrasts,
)


def columns(n, k, seed=0):
    noise = torch.randn(n, k, dtype=torch.float64, generator=generator(seed, "columns"))
    return torch.linalg.qr(noise).Q


CONSTRAINTS = {
    "entries": Sparsity(),
    "rows": Sparsity(axes=(0,)),
    "columns": Sparsity(axes=(-1,)),
    "tied": TiedUnits(((0, 2, 3), (1, 4))),
    "tied inputs": TiedUnits(((0, 2),), axis=1),
    "low rank": LowRank(),
    "any": Vanishing(columns(15, 4)),
    "together": Vanishing(columns(15, 4), together=True),
    "square": Vanishing(columns(15, 15)),
    "piecewise": PiecewiseConstant(),
    "piecewise rows": PiecewiseConstant(axis=0),
}


def layer(seed=0, dtype=torch.float64):
    torch.manual_seed(seed)
    return nn.Linear(3, 5, dtype=dtype)


@pytest.mark.parametrize("constraint", CONSTRAINTS.values(), ids=CONSTRAINTS)
def test_the_layer_computes_what_it_did(constraint):
    plain = layer()
    x = torch.randn(7, 3, dtype=torch.float64, generator=generator(1))
    constrained = constrain_by_symmetry(deepcopy(plain), "weight", constraint)
    torch.testing.assert_close(constrained(x), plain(x), rtol=0, atol=1e-13)
    again = layer(seed=1)
    constrain_by_symmetry(again, "weight", constraint)
    again.load_state_dict(constrained.state_dict())
    assert torch.equal(again.weight, constrained.weight)
    parametrize.remove_parametrizations(constrained, "weight")
    torch.testing.assert_close(constrained.weight.data, plain.weight.data, rtol=0, atol=1e-13)


@pytest.mark.parametrize("constraint", CONSTRAINTS.values(), ids=CONSTRAINTS)
def test_penalty_is_at_least_the_induced_one_and_equal_when_balanced(constraint):
    module = constrain_by_symmetry(layer(), "weight", constraint)
    entry = module.parametrizations.weight
    for seed in range(5):
        for name, factor in entry.named_parameters():
            factor.data.normal_(generator=generator(seed, name))
        weight, least = module.weight.detach(), induced_penalty(module).item()
        assert redundancy_penalty(module).item() > least
    # The balanced factors of the same weight reach it.
    balanced = entry[0].balanced(weight)
    assert entry[0].gauge_slice(*balanced).abs().max() < 1e-13
    entry.original0.data, entry.original1.data = balanced
    torch.testing.assert_close(module.weight.detach(), weight)
    assert redundancy_penalty(module).item() == pytest.approx(least)


def test_induced_norms_are_those_of_the_books():
    weight = torch.randn(5, 3, dtype=torch.float64, generator=generator(0))
    o = columns(15, 4)
    z = o.mT @ weight.flatten()
    # Differences in a pair: (row 1 − row 4)/√2; in a triple what the mean leaves over.
    triple = weight[[0, 2, 3]]
    tied = (triple - triple.mean(0)).norm() + (weight[1] - weight[4]).norm() / 2**0.5
    known = {
        "entries": weight.abs().sum(),
        "rows": weight.norm(dim=1).sum(),
        "columns": weight.norm(dim=0).sum(),
        "tied": tied,
        "tied inputs": (weight[:, 0] - weight[:, 2]).norm() / 2**0.5,
        "low rank": torch.linalg.matrix_norm(weight, "nuc"),
        "any": z.abs().sum(),
        "together": z.norm(),
        "piecewise": (weight[:, 1:] - weight[:, :-1]).abs().sum(),
        "piecewise rows": (weight[1:] - weight[:-1]).abs().sum(),
    }
    for name, value in known.items():
        found = CONSTRAINTS[name].parametrisation(weight).induced_norm(weight)
        torch.testing.assert_close(found, value, msg=name)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 1000))
def test_coordinates_are_adjoint_and_orthonormal(units, inputs, seed):
    random = generator(seed)
    shape = (units, inputs)
    k = int(torch.randint(1, units + 1, (), generator=random))
    groups = [tuple(range(units // 2 + 1))] if units > 2 else [(0, 1)]
    contrast, numbers = contrasts(groups, units)
    cases = [
        EntryCoordinates(),
        EntryCoordinates((0,)),
        ColumnCoordinates(columns(units * inputs, k, seed), shape),
        ColumnCoordinates(columns(units, k, seed), shape, axis=0),
        ColumnCoordinates(contrast, shape, numbers, 0),
    ]
    weight = torch.randn(shape, dtype=torch.float64, generator=random)
    for case in cases:
        z = case.analyse(weight)
        other = torch.randn(z.shape, dtype=torch.float64, generator=random)
        torch.testing.assert_close(case.analyse(case.synthesise(other)), other)
        inner = (case.synthesise(other) * weight).sum()
        torch.testing.assert_close(inner, (other * z).sum())
        gates = case.group_norms(z)
        assert torch.broadcast_shapes(case.spread(gates).shape, z.shape) == z.shape
        torch.testing.assert_close(gates.norm(), z.norm())


def test_tied_units_are_equal_exactly_where_contrasts_vanish():
    o, numbers = contrasts(((0, 2, 3), (1, 4)), 6)
    torch.testing.assert_close(o.mT @ o, torch.eye(3, dtype=torch.float64))
    assert numbers == [0, 0, 1]
    tied = torch.tensor([5.0, -1.0, 5.0, 5.0, -1.0, 9.0], dtype=torch.float64)
    assert (o.mT @ tied).abs().max() < 1e-15
    assert (o.mT @ tied.roll(1)).norm() > 1


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_the_constrained_set_is_stationary_for_any_loss(name):
    """At gate = factor = 0 no loss has a gradient along them: the symmetry's fixed set."""
    module = constrain_by_symmetry(layer(), "weight", CONSTRAINTS[name])
    entry = module.parametrizations.weight
    entry.original0.data.zero_()
    entry.original1.data.zero_()
    x = torch.randn(7, 3, dtype=torch.float64, generator=generator(3))
    (module(x).exp().sum() + module(x).sin().sum()).backward()
    assert entry.original0.grad.abs().max() == 0
    assert entry.original1.grad.abs().max() == 0


def ista(x, y, penalty, steps=20000):
    """Lasso by proximal gradient, min ‖Xw − y‖²/2n + penalty ‖w‖₁: the slow obvious way."""
    n, d = x.shape
    rate = n / np.linalg.norm(x, 2) ** 2
    w = np.zeros(d)
    for _ in range(steps):
        w = w - rate * (x.T @ (x @ w - y)) / n
        w = np.sign(w) * np.maximum(np.abs(w) - rate * penalty, 0)
    return w


def test_a_sparsity_constraint_trained_by_gradient_descent_is_the_lasso():
    """The golden test: 200 samples, 100 inputs of which 10 matter, γ = 0.05, 20,000 steps."""
    random = np.random.default_rng(0)
    n, d, gamma = 200, 100, 0.05
    x = random.normal(size=(n, d))
    truth = np.zeros(d)
    truth[:10] = random.normal(size=10) * 2
    y = x @ truth + 0.1 * random.normal(size=n)

    module = constrain_by_symmetry(nn.Linear(d, 1, bias=False).double(), "weight", Sparsity())
    entry = module.parametrizations.weight
    for name, factor in entry.named_parameters():
        factor.data.normal_(std=0.5, generator=generator(0, name))
    # Of the quadratic loss only X'X/n and X'y/n matter.
    gram, overlap = torch.tensor(x.T @ x / n), torch.tensor(x.T @ y / n)
    # γ(‖u‖² + ‖v‖²), a lasso of strength 2γ.
    optimiser = torch.optim.SGD(decay_groups(module, 2 * gamma), lr=0.01, foreach=False)
    for _ in range(20_000):
        optimiser.zero_grad()
        weight = module.weight[0]
        (0.5 * weight @ (gram @ weight) - weight @ overlap).backward()
        optimiser.step()
    found = module.weight.detach().numpy()[0]
    np.testing.assert_allclose(found, ista(x, y, 2 * gamma), atol=1e-7)
    assert np.mean(np.abs(found) < 1e-6) >= 0.85
    u, v = entry.original0.detach(), entry.original1.detach()
    assert (u.square() - v.square()).abs().max() < 1e-15
    assert float(redundancy_penalty(module)) == pytest.approx(float(induced_penalty(module)))


def test_tied_units_become_equal_and_others_do_not():
    torch.manual_seed(0)
    module = constrain_by_symmetry(
        nn.Linear(3, 4, bias=False).double(), "weight", TiedUnits(((0, 1, 2),))
    )
    x = torch.randn(64, 3, dtype=torch.float64, generator=generator(0))
    rows = [[1.0, 0, 0], [1.02, 0, 0], [1.0, 0.02, 0], [0, 1.0, -1]]
    y = x @ torch.tensor(rows, dtype=torch.float64).mT
    optimiser = torch.optim.SGD(decay_groups(module, 0.05), lr=0.3)
    for _ in range(2000):
        optimiser.zero_grad()
        (module(x) - y).square().mean().backward()
        optimiser.step()
    weight = module.weight.detach()
    assert (weight[0] - weight[1]).norm() < 1e-10
    assert (weight[0] - weight[2]).norm() < 1e-10
    # The mean of the group and the free unit are not shrunk: the decay is of the factors alone.
    torch.testing.assert_close(
        weight[0], torch.tensor(rows[:3]).double().mean(0), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(weight[3], torch.tensor(rows[3]).double(), atol=1e-6, rtol=0)


def test_low_rank_is_soft_thresholding_of_singular_values():
    """min ½‖W − A‖² + λ‖W‖_* has the solution U(S − λ)₊Vᵀ."""
    target = torch.randn(6, 4, dtype=torch.float64, generator=generator(4))
    u, s, v = torch.linalg.svd(target, full_matrices=False)
    strength = float(s[1] + s[2]) / 2
    module = constrain_by_symmetry(layer_of(6, 4), "weight", LowRank())
    optimiser = torch.optim.SGD(decay_groups(module, strength), lr=0.05)
    for _ in range(4000):
        optimiser.zero_grad()
        (0.5 * (module.weight - target).square().sum()).backward()
        optimiser.step()
    expected = u * (s - strength).clamp(min=0) @ v
    torch.testing.assert_close(module.weight.detach(), expected, atol=1e-8, rtol=0)
    assert int(torch.linalg.matrix_rank(module.weight.detach(), atol=1e-6)) == 2


def test_piecewise_constant_is_the_fused_lasso():
    """min ½‖θ − y‖² + λ Σ|θᵢ₊₁ − θᵢ| against its dual, min ½‖y − Dᵀz‖² over |z| ≤ λ."""
    y = torch.tensor([[0.0, 0.2, -0.1, 1.0, 1.3, 0.9, 1.1, -0.5]], dtype=torch.float64)
    strength = 0.2
    module = constrain_by_symmetry(layer_of(1, 8), "weight", PiecewiseConstant())
    optimiser = torch.optim.SGD(decay_groups(module, strength), lr=0.05)
    for _ in range(8000):
        optimiser.zero_grad()
        (0.5 * (module.weight - y).square().sum()).backward()
        optimiser.step()
    difference = np.diff(np.eye(8), axis=0)
    z, target = np.zeros(7), y.numpy()[0]
    for _ in range(20_000):
        z = np.clip(z + 0.2 * difference @ (target - difference.T @ z), -strength, strength)
    np.testing.assert_allclose(
        module.weight.detach().numpy()[0], target - difference.T @ z, atol=1e-6
    )
    assert int((module.weight.detach().diff().abs() > 1e-6).sum()) < 5


def layer_of(outputs, inputs):
    torch.manual_seed(5)
    return nn.Linear(inputs, outputs, bias=False).double()


def test_a_truncated_rank_starts_at_the_best_approximation():
    plain = layer_of(6, 4)
    u, s, v = torch.linalg.svd(plain.weight.detach(), full_matrices=False)
    module = constrain_by_symmetry(deepcopy(plain), "weight", LowRank(2))
    torch.testing.assert_close(module.weight.detach(), u[:, :2] * s[:2] @ v[:2])


def test_convolutions_models_copies_and_pickles():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    x = torch.randn(5, 2, 4, 4)
    before = model(x)
    constrain_by_symmetry(model[0], "weight", Sparsity(axes=(0,)))
    constrain_by_symmetry(model[3], "weight", LowRank())
    torch.testing.assert_close(model(x), before, rtol=1e-4, atol=1e-5)
    assert torch.equal(deepcopy(model)(x), model(x))
    assert model[0].parametrizations.weight.original0.shape == (4, 1, 1, 1)
    groups = decay_groups(model, 1e-3, others=1e-4)
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))
    assert [group["weight_decay"] for group in groups] == [1e-3, 1e-4]
    norms = model[0].weight.flatten(1).norm(dim=1).sum()
    nuclear = torch.linalg.matrix_norm(model[3].weight, "nuc")
    torch.testing.assert_close(induced_penalty(model), norms + nuclear)
    assert pickle.loads(pickle.dumps(Sparsity((0,)))) == Sparsity((0,))


def test_bad_input():
    model = layer()
    with pytest.raises(InputError, match=r"no parameter 'kernel'.*\['weight', 'bias'\]"):
        constrain_by_symmetry(model, "kernel", Sparsity())
    with pytest.raises(InputError, match="constrain_by_symmetry first"):
        redundancy_penalty(model)
    with pytest.raises(InputError, match=r"axes of a weight of shape \(5, 3\)"):
        constrain_by_symmetry(model, "weight", Sparsity(axes=(2,)))
    with pytest.raises(InputError, match="two or more axes"):
        constrain_by_symmetry(model, "bias", LowRank())
    with pytest.raises(InputError, match="axis of two or more entries"):
        constrain_by_symmetry(model, "weight", PiecewiseConstant(axis=2))
    with pytest.raises(InputError, match="rank from 1 to 3"):
        constrain_by_symmetry(model, "weight", LowRank(4))
    with pytest.raises(InputError, match="expected orthonormal columns, got"):
        constrain_by_symmetry(model, "weight", Vanishing(torch.ones(15, 2)))
    with pytest.raises(InputError, match=r"shape \(15, k ≤ 15\)"):
        constrain_by_symmetry(model, "weight", Vanishing(torch.eye(14)))
    with pytest.raises(InputError, match="no unit in two of them"):
        constrain_by_symmetry(model, "weight", TiedUnits(((0, 1), (1, 2))))
    with pytest.raises(InputError, match="stays shut"):
        constrain_by_symmetry(model, "weight", Sparsity(gate=0.0))
    broken = layer()
    with torch.no_grad():
        broken.weight[0, 0] = torch.nan
    with pytest.raises(InputError, match="the parameter 'weight'"):
        constrain_by_symmetry(broken, "weight", LowRank())
    assert not parametrize.is_parametrized(model)
    constrain_by_symmetry(model, "weight", Sparsity())
    with pytest.raises(InputError, match="has a parametrisation already"):
        constrain_by_symmetry(model, "weight", Sparsity())
    with pytest.raises(InputError, match="weight decays ≥ 0"):
        decay_groups(model, -1.0)
