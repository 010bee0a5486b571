"""Maps over the torus of shifts and over one stride cell."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goldstone.auditing import AuditResult
from goldstone.report.arrays import array
from goldstone.report.svg import Axes, inline_svg

_MOST_WRITTEN = 8
Values = NDArray[np.float64]


def torus_panels(result: AuditResult) -> tuple[str, ...]:
    """The forward error over every shift of the torus, or over those that were measured."""
    values = array(result.arrays, "torus_equivariance_error", None, None)
    if values is None or not np.isfinite(values).any():
        return ()
    x = array(result.arrays, "torus_rows", values.shape[0])
    y = array(result.arrays, "torus_columns", values.shape[1])
    return (_map("torus_equivariance_error", "Equivariance error", values, "viridis", x, y),)


def cell_panels(result: AuditResult) -> tuple[str, ...]:
    """The coherences over the shifts of one stride cell."""
    panels = []
    for name, title in (
        ("cell_pair_coherence", "Pair coherence K"),
        ("cell_orbit_coherence", "Orbit coherence ρ"),
    ):
        values = array(result.arrays, name, None, None)
        if values is not None and np.isfinite(values).any():
            panels.append(_map(name, title, values, "cividis"))
    return tuple(panels)


def _map(
    key: str,
    title: str,
    values: Values,
    colours: str,
    x: Values | None = None,
    y: Values | None = None,
) -> str:
    def draw(axes: Axes) -> None:
        axes.set_title(title)
        axes.grid(visible=False)
        # The first index is x, so the picture is the transpose with y upwards.
        image = axes.imshow(
            values.T,
            origin="lower",
            cmap=colours,
            interpolation="nearest",
            extent=(*_ends(x, values.shape[0]), *_ends(y, values.shape[1])),
        )
        axes.set(xlabel="shift along x, in cells", ylabel="shift along y, in cells")
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_major_locator().set_params(integer=True)
        if max(values.shape) <= _MOST_WRITTEN:
            _write_values(axes, values, image)
        bar = axes.figure.colorbar(image, ax=axes, shrink=0.9, pad=0.03)
        bar.outline.set_visible(False)
        bar.ax.ticklabel_format(axis="y", scilimits=(-3, 4), useMathText=False)

    return inline_svg(key, f"{title} as a map over shifts along x and y", draw, 400, 320)


def _ends(shifts: Values | None, count: int) -> tuple[float, float]:
    """Where the picture begins and ends along an axis, with the shifts at cell centres."""
    if shifts is None or count < 2:
        return -0.5, count - 0.5
    half = float(shifts[1] - shifts[0]) / 2
    return float(shifts[0]) - half, float(shifts[-1]) + half


def _write_values(axes: Axes, values: Values, image: Any) -> None:
    for i, j in np.ndindex(values.shape):
        if not np.isfinite(values[i, j]):
            continue
        red, green, blue, _ = image.cmap(image.norm(values[i, j]))
        dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.55
        colour = "#fefefe" if dark else "#101010"
        axes.text(i, j, f"{values[i, j]:.2f}", ha="center", va="center", color=colour, fontsize=10)
