"""Dropout, norms and sampled functions of fields: equivariant, and equal to their definitions."""

import copy
import pickle

import pytest
import torch
from torch.nn import functional

from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    OrthogonalGroup,
    PolyhedralGroup,
    SpecialOrthogonalGroup,
)
from goldstone.nn import FieldDropout, FourierActivation, NormPool
from goldstone.nn.turning_error import turning_error
from goldstone.representations import (
    DirectSum,
    MatrixRepresentation,
    O2Irrep,
    RegularRepresentation,
    SO2ComplexIrrep,
    SO2Irrep,
    SO3Irrep,
    StandardRepresentation,
    TrivialRepresentation,
    decompose,
    multiple,
)

C8, D4 = CyclicGroup(8), DihedralGroup(4)
SO2, O2, SO3 = SpecialOrthogonalGroup(2), OrthogonalGroup(2), SpecialOrthogonalGroup(3)
MIXED = DirectSum(
    D4, (StandardRepresentation(D4), RegularRepresentation(D4), TrivialRepresentation(D4))
)
CIRCLE = DirectSum(SO2, tuple(SO2Irrep(k) for k in range(4)))
SPHERE = DirectSum(SO3, tuple(SO3Irrep(k) for k in range(3)))


def noise(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_dropout_drops_whole_fields():
    layer = FieldDropout(MIXED, 0.4)
    y = layer(torch.ones(500, 11, 3, 2))
    for start, stop in ((0, 2), (2, 10), (10, 11)):
        field = y[:, start:stop].flatten(1)
        assert torch.equal(field, field[:, :1].expand_as(field))
        values = torch.unique(field)
        torch.testing.assert_close(values, torch.tensor([0.0, 1 / 0.6]))
        assert abs(float((field[:, 0] == 0).double().mean()) - 0.4) < 0.1
    assert float((y[:, 0] == y[:, 2]).double().mean()) < 0.8  # fields are independent
    x = noise(2, 11, 3, 3)
    assert torch.equal(layer.eval()(x), x)


def test_dropout_commutes_with_the_group_for_every_draw():
    layer = FieldDropout(MIXED)

    def same_draw(x):
        torch.manual_seed(3)
        return layer(x)

    x = noise(2, 11, 4, 4)
    assert turning_error(same_draw, MIXED, MIXED, x) < 1e-15
    plain = functional.dropout
    torch.manual_seed(3)
    assert turning_error(lambda x: plain(x, 0.5), MIXED, MIXED, x) > 0.1


def test_norms():
    pool = NormPool(MIXED, dtype=torch.float64)
    x = noise(2, 11, 4, 4)
    expected = [x[:, a:b].square().mean(1).sqrt() for a, b in ((0, 2), (2, 10), (10, 11))]
    torch.testing.assert_close(pool(x), torch.stack(expected, 1))
    assert turning_error(pool, MIXED, pool.target, x) < 1e-14
    zero = torch.zeros(1, 11, dtype=torch.float64, requires_grad=True)
    pool(zero).sum().backward()
    assert zero.grad.isfinite().all()
    wave = SO2ComplexIrrep(2)
    z = torch.complex(noise(3, 1), noise(3, 1, seed=1))
    torch.testing.assert_close(NormPool(wave, dtype=torch.float64)(z), z.abs())


@pytest.mark.parametrize(
    ("field", "samples"),
    [
        (CIRCLE, CyclicGroup(16)),
        (DirectSum(O2, tuple(O2Irrep(k) for k in range(4))), DihedralGroup(16)),
        (SPHERE, PolyhedralGroup("I")),
        (decompose(RegularRepresentation(D4)).direct_sum, D4),
    ],
    ids=["circle", "rotations and reflections", "sphere", "finite"],
)
def test_fourier_activation(field, samples):
    layer = FourierActivation(field, 3, samples, dtype=torch.float64)
    x = noise(50, layer.source.dimension)
    y = layer(x)
    # Exactly for the samples' group, and nearly for the whole.
    for g in samples.element_tensor()[:12]:
        matrix = layer.source.matrix(layer.inclusion(g))
        torch.testing.assert_close(layer(x @ matrix.T), y @ matrix.T, rtol=0, atol=1e-10)
    assert layer.sampling_error < 0.05
    g = field.group.sample(torch.Generator().manual_seed(7), ())
    matrix = layer.source.matrix(g)
    error = (layer(x @ matrix.T) - y @ matrix.T).norm() / y.norm()
    assert error < 3 * layer.sampling_error + 1e-12
    # Not linear, and of unit variance.
    assert (layer(2 * x) - 2 * y).norm() > 0.1 * y.norm()
    many = layer(noise(4000, layer.source.dimension, seed=1))
    assert float(many.square().mean()) == pytest.approx(1, abs=0.05)


def test_fourier_activation_on_the_circle_is_its_sum():
    """s(θ) = x₀ + √2 Σ (a_k cos kθ + b_k sin kθ), and the coefficients of f(s) by the same sums."""
    layer = FourierActivation(CIRCLE, 1, CyclicGroup(32), torch.exp, dtype=torch.float64)
    x = noise(1, 7)
    angle = 2 * torch.pi * torch.arange(32, dtype=torch.float64) / 32
    waves = [torch.ones(32, dtype=torch.float64)]
    for k in range(1, 4):
        waves += [2**0.5 * (k * angle).cos(), 2**0.5 * (k * angle).sin()]
    waves = torch.stack(waves, 1)
    expected = (x @ waves.T / 7**0.5).exp() @ waves / 32
    found = layer(x)
    cosine = (found * expected).sum() / (found.norm() * expected.norm())
    assert abs(float(cosine) - 1) < 1e-12


def test_more_samples_resolve_more():
    errors = [
        FourierActivation(CIRCLE, 1, CyclicGroup(n), functional.relu).sampling_error
        for n in (8, 16, 64)
    ]
    assert errors[0] > 2 * errors[1] > 8 * errors[2]


def test_fields_on_a_grid():
    layer = FourierActivation(CIRCLE, 2, CyclicGroup(16), dtype=torch.float64)
    x = noise(2, 14, 5, 5)
    assert turning_error(layer, layer.source, layer.target, x) < 1e-13
    torch.testing.assert_close(layer(x)[1, :, 2, 3], layer(x[1:2, :, 2, 3])[0])
    last = FourierActivation(CIRCLE, 2, CyclicGroup(16), axis=-1, dtype=torch.float64)
    torch.testing.assert_close(last(x.movedim(1, -1)), layer(x).movedim(1, -1))


@pytest.mark.parametrize(
    "layer",
    [FieldDropout(MIXED).eval(), NormPool(MIXED), FourierActivation(CIRCLE, 2, CyclicGroup(16))],
    ids=lambda layer: type(layer).__name__,
)
def test_habits_of_a_module(layer):
    x = noise(2, layer.source.dimension, 4, 6).float()
    expected = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), expected)
    assert layer.state_dict() == {}
    torch.testing.assert_close(torch.export.export(layer, (x,)).module()(x), expected)
    last = layer(x.to(memory_format=torch.channels_last))
    torch.testing.assert_close(last, expected)
    assert last.is_contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.isfinite(layer(x.bfloat16())).all()
    double = layer.half().double()(x.double())
    torch.testing.assert_close(double, expected.double(), rtol=1e-5, atol=1e-5)


def test_errors():
    skew = MatrixRepresentation(CyclicGroup(2), (1,), torch.tensor([[[1.0, 1.0], [0.0, -1.0]]]))
    with pytest.raises(InputError, match="NormPool needs norms"):
        NormPool(skew)
    with pytest.raises(InputError, match="less than 1, got 1"):
        FieldDropout(MIXED, 1)
    with pytest.raises(InputError, match="the 4 samples of C4 do not tell the 7 components"):
        FourierActivation(CIRCLE, 1, CyclicGroup(4))
    with pytest.raises(InputError, match="none more often than its dimension"):
        FourierActivation(DirectSum(SO2, (SO2Irrep(0), SO2Irrep(0))), 1, C8)
    with pytest.raises(InputError, match="no subgroup of"):
        FourierActivation(CIRCLE, 1, D4)
    with pytest.raises(InputError, match="positive number of fields, got 0"):
        FourierActivation(CIRCLE, 0, C8)
    with pytest.raises(InputError, match="finite group of samples"):
        FourierActivation(CIRCLE, 1, SO2)
    with pytest.raises(InputError, match="Realification"):
        FourierActivation(SO2ComplexIrrep(1), 1, C8)
    assert FourierActivation(multiple(CIRCLE, 1), 2, C8).source.dimension == 14
