"""The data set object and its checks."""

import pickle
from dataclasses import FrozenInstanceError

import pytest
import torch
from torch import Tensor

from goldstone.actions import EULER_FIELDS, NAVIER_STOKES_FIELDS
from goldstone.core import InputError
from goldstone.systems.flows import Trajectories


def fields(*shape: int) -> Tensor:
    size = shape or (3, 4, 2, 8, 6)
    return torch.randn(*size, generator=torch.Generator().manual_seed(0))


def test_describes_itself() -> None:
    data = Trajectories(
        fields(), NAVIER_STOKES_FIELDS, 0.1, (1.0, 2.0), parameters={"viscosity": 1e-3}
    )
    assert (len(data), data.steps, data.grid) == (3, 3, (8, 6))
    assert (data.system, data.seed) == ("unknown", None)
    assert data.context.dt == 0.1
    assert data.context.lengths == (1.0, 2.0)
    assert data.context.parameters == {"viscosity": 1e-3}
    assert pickle.loads(pickle.dumps(data)).layout == NAVIER_STOKES_FIELDS
    with pytest.raises(FrozenInstanceError):
        data.dt = 0.2  # type: ignore[misc]


def test_selects_trajectories_and_pairs_states() -> None:
    data = Trajectories(fields(), NAVIER_STOKES_FIELDS, 0.1)
    assert torch.equal(data.select(slice(1, 3)).fields, data.fields[1:])
    assert torch.equal(data.select([2, 0]).fields, data.fields[[2, 0]])
    before, after, owner = data.transitions()
    assert before.shape == after.shape == (9, 2, 8, 6)
    assert owner.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert torch.equal(before[4], data.fields[1, 1])
    assert torch.equal(after[4], data.fields[1, 2])


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (fields(4, 2, 8, 8), {}, "trajectory, time, channel, X, Y"),
        (fields(3, 1, 2, 8, 8), {}, "two snapshots or more"),
        (fields(3, 4, 3, 8, 8), {}, "expected the 2 channels"),
        (fields(0, 4, 2, 8, 8), {}, "at least one"),
        (fields().int(), {}, "floating-point"),
        (fields().log(), {}, "NaN or infinite"),
        (fields(), {"dt": 0.0}, "positive time"),
        (fields(), {"dt": float("nan")}, "positive time"),
        (fields(), {"lengths": (1.0, -1.0)}, "two positive sizes"),
        (fields(), {"layout": EULER_FIELDS}, "expected the 4 channels"),
    ],
)
def test_refuses_parts_that_do_not_fit(values: Tensor, options: dict, message: str) -> None:
    arguments = {"layout": NAVIER_STOKES_FIELDS, "dt": 0.1, **options}
    with pytest.raises(InputError, match=message):
        Trajectories(values, **arguments)
