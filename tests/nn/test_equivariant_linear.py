"""Equivariant linear layers: dimensions of function spaces, exactness, variance, habits."""

import copy
import pickle

import pytest
import torch

from goldstone.actions import linear_symmetry
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, group_named
from goldstone.nn import EquivariantLinear
from goldstone.nn.block_bases import DenseBasis, FactorisedBasis, OrbitBasis
from goldstone.representations import (
    ChangeOfBasis,
    DirectSum,
    O3Irrep,
    RegularRepresentation,
    SO3Irrep,
    StandardRepresentation,
    SU2Irrep,
    SU3Irrep,
    TensorProduct,
    TrivialRepresentation,
    intertwiner_basis,
    irreps,
    multiple,
    reynolds_projector,
)
from goldstone.testing import LawError, assert_equivariant


def vector(name):
    group = group_named(name)
    return StandardRepresentation(group)


def planar_in_space():
    return vector("SO(2)") + TrivialRepresentation(group_named("SO(2)"))


GOLDEN = {
    "Z4": (RegularRepresentation(CyclicGroup(4)), (4, 16, 64)),
    "D4": (vector("D4"), (1, 0, 4)),
    "S4": (vector("S4"), (2, 5, 15)),
    "SO(3)": (vector("SO(3)"), (1, 1, 3)),
    "O(3)": (vector("O(3)"), (1, 0, 3)),
    "SO(2) on ℝ³": (planar_in_space(), (3, 7, 19)),
    "SO(1,3)": (vector("SO(1,3)"), (1, 0, 4)),
    "Sp(4,R)": (vector("Sp(4,R)"), (1, 0, 3)),
    "Sp(2,R)": (vector("Sp(2,R)"), (1, 0, 2)),
}
"""Dimensions of V→V, V⊗V→V and V⊗V→V⊗V, as emlp finds them."""


@pytest.mark.parametrize("name", GOLDEN)
def test_dimensions_are_those_that_emlp_finds(name):
    v, expected = GOLDEN[name]
    for (source, target), dimension in zip(
        ((v, v), (v * v, v), (v * v, v * v)), expected, strict=True
    ):
        if dimension:
            assert EquivariantLinear(source, target).map_dimension == dimension
        else:
            with pytest.raises(InputError, match=r"equivariant linear map .* is zero"):
                EquivariantLinear(source, target)


@pytest.mark.parametrize(("name", "order"), [("C4", 4), ("C8", 8), ("D4", 8), ("O", 24), ("I", 60)])
def test_maps_of_the_regular_representation_are_as_many_as_elements(name, order):
    regular = RegularRepresentation(group_named(name))
    assert EquivariantLinear(regular, regular).map_dimension == order


def mixed(name):
    """Parts in an order that grouping must undo, scalars among them."""
    group = group_named(name)
    scalar, v = TrivialRepresentation(group), StandardRepresentation(group)
    return DirectSum(group, (v, scalar, v * v, v, scalar))


CASES = {
    **{name: mixed(name) for name in ("D4", "S4", "Oh", "SO(2)", "O(3)", "SO(1,3)", "Spin(3)")},
    "SE(2)": mixed("SE(2)"),
    "SU(2)": multiple(SU2Irrep(0.5), 2) + SU2Irrep(1) + SU2Irrep(0.5),
    "SU(3)": SU3Irrep(1, 0) + SU3Irrep(1, 1) + SU3Irrep(1, 0),
    "icosahedral irreps": DirectSum(group_named("I"), irreps(group_named("I")) * 2),
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", CASES)
def test_equivariance(name, dtype):
    representation = CASES[name]
    layer = randomised(EquivariantLinear(representation, representation, dtype=dtype))
    x = inputs(representation, dtype)
    # Boosts of the non-compact groups stretch, so the error is larger than rounding by as much.
    tolerance = 1e-3 if dtype is torch.float32 and name == "SO(1,3)" else None
    symmetry = linear_symmetry(representation, representation)
    assert_equivariant(layer, symmetry, x, tolerance=tolerance)


@pytest.mark.parametrize("name", ["O(3)", "SO(1,3)", "SU(2)", "SU(3)", "SE(2)", "Spin(3)"])
def test_infinitesimal_equivariance(name):
    """W dρ(X) = dρ(X) W and dρ(X) b = 0 on a basis of the Lie algebra."""
    representation = CASES[name]
    layer = randomised(EquivariantLinear(representation, representation, dtype=torch.float64))
    basis = torch.eye(representation.group.dimension, dtype=torch.float64)
    weight, bias = layer.weight().detach(), layer.bias().detach()
    derivative = representation.derivative(basis).to(weight.dtype)
    commutator = weight @ derivative - derivative @ weight
    assert commutator.abs().max() < 1e-10 * derivative.abs().max()
    assert (derivative @ bias).abs().max() < 1e-10


def test_a_plain_layer_fails_the_same_check():
    representation = CASES["O(3)"]
    plain = EquivariantLinear(representation, representation).to_plain()
    with torch.no_grad():
        plain.weight[0, 0] += 1
    symmetry = linear_symmetry(representation, representation)
    with pytest.raises(LawError):
        assert_equivariant(plain, symmetry, inputs(representation, torch.float32))


@pytest.mark.parametrize("name", ["D4", "Oh", "icosahedral irreps"])
def test_the_weights_are_the_image_of_the_group_average(name):
    """As many dimensions as the slow projector has, and left as they are by it."""
    representation = CASES[name]
    layer = randomised(EquivariantLinear(representation, representation, dtype=torch.float64))
    projector = reynolds_projector(representation, representation)
    assert layer.map_dimension == round(float(projector.trace()))
    flat = layer.weight().detach().flatten()
    torch.testing.assert_close(projector @ flat, flat)


def test_all_coefficients_count():
    """The map from coefficients to weights is an isometry, hence without redundancy."""
    layer = EquivariantLinear(CASES["D4"], CASES["D4"], dtype=torch.float64)
    rows = []
    for parameter in layer.coefficients:
        for index in range(parameter.numel()):
            with torch.no_grad():
                for other in layer.coefficients:
                    other.zero_()
                parameter.view(-1)[index] = 1
            rows.append(layer.weight().detach().flatten())
    rows = torch.stack(rows)
    one = torch.eye(len(rows), dtype=torch.float64)
    torch.testing.assert_close(rows @ rows.T, one, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["D4", "O(3)", "SU(2)", "icosahedral irreps"])
def test_unit_variance_at_initialisation(name):
    source = multiple(CASES[name], 4)
    layer = EquivariantLinear(source, source)
    x = inputs(source, torch.float32, 64)
    powers = []
    for seed in range(48):
        layer.reset_parameters(torch.Generator().manual_seed(seed))
        powers.append(float(layer(x).detach().abs().square().mean()))
    assert sum(powers) / 48 == pytest.approx(1.0, abs=0.07)


def test_forms_of_bases_agree():
    """Orbits and factors give the space of the dense basis; large parts get them unasked."""
    regular = RegularRepresentation(group_named("O"))
    dense = intertwiner_basis(regular, regular)
    orbits = OrbitBasis(dense.orbits(), 24)
    torch.testing.assert_close(orbits.dense(), dense.dense())
    coefficients = torch.randn(2, 3, 24, dtype=torch.float64)
    torch.testing.assert_close(
        orbits.blocks(coefficients), DenseBasis(dense.dense()).blocks(coefficients)
    )
    large = RegularRepresentation(group_named("S5"))
    assert isinstance(EquivariantLinear(large, large).bases[0], OrbitBasis)


def test_large_parts_are_factorised():
    """In a random orthonormal basis nothing is sparse: 120² × 120 numbers as 2 × 120²."""
    regular = RegularRepresentation(group_named("S5"))
    turn = torch.linalg.qr(torch.randn(120, 120, dtype=torch.float64)).Q
    turned = ChangeOfBasis(regular, turn)
    layer = randomised(EquivariantLinear(turned, turned, dtype=torch.float64))
    assert isinstance(layer.bases[0], FactorisedBasis)
    assert layer.map_dimension == 120
    rows = layer.bases[0].dense().flatten(1)
    one = torch.eye(120, dtype=torch.float64)
    torch.testing.assert_close(rows @ rows.T, one, atol=1e-9, rtol=0)
    some = [turned.group.value(g) for g in turned.group.element_tensor()[[3, 50]]]
    x = inputs(turned, torch.float64)
    assert_equivariant(layer, linear_symmetry(turned, turned), x, elements=some)


def test_degrees_up_to_six_at_once():
    parts = tuple(O3Irrep(degree, parity) for degree in range(7) for parity in (1, -1))
    source = DirectSum(parts[0].group, parts * 2)
    layer = EquivariantLinear(source, source)
    assert layer.map_dimension == 14 * 4
    assert_equivariant(
        randomised(layer), linear_symmetry(source, source), inputs(source, torch.float32)
    )


def test_the_plain_layer_is_equal():
    layer = randomised(EquivariantLinear(CASES["Oh"], CASES["Oh"]))
    x = inputs(layer.source, torch.float32)
    plain = layer.to_plain()
    assert type(plain) is torch.nn.Linear
    assert torch.equal(plain(x), layer(x))
    assert EquivariantLinear(CASES["Oh"], CASES["Oh"], bias=False).to_plain().bias is None


def test_copies_and_saved_states_agree():
    layer = randomised(EquivariantLinear(CASES["S4"], CASES["S4"]))
    x = inputs(layer.source, torch.float32)
    for other in (copy.deepcopy(layer.eval()), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), layer(x))
    fresh = EquivariantLinear(CASES["S4"], CASES["S4"])
    fresh.load_state_dict(layer.train().state_dict())
    assert torch.equal(fresh(x), layer(x))
    assert {name.split(".")[0] for name in layer.state_dict()} == {"coefficients", "biases"}


@pytest.mark.parametrize("name", ["D4", "O(3)", "SU(2)"])
def test_export_and_graph_capture(name):
    layer = randomised(EquivariantLinear(CASES[name], CASES[name])).eval()
    x = inputs(layer.source, torch.float32)
    torch.testing.assert_close(torch.export.export(layer, (x,)).module()(x), layer(x))
    captured = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(captured(x), layer(x))


def test_mixed_precision():
    layer = randomised(EquivariantLinear(CASES["Oh"], CASES["Oh"]))
    x = inputs(layer.source, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    assert (y - layer(x)).norm() < 2e-2 * y.norm()
    y.float().square().sum().backward()
    assert all(p.numel() == 0 or p.grad.isfinite().all() for p in layer.parameters())


def test_device_and_dtype_are_kept():
    layer = EquivariantLinear(CASES["D4"], CASES["D4"], device="meta", dtype=torch.float64)
    assert all(t.device.type == "meta" for t in (*layer.parameters(), *layer.buffers()))
    assert layer.weight().dtype == torch.float64
    assert EquivariantLinear(CASES["SU(2)"], CASES["SU(2)"]).weight().dtype == torch.complex64
    assert "D4, 10 → 10" in repr(layer)


def test_errors_name_the_mend():
    with pytest.raises(InputError, match=r"one group, got SO\(3\) and O\(3\)"):
        EquivariantLinear(SO3Irrep(1), O3Irrep(1, -1))
    with pytest.raises(InputError, match="use EquivariantBilinear"):
        EquivariantLinear(SO3Irrep(1), SO3Irrep(2))
    with pytest.raises(InputError, match=r"expected 10 components along axis -1.*\(2, 3\)"):
        EquivariantLinear(CASES["D4"], CASES["D4"])(torch.zeros(2, 3))


def randomised(layer, seed=0):
    """All coefficients and biases drawn at random, so that nothing is zero by chance."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(generator=generator)
    return layer


def inputs(representation, dtype, batch=16):
    if representation.dtype.is_complex:
        dtype = dtype.to_complex()
    shape = (batch, representation.dimension)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=dtype)


def test_products_of_tensors_are_not_flattened_away():
    """A product inside a product is one part of the product's dimension."""
    v = vector("SO(3)")
    nested = TensorProduct(v.group, (v * v, v))
    assert EquivariantLinear(nested, v).map_dimension == 3


def test_parts_that_nothing_reaches_are_shown():
    layer = EquivariantLinear(SO3Irrep(1), SO3Irrep(1) + SO3Irrep(2))
    assert layer.unreached == (SO3Irrep(2),)
    assert "zero in the irrep D2" in repr(layer)
    assert EquivariantLinear(CASES["D4"], CASES["D4"]).unreached == ()


@pytest.mark.parametrize("group", ["O(3)", "SU(2)"])
def test_many_irreps_are_mixed_kind_by_kind_as_the_dense_weight_does(group):
    def irrep(degree):
        return SU2Irrep(degree) if group == "SU(2)" else O3Irrep(degree, (-1) ** degree)

    # Neither in order, nor all of them on both sides.
    source = DirectSum(irrep(0).group, [irrep(k % 3) for k in range(40)])
    target = DirectSum(irrep(0).group, [irrep(3 - k % 3) for k in range(40)])
    layer = EquivariantLinear(source, target, dtype=source.dtype)
    small = EquivariantLinear(irrep(1) + irrep(2), irrep(2), dtype=source.dtype)
    assert layer._by_kind
    assert not small._by_kind
    x = torch.randn(2, 3, source.dimension, dtype=source.dtype, requires_grad=True)
    y, expected = layer(x), x @ layer.weight().mT + layer.bias()
    torch.testing.assert_close(y, expected)
    probe = torch.randn_like(y)
    found, wanted = (
        torch.autograd.grad(out, (x, *layer.coefficients), probe, materialize_grads=True)
        for out in (y, expected)
    )
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)
