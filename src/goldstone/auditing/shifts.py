"""The shift symmetry beside the audited one: curves along both axes, the torus, one stride cell."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from goldstone.actions import ShiftAction, Symmetry
from goldstone.auditing.answers import EXACT_FLOORS
from goldstone.auditing.coherence import coherences
from goldstone.auditing.forward import Loss, forward_measurement, norms
from goldstone.auditing.gradients import GradientProbe, GradientSet
from goldstone.auditing.inspection import predict
from goldstone.auditing.results import ShiftProfile
from goldstone.auditing.samples import Samples
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.core import Statistic, Task
from goldstone.groups import GridTranslations

Arrays = dict[str, NDArray[Any]]
_LARGEST_CELL = 4
_TORUS_EVALUATIONS = 4096


def shift_symmetry(grid: tuple[int, int], elements: Sequence[tuple[int, int]] = ()) -> Symmetry:
    """Shifts by whole cells, which act alike on inputs and outputs of any channels."""
    return Symmetry(
        "shifts", GridTranslations(grid), ShiftAction(), ShiftAction(), elements=tuple(elements)
    )


def shift_profile(
    model: nn.Module,
    samples: Samples,
    loss: Loss,
    plain: GradientSet | None,
    numerical_floor: float,
    settings: AuditSettings,
    bootstrap: Bootstrap,
    task: Task | None = None,
) -> tuple[ShiftProfile, Arrays]:
    """Forward curves along both axes, the map over the torus, and coherences on one cell.

    Gradients are taken at the shifts of one stride cell (up to 4×4) and at its multiples along
    the axes; the Euclidean metric, for which ``plain`` holds the gradients at the identity.
    """
    chosen = samples.gradient
    few = replace(
        samples,
        inputs=samples.inputs[chosen],
        targets=samples.targets[chosen],
        trajectory=samples.trajectory[chosen],
        gradient=samples.trajectory[chosen],
    )
    grid = (few.inputs.shape[-2], few.inputs.shape[-1])
    symmetry = shift_symmetry(grid)
    predictions = predict(model, few.inputs, settings.batch)
    period, worst, arrays = _forward_curves(
        model, symmetry, few, predictions, loss, numerical_floor, settings, bootstrap, grid, task
    )
    arrays |= _torus(model, few, predictions, grid, period, settings)
    cell = min(max((p or _LARGEST_CELL) for p in period), _LARGEST_CELL)
    if plain is not None:
        arrays |= _gradient_maps(
            model, symmetry, few, loss, plain, settings, bootstrap, grid, cell, task
        )
    return ShiftProfile(period, worst, cell), arrays


def _forward_curves(
    model: nn.Module,
    symmetry: Symmetry,
    samples: Samples,
    predictions: torch.Tensor,
    loss: Loss,
    floor: float,
    settings: AuditSettings,
    bootstrap: Bootstrap,
    grid: tuple[int, int],
    task: Task | None,
) -> tuple[tuple[int | None, int | None], float, Arrays]:
    steps = list(range(min(grid)))
    curves: dict[str, list[list[Statistic]]] = {"error": [[], []], "ratio": [[], []]}
    for axis in (0, 1):
        for step in steps:
            element = (step, 0) if axis == 0 else (0, step)
            measured = forward_measurement(
                model, symmetry, element, samples.inputs, samples.targets, predictions, loss,
                samples.context, settings.batch,
            )  # fmt: skip
            for key, values in (("error", measured.error), ("ratio", measured.log_loss_ratio)):
                curves[key][axis].append(mean_statistic(values, samples.trajectory, bootstrap)[0])
            if task is not None:
                task.advance()
    errors = _estimates(curves["error"])
    ratios = _estimates(curves["ratio"])
    period = (_exact_period(errors[0], floor), _exact_period(errors[1], floor))
    arrays: Arrays = {
        "shift_steps": np.array(steps),
        "shift_axis_equivariance_error": errors,
        "shift_axis_log_loss_ratio": ratios,
        "shift_axis_log_loss_ratio_low": _bounds(curves["ratio"], "low"),
        "shift_axis_log_loss_ratio_high": _bounds(curves["ratio"], "high"),
    }
    return period, float(ratios.max()), arrays


def _exact_period(errors: NDArray[Any], floor: float) -> int | None:
    size = len(errors)
    for period in range(1, size):
        if size % period == 0 and bool((errors[::period] <= EXACT_FLOORS * floor).all()):
            return period
    return None


def _torus(
    model: nn.Module,
    samples: Samples,
    predictions: torch.Tensor,
    grid: tuple[int, int],
    period: tuple[int | None, int | None],
    settings: AuditSettings,
) -> Arrays:
    """‖f(tx) − t f(x)‖/‖f(x)‖ of one sample over all shifts t of the torus.

    Where shifts by ``period`` are exact the map repeats, so one period is measured and tiled. On
    large grids every second, third, … shift is taken; ``torus_rows`` and ``torus_columns`` say which.
    """
    x, y = samples.inputs[:1], predictions[:1]
    measured = tuple(p or n for p, n in zip(period, grid, strict=True))
    step = 1
    while (measured[0] // step) * (measured[1] // step) > _TORUS_EVALUATIONS:
        # An odd step meets every residue class of a power-of-two stride.
        step += 2
    rows, columns = range(0, measured[0], step), range(0, measured[1], step)
    shifts = [(a, b) for a in rows for b in columns]
    errors = []
    for start in range(0, len(shifts), settings.batch):
        part = shifts[start : start + settings.batch]
        moved = predict(model, torch.cat([x.roll(t, (-2, -1)) for t in part]), settings.batch)
        expected = torch.cat([y.roll(t, (-2, -1)) for t in part])
        errors.append(norms(moved - expected) / norms(y))
    block = torch.cat(errors).reshape(len(rows), len(columns)).cpu().numpy()
    repeats = (grid[0] // measured[0], grid[1] // measured[1])
    return {
        "torus_equivariance_error": np.tile(block, repeats),
        "torus_rows": _tiled(rows, measured[0], repeats[0]),
        "torus_columns": _tiled(columns, measured[1], repeats[1]),
    }


def _tiled(steps: range, size: int, repeats: int) -> NDArray[Any]:
    return np.concatenate([np.array(list(steps)) + size * k for k in range(repeats)])


def _gradient_maps(
    model: nn.Module,
    symmetry: Symmetry,
    samples: Samples,
    loss: Loss,
    plain: GradientSet,
    settings: AuditSettings,
    bootstrap: Bootstrap,
    grid: tuple[int, int],
    cell: int,
    task: Task | None,
) -> Arrays:
    cheap = replace(settings, metrics=("euclidean",), decisive_metric="euclidean")
    probe = GradientProbe(model, symmetry, loss, samples, cheap)
    steps = [s for s in dict.fromkeys([*range(2 * cell + 1), min(grid) // 2]) if s < min(grid)]
    axes = [[(s, 0) for s in steps], [(0, s) for s in steps]]
    square = [[(a, b) for b in range(cell)] for a in range(cell)]
    found = {}
    for element in dict.fromkeys([*axes[0], *axes[1], *(t for row in square for t in row)]):
        moved = plain if element == (0, 0) else probe.loss_gradients(element, task)
        products = probe.products(plain, moved)["euclidean"].unit
        found[element] = coherences(products, bootstrap, 1, settings.seed)
    pairs = [[found[t].pair for t in axis] for axis in axes]
    orbits = [[found[t].orbit for t in axis] for axis in axes]
    return {
        "shift_gradient_steps": np.array(steps),
        "shift_axis_pair_coherence": _estimates(pairs),
        "shift_axis_pair_coherence_q1": _bounds(pairs, "q1"),
        "shift_axis_pair_coherence_q3": _bounds(pairs, "q3"),
        "shift_axis_null": _estimates([[found[t].null for t in axis] for axis in axes]),
        "shift_axis_orbit_coherence": _estimates(orbits),
        "shift_axis_orbit_coherence_low": _bounds(orbits, "low"),
        "shift_axis_orbit_coherence_high": _bounds(orbits, "high"),
        "cell_pair_coherence": _estimates([[found[t].pair for t in row] for row in square]),
        "cell_orbit_coherence": _estimates([[found[t].orbit for t in row] for row in square]),
    }


def _estimates(statistics: list[list[Statistic]]) -> NDArray[Any]:
    return _bounds(statistics, "estimate")


def _bounds(statistics: list[list[Statistic]], attribute: str) -> NDArray[Any]:
    return np.array([[getattr(s, attribute) for s in row] for row in statistics], dtype=np.float64)
