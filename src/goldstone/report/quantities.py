"""What is drawn of a state: the vorticity of a velocity, a density, or the first channel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goldstone.actions import Field, FieldLayout


@dataclass(frozen=True)
class Quantity:
    """A scalar picture of a state of shape (C, X, Y).

    Attributes:
        title: its name.
        start: first channel it needs.
        signed: whether zero is special, so that the colours diverge from it.
        field: the vector field whose curl is taken; None for a plain channel.
        density: channel to divide a momentum by, to get a velocity.
    """

    title: str
    start: int
    signed: bool = False
    field: Field | None = None
    density: int | None = None

    def __call__(self, state: NDArray[np.float64]) -> NDArray[np.float64]:
        """The picture (X, Y) of ``state`` (C, X, Y)."""
        if self.field is None:
            channel: NDArray[np.float64] = state[self.start]
            return channel
        vector = state[self.start : self.start + 2]
        if self.density is not None:
            vector = vector / state[self.density]
        return vorticity(vector, self.field)


def quantities(layout: FieldLayout | None) -> tuple[Quantity, ...]:
    """What to show of states of this layout, the most telling first; at most two."""
    if layout is None:
        return (Quantity("first channel", 0),)
    density = next((s.start for f, s in layout.slices() if f.fibre == "density"), None)
    found: list[Quantity] = []
    for field, where in layout.slices():
        if field.fibre == "density":
            found.append(Quantity(field.name, where.start))
        elif field.fibre == "velocity":
            found.append(
                Quantity(f"vorticity of {field.name}", where.start, signed=True, field=field)
            )
        elif field.fibre == "momentum" and density is not None:
            title = f"vorticity of {field.name} / density"
            found.append(Quantity(title, where.start, signed=True, field=field, density=density))
    if found:
        return tuple(found[:2])
    field, where = layout.slices()[0]
    if field.is_vector:
        return (Quantity(f"curl of {field.name}", where.start, signed=True, field=field),)
    return (Quantity(field.name, where.start, signed=field.fibre == "pseudoscalar"),)


def vorticity(vector: NDArray[np.float64], field: Field) -> NDArray[np.float64]:
    """∂v/∂x − ∂u/∂y of a periodic vector field (2, X, Y), by central differences per cell.

    ``field`` says along which spatial axis, and with which sign, each component points.
    """
    u = field.signs[field.axes.index(0)] * vector[field.axes.index(0)]
    v = field.signs[field.axes.index(1)] * vector[field.axes.index(1)]
    return _slope(v, 0) - _slope(u, 1)


def _slope(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    ahead, behind = np.roll(values, -1, axis), np.roll(values, 1, axis)
    return (ahead - behind) / 2
