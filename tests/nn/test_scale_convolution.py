"""Convolution over scales: closed forms, rescaled images without interpolation, what is cut off."""

import copy
import pickle
from math import pi

import pytest
import torch
from torch import nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn import (
    ScaleConv2d,
    ScaleFilters,
    ScaleLiftingConv2d,
    ScalePool,
    scale_exactness,
)

FILTERS = ScaleFilters(4)


def noise(*shape, seed=0):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=source)


def lifting(filters=FILTERS, *channels, seed=0, **options):
    torch.manual_seed(seed)
    return ScaleLiftingConv2d(filters, *(channels or (1, 4)), dtype=torch.float64, **options)


def between(filters=FILTERS, *channels, reach=2, seed=1, **options):
    torch.manual_seed(seed)
    channels = channels or (4, 4)
    return ScaleConv2d(filters, *channels, reach, dtype=torch.float64, **options)


class Peak(nn.Module):
    def forward(self, x):
        return x.amax((-2, -1))


def hermite(order, u):
    return (torch.ones_like(u), u, u**2 - 1, u**3 - 3 * u)[order]


def test_responses_to_a_gaussian_are_its_derivatives():
    """∫ H_m H_n e^{−d²/2σ²}/σ² e^{−(p+d)²/2τ²}: Hermite functions of width √(σ² + τ²)."""
    filters, tau, size = ScaleFilters(3, 1.5, 1.2, 3, extent=6.0), 2.0, 61
    axis = torch.arange(size, dtype=torch.float64) - size // 2
    bump = (-axis.square() / (2 * tau**2)).exp()
    layer = lifting(filters, 1, filters.count)
    with torch.no_grad():
        layer.coefficients.copy_(torch.eye(filters.count)[:, None, None])
    found = layer(torch.outer(bump, bump)[None, None]).detach()[0]
    for b, orders in enumerate(filters.orders):
        responses = []
        for s, sigma in enumerate(filters.sigmas):
            v = sigma**2 + tau**2
            lines = [
                (2 * pi / v) ** 0.5
                * tau
                * (-sigma / v**0.5) ** k
                * hermite(k, axis / v**0.5)
                * (-axis.square() / (2 * v)).exp()
                for k in orders
            ]
            responses.append(torch.outer(*lines))
            # All scales have one factor N.
            factor = (found[b, s] * responses[s]).sum() / responses[s].square().sum()
            first = (found[b, 0] * responses[0]).sum() / responses[0].square().sum()
            assert float(factor / first) == pytest.approx(1.0, abs=1e-6)
            assert (found[b, s] - factor * responses[s]).norm() < 5e-6 * found[b, s].norm()


def image(scale, size=81, blobs=5, width=3.5):
    """Gaussians about the middle point, at another size without interpolation."""
    axis = (torch.arange(size, dtype=torch.float64) - size // 2) / scale
    centres = 2.5 * noise(blobs, 2, seed=3)
    lines = [(-(axis - centres[:, k, None]).square() / (2 * width**2)).exp() for k in (0, 1)]
    return torch.einsum("b,bx,by->xy", noise(blobs, seed=4), *lines)[None, None]


@pytest.mark.parametrize(("activation", "allowed"), [(nn.SiLU, 2e-3), (nn.ReLU, 2e-2)])
def test_enlarging_twofold_shifts_by_two_scales_of_a_root_of_two(activation, allowed):
    """Every point of the small output is a point of the large one: nothing is interpolated."""
    network = nn.Sequential(
        lifting(ScaleFilters(5)),
        activation(),
        between(ScaleFilters(5)),
        activation(),
        between(ScaleFilters(5)),
    )
    with torch.no_grad():
        small, large = network(image(1.0)), network(image(2.0))
    assert small.shape == (1, 4, 3, 81, 81)
    found, expected = large[:, :, 2:, ::2, ::2], small[:, :, :1, 20:61, 20:61]
    assert (found - expected).norm() < allowed * expected.norm()
    # At the same scale it is another output, and the scales differ.
    assert (large[:, :, :1, ::2, ::2] - expected).norm() > 0.3 * expected.norm()


def test_the_sum_over_scales_and_steps():
    for edge in ("valid", "zeros"):
        layer = between(FILTERS, 2, 3, reach=3, edge=edge)
        with torch.no_grad():
            layer.bias.copy_(noise(3))
        x = noise(1, 2, 4, 9, 9)
        found = layer(x)
        assert found.shape[2] == (2 if edge == "valid" else 4)
        for s in range(found.shape[2]):
            weight = layer.weight(s)
            total = layer.bias[None, :, None, None].expand(1, 3, 9, 9)
            for t in range(3):
                if s + t < 4:
                    margin = FILTERS.margins[s]
                    total = total + functional.conv2d(
                        x[:, :, s + t], weight[:, :, t], None, 1, margin
                    )
            torch.testing.assert_close(found[:, :, s], total)


def test_weights_of_all_scales_are_one_function():
    """K^s at a multiple of its taps is K⁰ over base^{2s}, where both have taps."""
    layer = lifting(ScaleFilters(3, 2.0), 1, 1)
    first = layer.weight(0)[0, 0, 0]
    for s in (1, 2):
        other = layer.weight(s)[0, 0, 0]
        k, m, n = 2**s, FILTERS.margins[0], other.shape[-1] // 2
        places = slice(n - k * m, n + k * m + 1, k)
        torch.testing.assert_close(other[places, places] * 4**s, first)


def test_measured_errors_of_layers_and_of_what_is_cut_off():
    exact = scale_exactness(lifting(), FILTERS.base)
    assert len(exact.errors) == 3
    assert 0 < exact.worst < 5e-4
    assert exact.factor == pytest.approx(2**0.5)
    silu = nn.SiLU()
    valid = nn.Sequential(lifting(), silu, between())
    assert scale_exactness(valid, FILTERS.base).worst < 1e-3
    # The last scale misses a term: declared, and measured.
    cut = scale_exactness(nn.Sequential(lifting(), silu, between(edge="zeros")), FILTERS.base)
    assert max(cut.errors[:-1]) < 1e-3
    assert cut.errors[-1] > 0.1
    pooled = scale_exactness(nn.Sequential(valid, ScalePool()), FILTERS.base)
    assert len(pooled.errors) == 1


def test_sampling_error_tells_filters_that_the_grid_holds():
    assert FILTERS.sampling_error() < 3e-4
    assert ScaleFilters(4, extent=3.0).sampling_error() > 10 * FILTERS.sampling_error()
    assert ScaleFilters(4, sigma=0.6).sampling_error() > 0.1
    assert ScaleFilters(4, sigma=1.2, extent=5.0).sampling_error() < 1e-5
    # It foretells what is measured on images.
    for options in ({}, {"extent": 3.0}, {"sigma": 0.8}):
        filters = ScaleFilters(3, **options)
        measured = scale_exactness(lifting(filters), filters.base).worst
        assert measured < 3 * filters.sampling_error()
    with pytest.raises(InputError, match=r"measured error is .* larger sigma"):
        lifting(ScaleFilters(4, sigma=0.5))
    with pytest.warns(UserWarning, match="measured error"):
        lifting(ScaleFilters(4, sigma=0.5), exact=False)


@pytest.mark.parametrize("factor", [2**0.5, 1.3])
def test_peaks_beside_a_plain_network(factor):
    """Invariants of enlarged images, at the scales' ratio and at another one."""
    filters = ScaleFilters(4)
    errors = []
    for seed in range(4):
        torch.manual_seed(seed)
        network = nn.Sequential(
            lifting(filters, 1, 6, seed=seed),
            nn.ReLU(),
            between(filters, 6, 6, reach=1, seed=seed),
            nn.ReLU(),
            ScalePool(),
            Peak(),
        )
        layers = [nn.Conv2d(a, 6, 9, padding=4, dtype=torch.float64) for a in (1, 6)]
        plain = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), Peak())
        both = [scale_exactness(each, factor, samples=2, size=49) for each in (network, plain)]
        errors.append([each.worst for each in both])
    equivariant, free = torch.tensor(errors).mean(0).tolist()
    assert equivariant < 0.06
    assert equivariant < 0.4 * free


def test_batch_norm_between_layers_is_equivariant():
    network = nn.Sequential(lifting(), nn.BatchNorm3d(4, dtype=torch.float64), nn.SiLU())
    network.train()(noise(4, 1, 33, 33))
    assert scale_exactness(network.eval(), FILTERS.base).worst < 2e-3


def test_padding_and_pooling():
    x = noise(1, 1, 13, 13)
    layer = lifting(FILTERS, 1, 2, padding_mode="circular")
    torch.testing.assert_close(layer(x.roll(3, 2)), layer(x).roll(3, 3))
    constant = lifting(FILTERS, 1, 2, padding_mode="reflect")(torch.ones_like(x))
    torch.testing.assert_close(constant, constant[..., :1, :1].expand_as(constant))
    fields = noise(2, 3, 4, 5, 5)
    assert torch.equal(ScalePool()(fields), fields.amax(2))
    assert torch.equal(ScalePool("mean")(fields), fields.mean(2))


def test_unit_variance_over_the_scales():
    x = noise(1, 4, 32, 32)
    variances = []
    for seed in range(60):
        layer = lifting(FILTERS, 4, 8, seed=seed, padding_mode="circular")
        variances.append(float(layer(x).detach().square().mean()))
    assert sum(variances) / 60 == pytest.approx(1.0, abs=0.1)


def test_habits_of_a_module():
    network = nn.Sequential(lifting(), nn.SiLU(), between(), ScalePool())
    x = noise(2, 1, 17, 17)
    expected = network(x)
    for other in (copy.deepcopy(network).eval(), pickle.loads(pickle.dumps(network))):
        assert torch.equal(other(x), expected)
    assert set(network.state_dict()) == {
        "0.coefficients", "0.bias", "2.coefficients", "2.bias",
    }  # fmt: skip
    fresh = nn.Sequential(lifting(seed=5), nn.SiLU(), between(seed=6), ScalePool())
    fresh.load_state_dict(network.state_dict())
    assert torch.equal(fresh(x), expected)
    torch.testing.assert_close(torch.export.export(network, (x,)).module()(x), expected)
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), expected)
    single = network.float()
    assert (single(x.float()).double() - expected).norm() < 1e-5 * expected.norm()
    with torch.autocast("cpu", torch.bfloat16):
        half = single(x.float())
    assert (half.double() - expected).norm() < 0.05 * expected.norm()
    small = between(ScaleFilters(2, order=1), 1, 1)
    fields = noise(1, 1, 2, 4, 4).requires_grad_()
    assert torch.autograd.gradcheck(small, (fields,))
    meta = ScaleLiftingConv2d(FILTERS, 1, 1, device="meta")
    assert all(t.device.type == "meta" for t in (*meta.parameters(), *meta.buffers()))
    assert "4 scales of ratio 1.414" in repr(network)
    again = [lifting(), lifting(seed=9)]
    for layer in again:
        layer.reset_parameters(torch.Generator().manual_seed(2))
    assert torch.equal(again[0].coefficients, again[1].coefficients)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: ScaleFilters(0), "one scale or more"),
        (lambda: ScaleFilters(3, 1.0), "base above 1"),
        (lambda: ScaleFilters(3, sigma=0.0), "positive sigma"),
        (lambda: ScaleFilters(3, order=-1), "order of 0 or more"),
        (lambda: lifting(FILTERS, 0, 1), "positive numbers of fields"),
        (lambda: between(reach=5), "reach of 1 to 4"),
        (lambda: between(edge="wrap"), "'valid' or 'zeros'"),
        (lambda: lifting(padding_mode="same"), "padding mode"),
        (lambda: lifting()(noise(1, 2, 9, 9)), r"images \(batch, 1, X, Y\)"),
        (lambda: between()(noise(1, 4, 9, 9)), "ScaleLiftingConv2d"),
        (lambda: between()(noise(1, 4, 1, 9, 9)), "expected 2 to 4 scales"),
        (lambda: between()(noise(1, 4, 5, 9, 9)), "expected 2 to 4 scales"),
        (lambda: ScalePool("sum"), "'max' or 'mean'"),
        (lambda: ScalePool()(noise(1, 4, 9, 9)), "expected fields"),
        (lambda: scale_exactness(lifting(), 2.0, 4), "more than 4 scales"),
        (lambda: scale_exactness(lifting(), 1.0), "base above 1"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()
