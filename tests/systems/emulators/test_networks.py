"""The symmetries that the networks have and lack, their sizes, and their derivatives."""

import copy
import pickle

import pytest
import torch
from torch.nn import functional

from goldstone.actions import (
    EULER_FIELDS,
    NAVIER_STOKES_FIELDS,
    Context,
    Field,
    FieldLayout,
    PointAction,
)
from goldstone.core import InputError
from goldstone.groups import DihedralGroup
from goldstone.systems.emulators import (
    EmulatorConfig,
    EquivariantUNet,
    UNet,
    VisionTransformer,
    build_emulator,
    count_parameters,
)
from goldstone.systems.emulators.layers import CircularConv2d, SelfAttention
from goldstone.systems.losses import scaled_mse

IMAGE_FRAME = FieldLayout(
    (
        Field("vorticity", "pseudoscalar"),
        Field("velocity", "velocity", axes=(1, 0), signs=(1, -1)),
        Field("pressure", "scalar"),
    )
)
SMALL = {
    "unet": {"base_channels": 4, "stages": 2, "blocks_per_stage": 1},
    "vit": {"width": 16, "heads": 2, "depth": 1},
    "equivariant": {"copies": 1, "stages": 2},
}


def _emulator(architecture, layout=NAVIER_STOKES_FIELDS, grid=(16, 16)):
    config = EmulatorConfig(architecture, layout, grid, SMALL[architecture])
    return build_emulator(config, seed=1).double()


def _fields(layout=NAVIER_STOKES_FIELDS, batch=2, grid=(16, 16), dtype=torch.float64):
    random = torch.Generator().manual_seed(7)
    return torch.randn(batch, layout.channels, *grid, generator=random, dtype=dtype)


@torch.no_grad()
def _shift_error(model, x, shift):
    moved, expected = model(x.roll(shift, (-2, -1))), model(x).roll(shift, (-2, -1))
    change = model(x) - x
    return float((moved - expected).abs().max() / change.abs().max())


@torch.no_grad()
def _turn_error(model, layout, x):
    action, context = PointAction(DihedralGroup(4), layout), Context()
    change = (model(x) - x).abs().max()
    errors = [
        (model(action.act(g, x, context)) - action.act(g, model(x), context)).abs().max() / change
        for g in DihedralGroup(4).elements()
    ]
    return float(max(errors))


@pytest.mark.parametrize("architecture", ["unet", "equivariant"])
def test_u_nets_commute_with_shifts_by_their_total_stride_and_no_others(architecture):
    emulator, x = _emulator(architecture), _fields()
    stride = emulator.network.total_stride
    assert stride == 4
    for shift in [(stride, 0), (0, stride), (2 * stride, -stride)]:
        assert _shift_error(emulator, x, shift) < 1e-12
    for shift in [(1, 0), (0, 2), (3, 4)]:
        assert _shift_error(emulator, x, shift) > 1e-3


def test_learned_positions_break_every_shift():
    emulator, x = _emulator("vit"), _fields()
    for shift in [(1, 0), (4, 0), (0, 8)]:
        assert _shift_error(emulator, x, shift) > 1e-3
    torch.nn.init.zeros_(emulator.network.positions)
    assert _shift_error(emulator, x, (4, 8)) < 1e-12


@pytest.mark.parametrize("layout", [NAVIER_STOKES_FIELDS, EULER_FIELDS, IMAGE_FRAME])
def test_the_equivariant_network_commutes_with_d4(layout):
    emulator, x = _emulator("equivariant", layout), _fields(layout)
    assert _turn_error(emulator, layout, x) < 1e-12
    optimiser = torch.optim.AdamW(emulator.parameters(), 1e-2)
    before = copy.deepcopy(emulator.state_dict())
    for _ in range(3):
        optimiser.zero_grad()
        scaled_mse(emulator(x), _fields(layout).flip(0)).mean().backward()
        optimiser.step()
    assert any(not torch.equal(v, before[k]) for k, v in emulator.state_dict().items())
    assert _turn_error(emulator, layout, x) < 1e-12
    assert _turn_error(emulator.float(), layout, x.float()) < 1e-4


@pytest.mark.parametrize("architecture", ["unet", "vit"])
def test_the_other_networks_do_not_commute_with_d4(architecture):
    assert _turn_error(_emulator(architecture), NAVIER_STOKES_FIELDS, _fields()) > 1e-2


@pytest.mark.parametrize("architecture", ["unet", "vit", "equivariant"])
class TestEveryArchitecture:
    def test_same_seed_same_weights_and_the_global_stream_untouched(self, architecture):
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        first, second = _emulator(architecture), _emulator(architecture)
        assert torch.equal(torch.rand(3), expected)
        x = _fields()
        assert torch.equal(first(x), second(x))
        other = build_emulator(
            EmulatorConfig(architecture, NAVIER_STOKES_FIELDS, (16, 16), SMALL[architecture]), 2
        )
        assert not torch.allclose(other.double()(x), first(x))

    def test_untrained_it_is_not_persistence(self, architecture):
        x = _fields()
        assert float((_emulator(architecture)(x) - x).abs().mean()) > 0.01

    def test_samples_do_not_see_each_other(self, architecture):
        emulator, x = _emulator(architecture), _fields(batch=3)
        torch.testing.assert_close(emulator(x)[1:2], emulator(x[1:2]))

    def test_forward_mode_derivative_equals_a_difference(self, architecture):
        emulator, x = _emulator(architecture), _fields()
        parameters = dict(emulator.named_parameters())
        tangents = {
            k: torch.sin(torch.arange(v.numel()).double()).reshape(v.shape)
            for k, v in parameters.items()
        }

        def run(weights):
            return torch.func.functional_call(emulator, weights, (x,))

        _, derivative = torch.func.jvp(run, (parameters,), (tangents,))
        step = 1e-6
        ends = [
            run({k: v + sign * step * tangents[k] for k, v in parameters.items()})
            for sign in (1, -1)
        ]
        difference = (ends[0] - ends[1]) / (2 * step)
        torch.testing.assert_close(derivative, difference, rtol=1e-5, atol=1e-6)

    def test_per_sample_gradients_by_vmap_equal_a_loop(self, architecture):
        emulator, x, y = _emulator(architecture), _fields(), _fields().flip(0)
        parameters = dict(emulator.named_parameters())

        def loss(weights, one, other):
            predicted = torch.func.functional_call(emulator, weights, (one[None],))
            return scaled_mse(predicted, other[None]).sum()

        together = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(parameters, x, y)
        for i in range(len(x)):
            alone = torch.autograd.grad(loss(parameters, x[i], y[i]), list(parameters.values()))
            for (name, batched), single in zip(together.items(), alone, strict=True):
                torch.testing.assert_close(batched[i], single, msg=name)

    def test_survives_pickle_and_deepcopy(self, architecture):
        emulator, x = _emulator(architecture), _fields()
        for twin in (copy.deepcopy(emulator), pickle.loads(pickle.dumps(emulator))):
            assert torch.equal(twin(x), emulator(x))


def test_sizes_of_the_paper():
    assert 12e6 < count_parameters(UNet(2)) < 16e6
    assert UNet(2, base_channels=4).total_stride == 16
    assert 3.5e6 < count_parameters(VisionTransformer(4, (128, 128))) < 4.5e6
    small = UNet(2, base_channels=12, stages=2, blocks_per_stage=1, attention=False)
    assert 9e4 < count_parameters(small) < 1e5


def test_attention_equals_torch():
    attention = SelfAttention(12, 3)
    x = torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(0))
    queries, keys, values = (
        part.reshape(2, 5, 3, 4).transpose(1, 2)
        for part in attention.to_queries_keys_values(x).chunk(3, -1)
    )
    mixed = functional.scaled_dot_product_attention(queries, keys, values)
    expected = attention.out(mixed.transpose(1, 2).reshape(2, 5, 12))
    torch.testing.assert_close(attention(x), expected)


def test_unsuitable_grids_and_arguments_are_refused():
    x = torch.zeros(1, 2, 18, 16)
    with pytest.raises(InputError, match="multiples of the total stride 4"):
        UNet(2, base_channels=4, stages=2)(x)
    with pytest.raises(InputError, match="square grid"):
        EquivariantUNet(NAVIER_STOKES_FIELDS, copies=1, stages=1)(x)
    with pytest.raises(InputError, match="multiples of the total stride 4"):
        VisionTransformer(2, (18, 16))
    with pytest.raises(InputError, match="16×16 grid, got 18×16"):
        VisionTransformer(2, (16, 16), width=8, heads=2, depth=1)(x)
    with pytest.raises(InputError, match="3 heads"):
        VisionTransformer(2, (16, 16), width=8, heads=3)
    with pytest.raises(InputError, match="positive channels"):
        UNet(2, stages=0)
    with pytest.raises(InputError, match="positive copies"):
        EquivariantUNet(NAVIER_STOKES_FIELDS, copies=0)
    with pytest.raises(InputError, match="odd size"):
        CircularConv2d(2, 2, 4)


def test_config_round_trip_and_refusals():
    config = EmulatorConfig("unet", IMAGE_FRAME, (16, 16), {"stages": 2, "attention": False})
    assert EmulatorConfig.from_json(config.to_json()) == config
    with pytest.raises(InputError, match="unet, vit, equivariant"):
        EmulatorConfig("fno", IMAGE_FRAME, (16, 16))
    with pytest.raises(InputError, match="two positive sizes"):
        EmulatorConfig("unet", IMAGE_FRAME, (16, 0))
    with pytest.raises(InputError, match="expected the keys"):
        EmulatorConfig.from_json({"architecture": "unet"})
    with pytest.raises(InputError, match="no argument depth; it takes base_channels"):
        build_emulator(EmulatorConfig("unet", IMAGE_FRAME, (16, 16), {"depth": 2}))
