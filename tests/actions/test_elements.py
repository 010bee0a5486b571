"""Elements as tensors: the same action as by values, and differentiable where the group is Lie."""

import pytest
import torch

from goldstone.actions import (
    EULER_FIELDS,
    FLOW_SYMMETRIES,
    NAVIER_STOKES_FIELDS,
    Context,
    FourierTranslation,
    GalileanBoost,
    PointAction,
    flow_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import DihedralGroup

CONTEXT = Context(dt=0.1)


def noise(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("name", FLOW_SYMMETRIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_flows_by_values_and_by_tensors(name, dtype):
    symmetry = flow_symmetry(name, EULER_FIELDS, (8, 8))
    x = noise(2, 4, 8, 8).to(dtype)
    drawn = symmetry.group.sample(torch.Generator().manual_seed(1), (4,))
    for element in drawn:
        for context in (CONTEXT, CONTEXT.at(2)):
            found = symmetry.on_output.act(element, x, context)
            expected = symmetry.on_output.act(symmetry.group.value(element), x, context)
            assert found.dtype == dtype
            torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("action", "channels"),
    [
        (FourierTranslation(), 2),
        (GalileanBoost(NAVIER_STOKES_FIELDS), 2),
        (GalileanBoost(EULER_FIELDS), 4),
    ],
)
def test_derivatives_of_shifts_and_boosts(action, channels):
    x, later = noise(1, channels, 7, 8), CONTEXT.at(2)
    zero, v = torch.zeros(2, dtype=torch.float64), torch.tensor([0.6, -0.8], dtype=torch.float64)
    _, found = torch.func.jvp(lambda t: action.act(t, x, later), (zero,), (v,))
    h = 1e-5
    sides = [action.act(tuple((s * h * v).tolist()), x, later) for s in (1, -1)]
    torch.testing.assert_close((sides[0] - sides[1]) / (2 * h), found, rtol=1e-7, atol=1e-7)


def test_one_element_at_a_time():
    group = DihedralGroup(4)
    action = PointAction(group, NAVIER_STOKES_FIELDS)
    with pytest.raises(InputError, match="takes one element of D4 at a time"):
        action.act(group.element_tensor(), noise(1, 2, 4, 4), CONTEXT)
    with pytest.raises(InputError, match="elements outside the group"):
        action.act(torch.tensor([0, 7]), noise(1, 2, 4, 4), CONTEXT)
