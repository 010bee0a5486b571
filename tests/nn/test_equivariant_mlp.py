"""Equivariant perceptrons: exact for every kind of group, hidden features, what they learn."""

import copy
import pickle

import pytest
import torch
from torch import nn

from goldstone.actions import linear_symmetry
from goldstone.core import InputError
from goldstone.groups import group_named
from goldstone.nn import (
    EquivariantBilinear,
    EquivariantLinear,
    EquivariantMLP,
    hidden_representation,
)
from goldstone.representations import (
    OuterTensorProduct,
    RegularRepresentation,
    SO3Irrep,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)
from goldstone.testing import assert_equivariant

READY = ("C4", "D4", "Oh", "S6", "SO(2)", "O(3)", "SU(2)")
TENSORS = ("SO+(1,3)", "Sp(2,R)", "SE(2)", "U(2)")


def ends(name):
    group = group_named(name)
    vector, scalar = StandardRepresentation(group), TrivialRepresentation(group)
    return multiple(vector, 3) + scalar, vector, scalar


def inputs(representation, dtype, batch=8):
    dtype = dtype.to_complex() if representation.dtype.is_complex else dtype
    shape = (batch, representation.dimension)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=dtype)


@pytest.mark.parametrize("name", READY + TENSORS)
def test_equivariance_and_invariance(name):
    source, vector, scalar = ends(name)
    # Products of second-rank tensors take seconds to solve for some groups; not in every test.
    small = multiple(vector, 2) + multiple(scalar, 4)
    hidden = small if name in TENSORS else hidden_representation(source.group, 48)
    for target in (vector, scalar):
        model = EquivariantMLP(source, hidden, target, dtype=torch.float64)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
        x = inputs(source, torch.float64)
        assert_equivariant(model, linear_symmetry(source, target), x)
        # Not constant, which would be equivariant trivially.
        assert (model(x) - model(x).mean(0)).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["D4", "O(3)", "SU(2)"])
def test_single_precision(name):
    source, vector, _ = ends(name)
    model = EquivariantMLP(source, 48, vector, layers=3)
    x = inputs(source, torch.float32)
    assert_equivariant(model, linear_symmetry(source, vector), x, tolerance=3e-5)


@pytest.mark.parametrize("name", READY + TENSORS)
@pytest.mark.parametrize("dimension", [1, 7, 100])
def test_hidden_features_have_the_dimension_asked_for(name, dimension):
    group = group_named(name)
    found = hidden_representation(group, dimension)
    assert found.group == group
    assert found.dimension == dimension


def test_hidden_features_are_spread_evenly():
    found = hidden_representation(group_named("SO(3)"), 90)
    channels = {
        part.degree: part.dimension * found.parts.count(part) for part in dict.fromkeys(found.parts)
    }
    assert sorted(channels) == [0, 1, 2]
    assert max(channels.values()) - min(channels.values()) <= 5
    regular = RegularRepresentation(group_named("D4"))
    assert hidden_representation(group_named("D4"), 20).parts.count(regular) == 2


def test_hidden_features_contain_what_the_ends_need():
    octupole = SO3Irrep(3)
    hidden = hidden_representation(octupole.group, 40, containing=(octupole,))
    assert octupole in hidden.parts
    model = EquivariantMLP(SO3Irrep(1), 40, octupole)
    assert model(torch.randn(2, 3)).shape == (2, 7)


@pytest.mark.parametrize("name", ["D4", "O(3)"])
def test_the_plain_model_is_equal(name):
    source, vector, _ = ends(name)
    model = EquivariantMLP(source, 48, vector)
    plain = model.to_plain()
    assert not any(isinstance(module, EquivariantLinear) for module in plain.modules())
    assert any(isinstance(module, nn.Linear) for module in plain)
    x = inputs(source, torch.float32)
    assert torch.equal(plain(x), model(x))


@pytest.mark.parametrize("name", ["D4", "O(3)", "SU(2)"])
def test_copies_states_and_export(name):
    source, _, scalar = ends(name)
    model = EquivariantMLP(source, 32, scalar).eval()
    x = inputs(source, torch.float32)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(x), model(x))
    fresh = EquivariantMLP(source, 32, scalar)
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(fresh(x), model(x))
    torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), model(x))
    captured = torch.compile(model, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(captured(x), model(x))


def test_hidden_layers_do_not_share_weights():
    source, vector, _ = ends("O(3)")
    model = EquivariantMLP(source, 48, vector, layers=3)
    first, second = (model.layers[k].coefficients[0] for k in (3, 6))
    assert first.shape == second.shape
    assert not torch.equal(first, second)
    model.reset_parameters(torch.Generator().manual_seed(0))
    drawn = copy.deepcopy(model.state_dict())
    model.reset_parameters(torch.Generator().manual_seed(0))
    assert all(torch.equal(drawn[name], value) for name, value in model.state_dict().items())


def test_complex_features_of_a_real_representation():
    """Wave functions whose components turn as a vector's: linear parts act on both halves alike."""
    vector = StandardRepresentation(group_named("O(3)"))
    x = torch.randn(8, 3, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    layer = EquivariantLinear(vector, vector + vector * vector, dtype=torch.float64)
    torch.testing.assert_close(
        layer(x), torch.complex(layer(x.real), layer(x.imag) - layer(0 * x.imag))
    )
    product = EquivariantBilinear(vector, vector, vector * vector, dtype=torch.float64)
    y = x.real.roll(1, 0)
    expected = torch.complex(product(x.real, y), product(x.imag, y) - product(0 * y, y))
    torch.testing.assert_close(product(x, y), expected)
    scalar = TrivialRepresentation(vector.group)
    model = EquivariantMLP(vector + scalar, 32, vector, dtype=torch.float64)
    x = torch.randn(8, 4, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    assert_equivariant(model, linear_symmetry(vector + scalar, vector), x)


MATRICES = ("SO(4)", "SO(1,3)", "Sp(2,R)", "SL(2,C)", "SE(2)")


@pytest.mark.parametrize("name", ["D4", "Oh", "SO(2)", "O(3)", "SU(2)", *MATRICES])
def test_unit_variance_through_many_layers(name):
    """Of groups whose hidden features are matrices products once grew to 10⁹ in three layers."""
    source, vector, _ = ends(name)
    model = EquivariantMLP(source, 48, vector, layers=3)
    x = inputs(source, torch.float32, 512)
    powers, larger = [], []
    for seed in range(5):
        model.reset_parameters(torch.Generator().manual_seed(seed))
        powers.append(float(model(x).detach().abs().square().mean()))
        larger.append(float(model(3 * x).detach().abs().square().mean()))
    assert 0.7 < sum(powers) / 5 < 1.4
    assert min(powers) > 0.4
    assert max(powers) < 2.5
    assert sorted(larger)[2] < 100


def test_it_learns_a_cross_product():
    """Second order and odd under exchange: no scalars and vectors scaled by them would do."""
    torch.manual_seed(0)
    vector = StandardRepresentation(group_named("SO(3)"))
    model = EquivariantMLP(vector + vector, 24, vector, layers=1)
    x = torch.randn(256, 6)
    y = torch.linalg.cross(x[:, :3], x[:, 3:])
    optimiser = torch.optim.Adam(model.parameters(), 3e-2)
    for _ in range(250):
        loss = (model(x) - y).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    fresh = torch.randn(256, 6)
    error = (model(fresh) - torch.linalg.cross(fresh[:, :3], fresh[:, 3:])).square().mean()
    assert error < 0.05 * y.square().mean()


def test_errors_name_the_mend():
    source, vector, _ = ends("O(3)")
    with pytest.raises(InputError, match="EquivariantLinear has none"):
        EquivariantMLP(source, 16, vector, layers=0)
    with pytest.raises(InputError, match="at least 1, got 0"):
        EquivariantMLP(source, 0, vector)
    with pytest.raises(InputError, match=r"of one group, got O\(3\) and SO\(3\)"):
        EquivariantMLP(source, 16, SO3Irrep(1))
    with pytest.raises(InputError, match="give the hidden representation"):
        hidden_representation(group_named("R3"), 16)


@pytest.mark.parametrize("name", ["SO(3) × S3", "SO(2) × D3", "SU(2) × C2"])
def test_products_of_groups(name):
    """Three points whose vectors turn together and change places: one network for both."""
    group = group_named(name)
    space, points = group.factors
    vector = OuterTensorProduct(
        group, (StandardRepresentation(space), StandardRepresentation(points))
    )
    scalar = TrivialRepresentation(group)
    model = EquivariantMLP(vector + scalar, 24, vector, 1, dtype=torch.float64)
    assert model.hidden.dimension == 24
    assert len(set(model.hidden.parts)) > 2
    x = inputs(vector + scalar, torch.float64)
    assert_equivariant(model, linear_symmetry(vector + scalar, vector), x)
    assert float((model(x) - model(x).mean(0)).detach().abs().max()) > 1e-3


def test_what_is_no_representation_is_named():
    source, vector, _ = ends("O(3)")
    for call in (
        lambda: EquivariantMLP(3, 16, vector),
        lambda: EquivariantMLP(source, "16", vector),
        lambda: EquivariantLinear(vector, vector.group),
        lambda: EquivariantBilinear(vector, 3, vector),
    ):
        with pytest.raises(InputError, match="expected a representation that says"):
            call()
