"""Coherences along shifts: two axes and one stride cell."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goldstone.actions import Symmetry
from goldstone.auditing.coherence import coherences
from goldstone.auditing.gradients import GradientProbe, GradientSet
from goldstone.auditing.subject import Subject
from goldstone.core import Progress, Statistic

LARGEST_CELL = 4


def shift_coherences(
    few: Subject,
    symmetry: Symmetry,
    plain: GradientSet,
    grid: tuple[int, int],
    cell: int,
    period: tuple[int | None, int | None],
    progress: Progress,
) -> tuple[dict[str, NDArray[Any]], int]:
    """Euclidean coherences at shifts along both axes and over one cell of ``cell``² shifts.

    Along the axes: every shift up to two cells, the exact ``period``, and half the grid. Returns
    the arrays and the number of gradients taken.
    """
    cheap = replace(few.settings, metrics=("euclidean",), decisive_metric="euclidean")
    # As many samples as there are gradients at the identity, kept as those are.
    few = few.first(len(plain.vectors))
    probe = GradientProbe(
        replace(few, settings=cheap), symmetry, few.samples.inputs[:0], {}, plain.keeping
    )
    exact = [p for p in period if p is not None]
    steps = sorted({s for s in (*range(2 * cell + 1), *exact, min(grid) // 2) if s < min(grid)})
    axes = [[(s, 0) for s in steps], [(0, s) for s in steps]]
    square = [[(a, b) for b in range(cell)] for a in range(cell)]
    wanted = list(dict.fromkeys(t for row in axes + square for t in row))
    found = {}
    with progress.task("gradients along shifts", len(wanted)) as task:
        for shift in wanted:
            moved = plain if shift == (0, 0) else probe.loss_gradients(shift)
            products = probe.products(plain, moved)["euclidean"].unit
            found[shift] = coherences(products, few.bootstrap, 1, few.settings.seed)
            task.advance()

    def table(shifts: list[list[tuple[int, int]]], name: str, attribute: str) -> NDArray[Any]:
        rows: list[list[Statistic]] = [[getattr(found[t], name) for t in row] for row in shifts]
        return np.array([[getattr(s, attribute) for s in row] for row in rows], dtype=np.float64)

    arrays = {
        "shift_gradient_steps": np.array(steps),
        "shift_axis_pair_coherence": table(axes, "pair", "estimate"),
        "shift_axis_pair_coherence_q1": table(axes, "pair", "q1"),
        "shift_axis_pair_coherence_q3": table(axes, "pair", "q3"),
        "shift_axis_null": table(axes, "null", "estimate"),
        "shift_axis_orbit_coherence": table(axes, "orbit", "estimate"),
        "shift_axis_orbit_coherence_low": table(axes, "orbit", "low"),
        "shift_axis_orbit_coherence_high": table(axes, "orbit", "high"),
        "cell_pair_coherence": table(square, "pair", "estimate"),
        "cell_orbit_coherence": table(square, "orbit", "estimate"),
    }
    return arrays, (len(wanted) - 1) * few.samples.trajectories
