"""What a layer's arguments determine survives casts, empty devices and memory formats."""

import copy
import pickle
from functools import partial

import pytest
import torch
from torch import nn

from goldstone.core import InputError
from goldstone.groups import CyclicGroup, OrthogonalGroup, PolyhedralGroup, SpecialOrthogonalGroup
from goldstone.nn import (
    BlurPool2d,
    BlurPool3d,
    EquivariantLinear,
    GatedActivation,
    GroupConv2d,
    GroupPool,
    LiftingConv2d,
    LiftingConv3d,
    NormActivation,
    OrbitBatchNorm2d,
    OrbitBatchNorm3d,
    OrbitGroupNorm2d,
    OrbitGroupNorm3d,
    SteerableConv2d,
    SteerableConv3d,
)
from goldstone.nn.constants import Constants
from goldstone.nn.turning_error import turning_error
from goldstone.representations import (
    DirectSum,
    O2Irrep,
    RegularRepresentation,
    SO3Irrep,
    TrivialRepresentation,
    multiple,
)

C8, CUBE, O2 = CyclicGroup(8), PolyhedralGroup("O"), OrthogonalGroup(2)
FIELDS, ROTATIONS = multiple(RegularRepresentation(C8), 4), multiple(RegularRepresentation(CUBE), 2)
PLANAR = DirectSum(O2, (O2Irrep(1), O2Irrep(0), O2Irrep(2), O2Irrep(1)))
SPATIAL = DirectSum(SpecialOrthogonalGroup(3), (SO3Irrep(0), SO3Irrep(1), SO3Irrep(2)))


PLANE = {
    "lifting": partial(LiftingConv2d, C8, 3, 2, 3, padding_mode="zeros"),
    "fields": partial(GroupConv2d, C8, 4, 2, 3),
    "irreps": partial(SteerableConv2d, PLANAR, PLANAR, 3, padding_mode="reflect"),
    "batch norm of fields": partial(OrbitBatchNorm2d, FIELDS),
    "batch norm of irreps": partial(OrbitBatchNorm2d, PLANAR),
    "group norm of fields": partial(OrbitGroupNorm2d, FIELDS, 2),
    "group norm of irreps": partial(OrbitGroupNorm2d, PLANAR),
    "maximum": partial(GroupPool, FIELDS, "max"),
    "mean": partial(GroupPool, FIELDS, "mean"),
    "attention": partial(GroupPool, FIELDS, "attention"),
    "norm": partial(NormActivation, PLANAR, axis=1),
    "gate": partial(GatedActivation, PLANAR, axis=1),
    "blur": BlurPool2d,
}
SPACE = {
    "lifting": partial(LiftingConv3d, CUBE, 2, 1, 3, padding_mode="zeros"),
    "irreps": partial(SteerableConv3d, SPATIAL, SPATIAL, 3),
    "batch norm of fields": partial(OrbitBatchNorm3d, ROTATIONS),
    "batch norm of irreps": partial(OrbitBatchNorm3d, SPATIAL),
    "group norm of fields": partial(OrbitGroupNorm3d, ROTATIONS),
    "group norm of irreps": partial(OrbitGroupNorm3d, SPATIAL),
    "norm": partial(NormActivation, SPATIAL, axis=1),
    "gate": partial(GatedActivation, SPATIAL, axis=1),
    "blur": BlurPool3d,
}


def settled(layer):
    """No parameter at its start, so that nothing is zero by chance."""
    with torch.no_grad():
        for k, value in enumerate((*layer.parameters(), *layer.buffers())):
            if isinstance(value, nn.Parameter):
                value.copy_(torch.randn(value.shape, generator=torch.manual_seed(k)))
    return layer


def channels(layer):
    source = getattr(layer, "source", None) or getattr(layer, "representation", None)
    return 3 if source is None else source.dimension


@pytest.mark.parametrize("training", [False, True], ids=["eval", "training"])
@pytest.mark.parametrize("name", PLANE)
def test_channels_last(name, training):
    layer = settled(PLANE[name]()).train(training)
    x = torch.randn(2, channels(layer), 8, 8, generator=torch.manual_seed(0))
    expected = copy.deepcopy(layer)(x)
    layer = layer.to(memory_format=torch.channels_last)
    found = layer(x.to(memory_format=torch.channels_last))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("training", [False, True], ids=["eval", "training"])
@pytest.mark.parametrize("name", SPACE)
def test_channels_last_in_space(name, training):
    layer = settled(SPACE[name]()).train(training)
    x = torch.randn(2, channels(layer), 4, 4, 4, generator=torch.manual_seed(0))
    expected = copy.deepcopy(layer)(x)
    layer = layer.to(memory_format=torch.channels_last_3d)
    found = layer(x.to(memory_format=torch.channels_last_3d))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert found.is_contiguous(memory_format=torch.channels_last_3d)


def test_gradients_in_channels_last():
    for layer in (OrbitBatchNorm2d(FIELDS), OrbitBatchNorm2d(PLANAR)):
        x = torch.randn(2, channels(layer), 4, 6, generator=torch.manual_seed(0))
        gradients = []
        for memory_format in (torch.contiguous_format, torch.channels_last):
            y = x.clone(memory_format=memory_format).requires_grad_()
            layer(y).pow(3).sum().backward()
            gradients.append([y.grad, layer.weight.grad.clone(), layer.bias.grad.clone()])
            layer.zero_grad()
        torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


def buffers_are_alike(one, other):
    ours, theirs = dict(one.named_buffers()), dict(other.named_buffers())
    assert ours.keys() == theirs.keys()
    for name, buffer in ours.items():
        assert buffer.dtype == theirs[name].dtype, name
        assert torch.equal(buffer, theirs[name]), name


@pytest.mark.parametrize("name", PLANE)
def test_a_cast_does_not_round_twice(name):
    """A layer made in one precision and cast has the buffers of one made in the other."""
    double = PLANE[name](dtype=torch.float64)
    buffers_are_alike(PLANE[name]().double(), double)
    buffers_are_alike(PLANE[name]().half().to(torch.float64), double)
    buffers_are_alike(pickle.loads(pickle.dumps(PLANE[name]().bfloat16())).double(), double)
    buffers_are_alike(copy.deepcopy(PLANE[name]()).double(), double)


def test_exactness_after_a_cast():
    layer = settled(SteerableConv3d(SPATIAL, SPATIAL, 3).double())
    x = torch.randn(1, SPATIAL.dimension, 4, 4, 4, dtype=torch.float64)
    assert turning_error(layer, SPATIAL, SPATIAL, x) < 1e-13
    linear = settled(EquivariantLinear(FIELDS, FIELDS + FIELDS).bfloat16().double())
    y = torch.randn(3, 32, dtype=torch.float64)
    for g in C8.elements():
        ours = linear(y @ FIELDS.matrix(g).T)
        torch.testing.assert_close(ours, linear(y) @ linear.target.matrix(g).T, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", PLANE)
def test_from_the_meta_device(name):
    """Empty modules are filled by ``to_empty`` and a state; what is not stored comes back."""
    layer = settled(PLANE[name]()).eval()
    for empty in (PLANE[name](device="meta"), made_within(torch.device("meta"), name)):
        assert all(t.is_meta for t in (*empty.parameters(), *empty.buffers()))
        filled = empty.to_empty(device="cpu").eval()
        filled.load_state_dict(layer.state_dict())
        buffers_are_alike(filled, layer)
        x = torch.randn(2, channels(layer), 8, 8, generator=torch.manual_seed(0))
        assert torch.equal(filled(x), layer(x))


def made_within(device, name):
    with device:
        return PLANE[name]()


def test_states_across_precisions():
    single, double = LiftingConv2d(C8, 1, 2, 5), LiftingConv2d(C8, 1, 2, 5, dtype=torch.float64)
    double.load_state_dict(single.state_dict())
    assert torch.equal(double.weight(), copy.deepcopy(single).double().weight())


def test_constants_are_their_own_module():
    holder = Constants()
    exact = torch.tensor([1 / 3], dtype=torch.float64)
    holder.register_constant("third", exact)
    holder.register_constant("number", torch.tensor([3]))
    assert holder.state_dict() == {}
    assert holder.half().third.dtype == torch.float16
    assert torch.equal(holder.double().third, exact)
    assert holder.number.dtype == torch.int64
    changed = holder.float()
    changed.third = torch.ones(1)  # a change by hand stays until the next cast
    assert torch.equal(changed.to("cpu").third, torch.ones(1))
    with pytest.raises(InputError, match="expected a constant in float64, int64"):
        holder.register_constant("rounded", exact.float())


def test_export_where_only_the_input_is_reordered():
    """Torch's export miscounts buffers that are None."""
    half_turn = CyclicGroup(2)
    regular, trivial = RegularRepresentation(half_turn), TrivialRepresentation(half_turn)
    layer = SteerableConv2d(DirectSum(half_turn, (regular, trivial, regular)), regular, 1)
    assert "_rows" not in layer._buffers
    assert layer._rows is None
    assert layer._columns is not None
    x = torch.randn(1, 5, 3, 3, generator=torch.manual_seed(0))
    assert torch.equal(torch.export.export(layer, (x,)).module()(x), layer(x))
