"""Nonlinearities and norms of any representation: exactness, refusals, variance, habits."""

import copy
import pickle
from math import sqrt

import pytest
import torch
from torch.nn import functional

from goldstone.actions import LinearAction, Symmetry, TrivialAction, linear_symmetry
from goldstone.core import InputError
from goldstone.groups import all_subgroups, group_named
from goldstone.nn import (
    GatedActivation,
    InvariantNorm,
    NormActivation,
    PointwiseActivation,
    TensorProductActivation,
)
from goldstone.nn.invariant_size import InvariantSize
from goldstone.nn.second_moment import radial_second_moment, second_moment
from goldstone.representations import (
    DirectSum,
    O3Irrep,
    QuotientRepresentation,
    RegularRepresentation,
    SO3Irrep,
    StandardRepresentation,
    SU2Irrep,
    TrivialRepresentation,
    clebsch_gordan,
    multiple,
)
from goldstone.testing import assert_equivariant


def mixed(name):
    group = group_named(name)
    scalar, v = TrivialRepresentation(group), StandardRepresentation(group)
    return DirectSum(group, (v, scalar, v * v, v, scalar, scalar))


def spins():
    parts = (SU2Irrep(0.5), SU2Irrep(1), SU2Irrep(0), SU2Irrep(0.5), SU2Irrep(0))
    return DirectSum(parts[0].group, parts)


UNITARY = {
    "D4": mixed("D4") + RegularRepresentation(group_named("D4")),
    "O(3)": mixed("O(3)"),
    "SU(2)": spins(),
}
ANY = {**UNITARY, "SO(1,3)": mixed("SO(1,3)"), "SE(2)": mixed("SE(2)")}


def inputs(representation, dtype=torch.float64, batch=32, seed=1):
    dtype = dtype.to_complex() if representation.dtype.is_complex else dtype
    shape = (batch, representation.dimension)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def randomised(layer, dtype):
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(2))
    return layer


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", ANY)
def test_gates_and_products_are_equivariant(name, dtype):
    v = ANY[name]
    gated = GatedActivation(v, dtype=dtype)
    product = randomised(TensorProductActivation(v, dtype=dtype), dtype)
    # Boosts are badly conditioned matrices: rounding grows with the square of their largest entry.
    boosts = {torch.float32: 2e-2, torch.float64: 1e-9}
    tolerance = boosts[dtype] if name == "SO(1,3)" else None
    for layer, source in ((gated, gated.source), (product, v)):
        symmetry = linear_symmetry(source, v)
        assert_equivariant(layer, symmetry, inputs(source, dtype), tolerance=tolerance)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", UNITARY)
def test_norms_are_equivariant(name, dtype):
    v = UNITARY[name]
    batch = InvariantNorm(v, "batch", dtype=dtype)
    batch(inputs(v, dtype, seed=4))
    layers = [
        NormActivation(v, dtype=dtype),
        InvariantNorm(v, dtype=dtype),
        batch,
        copy.deepcopy(batch).eval(),
    ]
    for layer in layers:
        randomised(layer, dtype)
        assert_equivariant(layer, linear_symmetry(v, v), inputs(v, dtype))


@pytest.mark.parametrize("axis", [1, -2])
def test_fields_have_their_channels_on_another_axis(axis):
    v = UNITARY["O(3)"]
    x = torch.randn(2, v.dimension, 5, dtype=torch.float64)
    layer = randomised(NormActivation(v, axis=axis, dtype=torch.float64), torch.float64)
    last = copy.deepcopy(layer)
    last.axis = -1
    torch.testing.assert_close(layer(x), last(x.movedim(1, -1)).movedim(-1, 1))
    gated = GatedActivation(v, axis=axis, dtype=torch.float64)
    x = torch.randn(2, gated.source.dimension, 5, dtype=torch.float64)
    expected = GatedActivation(v, dtype=torch.float64)(x.movedim(1, -1)).movedim(-1, 1)
    torch.testing.assert_close(gated(x), expected)


def test_gates_by_hand():
    """Scalars take SiLU, the vector a gate of its own, both over the root of their moments."""
    scalar, vector = O3Irrep(0, 1), O3Irrep(1, -1)
    layer = GatedActivation(DirectSum(scalar.group, (vector, scalar)), dtype=torch.float64)
    assert layer.source.parts == (vector, scalar, scalar)
    x = inputs(layer.source)
    silu = functional.silu(x[:, 3:4]) / sqrt(second_moment(functional.silu))
    gate = x[:, 4:].sigmoid() / sqrt(second_moment(torch.sigmoid))
    torch.testing.assert_close(layer(x), torch.cat([x[:, :3] * gate, silu], 1))


def test_products_by_hand():
    """Two vectors and a scalar: dot and cross products and scaled vectors, as loops have them."""
    vector, scalar = SO3Irrep(1), SO3Irrep(0)
    v = DirectSum(vector.group, (vector, scalar, vector))
    layer = randomised(TensorProductActivation(v, dtype=torch.float64), torch.float64)
    x = inputs(v)
    copies = {vector: [x[:, :3], x[:, 4:]], scalar: [x[:, 3:4]]}
    expected = []
    for part, weights in ((vector, layer.weights[0]), (scalar, layer.weights[1])):
        for w, own in enumerate(copies[part]):
            total, path = own.clone(), 0
            for a, b in ((vector, vector), (vector, scalar), (scalar, scalar)):
                for coupling in clebsch_gordan(a, b, part):
                    left = copies[a][w % len(copies[a])]
                    right = copies[b][(w + 1) % len(copies[b])]
                    product = torch.einsum("ijk,zi,zj->zk", coupling, left, right)
                    total = total + weights[w, path] * product
                    path += 1
            expected.append(total / sqrt(2))
    torch.testing.assert_close(layer(x), torch.cat([expected[0], expected[2], expected[1]], 1))


def test_bounded_products_are_divided_by_the_norm():
    vector, scalar = SO3Irrep(1), SO3Irrep(0)
    v = DirectSum(vector.group, (vector, scalar, vector))
    free = randomised(TensorProductActivation(v, dtype=torch.float64), torch.float64)
    layer = randomised(TensorProductActivation(v, bounded=True, dtype=torch.float64), torch.float64)
    x = inputs(v)
    mean_square = x.square().mean(-1, keepdim=True)
    q = free(x) - x / sqrt(2)
    expected = x / sqrt(2) + q * ((1 + mean_square**2) / 2) ** -0.25
    torch.testing.assert_close(layer(x), expected)
    # Like x for large x, where the products themselves grow as squares.
    with torch.no_grad():
        assert float(layer(1e4 * x).norm() / layer(1e3 * x).norm()) == pytest.approx(10, rel=1e-3)
        assert float(free(1e4 * x).norm() / free(1e3 * x).norm()) == pytest.approx(100, rel=0.1)
    assert "bounded" in repr(layer)


@pytest.mark.parametrize("name", ANY)
def test_sizes_are_invariant(name):
    v = ANY[name]
    size = InvariantSize(v, dtype=torch.float64)
    x = inputs(v)
    invariant = Symmetry("size", v.group, LinearAction(v), TrivialAction())
    assert_equivariant(size, invariant, x, tolerance=1e-6 if name == "SO(1,3)" else None)
    bounded = randomised(
        TensorProductActivation(v, bounded=True, dtype=torch.float64), torch.float64
    )
    tolerance = 1e-8 if name == "SO(1,3)" else None
    assert_equivariant(bounded, linear_symmetry(v, v), x, tolerance=tolerance)
    torch.testing.assert_close(size(2 * x), 16 * size(x))


def test_sizes_by_hand():
    """Boosts keep t² − |x|² and the product of neighbours, Sp(2) the area between neighbours."""
    lorentz = StandardRepresentation(group_named("SO(1,3)"))
    v = lorentz + lorentz + TrivialRepresentation(lorentz.group)
    x = inputs(v)
    signs = torch.tensor([1.0, -1, -1, -1], dtype=torch.float64)
    a, b, c = x[:, :4], x[:, 4:8], x[:, 8]
    pairs = [((p * signs * q).sum(-1) / 2) for p, q in ((a, a), (b, b), (a, b), (b, a))]
    expected = torch.stack([*pairs, c**2, c**2], -1).square().mean(-1, keepdim=True)
    torch.testing.assert_close(InvariantSize(v, dtype=torch.float64)(x), expected)
    plane = StandardRepresentation(group_named("Sp(2,R)"))
    x = inputs(plane + plane)
    area = (x[:, 0] * x[:, 3] - x[:, 1] * x[:, 2]) / sqrt(2)
    expected = area.square()[:, None] / 2
    torch.testing.assert_close(InvariantSize(plane + plane, dtype=torch.float64)(x), expected)
    assert float(InvariantSize(plane, dtype=torch.float64)(x[:, :2]).max()) < 1e-20


def test_pointwise_functions_need_permutations():
    group = group_named("D4")
    regular = RegularRepresentation(group)
    half = next(h for h in all_subgroups(group) if h.order == 2)
    quotient = QuotientRepresentation(group, half)
    fine = regular + TrivialRepresentation(group) + quotient + regular * quotient
    layer = PointwiseActivation(fine)
    x = inputs(fine)
    assert_equivariant(layer, linear_symmetry(fine, fine), x)
    # The matrices of S4 in its standard representation permute, though its class does not say so.
    points = StandardRepresentation(group_named("S4"))
    PointwiseActivation(points + TrivialRepresentation(points.group))
    for wrong in (StandardRepresentation(group), O3Irrep(1, -1), O3Irrep(0, -1)):
        with pytest.raises(InputError, match="use GatedActivation or NormActivation"):
            PointwiseActivation(wrong)


def test_norms_need_unitary_parts():
    for layer in (NormActivation, InvariantNorm):
        with pytest.raises(InputError, match=r"not unitary; use .* GatedActivation"):
            layer(mixed("SO(1,3)"))


def test_other_errors():
    with pytest.raises(InputError, match="add trivial parts"):
        TensorProductActivation(O3Irrep(1, -1))
    with pytest.raises(InputError, match="'layer' or 'batch'"):
        InvariantNorm(SO3Irrep(1), "group")
    with pytest.raises(InputError, match=r"call \.eval"):
        InvariantNorm(SO3Irrep(1), "batch")(torch.zeros(1, 3))
    with pytest.raises(InputError, match="expected 4 components"):
        GatedActivation(SO3Irrep(1))(torch.zeros(1, 3))


def test_second_moments_in_closed_form():
    assert second_moment(lambda z: z) == pytest.approx(1, abs=1e-9)
    assert second_moment(functional.relu) == pytest.approx(0.5, abs=1e-9)
    for dimension in (1, 2, 7):
        assert radial_second_moment(lambda r: r, dimension) == pytest.approx(1, abs=1e-6)
        # E r⁴ = 1 + 2/k.
        fourth = radial_second_moment(torch.square, dimension)
        assert fourth == pytest.approx(1 + 2 / dimension, abs=1e-6)


@pytest.mark.parametrize("name", UNITARY)
def test_unit_variance(name):
    v = multiple(UNITARY[name], 4)
    x = inputs(v, torch.float32, 512)
    gated = GatedActivation(v)
    # Their own bias and scale are at the start; the products' weights are drawn anew.
    assert float(NormActivation(v)(x).detach().abs().square().mean()) == pytest.approx(1, abs=0.05)
    gates = gated(inputs(gated.source, torch.float32, 512))
    assert float(gates.abs().square().mean()) == pytest.approx(1, abs=0.05)
    layer, powers = TensorProductActivation(v), []
    for seed in range(24):
        layer.reset_parameters(torch.Generator().manual_seed(seed))
        powers.append(float(layer(x).detach().abs().square().mean()))
    assert sum(powers) / 24 == pytest.approx(1, abs=0.15)


def test_batch_statistics_are_those_of_the_batch():
    v = DirectSum(group_named("SO(3)"), (SO3Irrep(1), SO3Irrep(0)))
    layer = InvariantNorm(v, "batch", epsilon=0.0, momentum=1.0, dtype=torch.float64)
    x = 3 * inputs(v) + 5
    y = layer(x)
    torch.testing.assert_close(y[:, 3].mean(), torch.zeros((), dtype=torch.float64))
    torch.testing.assert_close(y[:, 3].square().mean(), torch.ones((), dtype=torch.float64))
    vectors = x[:, :3] / x[:, :3].square().mean().sqrt()
    torch.testing.assert_close(y[:, :3], vectors)
    # The running averages are the last batch's, with the unbiased mean square.
    expected = y * sqrt((len(x) - 1) / len(x))
    torch.testing.assert_close(layer.eval()(x), expected)


def test_layer_statistics_are_those_of_one_feature():
    v = UNITARY["O(3)"]
    x = 7 * inputs(v)
    y = InvariantNorm(v, dtype=torch.float64)(x)
    torch.testing.assert_close(y, x / (x.square().mean(1, keepdim=True) + 1e-5).sqrt())


def test_gradients_at_zero_are_finite():
    v = UNITARY["O(3)"]
    x = torch.zeros(2, v.dimension, requires_grad=True)
    NormActivation(v)(x).sum().backward()
    assert x.grad.isfinite().all()


def layers():
    v, permuted = UNITARY["O(3)"], multiple(RegularRepresentation(group_named("D4")), 2)
    return {
        "pointwise": (PointwiseActivation(permuted), permuted),
        "norm": (NormActivation(v), v),
        "gated": (GatedActivation(v), GatedActivation(v).source),
        "products": (TensorProductActivation(v), v),
        "complex products": (TensorProductActivation(spins()), spins()),
        "layer": (InvariantNorm(v), v),
        "batch": (InvariantNorm(v, "batch"), v),
    }


@pytest.mark.parametrize("name", layers())
def test_copies_states_precision_and_export(name):
    layer, source = layers()[name]
    layer = randomised(layer, torch.float32).eval()
    x = inputs(source, torch.float32)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), layer(x))
    fresh = layers()[name][0].eval()
    fresh.load_state_dict(layer.train().state_dict())
    layer.eval()
    assert torch.equal(fresh(x), layer(x))
    torch.testing.assert_close(torch.export.export(layer, (x,)).module()(x), layer(x))
    captured = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(captured(x), layer(x))
    if not x.is_complex():
        with torch.autocast("cpu", torch.bfloat16):
            y = layer(x)
        assert (y - layer(x)).norm() < 3e-2 * y.norm()


@pytest.mark.parametrize("name", ["O(3)", "SO(1,3)"])
def test_constants_are_exact_after_half_precision_and_the_meta_device(name):
    makes = [lambda **given: TensorProductActivation(ANY[name], bounded=True, **given)]
    if name == "O(3)":
        makes.append(lambda **given: InvariantNorm(ANY[name], **given))
    for make in makes:
        layer = make(dtype=torch.float64)
        exact = {key: value.clone() for key, value in layer.named_buffers()}
        empty = make(dtype=torch.float64, device="meta").to_empty(device="cpu")
        for other in (layer.half().double(), empty):
            assert exact.keys() == dict(other.named_buffers()).keys()
            assert all(torch.equal(exact[key], value) for key, value in other.named_buffers())


@pytest.mark.parametrize("size", [0.0, 1.0, 600.0])
def test_norms_of_half_precision_do_not_overflow(size):
    """600² is infinite there, and so was what it was divided by; 10⁻¹² is zero."""
    v = ANY["O(3)"]
    x = (size * inputs(v, torch.float32)).half()
    layers = {
        "layer": InvariantNorm(v),
        "batch": InvariantNorm(v, "batch"),
        "norm": NormActivation(v),
    }
    for name, layer in layers.items():
        expected = layer(x.float())
        found = copy.deepcopy(layer).half()(x)
        assert found.dtype == torch.float16
        torch.testing.assert_close(found.float(), expected, rtol=1e-2, atol=1e-2 + 1e-2 * size)
        if size and name != "norm":
            assert float(found.detach().float().square().mean()) == pytest.approx(1, abs=0.2)
    bounded = TensorProductActivation(v, bounded=True)
    y = (min(size, 20.0) * inputs(v, torch.float32)).half()
    expected = bounded(y.float())
    torch.testing.assert_close(bounded.half()(y).float(), expected, rtol=0.05, atol=0.3)
