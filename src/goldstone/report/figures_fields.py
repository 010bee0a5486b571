"""Fields beside their transformed and emulated versions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goldstone.actions import FieldLayout
from goldstone.auditing import AuditResult
from goldstone.report.arrays import array, names
from goldstone.report.numbers import number
from goldstone.report.pictures import ColourScale, difference_scale, field_scale
from goldstone.report.quantities import Quantity, quantities

MOST_ROWS = 12
_States = tuple[str, tuple[NDArray[np.float64], ...], tuple[str, ...]]
"""An element's name, the states (C, X, Y) drawn for it, and the symbols over its pictures."""


@dataclass(frozen=True)
class Picture:
    """One picture of a row: a PNG data URI, the symbol over it, the text for who cannot see it."""

    source: str
    symbol: str
    description: str


@dataclass(frozen=True)
class PictureRow:
    """The pictures of one element, and the size of the difference in its last one."""

    name: str
    pictures: tuple[Picture, ...]
    difference: str


@dataclass(frozen=True)
class Scale:
    """A colour bar: its picture and the numbers at its ends."""

    source: str
    low: str
    high: str


@dataclass(frozen=True)
class FieldFigure:
    """Rows of pictures of one quantity."""

    title: str
    signed: bool
    rows: tuple[PictureRow, ...]
    scale: Scale
    difference: Scale
    left_out: int


def field_figures(result: AuditResult) -> tuple[FieldFigure, ...]:
    """One figure per quantity of the displayed sample; none if the audit stored no fields.

    Raises:
        InputError: an array has another shape than the others.
    """
    arrays = result.arrays
    elements = names(arrays, "display_elements")
    first = array(arrays, "display_input", None, None, None)
    if first is None:
        return ()
    target = array(arrays, "display_target", *first.shape)
    predicted = array(arrays, "display_prediction", *first.shape)
    shape = (len(elements), *first.shape)
    moved = [
        array(arrays, name, *shape)
        for name in (
            "display_moved_input",
            "display_prediction_of_moved",
            "display_moved_prediction",
        )
    ]
    rows: list[_States] = []
    if target is not None and predicted is not None:
        rows.append(("e", (first, predicted, target), ("x", "f(x)", "y", "f(x) − y")))
    if moved[0] is not None and moved[1] is not None and moved[2] is not None:
        for i in _chosen(result, elements):
            states = (moved[0][i], moved[1][i], moved[2][i])
            rows.append((elements[i], states, ("g·x", "f(g·x)", "g·f(x)", "f(g·x) − g·f(x)")))
    if not rows:
        return ()
    layout = _layout(result, first.shape[0])
    left_out = max(0, len(elements) - MOST_ROWS)
    return tuple(_figure(quantity, rows, left_out) for quantity in quantities(layout))


def _layout(result: AuditResult, channels: int) -> FieldLayout | None:
    if not result.symmetry.layout:
        return None
    layout = FieldLayout.from_json(result.symmetry.layout)
    return layout if layout.channels == channels else None


def _chosen(result: AuditResult, elements: Sequence[str]) -> list[int]:
    """At most twelve rows, evenly from the smallest to the largest equivariance error."""
    if len(elements) <= MOST_ROWS:
        return list(range(len(elements)))
    errors = {e.name: e.equivariance_error.estimate or 0.0 for e in result.elements}
    ordered = sorted(range(len(elements)), key=lambda i: errors.get(elements[i], 0.0))
    places = np.rint(np.linspace(0, len(ordered) - 1, MOST_ROWS)).astype(int)
    return sorted(ordered[place] for place in places)


def _figure(
    quantity: Quantity,
    rows: list[_States],
    left_out: int,
) -> FieldFigure:
    drawn = [[quantity(state) for state in states] for _, states, _ in rows]
    differences = [fields[1] - fields[2] for fields in drawn]
    scale = field_scale([picture for fields in drawn for picture in fields], quantity.signed)
    fine = difference_scale(differences, scale)
    made = []
    for (name, states, symbols), fields, difference in zip(rows, drawn, differences, strict=True):
        sources = [scale.picture(field) for field in fields] + [fine.picture(difference)]
        pictures = tuple(
            Picture(source, symbol, f"{symbol} for element {name}: {quantity.title}")
            for source, symbol in zip(sources, symbols, strict=True)
        )
        made.append(PictureRow(name, pictures, number(_relative(states[1], states[2]))))
    return FieldFigure(
        quantity.title, quantity.signed, tuple(made), _bar(scale), _bar(fine), left_out
    )


def _relative(state: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    size = float(np.linalg.norm(other))
    return float(np.linalg.norm(state - other)) / size if size else None


def _bar(scale: ColourScale) -> Scale:
    return Scale(scale.bar(), number(scale.low, 2), number(scale.high, 2))
