"""The shift symmetry beside the audited one: curves along both axes and the map over the torus."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from goldstone.actions import ShiftAction, Symmetry
from goldstone.auditing.answers import EXACT_FLOORS
from goldstone.auditing.forward import forward_measurement, norms
from goldstone.auditing.gradients import GradientSet
from goldstone.auditing.results import ShiftProfile
from goldstone.auditing.shift_coherence import LARGEST_CELL, shift_coherences
from goldstone.auditing.subject import Subject
from goldstone.core import Progress, Statistic
from goldstone.groups import GridTranslations

Arrays = dict[str, NDArray[Any]]
_TORUS_EVALUATIONS = 4096


def shift_profile(
    few: Subject, plain: GradientSet | None, numerical_floor: float, progress: Progress
) -> tuple[ShiftProfile, Arrays]:
    """Forward curves along both axes, the map over the torus, and coherences by shift.

    ``few`` is the subject on the gradient samples, ``plain`` its gradients at the identity.
    """
    grid = (few.samples.inputs.shape[-2], few.samples.inputs.shape[-1])
    symmetry = Symmetry("shifts", GridTranslations(grid), ShiftAction(), ShiftAction())
    with progress.task("shifts", 2 * min(grid)) as task:
        errors: list[list[Statistic]] = [[], []]
        ratios: list[list[Statistic]] = [[], []]
        for axis in (0, 1):
            for step in range(min(grid)):
                element = (step, 0) if axis == 0 else (0, step)
                measured = forward_measurement(few, symmetry, element)
                errors[axis].append(few.mean(measured.error))
                ratios[axis].append(few.mean(measured.log_loss_ratio))
                task.advance()
    error_curves = _values(errors)
    period = (
        _exact_period(error_curves[0], grid[0], numerical_floor),
        _exact_period(error_curves[1], grid[1], numerical_floor),
    )
    arrays: Arrays = {
        "shift_steps": np.arange(min(grid)),
        "shift_axis_equivariance_error": error_curves,
        "shift_axis_log_loss_ratio": _values(ratios),
        "shift_axis_log_loss_ratio_low": _values(ratios, "low"),
        "shift_axis_log_loss_ratio_high": _values(ratios, "high"),
    }
    arrays |= _torus(few, grid, period)
    cell = min(max(p or LARGEST_CELL for p in period), LARGEST_CELL)
    gradients = 0
    if plain is not None:
        more, gradients = shift_coherences(few, symmetry, plain, grid, cell, period, progress)
        arrays |= more
    worst = max(s.estimate or 0.0 for row in ratios for s in row)
    return ShiftProfile(period, worst, cell, gradients), arrays


def _values(statistics: list[list[Statistic]], attribute: str = "estimate") -> NDArray[Any]:
    """One attribute of a table of statistics, NaN where it is None."""
    return np.array([[getattr(s, attribute) for s in row] for row in statistics], dtype=np.float64)


def _exact_period(errors: NDArray[Any], size: int, floor: float) -> int | None:
    """The smallest measured divisor of the axis's size whose measured multiples are all exact."""
    for period in range(1, len(errors)):
        if size % period == 0 and bool((errors[::period] <= EXACT_FLOORS * floor).all()):
            return period
    return None


def _torus(few: Subject, grid: tuple[int, int], period: tuple[int | None, int | None]) -> Arrays:
    """‖f(tx) − t f(x)‖/‖f(x)‖ of one sample over all shifts t of the torus.

    Where shifts by ``period`` are exact the map repeats, so one period is measured and tiled. On
    large grids every third, fifth, … shift is taken, as ``torus_rows`` and ``torus_columns`` say.
    """
    x, y = few.samples.inputs[:1], few.predictions[:1]
    rows_measured, columns_measured = (p or n for p, n in zip(period, grid, strict=True))
    step = 1
    while (rows_measured // step) * (columns_measured // step) > _TORUS_EVALUATIONS:
        # An odd step meets every residue class of a power-of-two stride.
        step += 2
    rows, columns = range(0, rows_measured, step), range(0, columns_measured, step)
    shifts = [(a, b) for a in rows for b in columns]
    batch = few.settings.batch
    errors = []
    for part in (shifts[start : start + batch] for start in range(0, len(shifts), batch)):
        moved = few.predict(torch.cat([x.roll(t, (-2, -1)) for t in part]))
        expected = torch.cat([y.roll(t, (-2, -1)) for t in part])
        errors.append(norms(moved - expected) / norms(y))
    block = torch.cat(errors).reshape(len(rows), len(columns)).cpu().numpy()
    repeats = (grid[0] // rows_measured, grid[1] // columns_measured)
    return {
        "torus_equivariance_error": np.tile(block, repeats),
        "torus_rows": _tiled(rows, rows_measured, repeats[0]),
        "torus_columns": _tiled(columns, columns_measured, repeats[1]),
    }


def _tiled(steps: range, size: int, repeats: int) -> NDArray[Any]:
    return np.concatenate([np.array(list(steps)) + size * k for k in range(repeats)])
