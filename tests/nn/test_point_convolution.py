"""Convolution over points: S_n × E(3), against a loop over pairs, smooth at the cutoff."""

import copy
import pickle
from itertools import product

import pytest
import torch
from scipy.integrate import quad

from goldstone.core import InputError
from goldstone.groups import OrthogonalGroup, SpecialOrthogonalGroup
from goldstone.nn import PointConv, RadialBasis, point_edges, smooth_cutoff
from goldstone.representations import (
    DirectSum,
    O3Irrep,
    SO3Irrep,
    TrivialRepresentation,
    clebsch_gordan,
    multiple,
    spherical_harmonics,
)

SO3, O3 = SpecialOrthogonalGroup(3), OrthogonalGroup(3)
FEATURES = {
    "SO(3)": DirectSum(SO3, [SO3Irrep(0)] * 3 + [SO3Irrep(1)] * 2 + [SO3Irrep(2)]),
    "O(3)": DirectSum(O3, [O3Irrep(1, -1), O3Irrep(0, 1), O3Irrep(0, -1), O3Irrep(1, 1)]),
}


def noise(*shape, seed=0):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=source)


def layer(name="SO(3)", dtype=torch.float64, **options):
    torch.manual_seed(0)
    features = FEATURES[name]
    return PointConv(features, features, cutoff=3.0, dtype=dtype, **options)


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.float64, 1e-12)])
def test_it_commutes_with_permutations_and_motions(name, dtype, tolerance):
    features = FEATURES[name]
    conv = layer(name, dtype)
    x, r = noise(2, 6, features.dimension).to(dtype), noise(2, 6, 3, seed=1).to(dtype)
    value = conv(x, r).detach()
    # Messages matter, and so do directions.
    assert float((conv(x, 1.3 * r) - value).norm() / value.norm()) > 0.05
    for g in features.group.sample(torch.Generator().manual_seed(2), (4,)):
        order = torch.randperm(6, generator=torch.Generator().manual_seed(3))
        turn = features(g).to(dtype)
        moved = (r @ g.to(dtype).T + torch.tensor([1.0, -2.0, 0.5], dtype=dtype))[:, order]
        found = conv((x @ turn.T)[:, order], moved)
        expected = (value @ turn.T)[:, order]
        assert float((found - expected).norm() / expected.norm()) < tolerance
        wrong = conv(x[:, order], moved)
        assert float((wrong - expected).norm() / expected.norm()) > 0.05


def test_it_is_the_sum_over_pairs_and_paths():
    conv = layer(degree=1, radial=4)
    x, r = noise(1, 4, FEATURES["SO(3)"].dimension), 0.7 * noise(1, 4, 3, seed=1)
    irreps, starts = [SO3Irrep(0), SO3Irrep(1), SO3Irrep(2)], ([0, 1, 2], [3, 6], [9])
    expected = torch.zeros_like(conv(x, r))
    for i in range(4):
        middle, count = [], 0
        for part, places in zip(irreps, starts, strict=True):
            for degree, target in product(range(2), irreps):
                for coefficients in clebsch_gordan(part, SO3Irrep(degree), target):
                    for place in places:
                        total = torch.zeros(target.dimension, dtype=torch.float64)
                        for j in set(range(4)) - {i}:
                            between = r[0, j] - r[0, i]
                            distance = between.norm()
                            weight = conv.weights(distance)[count]
                            weight = weight * smooth_cutoff(distance, 3.0)
                            y = spherical_harmonics(degree, between, "component")
                            feature = x[0, j, place : place + part.dimension]
                            total += weight * torch.einsum("a,b,abc->c", feature, y, coefficients)
                        middle.append(total)
                        count += 1
        summed = torch.cat(middle) / conv.neighbours**0.5
        expected[0, i] = (conv.mix(summed) + conv.own(x[0, i])) / 2**0.5
    torch.testing.assert_close(conv(x, r), expected)


def test_vectors_from_scalars_are_the_gradient_of_pair_terms():
    """The closed form: scalars to vectors is Σ w(r) r̂, the axes in the order (y, z, x)."""
    torch.manual_seed(0)
    conv = PointConv(SO3Irrep(0), SO3Irrep(1), 1, cutoff=5.0, dtype=torch.float64, neighbours=1)
    assert conv.own is None
    r = noise(1, 3, 3)
    found = conv(torch.ones(1, 3, 1, dtype=torch.float64), r)
    between = r[0][None] - r[0][:, None]
    distance = between.norm(dim=-1) + torch.eye(3)
    weight = conv.weights(distance)[..., 0] * smooth_cutoff(distance, 5.0)
    weight = weight * (1 - torch.eye(3))
    expected = (weight[..., None] * between / distance[..., None]).sum(1)[:, [1, 2, 0]] * 3**0.5
    # One copy: B is a number.
    scale = found[0, 0] / expected[0]
    torch.testing.assert_close(found[0], scale[0] * expected)


def test_points_beyond_the_cutoff_and_padding_do_not_matter():
    conv = layer()
    x, r = noise(2, 5, FEATURES["SO(3)"].dimension), noise(2, 5, 3, seed=1)
    far = torch.cat([r, torch.full((2, 1, 3), 50.0).double()], 1)
    more = torch.cat([x, x[:, :1]], 1)
    torch.testing.assert_close(conv(more, far)[:, :5], conv(x, r))
    mask = torch.tensor([[True] * 5 + [False]] * 2)
    near = torch.cat([r, r[:, :1]], 1)  # padding on top of a point
    torch.testing.assert_close(conv(more, near, mask)[:, :5], conv(x, r))
    assert conv(more, near, mask).isfinite().all()


def test_forces_are_continuous_at_the_cutoff():
    conv = layer()
    x = noise(1, 2, FEATURES["SO(3)"].dimension)

    def force(distance):
        r = torch.zeros(1, 2, 3, dtype=torch.float64)
        r[0, 1, 0] = distance
        r.requires_grad_()
        (gradient,) = torch.autograd.grad(conv(x, r).sum(), r)
        return gradient

    assert float(force(2.9).norm()) > 1e-3
    assert float(force(3.0 - 1e-4).norm()) < 1e-5
    assert float(force(3.1).norm()) == 0


def test_gradients_of_positions_and_features():
    conv = layer("O(3)", radial=3, hidden=4)
    x = noise(1, 3, FEATURES["O(3)"].dimension).requires_grad_()
    r = noise(1, 3, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(conv, (x, r))
    assert torch.autograd.gradgradcheck(lambda r: conv(x.detach(), r), (r,))
    together = torch.zeros(1, 3, 3, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(conv(x.detach(), together).sum(), together)
    assert found.isfinite().all()


def test_variance_is_kept():
    torch.manual_seed(0)
    features = multiple(SO3Irrep(1), 32)
    conv = PointConv(features, features, cutoff=4.0, neighbours=15.0, hidden=64)
    r = torch.nn.functional.normalize(noise(64, 16, 3), dim=-1).float()
    x = noise(64, 16, features.dimension, seed=2).float()
    assert 0.3 < float(conv(x, r).detach().square().mean()) < 3


def test_radial_functions_are_orthonormal():
    basis = RadialBasis(4, 2.5, dtype=torch.float64)

    def gram(m, n):
        def integrand(r):
            values = basis(torch.tensor(r, dtype=torch.float64))
            return float(values[m] * values[n]) * r**2

        return quad(integrand, 0, 2.5)[0]

    for m, n in product(range(4), repeat=2):
        assert gram(m, n) == pytest.approx(float(m == n), abs=1e-8)
    assert basis(torch.zeros(1, dtype=torch.float64)).isfinite().all()


def test_copies_compilation_and_export():
    conv = layer()
    x, r = noise(2, 5, FEATURES["SO(3)"].dimension), noise(2, 5, 3, seed=1)
    value = conv(x, r)
    for again in (copy.deepcopy(conv).eval(), pickle.loads(pickle.dumps(conv))):
        torch.testing.assert_close(again(x, r), value)
    exported = torch.export.export(conv, (x, r)).module()
    torch.testing.assert_close(exported(x, r), value)
    compiled = torch.compile(conv, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x, r), value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: PointConv(SO3Irrep(0), SO3Irrep(3), 2, cutoff=1), "raise the degree"),
        (lambda: PointConv(O3Irrep(0, 1), O3Irrep(0, -1), cutoff=1), "raise the degree"),
        (lambda: PointConv(SO3Irrep(0), SO3Irrep(0), -1, cutoff=1), "degree l"),
        (lambda: PointConv(SO3Irrep(0), SO3Irrep(0), cutoff=0), "positive cutoff"),
        (lambda: PointConv(SO3Irrep(0), SO3Irrep(0), cutoff=1, neighbours=0), "neighbours"),
        (
            lambda: PointConv(*[TrivialRepresentation(SpecialOrthogonalGroup(2))] * 2, cutoff=1),
            r"SO\(3\) or O\(3\)",
        ),
        (lambda: layer()(noise(2, 5, 14), noise(2, 4, 3)), "expected features"),
        (lambda: layer()(noise(2, 5, 9), noise(2, 5, 3)), "components"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_what_stands_at_padding_does_not_matter():
    """As in the layers on sets: anything, NaN too, in; zeros out, and zero gradients."""
    conv = layer()
    x, r = noise(2, 5, FEATURES["SO(3)"].dimension), noise(2, 5, 3, seed=1)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    padded = r.masked_fill(~mask[..., None], torch.nan).requires_grad_()
    found = conv(x.masked_fill(~mask[..., None], torch.nan), padded, mask)
    torch.testing.assert_close(found[1:, :3], conv(x[1:, :3], r[1:, :3]))
    assert torch.equal(found[~mask], torch.zeros_like(found[~mask]))
    found.square().sum().backward()
    assert padded.grad.isfinite().all()


def test_forces_have_derivatives_where_points_coincide_or_are_far():
    """Forces are trained by their derivative, at a point on top of another one too."""
    conv = layer(dtype=torch.float32)
    x = noise(1, 4, FEATURES["SO(3)"].dimension).float()
    r = torch.zeros(1, 4, 3)
    r[0, 2] = 1e-9
    r[0, 3] = 1e7
    r.requires_grad_()
    (force,) = torch.autograd.grad(conv(x, r).sum(), r, create_graph=True)
    assert force.isfinite().all()
    force.square().sum().backward()
    assert r.grad.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in conv.parameters())


def test_positions_may_be_more_precise_than_features():
    """Far from the origin single precision loses short distances."""
    conv = layer(dtype=torch.float32)
    x, r = noise(1, 4, FEATURES["SO(3)"].dimension).float(), noise(1, 4, 3, seed=1)
    torch.testing.assert_close(conv(x, r + 1e6), conv(x, r.float()), atol=1e-5, rtol=1e-5)


def test_radial_functions_have_all_derivatives_at_and_next_to_zero():
    basis = RadialBasis(4, 2.5, dtype=torch.float64)
    near = torch.tensor([0.0, 1e-200, 1e-9, 0.9e-3, 1.1e-3, 1e-2, 2.0], dtype=torch.float64)
    r = near.clone().requires_grad_()
    (slope,) = torch.autograd.grad(basis(r).sum(), r, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), r)
    k = torch.arange(1, 5, dtype=torch.float64) * torch.pi / 2.5
    # sin(kr)/r = k − k³r²/6 + …: slope −k³r/3 and curvature −k³/3 at small r.
    scale = (2 / 2.5) ** 0.5
    expected = -scale * k.pow(3).sum() / 3
    torch.testing.assert_close(curvature[:3], expected.expand(3), rtol=1e-9, atol=0)
    torch.testing.assert_close(slope[:3].detach(), expected * near[:3], rtol=1e-9, atol=1e-300)
    x, c, s = near[3:, None] * k, (near[3:, None] * k).cos(), (near[3:, None] * k).sin()
    exact = scale * (k * (x * c - s) * k / x**2).sum(-1)
    torch.testing.assert_close(slope[3:].detach(), exact, rtol=1e-7, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_edges_are_the_pairs_within_the_cutoff(dtype):
    conv = layer(dtype=dtype)
    x, r = (noise(2, 6, 14).to(dtype), 1.5 * noise(2, 6, 3, seed=1).to(dtype))
    dense = conv(x, r)
    sample = torch.arange(2).repeat_interleave(6)
    edges = point_edges(r.flatten(0, 1), 3.0, sample=sample)
    assert 0 < len(edges.receiver) < 60
    torch.testing.assert_close(conv(x.flatten(0, 1), edges), dense.flatten(0, 1))


def test_forces_of_edges_are_those_of_pairs():
    conv = layer("O(3)")
    x, r = noise(1, 5, FEATURES["O(3)"].dimension), noise(1, 5, 3, seed=1).requires_grad_()
    (dense,) = torch.autograd.grad(conv(x, r).square().sum(), r)
    flat = r.detach()[0].clone().requires_grad_()
    value = conv(x[0], point_edges(flat, 3.0)).square().sum()
    (sparse,) = torch.autograd.grad(value, flat, create_graph=True)
    torch.testing.assert_close(sparse, dense[0])
    sparse.square().sum().backward()
    assert flat.grad.isfinite().all()


def test_copies_compilation_and_export_with_edges():
    conv = layer()
    x, r = noise(6, 14), noise(6, 3, seed=1)
    edges = point_edges(r, 3.0)
    value = conv(x, edges)
    compiled = torch.compile(conv, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x, edges), value)
    exported = torch.export.export(conv, (x, edges)).module()
    torch.testing.assert_close(exported(x, edges), value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: layer()(noise(2, 5, 14), noise(2, 5, 3), torch.ones(2, 5)), "boolean mask"),
        (
            lambda: layer()(noise(2, 5, 14), noise(2, 5, 3), torch.ones(2, 4, dtype=torch.bool)),
            "boolean mask",
        ),
        (
            lambda: layer()(noise(2, 5, 14), point_edges(noise(10, 3), 3.0)),
            r"\(point, components\)",
        ),
        (lambda: layer()(noise(5, 14), point_edges(noise(5, 3), 3.0), torch.ones(5)), "no mask"),
    ],
)
def test_bad_masks_and_edges(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_constants_are_exact_after_half_precision():
    conv = layer()
    exact = {name: value.clone() for name, value in conv.named_buffers()}
    conv.half().double()
    assert all(torch.equal(exact[name], value) for name, value in conv.named_buffers())
