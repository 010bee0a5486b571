"""The scaling symmetries of flows, against the solver."""

import pytest
import torch

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    Context,
    Field,
    FieldLayout,
    FlowScaling,
    PowerAction,
    flow_scaling_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import ScalingGroup
from goldstone.systems.flows import NavierStokes2d, isotropic_turbulence
from goldstone.testing import check_action_laws

CONTEXT = Context(dt=0.05, lengths=(1.0, 1.0), parameters={"viscosity": 1e-3})
FACTORS = (0.5, 1.25, 2.0)


def noise(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def states():
    return isotropic_turbulence(2, (16, 16), 0, peak=2.0, dtype=torch.float64)


def solve(state, context):
    solver = NavierStokes2d(context.parameters["viscosity"], context.lengths)
    return solver.advance(state, context.dt)


@pytest.mark.parametrize("grid", ["stays", "moves"])
@pytest.mark.parametrize("factor", FACTORS)
def test_the_solver_has_the_symmetry_if_the_frame_moves_too(grid, factor):
    scaling = FlowScaling(NAVIER_STOKES_FIELDS, grid)
    x = states()
    moved = scaling.act(factor, x, CONTEXT)
    found = solve(moved, scaling.context(factor, CONTEXT))
    expected = scaling.act(factor, solve(x, CONTEXT), CONTEXT.at(1))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    # With the frame left alone it is none.
    wrong = solve(moved, CONTEXT)
    assert float((wrong - expected).norm() / expected.norm()) > 1e-2


def test_the_two_ways_of_scaling():
    stays = FlowScaling(NAVIER_STOKES_FIELDS).context(2.0, CONTEXT)
    assert (stays.dt, stays.lengths, stays.parameters["viscosity"]) == (0.025, (1.0, 1.0), 2e-3)
    moves = FlowScaling(NAVIER_STOKES_FIELDS, "moves").context(2.0, CONTEXT)
    assert (moves.dt, moves.lengths, moves.parameters["viscosity"]) == (0.2, (2.0, 2.0), 1e-3)
    x = noise(1, 2, 3, 3)
    assert torch.equal(FlowScaling(NAVIER_STOKES_FIELDS).act(2.0, x, CONTEXT), 2 * x)
    assert torch.equal(FlowScaling(NAVIER_STOKES_FIELDS, "moves").act(2.0, x, CONTEXT), x / 2)


def test_derived_fields_scale_by_their_dimension():
    """Vorticity is 1/T; pressure over density is declared as L²/T²."""
    layout = FieldLayout(
        (Field("u", "velocity"), Field("vorticity", "pseudoscalar"), Field("p", "scalar"))
    )
    scaling = FlowScaling(layout, "moves", {"p": (2.0, -2.0)})
    x = torch.ones(1, 4, 2, 2, dtype=torch.float64)
    moved = scaling.act(2.0, x, CONTEXT)[0, :, 0, 0]
    assert moved.tolist() == [0.5, 0.5, 0.25, 0.25]
    check_action_laws(scaling, ScalingGroup(), noise(2, 4, 3, 3), elements=FACTORS)
    with pytest.raises(InputError, match="declare the dimension of 'p'"):
        FlowScaling(layout)
    with pytest.raises(InputError, match="declare the dimension of 'forcing'"):
        FlowScaling(NAVIER_STOKES_FIELDS).context(2.0, Context(parameters={"forcing": 1.0}))
    with pytest.raises(InputError, match="grid='stays' or grid='moves'"):
        FlowScaling(NAVIER_STOKES_FIELDS, "both")


@pytest.mark.parametrize("grid", ["stays", "moves"])
def test_a_model_that_is_told_viscosity_and_step(grid):
    """The solver itself as a conditioned model, sample by sample, on a domain of known size."""
    scaling = FlowScaling(NAVIER_STOKES_FIELDS, grid)
    symmetry = flow_scaling_symmetry(scaling)
    x = {
        "state": states(),
        "viscosity": torch.tensor([1e-3, 2e-3], dtype=torch.float64),
        "dt": torch.tensor([0.05, 0.03], dtype=torch.float64),
    }

    def model(batch, lengths):
        steps = [
            NavierStokes2d(float(v), lengths).advance(s[None], float(t))
            for s, v, t in zip(batch["state"], batch["viscosity"], batch["dt"], strict=True)
        ]
        return torch.cat(steps)

    for g in symmetry.elements:
        lengths = scaling.context(g, CONTEXT).lengths
        found = model(symmetry.on_input.act(g, x, CONTEXT), lengths)
        expected = symmetry.on_output.act(g, model(x, (1.0, 1.0)), CONTEXT.at(1))
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_conditions_in_one_tensor():
    conditions = FlowScaling(NAVIER_STOKES_FIELDS).conditioning("viscosity", "dt")
    assert conditions == PowerAction((1.0, -1.0))
    x = noise(5, 2)
    assert torch.equal(conditions.act(2.0, x, CONTEXT), x * torch.tensor([2.0, 0.5]))
    check_action_laws(conditions, ScalingGroup(), x, elements=FACTORS)
    check_action_laws(PowerAction((1.5,)), ScalingGroup(), x, elements=FACTORS)
    along = PowerAction((0.0, 1.0), axis=1)
    assert along.act(2.0, noise(3, 2, 4).half(), CONTEXT).dtype == torch.float16


def test_derivative():
    scaling, x = FlowScaling(NAVIER_STOKES_FIELDS, "moves"), noise(1, 2, 3, 3)
    group = scaling.group
    zero = torch.zeros(1, dtype=torch.float64)
    _, found = torch.func.jvp(
        lambda t: scaling.act(group.exp(t), x, CONTEXT), (zero,), (torch.ones_like(zero),)
    )
    torch.testing.assert_close(found, -x)


def test_errors():
    scaling = FlowScaling(NAVIER_STOKES_FIELDS)
    with pytest.raises(InputError, match=r"fields \(batch, 2, …\) as declared"):
        scaling.act(2.0, noise(1, 3, 4, 4), CONTEXT)
    with pytest.raises(InputError, match=r"-2\.0 is not an element"):
        scaling.act(-2.0, noise(1, 2, 4, 4), CONTEXT)
    with pytest.raises(InputError, match="2 entries along axis -1"):
        PowerAction((1.0, 2.0)).act(2.0, noise(3), CONTEXT)
    with pytest.raises(InputError, match="complex numbers"):
        PowerAction((1.0,)).act(2.0, torch.ones(3, dtype=torch.int64), CONTEXT)
