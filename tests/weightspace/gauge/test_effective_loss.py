"""Gauge slices, corrections and predicted potentials, against closed forms and quadrature."""

import math

import pytest
import torch
from scipy.integrate import quad
from torch import nn

from goldstone.core import InputError, generator
from goldstone.weightspace.gauge import (
    EffectiveLoss,
    column_ratios,
    column_slice,
    effective_potentials,
    factor_slice,
    gauge_correction,
    gradient_noise_temperature,
    hadamard_marginal,
    norm_ratios,
    norm_slice,
    parametrisation_for,
)
from goldstone.weightspace.mirror import (
    LowRank,
    PiecewiseConstant,
    Sparsity,
    TiedUnits,
    constrain_by_symmetry,
    decay_groups,
)


def random_matrix(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=generator(seed, "matrix"))


def test_slices_are_constant_on_no_orbit_and_vanish_when_balanced():
    w, v = random_matrix(4, 3), random_matrix(2, 4, seed=1)
    scale = (w.norm(dim=1) / v.norm(dim=0)).sqrt()
    assert norm_slice(w, v).abs().min() > 1e-3
    assert norm_slice(w / scale[:, None], v * scale).abs().max() < 1e-14
    torch.testing.assert_close(
        norm_ratios(w / scale[:, None], v * scale), torch.ones(4, dtype=torch.float64)
    )
    q, k = random_matrix(5, 3), random_matrix(5, 3, seed=1)
    scale = (k.norm(dim=0) / q.norm(dim=0)).sqrt()
    torch.testing.assert_close(q * scale @ (k / scale).mT, q @ k.mT)
    assert column_slice(q * scale, k / scale).abs().max() < 1e-14
    assert (column_ratios(q * scale, k / scale) - 1).abs().max() < 1e-14
    u, s, t = torch.linalg.svd(q @ k.mT)
    p = (u[:, :3] * s[:3].sqrt(), s[:3, None].sqrt() * t[:3])
    assert factor_slice(*p).shape == (6,)
    assert factor_slice(*p).abs().max() < 1e-13
    # What is left over: rotations. The rest of GL(r) leaves the slice.
    turn = torch.linalg.qr(random_matrix(3, 3, seed=3)).Q
    assert factor_slice(p[0] @ turn, turn.mT @ p[1]).abs().max() < 1e-12
    shear = torch.eye(3, dtype=torch.float64)
    shear[0, 1] = 1
    assert factor_slice(p[0] @ shear, torch.linalg.inv(shear) @ p[1]).abs().max() > 0.01


def test_correction_of_a_product_of_two_numbers():
    """χ = u² − v²: ½ log 4(u² + v²), so on the slice ½ log 8|w|."""
    u = torch.tensor([0.7], dtype=torch.float64)
    v = torch.tensor([-0.3], dtype=torch.float64)
    found = gauge_correction(lambda u, v: u.square() - v.square(), u, v)
    assert float(found) == pytest.approx(0.5 * math.log(4 * (0.49 + 0.09)))
    batch = torch.func.vmap(lambda u: gauge_correction(lambda x: x.square(), u))
    x = torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    torch.testing.assert_close(batch(x), (2 * x[:, 0]).log())


def test_correction_is_the_thickness_of_the_slice():
    """Of points in a thin layer |χ| < ε there are as many as det(∇χ∇χᵀ)^{−1/2} says."""

    def chi(x):
        return (x[0].square() * (1 + x[1]) - 1)[None]  # a curve in the plane

    ts = torch.linspace(0, 1, 5, dtype=torch.float64)
    for t in ts:
        point = torch.stack(((1 + t).rsqrt(), t))
        slope = torch.func.jacrev(chi)(point)[0]
        normal = slope / slope.norm()
        # The layer's width along the normal, by bisection on both sides.
        width = 0.0
        for sign in (1, -1):
            low, high = 0.0, 0.1
            for _ in range(60):
                middle = (low + high) / 2
                inside = chi(point + sign * middle * normal).abs() < 1e-6
                low, high = (middle, high) if bool(inside) else (low, middle)
            width += low
        assert width / 2e-6 == pytest.approx(
            math.exp(-float(gauge_correction(chi, point))), rel=1e-4
        )


CASES = {
    "sparsity": Sparsity(),
    "group sparsity": Sparsity(axes=(0,)),
    "low rank": LowRank(),
    "rank two": LowRank(2),
    "total variation": PiecewiseConstant(1),
    "tied": TiedUnits(((0, 2), (1, 3))),
}


@pytest.mark.parametrize("name", CASES)
def test_closed_form_potentials_are_the_determinants(name):
    weight = random_matrix(4, 3)
    parametrisation = CASES[name].parametrisation(weight)
    if name == "rank two":
        u, s, t = torch.linalg.svd(weight, full_matrices=False)
        weight = u[:, :2] * s[:2] @ t[:2]
    factors = parametrisation.balanced(weight)
    assert parametrisation.gauge_slice(*factors).abs().max() < 1e-13
    found = gauge_correction(parametrisation.gauge_slice, *factors)
    torch.testing.assert_close(found, parametrisation.gauge_potential(weight))


def test_effective_loss_adds_temperature_times_the_correction():
    u, v = torch.tensor([0.5, 1.0]), torch.tensor([0.5, -1.0])

    def loss(u, v):
        return (u * v - 1).square().sum()

    effective = EffectiveLoss(loss, lambda u, v: u.square() - v.square(), temperature=0.3)
    expected = float(loss(u, v)) + 0.15 * (math.log(8 * 0.25) + math.log(8 * 1.0))
    assert float(effective(u, v)) == pytest.approx(expected)
    slope = torch.func.grad(effective)(u, v)
    step = torch.tensor([1e-3, 0])
    difference = (effective(u + step, v) - effective(u - step, v)) / 2e-3
    assert float(slope[0]) == pytest.approx(float(difference), rel=1e-3)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_marginal_is_the_integral_over_the_orbit(size):
    """Density of θ = g·f at ‖θ‖ = r: ∫dg |g|^{−m} e^{−λ(g² + r²/g²)/2T}."""
    decay, temperature = 0.3, 0.2
    radii = [0.05, 0.4, 1.5]

    def density(r):
        exponent = decay / (2 * temperature)
        return quad(lambda g: g**-size * math.exp(-exponent * (g * g + (r / g) ** 2)), 0, 50)[0]

    found = hadamard_marginal(torch.tensor(radii), decay, temperature, size)
    expected = [-temperature * math.log(density(r)) for r in radii]
    for i in (1, 2):
        assert float(found[i] - found[0]) == pytest.approx(expected[i] - expected[0], rel=1e-6)
    # Far from zero it is the group lasso, of slope λ.
    far = hadamard_marginal(torch.tensor([400.0, 401.0]), decay, temperature, size)
    assert float(far[1] - far[0]) == pytest.approx(decay, rel=2e-2)


@pytest.mark.parametrize(
    ("bias", "penalty", "correction"),
    [
        ("sparsity", lambda w: w.abs().sum(), lambda w: w.abs().log().sum() / 2),
        ("group sparsity", lambda w: w.norm(dim=1).sum(), lambda w: w.norm(dim=1).log().sum() / 2),
        (
            "low rank",
            lambda w: torch.linalg.svdvals(w).sum(),
            lambda w: sum(
                (s + t).log() / 2
                for i, s in enumerate(torch.linalg.svdvals(w))
                for t in torch.linalg.svdvals(w)[i:]
            ),
        ),
        (
            "total variation",
            lambda w: w.diff(dim=0).abs().sum(),
            lambda w: w.diff(dim=0).abs().log().sum() / 2,
        ),
    ],
)
def test_inverse_design_predicts_what_the_table_says(bias, penalty, correction):
    """Decay terms as they are; noise terms up to a constant, so as differences."""
    terms = []
    for seed in (0, 1):
        module = nn.Linear(3, 4, bias=False).double()
        module.weight.data = random_matrix(4, 3, seed=seed)
        weight = module.weight.detach().clone()
        constrain_by_symmetry(module, "weight", parametrisation_for(bias))
        [found] = effective_potentials(module, decay=0.2, temperature=0.5)
        assert found.decay_term == pytest.approx(0.2 * float(penalty(weight)))
        terms.append((found.gauge_term, 0.5 * float(correction(weight))))
        assert found.decay_formula in str(found)
        assert found.gauge_formula in str(found)
    assert terms[0][0] - terms[1][0] == pytest.approx(terms[0][1] - terms[1][1])


def test_noise_free_predictions_survive_zeros():
    module = nn.Linear(3, 1, bias=False)
    module.weight.data = torch.tensor([[1.0, 0.0, -2.0]])
    constrain_by_symmetry(module, "weight", Sparsity())
    [quiet] = effective_potentials(module, decay=0.1, temperature=0)
    assert (quiet.decay_term, quiet.gauge_term) == (pytest.approx(0.3), 0.0)
    [noisy] = effective_potentials(module, decay=0.1, temperature=1)
    assert noisy.gauge_term == -math.inf


def test_the_wanted_bias_is_what_training_gets():
    """Each design, trained on one noisy target with decay, has the structure that it is for."""
    random = generator(0)
    target = torch.zeros(6, 6, dtype=torch.float64)
    target[:3] = 2.0 + torch.arange(3, dtype=torch.float64)[:, None]
    target += 0.2 * torch.randn(6, 6, dtype=torch.float64, generator=random)
    structure = {
        "sparsity": lambda w: int((w.abs() > 1e-5).sum()),
        "group sparsity": lambda w: int((w.norm(dim=1) > 1e-5).sum()),
        "low rank": lambda w: int((torch.linalg.svdvals(w) > 1e-5).sum()),
        "total variation": lambda w: int((w.diff(dim=0).abs() > 1e-5).sum()),
    }
    expected = {
        "sparsity": (18, 18),
        "group sparsity": (3, 3),
        "low rank": (1, 1),
        "total variation": (6, 20),
    }
    for bias, measure in structure.items():
        module = nn.Linear(6, 6, bias=False).double()
        constrain_by_symmetry(module, "weight", parametrisation_for(bias))
        optimiser = torch.optim.SGD(decay_groups(module, 0.8), lr=0.02)
        for _ in range(3000):
            optimiser.zero_grad()
            (0.5 * (module.weight - target).square().sum()).backward()
            optimiser.step()
        low, high = expected[bias]
        found = measure(module.weight.detach())
        assert low <= found <= high, (bias, found)
        assert measure(target) > high


def test_temperature_of_gradient_noise():
    gradients = 3 * random_matrix(20_000, 4)
    found = gradient_noise_temperature(gradients, batch=10, learning_rate=0.2)
    assert found == pytest.approx(0.1 * 9 / 10, rel=0.02)


def test_bad_input():
    w = random_matrix(4, 3)
    with pytest.raises(InputError, match="as many units"):
        norm_slice(w, w)
    with pytest.raises(InputError, match="as many inner dimensions"):
        factor_slice(w, random_matrix(4, 3))
    with pytest.raises(InputError, match="that is a vector"):
        gauge_correction(lambda x: x.sum(), w)
    with pytest.raises(InputError, match="as many gauge conditions as parameters"):
        gauge_correction(lambda x: x.repeat(2), w[0])
    with pytest.raises(InputError, match="temperature ≥ 0"):
        EffectiveLoss(lambda x: x.sum(), lambda x: x, -1)
    with pytest.raises(InputError, match="norms > 0"):
        hadamard_marginal(torch.zeros(1), 1, 1)
    with pytest.raises(InputError, match="a bias among sparsity"):
        parametrisation_for("happiness")
    with pytest.raises(InputError, match="is redundant"):
        effective_potentials(nn.Linear(2, 2), 0.1, 0.1)
    with pytest.raises(InputError, match="decay and temperature ≥ 0"):
        effective_potentials(nn.Linear(2, 2), -0.1, 0.1)
    with pytest.raises(InputError, match="a batch ≥ 1"):
        gradient_noise_temperature(w, 0, 0.1)
