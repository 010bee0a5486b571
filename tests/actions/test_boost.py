"""Galilean boosts against closed forms."""

from math import pi

import pytest
import torch

from goldstone.actions import (
    EULER_FIELDS,
    NAVIER_STOKES_FIELDS,
    Context,
    Field,
    FieldLayout,
    GalileanBoost,
)
from goldstone.core import InputError
from goldstone.groups import AdditiveGroup
from goldstone.testing import check_action_laws

GAMMA = 1.4
LENGTHS = (2.0, 3.0)
C = (0.7, -0.4)
BOOSTS = AdditiveGroup("boost", 2, "velocity")


def euler_flow(t, c=(0.0, 0.0), shape=(16, 12)):
    """Density, velocity and pressure of a shear flow with density waves, seen moving by c.

    Each is a function of place, drifted by c t and with c added to the velocity. Few modes, so that
    products (momentum, energy) are below Nyquist too.
    """
    x, y = torch.meshgrid(
        *(
            length * torch.arange(n, dtype=torch.float64) / n - speed * t
            for length, n, speed in zip(LENGTHS, shape, c, strict=True)
        ),
        indexing="ij",
    )
    kx, ky = 2 * pi / LENGTHS[0], 2 * pi / LENGTHS[1]
    density = 2.0 + 0.3 * torch.sin(kx * x) + 0.2 * torch.cos(ky * y)
    u = torch.stack([0.5 * torch.sin(ky * y) + c[0], 0.4 * torch.cos(kx * x) + c[1]])
    pressure = 1.0 + 0.1 * torch.cos(kx * x + ky * y)
    return density, u, pressure


def conserved(density, u, pressure):
    energy = pressure / (GAMMA - 1) + 0.5 * density * u.square().sum(0)
    return torch.cat([density[None], density * u, energy[None]])[None]


@pytest.mark.parametrize("step", [0, 1, 3])
def test_euler_states_against_the_moving_flow(step):
    context = Context(dt=0.13, lengths=LENGTHS, step=step)
    t = context.elapsed
    at_rest, moving = conserved(*euler_flow(t)), conserved(*euler_flow(t, C))
    boosted = GalileanBoost(EULER_FIELDS).act(C, at_rest, context)
    torch.testing.assert_close(boosted, moving, rtol=0, atol=1e-12)


def test_pressure_stays_and_velocity_gains_c():
    x = torch.rand(2, 4, 5, 7, dtype=torch.float64) + 1.0
    boosted = GalileanBoost(EULER_FIELDS).act(C, x, Context())

    def primitive(state):
        density, momentum, energy = state[:, :1], state[:, 1:3], state[:, 3:]
        kinetic = 0.5 * momentum.square().sum(1, keepdim=True) / density
        return density, momentum / density, (GAMMA - 1) * (energy - kinetic)

    density, velocity, pressure = primitive(x)
    new_density, new_velocity, new_pressure = primitive(boosted)
    c = torch.tensor(C, dtype=torch.float64)[None, :, None, None]
    assert torch.equal(new_density, density)
    torch.testing.assert_close(new_velocity, velocity + c)
    torch.testing.assert_close(new_pressure, pressure)


def test_velocity_fields_drift_by_c_t_in_physical_units():
    # One cell is 0.125 × 0.25; c t = (0.5, −0.5) is (4, −2) cells.
    context = Context(dt=0.25, lengths=(2.0, 3.0), step=2)
    u = torch.randn(1, 2, 16, 12, dtype=torch.float64, generator=torch.manual_seed(0))
    boosted = GalileanBoost(NAVIER_STOKES_FIELDS).act((1.0, -1.0), u, context)
    expected = u.roll((4, -2), (-2, -1)) + torch.tensor([1.0, -1.0])[None, :, None, None]
    torch.testing.assert_close(boosted, expected)


def test_other_fibres_only_drift():
    layout = FieldLayout(
        (Field("u", "velocity"), Field("dye", "scalar"), Field("w", "pseudoscalar"))
    )
    context = Context(dt=1.0, lengths=(8.0, 8.0), step=1)
    x = torch.randn(1, 4, 8, 8, dtype=torch.float64, generator=torch.manual_seed(0))
    boosted = GalileanBoost(layout).act((3.0, 0.0), x, context)
    torch.testing.assert_close(boosted[:, 2:], x[:, 2:].roll(3, -2))


def test_the_declared_frame_decides_which_component_gains_what():
    layout = FieldLayout((Field("u", "velocity", axes=(1, 0), signs=(1, -1)),))
    boosted = GalileanBoost(layout).act(C, torch.zeros(1, 2, 4, 4), Context())
    # Component 0 points along the second axis, component 1 against the first.
    torch.testing.assert_close(boosted[0, :, 0, 0], torch.tensor([C[1], -C[0]]))


@pytest.mark.parametrize("layout", [EULER_FIELDS, NAVIER_STOKES_FIELDS])
@pytest.mark.parametrize("step", [0, 2])
def test_laws(layout, step):
    # An odd grid has no Nyquist mode, so every field is band-limited.
    x = torch.randn(2, layout.channels, 7, 9, dtype=torch.float64, generator=torch.manual_seed(0))
    elements = [(0.3, 0.0), (0.0, -1.7), (0.5, 0.25), (-2.0, 1.0)]
    context = Context(dt=0.37, lengths=LENGTHS, step=step)
    check_action_laws(GalileanBoost(layout), BOOSTS, x, context, elements)


@pytest.mark.parametrize(
    ("fibres", "message"),
    [
        (("vector",), "a field of fibre 'velocity'.*got \\['vector'\\]"),
        (("momentum",), "needs a field of fibre 'density'"),
        (("velocity", "energy"), "energy needs fields of fibres 'momentum' and 'density'"),
    ],
)
def test_layouts_that_cannot_be_boosted(fibres, message):
    layout = FieldLayout(tuple(Field(fibre, fibre) for fibre in fibres))
    with pytest.raises(InputError, match=message):
        GalileanBoost(layout)
