"""Convolution over turns and scales at once: quarter turns exact, other angles measured."""

from itertools import product

import pytest
import torch
from torch import nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup, SpecialOrthogonalGroup
from goldstone.nn import (
    GroupPool,
    OrbitBatchNorm3d,
    ScaleConv2d,
    ScaleFilters,
    ScaleLiftingConv2d,
    ScalePool,
    exactness,
    scale_exactness,
)
from goldstone.nn.turning_error import grid_elements, turned

C4, C8, D4 = CyclicGroup(4), CyclicGroup(8), DihedralGroup(4)


def noise(*shape, seed=0, dtype=torch.float64):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=source).to(dtype)


def few(group, scales=3, **options):
    """Small filters, for speed; what they lose in sampling does not matter here."""
    return ScaleFilters(scales, order=1, extent=2.5, group=group, **options)


def lifting(filters, *sizes, dtype=torch.float64, seed=0, **options):
    torch.manual_seed(seed)
    layer = ScaleLiftingConv2d(filters, *sizes, exact=False, dtype=dtype, **options)
    return spread(layer)


def between(filters, *sizes, dtype=torch.float64, seed=1, **options):
    torch.manual_seed(seed)
    return spread(ScaleConv2d(filters, *sizes, exact=False, dtype=dtype, **options))


def spread(layer):
    with torch.no_grad():
        layer.bias.copy_(noise(len(layer.bias), seed=3))
    return layer


pytestmark = pytest.mark.filterwarnings("ignore:filters of sigma")


def slow_kernel(filters, coefficients, scale, matrix):
    """Σ_b c_b N_b ψ_b(g⁻¹d), tap by tap."""
    sigma, margin = filters.sigmas[scale], filters.margins[scale]
    taps = range(-margin, margin + 1)

    def function(k, u, v):
        hermite = (1.0, u, u * u - 1)[k[0]] * (1.0, v, v * v - 1)[k[1]]
        return hermite * float(torch.tensor(-(u * u + v * v) / 2).double().exp())

    norms = []
    for k in filters.orders:
        sums = [
            sum(
                (function(k, x / s, y / s) / s**2) ** 2
                for x, y in product(range(-m, m + 1), repeat=2)
            )
            for s, m in zip(filters.sigmas, filters.margins, strict=True)
        ]
        norms.append((sum(sums) / len(sums)) ** -0.5)
    kernel = torch.zeros(2 * margin + 1, 2 * margin + 1, dtype=torch.float64)
    back = torch.linalg.inv(matrix.double())
    for (i, x), (j, y) in product(enumerate(taps), repeat=2):
        u, v = (back @ torch.tensor([x, y], dtype=torch.float64) / sigma).tolist()
        kernel[i, j] = sum(
            c * n * function(k, u, v) / sigma**2
            for c, n, k in zip(coefficients, norms, filters.orders, strict=True)
        )
    return kernel


@pytest.mark.parametrize("group", [CyclicGroup(3), C8, DihedralGroup(2)], ids=lambda g: g.name)
def test_lifting_is_the_response_to_the_filter_in_every_pose(group):
    filters = few(group, 2)
    layer, x = lifting(filters, 1, 1), noise(1, 1, 9, 9)
    found = layer(x)
    assert found.shape == (1, group.order, 2, 9, 9)
    matrices, own = group.matrices(group.element_tensor()), layer.coefficients[0, 0, 0].tolist()
    for s, (g, matrix) in product(range(2), enumerate(matrices)):
        kernel = slow_kernel(filters, own, s, matrix) / group.order**0.5
        expected = functional.conv2d(x, kernel[None, None], padding=filters.margins[s])[0, 0]
        torch.testing.assert_close(found[0, g, s], expected + layer.bias[0])


@pytest.mark.parametrize("group", [C4, DihedralGroup(3)], ids=lambda g: g.name)
def test_it_is_the_sum_over_elements_scales_and_steps(group):
    """Σ_{i,h,t} K_{ci,g⁻¹h,t}(g⁻¹d) in_{ih,s+t}, by loops, D3 not commutative."""
    filters, n = few(group, 2), group.order
    layer = between(filters, 2, 1, reach=2, edge="zeros")
    x = noise(1, 2 * n, 2, 7, 7)
    found = layer(x)
    elements = group.element_tensor()
    numbers = {value: k for k, value in enumerate(group.elements())}
    matrices = group.matrices(elements)
    coefficients = layer.coefficients.reshape(2, 2, n, filters.count).detach()
    for s, g in product(range(2), range(n)):
        total = layer.bias[0].expand(7, 7)
        for i, h, t in product(range(2), range(n), range(2 - s)):
            step = group.compose(group.inverse(elements[g]), elements[h])
            own = coefficients[i, t, numbers[group.value(step)]].tolist()
            kernel = slow_kernel(filters, own, s, matrices[g]) / n**0.5
            total = (
                total
                + functional.conv2d(
                    x[:, i * n + h, s + t][:, None], kernel[None, None], padding=filters.margins[s]
                )[0, 0]
            )
        torch.testing.assert_close(found[0, g, s], total)


class Turned(nn.Module):
    """Strides, norms, both pools: every kind of layer that may stand in such a network."""

    def __init__(self, group, dtype, **options):
        super().__init__()
        filters = few(group)
        norm = OrbitBatchNorm3d
        self.fields = nn.Sequential(
            lifting(filters, 2, 2, dtype=dtype, **options),
            nn.ReLU(),
            between(filters, 2, 2, reach=2, stride=2, dtype=dtype, **options),
            norm(between(filters, 2, 2).target, dtype=dtype),
            nn.SiLU(),
            between(filters, 2, 3, dtype=dtype, **options),
        )
        self.target = self.fields[-1].target
        self.pools = nn.Sequential(GroupPool(self.target), ScalePool())

    def forward(self, x):
        fields = self.fields(x)
        return fields, self.pools(fields)


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-6), (torch.float64, 1e-13)])
@pytest.mark.parametrize("options", [{}, {"padding": "valid"}, {"padding_mode": "circular"}])
@pytest.mark.parametrize("group", [C4, C8, D4], ids=lambda g: g.name)
def test_quarter_turns_and_reflections_of_a_deep_network_are_exact(group, options, dtype, allowed):
    network = Turned(group, dtype, **options)
    periodic = options.get("padding_mode") == "circular"
    size = 24 if periodic else 41 if options else 25
    x = noise(2, 2, size, size, dtype=dtype)
    network.train()(x)
    network.eval()
    source = lifting(few(group), 2, 1).source
    pivot = "node" if periodic else "cell"
    elements = grid_elements(group, (size, size))
    assert len(elements) == (7 if group is D4 else 3)
    with torch.no_grad():
        fields, pooled = network(x)
        for g in elements:
            again, pooled_again = network(turned(source, g, x, pivot))
            expected = turned(network.target, g, fields, pivot)
            assert (again - expected).norm() < allowed * expected.norm()
            assert (again - fields).norm() > 0.1 * fields.norm()
            trivial = network.pools[0].target
            expected = turned(trivial, g, pooled, pivot)
            assert (pooled_again - expected).norm() < allowed * expected.norm()
            assert (pooled_again - pooled).norm() > 0.1 * pooled.norm()


def test_eighth_turns_and_scales_together_are_as_good_as_sampling():
    filters = ScaleFilters(3, group=C8)
    torch.manual_seed(0)
    network = nn.Sequential(
        ScaleLiftingConv2d(filters, 1, 2),
        nn.SiLU(),
        ScaleConv2d(filters, 2, 2, 2),
    ).double()
    target = network[2].target

    def measured(network, steps, element, fibre):
        return scale_exactness(
            network, filters.base, steps, element=element, fibre=fibre, samples=2
        ).worst

    for steps, element in ((0, 1), (1, 0), (1, 3)):
        assert 1e-5 < measured(network, steps, element, target) < 1e-2
    assert measured(network, 0, 2, target) < 1e-13
    # The fields do turn: by another element, which the fibre is told of, they are not the same.
    assert measured(nn.Sequential(network, Backwards(target)), 0, 1, target) > 0.1
    pooled = nn.Sequential(network, GroupPool(target, "mean"), ScalePool("mean"))
    assert measured(pooled, 0, 1, pooled[1].target) < 1e-2


class Backwards(nn.Module):
    """Fields with their components in the wrong order."""

    def __init__(self, fibre):
        super().__init__()
        self.order = fibre.group.order

    def forward(self, x):
        return x.unflatten(1, (-1, self.order)).flip(2).flatten(1, 2)


def test_measured_layers_of_a_network():
    """Every layer is measured at the features it meets, over scales too, and a wrong one named."""
    layers = [
        lifting(few(C4), 1, 2),
        nn.ReLU(),
        between(few(C4), 2, 2, reach=2),
        GroupPool(between(few(C4), 2, 2).target),
        ScalePool(),
    ]
    found = exactness(nn.Sequential(*layers).eval(), noise(1, 1, 11, 11))
    assert [layer.name for layer in found] == ["0", "2", "3", "4"]
    assert {layer.grid for layer in found} == {(11, 11)}
    assert all(layer.error < 1e-13 for layer in found)
    with torch.no_grad():
        kernel = layers[2].bases[0].turned
        kernel += 0.1 * noise(*kernel.shape)
    found = exactness(nn.Sequential(*layers).eval(), noise(1, 1, 11, 11))
    assert [layer.name for layer in found if layer.error > 1e-3] == ["2"]


def test_every_coefficient_counts():
    """The kernels of all coefficients are linearly independent: nothing is free twice."""
    for layer in (lifting(few(C4), 2, 1), between(few(C4), 1, 1, reach=2)):
        count = layer.coefficients.numel()
        columns = []
        for k in range(count):
            with torch.no_grad():
                layer.coefficients.zero_().view(-1)[k] = 1.0
            columns.append(torch.cat([layer.weight(s).detach().flatten() for s in range(3)]))
        assert torch.linalg.matrix_rank(torch.stack(columns)) == count
        # Channels times turns times functions: those of the theory.
        fields = layer.in_fields * (1 if isinstance(layer, ScaleLiftingConv2d) else 4)
        assert count == fields * layer.reach * layer.filters.count


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: ScaleFilters(2, group=SpecialOrthogonalGroup(2)), r"CyclicGroup\(8\)"),
        (lambda: ScaleFilters(2, group=SpecialOrthogonalGroup(3)), "rotations and reflections"),
        (
            lambda: scale_exactness(
                lifting(few(C4), 1, 1), 1.5, element=7, fibre=lifting(few(C4), 1, 1).target
            ),
            "C4",
        ),
        (lambda: between(few(C4), 2, 1)(noise(1, 2, 3, 7, 7)), r"\(batch, 8, scale, X, Y\)"),
        (
            lambda: scale_exactness(lifting(few(C4), 1, 1), 1.5, 0, element=1, size=21),
            "an element with the fibre",
        ),
        (
            lambda: scale_exactness(
                lifting(few(C4), 1, 1),
                1.5,
                0,
                element=1,
                fibre=lifting(few(C4), 1, 2).target,
                size=21,
            ),
            "fibre of an output with 4 channels",
        ),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()
