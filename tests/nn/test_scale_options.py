"""Strides, paddings, folding and exports of the convolutions over scales."""

from importlib.util import find_spec

import pytest
import torch
from torch import nn

from goldstone.core import InputError
from goldstone.groups import CyclicGroup
from goldstone.nn import (
    GroupPool,
    OrbitBatchNorm3d,
    ScaleConv2d,
    ScaleFilters,
    ScaleLiftingConv2d,
    ScalePool,
    scale_exactness,
    to_plain,
)

SMALL = ScaleFilters(3, order=1, extent=3.0)
TURNED = ScaleFilters(3, order=1, extent=3.0, group=CyclicGroup(4))
FILTERS = ScaleFilters(3)


def noise(*shape, seed=0):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=source)


def spread(layer):
    with torch.no_grad():
        layer.bias.copy_(noise(len(layer.bias), seed=3))
    return layer


def lifting(filters=SMALL, *sizes, seed=0, dtype=torch.float64, **options):
    torch.manual_seed(seed)
    return spread(ScaleLiftingConv2d(filters, *(sizes or (1, 2)), dtype=dtype, **options))


def between(filters=SMALL, *sizes, seed=1, dtype=torch.float64, **options):
    torch.manual_seed(seed)
    return spread(ScaleConv2d(filters, *(sizes or (2, 2)), dtype=dtype, **options))


OPTIONS = [
    {},
    {"stride": 2},
    {"padding": "valid"},
    {"padding": "valid", "stride": 2},
    {"padding_mode": "reflect"},
    {"padding_mode": "replicate"},
    {"padding_mode": "circular"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("filters", [SMALL, TURNED], ids=["scales", "C4"])
def test_folded_layers_are_ordinary_convolutions_with_the_same_output(filters, options):
    x = noise(2, 1, 25, 25)
    n = 4 if filters is TURNED else 1
    for edge, scales in (("valid", 3), ("valid", 2), ("zeros", 3), ("zeros", 1)):
        lift = lifting(filters, **options)
        layer = between(filters, reach=2, edge=edge, **options)
        plain = to_plain(lift)
        assert all(type(each) is nn.Conv2d for each in plain.convolutions)
        torch.testing.assert_close(plain(x), lift(x))
        fields = noise(2, 2 * n, scales, 25, 25, seed=2)
        plain, found = to_plain(layer), layer(fields)
        torch.testing.assert_close(plain(fields), found)
        assert found.shape[2] == (scales - 1 if edge == "valid" else scales)
        assert not any("goldstone" in type(m).__module__ for m in plain.convolutions)
        with torch.no_grad():
            layer.coefficients.zero_()
        assert (layer(fields) - plain(fields)).norm() > 0.1 * found.norm()  # A copy.


@pytest.mark.parametrize("filters", [SMALL, TURNED], ids=["scales", "C4"])
def test_a_stride_keeps_every_so_manyth_point(filters):
    n = 4 if filters is TURNED else 1
    x, fields = noise(1, 1, 25, 19), noise(1, 2 * n, 3, 25, 19, seed=1)
    for stride in (2, 3):
        for make, given in ((lifting, x), (between, fields)):
            every = make(filters, stride=1)(given)[..., ::stride, ::stride]
            torch.testing.assert_close(make(filters, stride=stride)(given), every)
        if stride == 2:
            mode = {"padding_mode": "circular"}
            even = noise(1, 1, 24, 18)
            every = lifting(filters, **mode)(even)[..., ::2, ::2]
            torch.testing.assert_close(lifting(filters, stride=2, **mode)(even), every)


def test_valid_padding_is_the_interior():
    x = noise(1, 1, 27, 25)
    lift = lifting(SMALL, padding="valid")
    whole, margin = lifting(SMALL)(x), SMALL.margins[-1]
    inside = slice(margin, -margin)
    torch.testing.assert_close(lift(x), whole[..., inside, inside])
    # Of the scales that come out, the largest filter counts.
    fields = noise(1, 2, 3, 27, 25)
    found = between(SMALL, reach=3, padding="valid")(fields)
    inside = slice(SMALL.margins[0], -SMALL.margins[0])
    torch.testing.assert_close(found, between(SMALL, reach=3)(fields)[..., inside, inside])


def test_a_strided_network_still_shifts_features_in_scale():
    torch.manual_seed(0)
    network = nn.Sequential(
        ScaleLiftingConv2d(FILTERS, 1, 4, stride=2, dtype=torch.float64),
        nn.SiLU(),
        ScaleConv2d(FILTERS, 4, 4, 2, stride=2, dtype=torch.float64),
    )
    # Smooth images; fine ones lose more on the coarser grids, and the measure says so.
    coarse = scale_exactness(network, FILTERS.base, size=129, width=8.0).worst
    fine = scale_exactness(network, FILTERS.base, size=129, width=2.5).worst
    assert coarse < 0.01
    assert fine > 3 * coarse


def test_a_stride_that_loses_the_centre_is_refused_or_measured():
    for filters, make, x in (
        (SMALL, lifting, noise(1, 1, 24, 24)),
        (TURNED, lifting, noise(1, 1, 24, 24)),
        (TURNED, between, noise(1, 8, 3, 24, 24)),
    ):
        said = "grid of size 23 or 25.*off by 0.5 points.*moves features by 0.21"
        if filters is TURNED:
            said += r".*error of a turn is \d"
        with pytest.raises(InputError, match=said):
            make(filters, stride=2)(x)
        layer = make(filters, stride=2, exact=False)
        with pytest.warns(UserWarning, match=said):
            layer(x)
        layer(x)  # Once.
    with pytest.raises(InputError, match="not a multiple of the stride 2"):
        lifting(stride=2, padding_mode="circular")(noise(1, 1, 25, 25))
    with pytest.raises(InputError, match=r"off by 0\.5"):
        lifting(stride=2, padding="valid")(noise(1, 1, 24, 24))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: lifting(stride=0), "positive size, stride"),
        (lambda: lifting(padding="full"), "'same' or 'valid'"),
        (lambda: lifting(padding="valid")(noise(1, 1, 12, 30)), "needs 15 points or more"),
        (lambda: lifting(padding_mode="reflect")(noise(1, 1, 6, 30)), "needs 8 points or more"),
        (lambda: lifting(padding_mode="circular")(noise(1, 1, 5, 30)), "needs 7 points or more"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()


def deep(filters, dtype=torch.float32):
    torch.manual_seed(0)
    n = 1 if filters.group is None else filters.group.order
    last = ScaleConv2d(filters, 2, 2, edge="zeros", reach=2, dtype=dtype)
    norm = nn.BatchNorm3d(2, dtype=dtype) if n == 1 else OrbitBatchNorm3d(last.source, dtype=dtype)
    pool = nn.Identity() if n == 1 else GroupPool(last.target)
    network = nn.Sequential(
        ScaleLiftingConv2d(filters, 1, 2, stride=2, dtype=dtype),
        norm,
        nn.ReLU(),
        ScaleConv2d(filters, 2, 2, 2, padding_mode="reflect", dtype=dtype),
        nn.SiLU(),
        last,
        pool,
        ScalePool(),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(2, 3, dtype=dtype),
    )
    network.train()(noise(8, 1, 21, 21).to(dtype))
    return network.eval()


@pytest.mark.parametrize("filters", [SMALL, TURNED], ids=["scales", "C4"])
def test_a_whole_network_exported_compiled_and_folded(filters):
    network, x = deep(filters), noise(2, 1, 21, 21).float()
    expected = network(x)
    assert expected.std() > 0.01
    plain = to_plain(network)
    torch.testing.assert_close(plain(x), expected)
    names = {type(module).__name__ for module in plain.modules()}
    assert not names & {"ScaleConv2d", "ScaleLiftingConv2d", "OrbitBatchNorm3d"}
    for model in (network, plain):
        exported = torch.export.export(model, (x,)).module()
        torch.testing.assert_close(exported(x), expected)
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), expected)
    with torch.autocast("cpu", torch.bfloat16):
        half = network(x)
    assert (half.float() - expected).norm() < 0.1 * expected.norm()
    double = network.double()
    assert (double(x.double()) - expected).norm() < 1e-5 * expected.norm()


@pytest.mark.skipif(find_spec("onnxscript") is None, reason="the ONNX exporter is not installed")
@pytest.mark.parametrize("folded", [False, True], ids=["network", "folded"])
def test_onnx(folded, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    network, x = deep(TURNED), noise(2, 1, 21, 21).float()
    model, path = to_plain(network) if folded else network, tmp_path / "network.onnx"
    torch.onnx.export(model, (x,), path, dynamo=True)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), network(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("group", [None, CyclicGroup(3)], ids=["scales", "C3"])
@pytest.mark.parametrize("reach", [1, 2])
def test_variance_is_kept_from_layer_to_layer(group, reach):
    """Fields that a layer made of noise keep their mean square through those that follow."""
    filters, x, ratios = ScaleFilters(3, group=group), noise(1, 1, 20, 20).float(), []
    options = {"padding_mode": "circular"}
    for seed in range(8):
        torch.manual_seed(seed)
        with torch.no_grad():
            first = ScaleLiftingConv2d(filters, 1, 8, **options)(x)
            fields = ScaleConv2d(filters, 8, 8, reach, **options)(first)
            if reach == 1:
                fields = ScaleConv2d(filters, 8, 8, reach, **options)(fields)
        squares = [each.square().mean((0, 1, 3, 4))[0] for each in (first, fields)]
        ratios.append(float(squares[1] / squares[0]))
    assert sum(ratios) / len(ratios) == pytest.approx(1.0, abs=0.35)


@pytest.mark.parametrize("group", [None, CyclicGroup(3)], ids=["scales", "C3"])
def test_unit_variance_of_noise_that_is_lifted(group):
    filters, x, squares = ScaleFilters(3, group=group), noise(1, 2, 20, 20).float(), []
    for seed in range(30):
        torch.manual_seed(seed)
        layer = ScaleLiftingConv2d(filters, 2, 4, padding_mode="circular")
        squares.append(float(layer(x).detach().square().mean()))
    assert sum(squares) / len(squares) == pytest.approx(1.0, abs=0.15)
