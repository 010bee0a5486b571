"""Curves of error, loss ratio and coherences along shifts of both axes."""

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
        _exact_lines(axes, result, float(x.max()) if x.size else 0.0)
        if log and result.model.numerical_floor > 0:
            _floor_line(axes, 10 * result.model.numerical_floor)
        for i, (name, colour, dash) in enumerate(_AXES):
            if null is not None:
                curve = _gapped(x, null.values[i][order])
                axes.plot(*curve, color=GREY, linewidth=1.1, linestyle=dash)
            y = band.values[i][order]
            if log:
                y = np.where(y > 0, y, np.nan)
            axes.plot(*_gapped(x, y), color=colour, linestyle=dash)
            if dots:
                axes.plot(x, y, "o" if i == 0 else "s", color=colour, markersize=3)
            if band.low is not None and band.high is not None:
                low, high = band.low[i][order], band.high[i][order]
                middle, low = _gapped(x, low)
                high = _gapped(x, high)[1]
                axes.fill_between(middle, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot([], [], color=colour, linestyle=dash, label=name)
        axes.margins(x=0.02)
        axes.legend(
            frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 0.985), fontsize=10,
            borderaxespad=0, handlelength=1.8, columnspacing=1, borderpad=0.2,
        )  # fmt: skip

    description = f"{title} against the shift along x and along y, in cells"
    return inline_svg(key, description, draw, 400, 240)


def _gapped(x: Values, y: Values) -> tuple[Values, Values]:
    """The curve broken where a step is over twice the usual one, so that no line bridges it."""
    steps = np.diff(x)
    if not steps.size:
        return x, y
    breaks = np.flatnonzero(steps > 2 * np.median(steps)) + 1
    return np.insert(x, breaks, np.nan), np.insert(y, breaks, np.nan)


def _exact_lines(axes: Axes, result: AuditResult, last: float) -> None:
    x, y = result.shifts.exact_period if result.shifts is not None else (None, None)
    if x is None or x != y or x < 2 or last / x > 40:
        return
    for place in range(0, int(last) + 1, x):
        axes.axvline(place, color=MUTED, linewidth=0.5, linestyle=(0, (1, 2)), zorder=1)


def _floor_line(axes: Axes, value: float) -> None:
    axes.axhline(value, color=MUTED, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, value / 2), max(high, value * 2))
