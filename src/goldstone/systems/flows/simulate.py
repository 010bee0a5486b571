"""Making data sets: draw initial flows, run the solver, write a file; resumable at any moment."""

from pathlib import Path

import torch
from torch import Tensor

from goldstone.core import InputError, Progress, SilentProgress, Task
from goldstone.systems.flows.catalogue import initial_states
from goldstone.systems.flows.ground_truth import GroundTruth
from goldstone.systems.flows.part_store import PartStore
from goldstone.systems.flows.trajectories import Trajectories

_SILENT = SilentProgress()


def simulate(
    system: GroundTruth,
    initial_condition: str,
    *,
    trajectories: int,
    steps: int,
    grid: tuple[int, int],
    dt: float,
    seed: int,
    path: str | Path | None = None,
    warmup: float = 0.0,
    batch: int = 32,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    overwrite: bool = False,
    progress: Progress = _SILENT,
) -> Trajectories:
    """Simulate ``trajectories`` flows of ``steps`` + 1 snapshots, ``dt`` apart.

    With a ``path`` (.npz, .h5 or .hdf5) the data set is written there. Finished batches are kept
    beside it in a folder PATH.parts until then: after an interruption at any moment, the same
    call goes on from there, with the same numbers as an uninterrupted one. When the file is
    finished already, the same call reads it.

    Args:
        system: the solver, such as ``NavierStokes2d(viscosity=2e-3)`` or one by name from
            :func:`ground_truth`.
        initial_condition: a name in :data:`INITIAL_CONDITIONS`.
        trajectories: how many flows. The first ones are the same however many follow.
        steps: transitions per trajectory.
        grid: points along both axes.
        dt: time between snapshots.
        seed: seed of the initial conditions, the only randomness.
        path: where to write the data set, if anywhere.
        warmup: time to evolve before the first snapshot.
        batch: trajectories that are stepped together.
        dtype: precision of the solver and of the data, float32 or float64.
        device: where the solver runs. The data set is on the CPU.
        overwrite: start anew over a finished file, and over unfinished work of other arguments.
        progress: shows how many snapshots are done.

    Raises:
        InputError: an argument is out of range, or the file belongs to other arguments.
    """
    if dtype not in (torch.float32, torch.float64):
        raise InputError(f"dtype: expected torch.float32 or torch.float64, got {dtype}")
    for name, value in (("trajectories", trajectories), ("steps", steps), ("batch", batch)):
        if value < 1:
            raise InputError(f"{name}: expected 1 or more, got {value}")
    if not dt > 0 or not warmup >= 0:
        raise InputError(f"expected dt > 0 and warmup ≥ 0, got dt={dt} and warmup={warmup}")
    # Wrong names and grids are refused before any file is made.
    initial_states(system, initial_condition, 1, grid, seed, dtype=dtype)
    store = None
    if path is not None:
        request = {
            "solver": repr(system),
            "initial_condition": initial_condition,
            "trajectories": trajectories,
            "steps": steps,
            "grid": list(grid),
            "dt": dt,
            "seed": seed,
            "warmup": warmup,
            "batch": batch,
            "dtype": str(dtype),
            "device": str(device),
        }
        store = PartStore(Path(path), request)
        finished = store.open(overwrite)
        if finished is not None:
            return finished

    parts = []
    with progress.task(f"Simulating {system.system}", trajectories * (steps + 1)) as task:
        for number, first in enumerate(range(0, trajectories, batch)):
            count = min(batch, trajectories - first)
            part = None if store is None else store.read(number)
            if part is None:
                state = initial_states(
                    system, initial_condition, count, grid, seed, first=first, dtype=dtype
                ).to(device)
                part = _run(system, state, dt, steps, warmup, task)
                if store is not None:
                    store.write(number, part)
            else:
                task.advance(count * (steps + 1))
            parts.append(part)
    data = Trajectories(
        fields=torch.cat(parts),
        layout=system.layout,
        dt=dt,
        lengths=system.lengths,
        system=system.system,
        parameters=system.parameters,
        initial_condition=initial_condition,
        seed=seed,
    )
    if store is not None:
        store.finish(data)
    return data


def _run(
    system: GroundTruth, state: Tensor, dt: float, steps: int, warmup: float, task: Task
) -> Tensor:
    """One batch: (trajectory, 1 + steps, channel, X, Y), on the CPU."""
    if warmup > 0:
        state = system.advance(state, warmup)
    snapshots = [state.cpu()]
    task.advance(len(state))
    for _ in range(steps):
        state = system.advance(state, dt)
        snapshots.append(state.cpu())
        task.advance(len(state))
    return torch.stack(snapshots, dim=1)
