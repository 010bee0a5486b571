"""Convolution on Lie groups: exact under left multiplication, integrals in closed form."""

import copy
import pickle
from math import pi

import numpy as np
import pytest
import torch
from torch import nn

from goldstone.actions import Symmetry, TrivialAction
from goldstone.core import InputError
from goldstone.groups import (
    AdditiveGroup,
    CyclicGroup,
    LorentzGroup,
    OrthogonalGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
)
from goldstone.nn import LieConv, LiePool, lift_features, lift_points, relative_logarithms
from goldstone.representations import SO3Irrep
from goldstone.testing import assert_equivariant

SE2, SO3 = SpecialEuclideanGroup(2), SpecialOrthogonalGroup(3)
GROUPS = [SE2, SO3, SpecialEuclideanGroup(3), LorentzGroup(2), AdditiveGroup(2)]


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=source(seed))


def small(group, *shape, seed=0):
    """Elements near the identity, so that any two have a relative logarithm."""
    return group.exp(0.4 * noise(*shape, group.dimension, seed=seed))


def layer(group, *sizes, dtype=torch.float64, seed=0, **options):
    torch.manual_seed(seed)
    return LieConv(group, *sizes, dtype=dtype, **options)


class LeftMultiplication:
    """u·(f, h) = (f, u h): the function moves with its samples."""

    def __init__(self, group):
        self.group = group

    def act(self, u, x, context):
        features, elements = x
        return features, self.group.compose(self.group.tensor((u,))[0], elements)


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_left_multiplication_of_all_samples_is_exact(group, dtype, allowed):
    first = layer(group, 3, 8, dtype=dtype, cutoff=2.5)
    second = layer(group, 8, 4, dtype=dtype, cutoff=2.5, seed=1)

    def network(features, elements):
        steps = relative_logarithms(group, elements)
        return second(first(features, steps).relu(), steps)

    symmetry = Symmetry(group.name, group, LeftMultiplication(group), TrivialAction())
    features, elements = noise(2, 9, 3).to(dtype), small(group, 2, 9)
    moves = group.values(small(group, 4, seed=5))
    x = (features, elements)
    assert_equivariant(network, symmetry, x, tolerance=allowed, elements=moves)
    # Neither the features nor the places are without effect.
    value = network(features, elements)
    for other in (
        network(features.flip(1), elements),
        network(features, small(group, 2, 9, seed=3)),
    ):
        assert (other - value).norm() > 0.05 * value.norm()
    if not isinstance(group, AdditiveGroup):
        right = group.compose(elements, small(group, 2, 9, seed=6)[:, :1])
        assert (network(features, right) - value).norm() > 0.01 * value.norm()


def test_elements_in_single_precision():
    conv, elements = layer(SO3, 3, 2, dtype=torch.float32), small(SO3, 1, 6)
    features = noise(1, 6, 3).float()
    value = conv(features, relative_logarithms(SO3, elements))
    u = small(SO3, 1)[0].float()
    again = conv(features, relative_logarithms(SO3, SO3.compose(u, elements.float())))
    assert 0 < (again - value).norm() < 2e-6 * value.norm()


def test_it_is_the_sum_over_samples():
    conv = layer(SE2, 3, 2, scales=(1.5, 2.0, 2.0), cutoff=1.2)
    with torch.no_grad():
        conv.bias.copy_(noise(2))
    features, elements, targets = noise(1, 7, 3), small(SE2, 1, 7), small(SE2, 1, 4, seed=1)
    weights = noise(1, 7, seed=4).abs()
    found = conv(features, relative_logarithms(SE2, elements, targets), weights)
    for i in range(4):
        total, mass = torch.zeros(2, dtype=torch.float64), 0.0
        for j in range(7):
            step = torch.linalg.inv(elements[0, j]) @ targets[0, i]
            a = SE2.log(step) / torch.tensor([1.5, 2.0, 2.0])
            r = float(a.norm()) / 1.2
            share = float(weights[0, j]) * (1 - 28 * r**6 + 48 * r**7 - 21 * r**8) * (r < 1)
            matrix = torch.einsum("ocm,m->oc", conv.weight, conv.kernel(a))
            total, mass = total + share * matrix @ features[0, j], mass + share
        torch.testing.assert_close(found[0, i], total / mass + conv.bias)


class Character(nn.Module):
    """χ_l(θ) = sin((2l + 1)θ/2) / sin(θ/2) of rotation vectors."""

    def __init__(self, degree):
        super().__init__()
        self.degree = degree

    def forward(self, a):
        half = a.norm(dim=-1, keepdim=True) / 2
        return ((2 * self.degree + 1) * half).sin() / half.sin()


def with_kernel(group, kernel, **options):
    conv = LieConv(group, 1, 1, kernel=kernel, functions=1, bias=False, dtype=torch.float64)
    nn.init.ones_(conv.weight)
    return conv


def euler_rule(degree):
    """Rotations and weights that integrate Wigner functions up to this degree exactly."""
    n = degree + 1
    angle = 2 * pi * torch.arange(n, dtype=torch.float64) / n
    node, weight = (torch.tensor(v) for v in np.polynomial.legendre.leggauss(degree // 2 + 1))
    a, b, c = torch.meshgrid(angle, node.acos(), angle, indexing="ij")
    zero = torch.zeros_like(a).flatten()

    def turn(x, y, z):
        return SO3.exp(torch.stack((x, y, z), -1))

    rotations = turn(zero, zero, a.flatten()) @ turn(zero, b.flatten(), zero)
    rotations = rotations @ turn(zero, zero, c.flatten())
    weights = (weight / 2)[None, :, None].expand(n, -1, n).flatten() / n**2
    return rotations, weights


@pytest.mark.parametrize(("l", "k"), [(0, 0), (1, 1), (2, 2), (2, 1), (1, 3)])
def test_characters_project_onto_their_matrix_elements(l, k):  # noqa: E741
    """∫ χ_k(h⁻¹g) D^l_mn(h) dh = δ_kl D^l_mn(g) / (2l + 1), to rounding by a quadrature rule."""
    rotations, weights = euler_rule(l + k)
    elements = SO3.sample(source(1), ())[None] @ rotations  # away from the half turns
    targets = SO3.sample(source(2), (1, 5))
    conv = with_kernel(SO3, Character(k))
    irrep = SO3Irrep(l)
    steps = relative_logarithms(SO3, elements[None], targets)
    for m in range(2 * l + 1):
        f, g = (irrep.matrix(x)[..., m, 0] for x in (elements, targets))
        expected = g / (2 * l + 1) if k == l else torch.zeros_like(g)
        found = conv(f[None, :, None], steps, weights[None])[..., 0]
        torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


def test_random_samples_approach_the_integral_as_their_root():
    conv, irrep = with_kernel(SO3, Character(1)), SO3Irrep(1)
    targets = SO3.sample(source(2), (1, 3))
    expected = irrep.matrix(targets)[..., 0, 0] / 3
    errors = []
    for n in (64, 1024):
        elements = SO3.sample(source(3), (64, n))
        steps = relative_logarithms(SO3, elements, targets.expand(64, -1, -1, -1))
        found = conv(irrep.matrix(elements)[..., :1, 0], steps)[..., 0].detach()
        errors.append(float((found - expected).square().mean().sqrt()))
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.25)
    # The variance of one sample: E (χ₁ D₀₀)² − (D₀₀/3)², between 0 and max χ₁² E D₀₀² = 3.
    assert errors[1] < (3 / 1024) ** 0.5


class GaussianOfMotion(nn.Module):
    """exp(−|t|²/2) cos φ of the logarithm (φ, v) of the motion (φ, t)."""

    def forward(self, a):
        angle, v = a[..., :1], a[..., 1:]
        shift = v.square().sum(-1, keepdim=True) * torch.sinc(angle / (2 * pi)).square()
        return (-shift / 2).exp() * angle.cos()


def test_gaussians_on_the_motions_of_the_plane():
    """∫ e^{−|x−y|²/2} cos(θ−ψ) e^{−|y|²/2τ²} cos ψ = cos θ e^{−|x|²/2(1+τ²)} πτ²/(1+τ²)."""
    tau, spacing = 0.8, 0.5
    axis = spacing * torch.arange(-10, 11, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)[None]
    elements = lift_points(SE2, points, 3, generator=source(0), spacing="even")
    targets = SE2.sample(source(1), (1, 4))
    f = torch.exp(-elements[..., :2, 2].square().sum(-1) / (2 * tau**2)) * elements[..., 0, 0]
    conv = with_kernel(SE2, GaussianOfMotion())
    found = conv(f[..., None], relative_logarithms(SE2, elements, targets))[..., 0]
    integral = found * points.shape[1] * spacing**2
    square = targets[..., :2, 2].square().sum(-1)
    expected = targets[..., 0, 0] * (-square / (2 + 2 * tau**2)).exp()
    torch.testing.assert_close(integral, expected * pi * tau**2 / (1 + tau**2), rtol=0, atol=1e-6)


def cloud_network(group, orbits=0):
    torch.manual_seed(0)
    options = {"invariants": 2 * orbits, "dtype": torch.float64, "scales": 1.5}
    layers = nn.ModuleList([LieConv(group, 1, 8, **options), LieConv(group, 8, 4, **options)])

    def run(points, samples, seed, spacing):
        elements = lift_points(group, points, samples, generator=source(seed), spacing=spacing)
        size = points.norm(dim=-1, keepdim=True)
        radius = lift_features(size, elements) if orbits else None
        steps = relative_logarithms(group, elements, orbits=radius)
        f = lift_features(torch.ones_like(size), elements)
        return LiePool()(layers[1](layers[0](f, steps).tanh(), steps).tanh())

    return run


@pytest.mark.parametrize(("group", "orbits"), [(SE2, 0), (SO3, 1)], ids=("SE(2)", "SO(3)"))
def test_clouds_lifted_afresh_agree_in_the_limit_of_many_samples(group, orbits):
    run = cloud_network(group, orbits)
    points = noise(1, 4, 2 if group == SE2 else 3)
    u = group.sample(source(9))
    moved = points @ u[: points.shape[-1], : points.shape[-1]].mT
    if group == SE2:
        moved = moved + u[:2, 2]
    errors = {}
    with torch.no_grad():
        for spacing in ("random", "even"):
            for samples in (5, 45):
                pairs = [
                    (run(points, samples, k, spacing), run(moved, samples, 50 + k, spacing))
                    for k in range(6)
                ]
                difference = torch.stack([a - b for a, b in pairs]).norm()
                errors[spacing, samples] = difference / torch.stack([a for a, _ in pairs]).norm()
    assert errors["random", 45] < 0.6 * errors["random", 5]
    assert errors["even", 5] < errors["random", 5]
    assert errors["even", 45] < 0.3 * errors["random", 45]
    # The cloud matters: another one is told apart.
    other = run(1.5 * points, 45, 0, "even")
    first = run(points, 45, 0, "even")
    assert (other - first).norm() > 3 * errors["even", 45] * first.norm()


def test_pooling_and_padding():
    conv = layer(SE2, 3, 2)
    features, elements = noise(1, 6, 3), small(SE2, 1, 6)
    weights = torch.tensor([[1.0, 2.0, 0.5, 1.0, 0.0, 0.0]])
    whole = conv(features, relative_logarithms(SE2, elements), weights)
    steps = relative_logarithms(SE2, elements[:, :4])
    part = conv(features[:, :4], steps, weights[:, :4])
    torch.testing.assert_close(whole[:, :4], part)
    for reduction in ("mean", "max"):
        pool = LiePool(reduction)
        torch.testing.assert_close(pool(whole, weights), pool(part, weights[:, :4]))
    torch.testing.assert_close(LiePool()(part), part.mean(1))
    torch.testing.assert_close(LiePool("max")(part), part.amax(1))
    far = conv(features, torch.full((1, 1, 6, 3), 0.1), torch.zeros(1, 6))
    assert bool((far == conv.bias).all())


def test_variance_is_kept_where_samples_agree():
    squares = []
    for seed in range(40):
        conv = layer(SO3, 16, 16, seed=seed, scales=4.0)
        steps = relative_logarithms(SO3, small(SO3, 4, 6, seed=seed))
        f = noise(4, 1, 16, seed=seed).expand(-1, 6, -1)
        squares.append(float(conv(f, steps).detach().square().mean()))
    assert sum(squares) / 40 == pytest.approx(1.0, abs=0.2)


def test_a_network_learns_an_invariant_of_clouds():
    """The energy Σ exp(−r²) of pairs, from 512 clouds, lifted anew at every step."""
    torch.manual_seed(0)
    chance = source()
    first, second, last = LieConv(SE2, 1, 16), LieConv(SE2, 16, 16), nn.Linear(16, 1)
    network = nn.ModuleList([first, second, last])
    optimiser = torch.optim.Adam(network.parameters(), 0.01)

    def loss(clouds):
        points = torch.randn(clouds, 5, 2, generator=chance)
        wanted = (-torch.cdist(points, points).square()).exp().sum((1, 2))[:, None] / 2 - 4.5
        g = lift_points(SE2, points, 3, generator=chance, spacing="even")
        steps = relative_logarithms(SE2, g)
        hidden = first(torch.ones(*g.shape[:2], 1), steps).relu()
        found = last(LiePool()(second(hidden, steps).relu()))
        return (found - wanted).square().mean() / wanted.var()

    for _ in range(32):
        optimiser.zero_grad()
        loss(16).backward()
        assert all(parameter.grad.abs().max() > 0 for parameter in network.parameters())
        optimiser.step()
    assert float(loss(128).detach()) < 0.15


def test_habits_of_a_module():
    conv = layer(SE2, 3, 2, cutoff=2.0)
    features, steps = noise(2, 6, 3), relative_logarithms(SE2, small(SE2, 2, 6))
    value = conv(features, steps)
    for again in (copy.deepcopy(conv).eval(), pickle.loads(pickle.dumps(conv))):
        assert torch.equal(again(features, steps), value)
    exported = torch.export.export(conv, (features, steps)).module()
    torch.testing.assert_close(exported(features, steps), value)
    compiled = torch.compile(conv, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(features, steps), value)
    assert "scales" not in conv.state_dict()
    single = layer(SE2, 3, 2, cutoff=2.0, dtype=torch.float32)
    single.load_state_dict(conv.state_dict())
    with torch.autocast("cpu", torch.bfloat16):
        half = single(features.float(), steps)
    assert (half.double() - value).norm() < 0.05 * value.norm()
    features.requires_grad_()
    assert torch.autograd.gradcheck(lambda f: conv(f, steps), (features,))
    conv.reset_parameters(source(4))
    again = layer(SE2, 3, 2, cutoff=2.0, seed=8)
    again.reset_parameters(source(4))
    assert torch.equal(again(features, steps), conv(features, steps))
    assert "SE(2), 3 → 2" in repr(conv)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: LieConv(CyclicGroup(4), 1, 1), "GroupConv2d"),
        (lambda: LieConv(SE2, 1, 1, scales=(1.0, 2.0)), "one for each of"),
        (lambda: LieConv(SE2, 1, 1, scales=0.0), "positive scale"),
        (lambda: LieConv(SE2, 0, 1), "positive channels"),
        (lambda: LieConv(SE2, 1, 1, cutoff=-1), "positive channels"),
        (lambda: LieConv(SE2, 1, 1)(noise(1, 4, 2), noise(1, 4, 4, 3)), r"\(batch, n, 1\)"),
        (lambda: LieConv(SE2, 1, 1)(noise(1, 4, 1), noise(1, 4, 4, 5)), "'invariants'"),
        (
            lambda: LieConv(SE2, 1, 1)(noise(1, 4, 1).float(), noise(1, 4, 4, 3), noise(4)),
            "expected weights",
        ),
        (lambda: LiePool("sum"), "'mean' or 'max'"),
        (lambda: LiePool()(noise(1, 4, 1), noise(4)), "weights"),
        (
            lambda: relative_logarithms(
                SO3, torch.stack((torch.eye(3), torch.diag(torch.tensor([1.0, -1, -1]))))[None]
            ),
            "no relative logarithm",
        ),
        (
            lambda: relative_logarithms(
                OrthogonalGroup(2),
                torch.stack((torch.eye(2), torch.diag(torch.tensor([1.0, -1]))))[None],
            ),
            "one component",
        ),
        (lambda: relative_logarithms(SE2, small(SE2, 4)), "targets of the same batch"),
        (
            lambda: relative_logarithms(SE2, small(SE2, 1, 4), orbits=noise(1, 3, 1)),
            "target_orbits",
        ),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()
