"""Langevin and SGD samplers: stationary measures with closed forms, and the golden numbers."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.linalg import solve_discrete_lyapunov

from goldstone.core import InputError, generator
from goldstone.weightspace.gauge import hadamard_marginal, langevin_samples, sgd_samples

TEMPERATURE = 0.3


def product_loss(theta):
    """L = ½(uv − 1)² + 0.15(u² + v²)."""
    return 0.5 * (theta.prod(1) - 1).square() + 0.15 * theta.square().sum(1)


@pytest.fixture(scope="module")
def product_states():
    start = torch.randn(20_000, 2, generator=generator(0, "start"))
    states = langevin_samples(
        product_loss, start, temperature=TEMPERATURE, step=0.12, steps=1800, burn_in=300,
        every=6, friction=1.0, seed=0,
    )  # fmt: skip
    return torch.cat(list(states)).double()


def total_variation(samples, edges, density):
    found = torch.histogram(samples, edges).hist
    middles = (edges[1:] + edges[:-1]) / 2
    expected = density(middles)
    return float((found / found.sum() - expected / expected.sum()).abs().sum()) / 2


def test_golden_conditional_measure_on_the_gauge_slice(product_states):
    """On |u² − v²| < 0.05 the density of r = √(uv) is e^{−L/T}/r: the corrected loss."""
    u, v = product_states.unbind(1)
    on_slice = ((u.square() - v.square()).abs() < 0.05) & (u * v > 0)
    r = (u * v)[on_slice].sqrt()
    edges = torch.linspace(0.3, 1.7, 29, dtype=torch.float64)

    def boltzmann(r):
        return (-(0.5 * (r**2 - 1) ** 2 + 0.3 * r**2) / TEMPERATURE).exp()

    assert len(r) > 50_000
    assert total_variation(r, edges, lambda r: boltzmann(r) / r) < 0.015
    assert total_variation(r, edges, boltzmann) == pytest.approx(0.157, abs=0.015)
    assert total_variation(r, edges, lambda r: boltzmann(r) * r) == pytest.approx(0.289, abs=0.015)


def test_golden_marginal_measure_of_the_predictor(product_states):
    """The density of θ = uv is e^{−(θ − 1)²/2T}·K₀(0.3|θ|/T): another statement."""
    theta = product_states.prod(1)

    def mean(potential):
        def density(x):
            return math.exp(-(0.5 * (x - 1) ** 2 + potential(abs(x))) / TEMPERATURE)

        def moment(power):
            pieces = ((-4, -1e-9), (1e-9, 5))
            return sum(quad(lambda x: x**power * density(x), *p, limit=200)[0] for p in pieces)

        return moment(1) / moment(0)

    def marginal(r):
        return float(hadamard_marginal(torch.tensor([r]), decay=0.3, temperature=TEMPERATURE))

    assert mean(marginal) == pytest.approx(0.567, abs=1e-3)
    # Without the orbit's volume, with weight decay alone: 0.3|θ|.
    assert mean(lambda r: 0.3 * r) == pytest.approx(0.741, abs=1e-3)
    assert float(theta.mean()) == pytest.approx(0.567, abs=0.01)


@pytest.mark.parametrize("friction", [None, 0.7])
def test_langevin_of_a_quadratic_has_its_covariance(friction):
    """e^{−(½θᵀHθ + λ|θ|²/2)/T} has the covariance T(H + λ)⁻¹, the velocity's part apart."""
    hessian = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    start = torch.zeros(4000, 2, dtype=torch.float64)
    states = langevin_samples(
        lambda x: 0.5 * ((x @ hessian) * x).sum(1), start, temperature=0.5, step=0.02, steps=1500,
        burn_in=500, every=20, friction=friction, weight_decay=0.3, seed=1,
    )  # fmt: skip
    samples = torch.cat(list(states))
    expected = 0.5 * torch.linalg.inv(hessian + 0.3 * torch.eye(2))
    torch.testing.assert_close(samples.T.cov(), expected, rtol=0.06, atol=0.01)
    assert samples.mean(0).abs().max() < 0.02
    assert torch.equal(start, torch.zeros(4000, 2))


def test_the_step_of_the_inertial_sampler_may_be_longer():
    """Stationary variances of x²/2: BAOAB is exact there, Euler is off by h/2 to first order."""
    runs = {}
    for friction in (None, 1.0):
        states = langevin_samples(
            lambda x: 0.5 * x.square().sum(1), torch.zeros(4000, 1, dtype=torch.float64),
            temperature=1.0, step=0.5, steps=600, burn_in=100, every=5, friction=friction, seed=0,
        )  # fmt: skip
        runs[friction] = float(torch.cat(list(states)).var())
    assert runs[1.0] == pytest.approx(1, abs=0.03)
    assert runs[None] == pytest.approx(1 / (1 - 0.25), abs=0.04)


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_sgd_of_a_quadratic_has_the_covariance_of_its_linear_recursion(momentum):
    """v ← μv + (H + λ)θ + noise, θ ← θ − ηv: Σ = AΣAᵀ + Q, from data and added noise."""
    random = generator(2)
    points = torch.randn(50, 2, dtype=torch.float64, generator=random)
    points = (points - points.mean(0)) * torch.tensor([1.0, 3.0])
    hessian, decay, rate, batch = torch.diag(torch.tensor([1.0, 2.0])).double(), 0.2, 0.1, 4
    factor = torch.tensor([[1.0], [-0.5]], dtype=torch.float64)

    def loss(theta, chosen):
        offset = theta[:, None] - points[chosen]
        return (0.5 * (offset @ hessian) * offset).sum(-1).mean(1)

    states = sgd_samples(
        loss, 50, torch.zeros(2000, 2, dtype=torch.float64), batch=batch, learning_rate=rate,
        steps=700, burn_in=200, every=10, momentum=momentum, weight_decay=decay, noise=factor,
        seed=0,
    )  # fmt: skip
    found = torch.cat(list(states)).T.cov()
    one = np.eye(2)
    stiffness = hessian.numpy() + decay * one
    covariance = points.T.cov(correction=0).numpy() / batch
    noise = hessian.numpy() @ covariance @ hessian.numpy() + (factor @ factor.T).numpy()
    step = np.block([[one - rate * stiffness, -rate * momentum * one], [stiffness, momentum * one]])
    kick = np.block([[rate**2 * noise, -rate * noise], [-rate * noise, noise]])
    expected = solve_discrete_lyapunov(step, kick)[:2, :2]
    np.testing.assert_allclose(found, expected, rtol=0.08, atol=0.01 * expected.max())


def test_seeds_decide():
    def run(sampler, seed):
        return torch.stack(list(sampler(seed)))

    x = torch.ones(3, 2)
    one = lambda seed: langevin_samples(  # noqa: E731
        product_loss, x, temperature=1, step=0.1, steps=4, seed=seed
    )
    other = lambda seed: sgd_samples(  # noqa: E731
        lambda theta, chosen: (theta.sum(1)[:, None] - chosen).square().mean(1), 9, x, batch=2,
        learning_rate=0.01, steps=4, seed=seed,
    )  # fmt: skip
    for sampler in (one, other):
        assert torch.equal(run(sampler, 0), run(sampler, 0))
        assert not torch.equal(run(sampler, 0), run(sampler, 1))
        assert run(sampler, 0).shape == (4, 3, 2)


def test_bad_input():
    x = torch.ones(3, 2)
    with pytest.raises(InputError, match="0 ≤ burn_in < steps"):
        langevin_samples(product_loss, x, temperature=1, step=0.1, steps=4, burn_in=4, seed=0)
    with pytest.raises(InputError, match="friction > 0 or None"):
        langevin_samples(product_loss, x, temperature=1, step=0.1, steps=4, friction=0, seed=0)
    with pytest.raises(InputError, match="a step below 100"):
        list(
            langevin_samples(product_loss, x, temperature=1, step=100, steps=40, burn_in=39, seed=0)
        )
    settings = {"batch": 2, "learning_rate": 0.1, "steps": 4, "seed": 0}
    with pytest.raises(InputError, match="momentum of 0 or more"):
        sgd_samples(lambda t, i: t.sum(1), 9, x, momentum=1.0, **settings)
    with pytest.raises(InputError, match=r"noise factor \(2, q\)"):
        sgd_samples(lambda t, i: t.sum(1), 9, x, noise=torch.eye(3), **settings)
    assert math.isfinite(float(product_loss(x).sum()))
