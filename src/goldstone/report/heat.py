"""A table of numbers as colours, with bars over its columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goldstone.core import require
from goldstone.report.lines import MOST_TICKS, name_ticks
from goldstone.report.marks import GREY, MUTED
from goldstone.report.names import short_names
from goldstone.report.svg import Axes, inline_svg

_MOST_WRITTEN = 16
_COLOURS = "RdBu"


@dataclass(frozen=True)
class HeatMap:
    """Rows × columns of numbers between −1 and 1, NaN where undefined.

    ``bars`` is a share for each column, drawn above it, and ``bars_title`` what it is.
    """

    title: str
    label: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    bars: Sequence[float] = ()
    bars_title: str = ""


def heat_map(key: str, heat: HeatMap) -> str:
    """The map as SVG: red −1, white 0, blue 1, grey undefined; the numbers in cells if few."""
    count = len(heat.columns)
    cell = 44 if count <= _MOST_WRITTEN else 22 if count <= MOST_TICKS else 7
    width = min(900, max(400, 170 + cell * count))
    rows = 22 * len(heat.rows)
    names = 6 * max(map(len, short_names(heat.columns, 22))) if count <= MOST_TICKS else 14
    height = (150 if heat.bars else 94) + rows + names

    def draw(axes: Axes) -> None:
        if not heat.bars:
            axes.set_title(heat.title)
            lower = axes
        else:
            figure = axes.figure
            axes.remove()
            upper, lower = figure.subplots(
                2, 1, sharex=True, gridspec_kw={"height_ratios": (56, max(rows, 30)), "hspace": 0.0}
            )
            upper.set_title(heat.title)
            _draw_bars(upper, heat)
        _draw_cells(lower, heat)
        name_ticks(lower, range(count), heat.columns)

    description = f"{heat.title}: rows and columns as in the table"
    return inline_svg(key, description, draw, width, height)


def _draw_bars(axes: Axes, heat: HeatMap) -> None:
    bars = np.nan_to_num(np.asarray(heat.bars, dtype=np.float64))
    axes.bar(range(len(bars)), bars, color=GREY, width=0.8)
    axes.set_ylabel(heat.bars_title)
    axes.set_ylim(0, max(float(bars.max(initial=0.0)) * 1.1, 1e-3))
    axes.yaxis.get_major_locator().set_params(nbins=2)
    axes.yaxis.set_major_formatter(
        require("matplotlib.ticker", "report").PercentFormatter(1.0, decimals=0)
    )
    axes.tick_params(axis="x", length=0, labelbottom=False)
    axes.grid(visible=False, axis="x")


def _draw_cells(axes: Axes, heat: HeatMap) -> None:
    colours = require("matplotlib", "report").colormaps[_COLOURS].with_extremes(bad="#9aa4ad")
    image = axes.imshow(
        np.ma.masked_invalid(heat.values),
        cmap=colours,
        vmin=-1,
        vmax=1,
        aspect="auto",
        interpolation="nearest",
    )
    axes.grid(visible=False)
    axes.set_yticks(range(len(heat.rows)), short_names(heat.rows, 16))
    axes.tick_params(length=0)
    axes.set_xlabel(heat.label)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    if len(heat.columns) <= _MOST_WRITTEN:
        for i, j in np.ndindex(heat.values.shape):
            value = heat.values[i, j]
            text = f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"
            dark = np.isfinite(value) and abs(value) > 0.6
            colour = "#fefefe" if dark else "#101010"
            axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=10)
    bar = axes.figure.colorbar(image, ax=axes, pad=0.015, aspect=12, fraction=0.05)
    bar.outline.set_visible(False)
    bar.set_ticks([-1, 0, 1], labels=["−1", "0", "1"])
    bar.ax.tick_params(length=0, color=MUTED)
