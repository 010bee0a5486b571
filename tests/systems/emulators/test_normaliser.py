"""Normalisers: values, inverse, and commuting with the point group."""

import pytest
import torch

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
from goldstone.systems.emulators import Emulator, Normaliser

ALL_FIBRES = FieldLayout(
    (
        Field("pressure", "scalar"),
        Field("vorticity", "pseudoscalar"),
        Field("velocity", "velocity", axes=(1, 0), signs=(1, -1)),
        Field("density", "density"),
    )
)


def _fields(layout, batch=5, seed=0):
    random = torch.Generator().manual_seed(seed)
    offsets = 1 + torch.arange(layout.channels, dtype=torch.float64)[:, None, None]
    noise = torch.randn(batch, layout.channels, 8, 8, generator=random, dtype=torch.float64)
    return offsets * (1 + noise)


def test_scalars_get_mean_and_deviation_and_vectors_one_root_mean_square():
    fields = _fields(EULER_FIELDS)
    normaliser = Normaliser.fit(EULER_FIELDS, fields)
    for channel in (0, 3):
        values = fields[:, channel]
        assert float(normaliser.mean[channel]) == pytest.approx(float(values.mean()))
        assert float(normaliser.scale[channel]) == pytest.approx(float(values.std(correction=0)))
    both = float((fields[:, 1:3] ** 2).sum() / fields[:, 1:3].numel()) ** 0.5
    assert normaliser.mean[1:3].tolist() == [0, 0]
    assert normaliser.scale[1:3].tolist() == pytest.approx([both, both])


@pytest.mark.parametrize("layout", [NAVIER_STOKES_FIELDS, EULER_FIELDS, ALL_FIBRES])
def test_commutes_with_d4(layout):
    fields = _fields(layout)
    normaliser = Normaliser.fit(layout, fields)
    action, context = PointAction(DihedralGroup(4), layout), Context()
    for g in DihedralGroup(4).elements():
        moved = action.act(g, normaliser.normalise(fields), context)
        torch.testing.assert_close(normaliser.normalise(action.act(g, fields, context)), moved)


def test_denormalise_is_the_inverse():
    fields = _fields(ALL_FIBRES)
    normaliser = Normaliser.fit(ALL_FIBRES, fields)
    torch.testing.assert_close(normaliser.denormalise(normaliser(fields)), fields)


def test_a_constant_field_keeps_scale_one():
    fields = torch.full((3, 4, 8, 8), 0.1)
    normaliser = Normaliser.fit(EULER_FIELDS, fields)
    assert normaliser.scale[[0, 3]].tolist() == [1, 1]
    torch.testing.assert_close(normaliser(fields)[:, 0], torch.zeros(3, 8, 8))


@pytest.mark.parametrize(
    ("mean", "scale", "message"),
    [
        ([0.0, 1.0], [1.0, 1.0], "mean must be 0"),
        ([0.0, 0.0], [1.0, 2.0], "one common scale"),
        ([0.0, 0.0], [1.0, -1.0], "positive scales"),
        ([0.0], [1.0, 1.0], "2 channels"),
    ],
)
def test_what_would_break_the_group_is_refused(mean, scale, message):
    with pytest.raises(InputError, match=message):
        Normaliser(NAVIER_STOKES_FIELDS, torch.tensor(mean), torch.tensor(scale))


def test_bad_data_are_refused():
    fields = _fields(NAVIER_STOKES_FIELDS)
    with pytest.raises(InputError, match="expected 4 channels"):
        Normaliser.fit(EULER_FIELDS, fields)
    fields[1, 0, 2, 3] = float("nan")
    with pytest.raises(InputError, match=r"\(1, 0, 2, 3\)"):
        Normaliser.fit(NAVIER_STOKES_FIELDS, fields)


def test_an_emulator_adds_a_scaled_increment():
    class Half(torch.nn.Module):
        def forward(self, x):
            return x / 2

    emulator = Emulator(NAVIER_STOKES_FIELDS, Half()).double()
    inputs, targets = _fields(NAVIER_STOKES_FIELDS), _fields(NAVIER_STOKES_FIELDS, seed=1)
    emulator.fit(inputs, targets)
    state, change = inputs.square().mean().sqrt(), (targets - inputs).square().mean().sqrt()
    torch.testing.assert_close(emulator(inputs), inputs + change * (inputs / state) / 2)
    assert {"state.scale", "increment.scale"} <= set(emulator.state_dict())
    with pytest.raises(InputError, match="expected 2 channels"):
        emulator(torch.zeros(1, 3, 8, 8))
    with pytest.raises(InputError, match="one shape"):
        emulator.fit(inputs, targets[:2])
