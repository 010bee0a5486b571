"""Steerable convolution: stride, padding, dilation, channel groups, even kernels, any angle."""

import copy
import pickle
import warnings

import pytest
import torch
from torch.nn import functional

from goldstone.actions import FeatureFieldAction, Symmetry
from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    OrthogonalGroup,
    SpecialOrthogonalGroup,
    SymmetricGroup,
)
from goldstone.nn import SteerableConv2d
from goldstone.nn.turning_error import turned, turning_error
from goldstone.representations import (
    DirectSum,
    MatrixRepresentation,
    O2Irrep,
    RegularRepresentation,
    SO2ComplexIrrep,
    SO2Irrep,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)
from goldstone.testing import assert_equivariant

C8, D4, D8 = CyclicGroup(8), DihedralGroup(4), DihedralGroup(8)
SO2, O2 = SpecialOrthogonalGroup(2), OrthogonalGroup(2)


def mixed(group):
    """Parts in an order that grouping must undo."""
    if group == SO2:
        parts = (SO2Irrep(1), SO2Irrep(0), SO2Irrep(2), SO2Irrep(1))
    elif group == O2:
        parts = (O2Irrep(2), O2Irrep(0), O2Irrep(1), O2Irrep(0, -1))
    else:
        regular, vector = RegularRepresentation(group), StandardRepresentation(group)
        parts = (regular, vector, TrivialRepresentation(group), regular)
    return DirectSum(group, parts)


def randomised(layer, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in layer.parameters():
            draw = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(draw)
    return layer


def noise(channels, *grid, dtype=torch.float64, batch=1):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, channels, *grid, generator=generator, dtype=torch.float64).to(dtype)


EXACT = [
    {"kernel_size": 3, "padding_mode": "zeros"},
    {"kernel_size": 3, "padding_mode": "reflect"},
    {"kernel_size": 5, "stride": 2, "padding": 2, "padding_mode": "replicate"},
    {"kernel_size": 3, "padding": 0, "padding_mode": "zeros"},
    {"kernel_size": 3, "stride": 2, "padding": 1, "padding_mode": "zeros"},
    {"kernel_size": 5, "stride": 2, "padding": 2, "padding_mode": "reflect"},
    {"kernel_size": 3, "dilation": 2},
    {"kernel_size": 3, "dilation": 2, "padding": 1, "padding_mode": "zeros"},
    {"kernel_size": 2, "padding": 1, "padding_mode": "zeros"},
    {"kernel_size": 4, "padding": 1, "padding_mode": "reflect"},
    {"kernel_size": 3, "stride": 3},
    {"kernel_size": 5, "stride": 3, "padding": 1},
    {"kernel_size": 3, "stride": 3, "padding": 1, "pivot": "node"},
]


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float64, 1e-14), (torch.float32, 2e-6)])
@pytest.mark.parametrize("options", EXACT, ids=str)
@pytest.mark.parametrize("group", [D4, C8, DihedralGroup(2)], ids=lambda g: g.name)
def test_turns_of_the_grid_are_exact(group, options, dtype, allowed):
    layer = randomised(SteerableConv2d(mixed(group), mixed(group), dtype=dtype, **options))
    x = noise(layer.source.dimension, 9, 9, dtype=dtype)
    assert layer(x).abs().max() > 0.1
    assert turning_error(layer, layer.source, layer.target, x, layer.pivot) < allowed


@pytest.mark.parametrize("group", [SO2, O2, D8], ids=lambda g: g.name)
def test_quarter_turns_of_continuous_groups_are_exact(group):
    layer = randomised(SteerableConv2d(mixed(group), mixed(group), 5, dtype=torch.float64))
    x = noise(layer.source.dimension, 8, 8)
    assert turning_error(layer, layer.source, layer.target, x) < 1e-14


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_library_s_own_assertion(dtype):
    layer = SteerableConv2d(mixed(D4), mixed(D4), 4, 2, padding=1, dtype=dtype)
    action = FeatureFieldAction(D4, mixed(D4))
    symmetry = Symmetry("D4", D4, action, action)
    assert_equivariant(layer, symmetry, noise(layer.source.dimension, 8, 8, dtype=dtype))


def waves(channels, group, representation, element, scale, size=41):
    """A smooth field and the field that an element of any angle makes of it, both exactly.

    The sum of plane waves under a Gaussian window: it can be evaluated at the turned points.
    """
    generator = torch.Generator().manual_seed(3)
    wave = torch.randn(channels, 8, 2, dtype=torch.float64, generator=generator) * scale
    phase = torch.randn(channels, 8, dtype=torch.float64, generator=generator)
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    points = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1)

    def field(p):
        angle = torch.einsum("ckd,xyd->ckxy", wave, p) + phase[..., None, None]
        return angle.cos().sum(1) * torch.exp(-p.square().sum(-1) / (2 * (size / 8) ** 2))

    matrix = group.matrices(element).double()
    moved = torch.einsum(
        "ij,jxy->ixy", representation.matrix_unchecked(element), field(points @ matrix)
    )
    return field(points)[None], moved[None]


@pytest.mark.parametrize(
    ("group", "element"),
    [
        (C8, torch.tensor(1)),
        (CyclicGroup(3), torch.tensor(1)),
        (D8, torch.tensor([1, 3])),
        (SO2, SO2.exp(torch.tensor([0.5], dtype=torch.float64))),
        (
            O2,
            torch.diag(torch.tensor([-1.0, 1.0], dtype=torch.float64))
            @ O2.exp(torch.ones(1).double()),
        ),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_any_angle_on_smooth_fields(group, element):
    """The error at a general angle is that of sampling, far below that of free pixels."""
    representation = mixed(group)
    layer = SteerableConv2d(
        representation, representation, 5, padding_mode="zeros", bias=False, dtype=torch.float64
    )
    layer.reset_parameters(torch.Generator().manual_seed(0))
    matrix = group.matrices(element).double()
    assert not torch.allclose(matrix, matrix.round(), atol=1e-3)

    def off(weight, scale):
        """Outputs at the centre are those of one point in both poses."""
        x, moved = waves(representation.dimension, group, representation, element, scale)
        here, there = (functional.conv2d(f, weight, padding=2)[0, :, 20, 20] for f in (x, moved))
        expected = representation.matrix_unchecked(element) @ here
        return float((there - expected).norm() / expected.norm())

    weight = layer.weight().detach()
    free = torch.randn(weight.shape, generator=torch.manual_seed(2), dtype=torch.float64)
    assert off(weight, 0.35) < 0.05
    # It falls faster than the waves grow longer.
    assert off(weight, 0.1) < 0.005
    assert off(free, 0.35) > 0.3


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("groups", [2, 4])
def test_groups_of_channels_are_separate_convolutions(groups, stride):
    source, target = multiple(RegularRepresentation(D4), 4), multiple(StandardRepresentation(D4), 4)
    options = {"padding_mode": "zeros", "padding": 1, "dtype": torch.float64}
    layer = randomised(SteerableConv2d(source, target, 3, stride, groups=groups, **options))
    x = noise(32, 9, 9)
    assert layer.weight().shape == (8, 32 // groups, 3, 3)
    assert turning_error(layer, source, target, x) < 1e-14
    width = 32 // groups
    for k in range(groups):
        rows = slice(k * 8 // groups, (k + 1) * 8 // groups)
        weight, part = layer.weight()[rows], x[:, k * width : (k + 1) * width]
        expected = functional.conv2d(part, weight, None, stride, 1)
        torch.testing.assert_close(layer(x)[:, rows], expected)


def test_groups_that_do_not_divide_are_refused():
    regular = RegularRepresentation(D4)
    with pytest.raises(InputError, match="groups=2 needs a source of as many equal runs"):
        SteerableConv2d(multiple(regular, 3), multiple(regular, 4), 3, groups=2)
    with pytest.raises(InputError, match="groups=2 needs a target whose parts split"):
        SteerableConv2d(multiple(regular, 4), multiple(regular, 3), 3, groups=2)
    with pytest.raises(InputError, match="groups=0 needs a source"):
        SteerableConv2d(multiple(regular, 4), multiple(regular, 4), 3, groups=0)


@pytest.mark.parametrize(("group", "size"), [(D4, 3), (C8, 3), (C8, 5), (D8, 5), (SO2, 5), (O2, 4)])
def test_unit_variance_at_initialisation(group, size):
    part = mixed(group)
    layer = SteerableConv2d(part + part, part + part, size, padding=0, padding_mode="zeros")
    x = torch.randn(8, layer.source.dimension, 12, 12, generator=torch.manual_seed(1))
    variances = []
    for seed in range(24):
        layer.reset_parameters(torch.Generator().manual_seed(seed))
        variances.append(layer(x).detach().var(dim=(0, 2, 3)))
    each = torch.stack(variances).mean(0)
    assert float(each.mean()) == pytest.approx(1.0, abs=0.08)
    assert float(each.min()) > 0.5


@pytest.mark.parametrize("group", [C8, D8, SO2], ids=lambda g: g.name)
def test_habits_of_a_module(group, tmp_path):
    layer = randomised(SteerableConv2d(mixed(group), mixed(group), 3))
    x = noise(layer.source.dimension, 6, 6, dtype=torch.float32)
    expected = layer(x)
    for other in (copy.deepcopy(layer.eval()), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), expected)
    torch.save(layer.train().state_dict(), tmp_path / "layer.pt")
    fresh = SteerableConv2d(mixed(group), mixed(group), 3).eval()
    fresh.load_state_dict(torch.load(tmp_path / "layer.pt", weights_only=True))
    assert torch.equal(fresh(x), expected)
    assert all(name.split(".")[0] in ("coefficients", "biases") for name in layer.state_dict())
    torch.testing.assert_close(torch.export.export(layer, (x,)).module()(x), expected)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), expected)
    with torch.autocast("cpu", torch.bfloat16):
        half = layer(x)
    assert half.dtype == torch.bfloat16
    assert (half.float() - expected).norm() < 0.02 * expected.norm()


def test_derivatives():
    source = RegularRepresentation(CyclicGroup(3))
    layer = SteerableConv2d(source, source, 3, dtype=torch.float64)
    x = noise(3, 4, 4).requires_grad_()
    assert torch.autograd.gradcheck(layer, (x,))
    parameters = tuple(layer.parameters())

    def of_parameters(*values):
        names = [name for name, _ in layer.named_parameters()]
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(of_parameters, parameters)


@pytest.mark.parametrize("options", EXACT, ids=str)
def test_folding_keeps_the_output(options):
    layer = randomised(SteerableConv2d(mixed(D4), mixed(D4), **options))
    x = noise(layer.source.dimension, 9, 9, dtype=torch.float32)
    plain = layer.to_plain()
    assert type(plain) is torch.nn.Conv2d
    torch.testing.assert_close(plain(x), layer(x))
    assert plain.weight.requires_grad
    assert plain.weight.grad_fn is None


def test_a_grid_that_loses_the_centre_is_refused_with_the_measured_error():
    options = {"stride": 2, "padding": 1, "padding_mode": "zeros"}
    layer = SteerableConv2d(mixed(D4), mixed(D4), 3, **options)
    x = noise(layer.source.dimension, 8, 8, dtype=torch.float32)
    with pytest.raises(InputError, match=r"grid of size 7 or 9.* relative error of a turn is \d"):
        layer(x)
    layer = SteerableConv2d(mixed(D4), mixed(D4), 3, exact=False, **options)
    with pytest.warns(UserWarning, match="relative error of a turn is"):
        assert layer(x).shape[-2:] == (4, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layer(x)  # said once
    assert turning_error(layer, layer.source, layer.target, x) > 0.1


def test_only_the_axes_that_move_matter():
    flip = DihedralGroup(1)  # reverses the first axis
    options = {"stride": 2, "padding": 1, "padding_mode": "zeros"}
    layer = SteerableConv2d(mixed(flip), mixed(flip), 3, **options)
    x = noise(layer.source.dimension, 9, 8, dtype=torch.float32)
    assert turning_error(layer, layer.source, layer.target, x) < 1e-6
    with pytest.raises(InputError, match="the centre is lost"):
        layer(x.mT)
    trivial = TrivialRepresentation(CyclicGroup(1))
    assert SteerableConv2d(trivial, trivial, 3, 2)(x[:, :1, :8]).shape[-2:] == (3, 3)


def test_choices_that_never_are_exact_are_refused():
    with pytest.raises(InputError, match=r"use padding=1.*zeros") as error:
        SteerableConv2d(mixed(D4), mixed(D4), 4, 2)
    assert "odd kernel with stride 1" in str(error.value)
    with pytest.raises(InputError, match=r"pivot='node'.*relative error of a turn is \d"):
        SteerableConv2d(mixed(C8), mixed(C8), 3, 2, padding=1)
    with pytest.raises(InputError, match="no fixed point at a node"):
        SteerableConv2d(mixed(D4), mixed(D4), 3, padding_mode="zeros", pivot="node")


def test_other_errors():
    with pytest.raises(InputError, match="kernel 'auto', 'pixels' or 'harmonics', got 'free'"):
        SteerableConv2d(mixed(D4), mixed(D4), 3, kernel="free")
    with pytest.raises(InputError, match="free pixels have no max_frequency"):
        SteerableConv2d(mixed(D4), mixed(D4), 3, max_frequency=1)
    with pytest.raises(InputError, match="quarter turns and reflections"):
        SteerableConv2d(mixed(C8), mixed(C8), 3, kernel="pixels")
    s3 = RegularRepresentation(SymmetricGroup(3))
    with pytest.raises(InputError, match="rotations and reflections of the plane"):
        SteerableConv2d(s3, s3, 3)
    wave = SO2ComplexIrrep(1)
    with pytest.raises(InputError, match="real orthogonal representations, got SO2ComplexIrrep"):
        SteerableConv2d(wave, wave, 3)
    skew = MatrixRepresentation(CyclicGroup(2), (1,), torch.tensor([[[1.0, 1.0], [0.0, -1.0]]]))
    with pytest.raises(InputError, match="unitary_form"):
        SteerableConv2d(skew, skew, 3)


def test_bad_input_names_the_mend():
    regular = RegularRepresentation(D4)
    for wrong in ((3, 3), 3.0, "3", 0):
        with pytest.raises(InputError, match="one number for all axes"):
            SteerableConv2d(regular, regular, wrong)
    for wrong in ("same", (1, 1), 0.5, -1):
        with pytest.raises(InputError, match="padding of 0, 1, 2, … points on each side, got"):
            SteerableConv2d(regular, regular, 3, padding=wrong)
    with pytest.raises(InputError, match="a number of groups of channels, got"):
        SteerableConv2d(regular, regular, 3, groups=1.5)
    with pytest.raises(InputError, match="a max_frequency of 0 or more, got"):
        SteerableConv2d(regular, regular, 3, kernel="harmonics", max_frequency=1.5)
    with pytest.raises(InputError, match="floating dtype for parameters, got"):
        SteerableConv2d(regular, regular, 3, dtype=torch.int64)
    for source, target, found in ((3, regular, "got 3"), (regular, D4, "got D4")):
        with pytest.raises(InputError, match=f"says what the channels are.*{found}"):
            SteerableConv2d(source, target, 3)
    layer = SteerableConv2d(regular, regular, 3)
    with pytest.raises(InputError, match=r"a grid of 2 axes after .* the batch, got \(8, 6, 6\)"):
        layer(noise(8, 6, 6, dtype=torch.float32)[0])
    for options, least in (
        ({"kernel_size": 5, "padding": 0, "padding_mode": "zeros"}, 5),
        ({"kernel_size": 7, "padding_mode": "reflect"}, 4),
        ({"kernel_size": 7, "padding_mode": "circular"}, 3),
    ):
        layer = SteerableConv2d(regular, regular, **options)
        layer(noise(8, least, least, dtype=torch.float32))
        with pytest.raises(InputError, match=f"needs a grid of {least} points or more"):
            layer(noise(8, 6, least - 1, dtype=torch.float32))


def test_harmonics_may_be_asked_for_on_the_grid_s_own_groups():
    pixels = SteerableConv2d(mixed(D4), mixed(D4), 5)
    harmonics = SteerableConv2d(mixed(D4), mixed(D4), 5, kernel="harmonics", max_frequency=1)
    assert harmonics.map_dimension < pixels.map_dimension
    x = noise(harmonics.source.dimension, 7, 7, dtype=torch.float32)
    assert turning_error(harmonics, harmonics.source, harmonics.target, x) < 1e-6
    assert turned(harmonics.source, torch.tensor([0, 1]), x, "cell").shape == x.shape
