"""Curves along shifts, and maps over the torus of shifts and over one stride cell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goldstone.auditing import AuditResult
from goldstone.report.arrays import array
from goldstone.report.marks import BLUE, GREY, MUTED, VERMILLION
from goldstone.report.svg import Axes, inline_svg, log_axis

_AXES = (("along x", BLUE, "-"), ("along y", VERMILLION, (0, (4, 1.5))))
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """A curve (2, S) along both axes, with the ends of its band if there are any."""

    values: Values
    low: Values | None = None
    high: Values | None = None


def curve_panels(result: AuditResult) -> tuple[str, ...]:
    """Error, loss ratio and coherences along shifts of both axes; what is missing is left out."""
    arrays = result.arrays
    steps = array(arrays, "shift_steps", None)
    panels = []
    if steps is not None:
        error = _band(result, "shift_axis_equivariance_error", len(steps))
        if error is not None:
            title = "Equivariance error"
            panels.append(_curves(result, "shift-error", title, steps, error, log=True))
        ratio = _band(result, "shift_axis_log_loss_ratio", len(steps), "_low", "_high")
        if ratio is not None:
            panels.append(_curves(result, "shift-ratio", "Log loss ratio", steps, ratio))
    steps = array(arrays, "shift_gradient_steps", None)
    if steps is not None:
        pair = _band(result, "shift_axis_pair_coherence", len(steps), "_q1", "_q3")
        null = _band(result, "shift_axis_null", len(steps))
        if pair is not None:
            title = "Pair coherence K" + (" (null grey)" if null is not None else "")
            panels.append(_curves(result, "shift-pair", title, steps, pair, null))
        orbit = _band(result, "shift_axis_orbit_coherence", len(steps), "_low", "_high")
        if orbit is not None:
            title = "Orbit coherence ρ"
            panels.append(_curves(result, "shift-orbit", title, steps, orbit))
    return tuple(panels)


def torus_panels(result: AuditResult) -> tuple[str, ...]:
    """The forward error over every shift of the torus."""
    return _maps(
        result,
        (
            ("torus_equivariance_error", "Equivariance error", "viridis"),
            ("torus_log_loss_ratio", "Log loss ratio", "RdBu_r"),
        ),
    )


def cell_panels(result: AuditResult) -> tuple[str, ...]:
    """The coherences over the shifts of one stride cell."""
    return _maps(
        result,
        (
            ("cell_pair_coherence", "Pair coherence K", "cividis"),
            ("cell_orbit_coherence", "Orbit coherence ρ", "cividis"),
        ),
    )


def _band(result: AuditResult, name: str, steps: int, low: str = "", high: str = "") -> Band | None:
    values = array(result.arrays, name, 2, steps)
    if values is None or not np.isfinite(values).any():
        return None
    ends = [array(result.arrays, name + end, 2, steps) if end else None for end in (low, high)]
    return Band(values, *ends)


def _curves(
    result: AuditResult,
    key: str,
    title: str,
    steps: Values,
    band: Band,
    null: Band | None = None,
    log: bool = False,
) -> str:
    order = np.argsort(steps)
    x = steps[order]
    dots = len(x) <= 40

    def draw(axes: Axes) -> None:
        axes.set_title(title)
        axes.set_xlabel("shift, in cells")
        positive = band.values[np.isfinite(band.values) & (band.values > 0)]
        if log and positive.size:
            log_axis(axes.yaxis, float(positive.min()) / 2, float(positive.max()) * 2)
        _cell_lines(axes, result, float(x.max()) if x.size else 0.0)
        for i, (name, colour, dash) in enumerate(_AXES):
            if null is not None:
                axes.plot(x, null.values[i][order], color=GREY, linewidth=1.1, linestyle=dash)
            y = band.values[i][order]
            axes.plot(x, np.where(y > 0, y, np.nan) if log else y, color=colour, linestyle=dash)
            if dots:
                axes.plot(x, y, "o" if i == 0 else "s", color=colour, markersize=3)
            if band.low is not None and band.high is not None:
                low, high = band.low[i][order], band.high[i][order]
                axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot([], [], color=colour, linestyle=dash, label=name)
        axes.margins(x=0.02)
        axes.legend(
            frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 0.985), fontsize=10,
            borderaxespad=0, handlelength=1.8, columnspacing=1, borderpad=0.2,
        )  # fmt: skip

    description = f"{title} against the shift along x and along y, in cells"
    return inline_svg(key, description, draw, 400, 270)


def _cell_lines(axes: Axes, result: AuditResult, last: float) -> None:
    cell = result.shifts.cell if result.shifts is not None else 0
    if cell < 2 or last / cell > 40:
        return
    for place in range(0, int(last) + 1, cell):
        axes.axvline(place, color=MUTED, linewidth=0.5, linestyle=(0, (1, 2)), zorder=1)


def _maps(result: AuditResult, entries: tuple[tuple[str, str, str], ...]) -> tuple[str, ...]:
    panels = []
    for name, title, colours in entries:
        values = array(result.arrays, name, None, None)
        if values is not None and np.isfinite(values).any():
            panels.append(_map(name, title, values, colours))
    return tuple(panels)


def _map(key: str, title: str, values: Values, colours: str) -> str:
    diverging = colours == "RdBu_r"

    def draw(axes: Axes) -> None:
        axes.set_title(title)
        axes.grid(visible=False)
        limits = {}
        if diverging:
            top = float(np.nanmax(np.abs(values))) or 1.0
            limits = {"vmin": -top, "vmax": top}
        # The first index is x, so the picture is the transpose with y upwards.
        image = axes.imshow(
            values.T, origin="lower", cmap=colours, interpolation="nearest", **limits
        )
        axes.set(xlabel="shift along x, in cells", ylabel="shift along y, in cells")
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_major_locator().set_params(integer=True)
        if max(values.shape) <= 8:
            _write_values(axes, values, image)
        bar = axes.figure.colorbar(image, ax=axes, shrink=0.9, pad=0.03)
        bar.outline.set_visible(False)
        bar.ax.ticklabel_format(axis="y", scilimits=(-3, 4), useMathText=False)

    return inline_svg(key, f"{title} as a map over shifts along x and y", draw, 380, 310)


def _write_values(axes: Axes, values: Values, image: object) -> None:
    for i, j in np.ndindex(values.shape):
        if not np.isfinite(values[i, j]):
            continue
        red, green, blue, _ = image.cmap(image.norm(values[i, j]))  # type: ignore[attr-defined]
        dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.55
        colour = "#fefefe" if dark else "#101010"
        axes.text(i, j, f"{values[i, j]:.2f}", ha="center", va="center", color=colour, fontsize=10)
