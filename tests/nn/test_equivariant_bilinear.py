"""Equivariant products against loops, Clebsch–Gordan coefficients and the group."""

import copy
import pickle

import pytest
import torch

from goldstone.actions import Context, LinearAction, Symmetry
from goldstone.core import InputError
from goldstone.groups import group_named
from goldstone.nn import EquivariantBilinear
from goldstone.representations import (
    DirectSum,
    RegularRepresentation,
    SO3Irrep,
    StandardRepresentation,
    SU2Irrep,
    SU3Irrep,
    TrivialRepresentation,
    clebsch_gordan,
    multilinear_basis,
    multiple,
)
from goldstone.testing import assert_equivariant


def irreps_of_rotations():
    parts = (SO3Irrep(1), SO3Irrep(0), SO3Irrep(2), SO3Irrep(1))
    return DirectSum(parts[0].group, parts)


def tensors(name):
    group = group_named(name)
    v, scalar = StandardRepresentation(group), TrivialRepresentation(group)
    return DirectSum(group, (v, scalar, v))


CASES = {
    "SO(3)": irreps_of_rotations(),
    "D4": tensors("D4") + RegularRepresentation(group_named("D4")),
    "S4": tensors("S4"),
    "SO(1,3)": tensors("SO(1,3)"),
    "SU(2)": multiple(SU2Irrep(0.5), 2) + SU2Irrep(1) + SU2Irrep(0),
    "SU(3)": SU3Irrep(1, 0) + SU3Irrep(0, 1) + SU3Irrep(1, 1),
}


def randomised(layer):
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(2))
    return layer


def pair(representation, dtype=torch.float64, batch=8):
    dtype = dtype.to_complex() if representation.dtype.is_complex else dtype
    generator = torch.Generator().manual_seed(3)
    shape = (batch, representation.dimension)
    return tuple(torch.randn(shape, generator=generator, dtype=dtype) for _ in range(2))


class OnPairs:
    def __init__(self, representation):
        self.action = LinearAction(representation)

    def act(self, element, x, context):
        return tuple(self.action.act(element, part, context) for part in x)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", CASES)
def test_equivariance(name, dtype):
    v = CASES[name]
    layer = randomised(EquivariantBilinear(v, v, v, dtype=dtype))
    symmetry = Symmetry(name, v.group, OnPairs(v), LinearAction(v))
    tolerance = 1e-2 if name == "SO(1,3)" and dtype is torch.float32 else None
    assert_equivariant(layer, symmetry, pair(v, dtype), Context(), tolerance)


@pytest.mark.parametrize("name", CASES)
def test_the_space_is_that_of_all_equivariant_products(name):
    v = CASES[name]
    layer = EquivariantBilinear(v, v, v)
    assert layer.map_dimension == len(multilinear_basis((v, v), v))


def test_the_layer_is_the_written_sum():
    """z_k = Σ_ij T_kij x_i y_j + b_k by loops over entries; left and right differ in size."""
    left, right = CASES["SO(3)"], SO3Irrep(2) + SO3Irrep(0)
    layer = randomised(EquivariantBilinear(left, right, left, dtype=torch.float64))
    x, y = pair(left)[0], pair(right)[1]
    tensor, expected = layer.tensor(), torch.zeros(8, left.dimension, dtype=torch.float64)
    for i in range(left.dimension):
        for j in range(right.dimension):
            expected += x[:, i, None] * y[:, j, None] * tensor[:, i, j]
    torch.testing.assert_close(layer(x, y), expected + layer.bias())
    plain = layer.to_plain()
    assert type(plain) is torch.nn.Bilinear
    torch.testing.assert_close(plain(x, y), layer(x, y))


def test_single_irreps_are_coupled_by_clebsch_gordan_coefficients():
    a, b, c = SO3Irrep(2), SO3Irrep(1), SO3Irrep(2)
    layer = EquivariantBilinear(a, b, c, dtype=torch.float64)
    with torch.no_grad():
        layer.coefficients[0].fill_(5**0.5)
    expected = clebsch_gordan(a, b, c)[0].permute(2, 0, 1)
    torch.testing.assert_close(layer.tensor(), expected)


@pytest.mark.parametrize("name", ["SO(3)", "D4", "SU(2)"])
def test_unit_variance_at_initialisation(name):
    v = multiple(CASES[name], 2)
    x, y = pair(v, torch.float32, 256)
    layer, powers = EquivariantBilinear(v, v, v), []
    for seed in range(24):
        layer.reset_parameters(torch.Generator().manual_seed(seed))
        powers.append(float(layer(x, y).detach().abs().square().mean()))
    assert sum(powers) / 24 == pytest.approx(1.0, abs=0.1)


def test_batches_broadcast():
    v = CASES["SO(3)"]
    layer = EquivariantBilinear(v, v, v, dtype=torch.float64)
    x, y = pair(v)
    result = layer(x[:, None], y[None])
    assert result.shape == (8, 8, v.dimension)
    torch.testing.assert_close(result[2, 5], layer(x[2], y[5]))


def test_copies_states_and_export():
    v = CASES["D4"]
    layer = randomised(EquivariantBilinear(v, v, v)).eval()
    x, y = pair(v, torch.float32)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x, y), layer(x, y))
    fresh = EquivariantBilinear(v, v, v)
    fresh.load_state_dict(layer.state_dict())
    assert torch.equal(fresh(x, y), layer(x, y))
    exported = torch.export.export(layer, (x, y)).module()
    torch.testing.assert_close(exported(x, y), layer(x, y))
    captured = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(captured(x, y), layer(x, y))


def test_errors_name_the_mend():
    one, other = SO3Irrep(1), StandardRepresentation(group_named("O(3)"))
    with pytest.raises(InputError, match=r"one group, got SO\(3\) and O\(3\)"):
        EquivariantBilinear(one, other, one)
    with pytest.raises(InputError, match="part that the tensor product contains"):
        EquivariantBilinear(one, one, SO3Irrep(3))
    layer = EquivariantBilinear(one, one, one)
    with pytest.raises(InputError, match="expected 3 components"):
        layer(torch.zeros(2, 3), torch.zeros(2, 4))


def test_the_order_of_products_is_kept_from_the_meta_device():
    vectors = multiple(SO3Irrep(1), 2)
    layer, empty = (
        EquivariantBilinear(vectors, vectors, vectors, device=d) for d in ("cpu", "meta")
    )
    moved = empty.to_empty(device="cpu")
    moved.load_state_dict(layer.state_dict())
    x, y = torch.randn(2, 5, 6)
    assert "_columns" in dict(layer.named_buffers())
    assert torch.equal(moved(x, y), layer(x, y))
