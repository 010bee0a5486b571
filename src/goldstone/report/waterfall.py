"""Signed parts that sum to a total, one bar after the other."""

from collections.abc import Sequence

from goldstone.core import require
from goldstone.report.marks import BLUE, GREY, INK, MUTED, VERMILLION
from goldstone.report.names import short_names
from goldstone.report.numbers import number
from goldstone.report.svg import Axes, inline_svg

MOST_BARS = 24
FEW_BARS = 12
LEAST_BAR = 0.02


def waterfall(
    key: str, title: str, unit: str, parts: Sequence[tuple[str, float]], total: float
) -> str:
    """Bars from the sum so far to the next, and the total below; empty without parts.

    The parts that :func:`merged` leaves out are one bar, the last.
    """
    if not parts:
        return ""
    kept, rest = merged(parts)
    names = short_names([name for name, _ in kept], 22)
    bars = [(name, value) for name, (_, value) in zip(names, kept, strict=True)]
    if rest is not None:
        bars.append((f"{len(parts) - len(kept)} smaller ones", rest))
    rows = [*bars, ("total", total)]

    def draw(axes: Axes) -> None:
        axes.set_title(title)
        axes.set_xlabel(unit)
        start = 0.0
        for place, (_, value) in enumerate(bars):
            colour = VERMILLION if value >= 0 else BLUE
            axes.barh(place, value, left=start, color=colour, height=0.62, zorder=2)
            end = start + value
            axes.vlines(end, place - 0.31, place + 1.31, color=MUTED, linewidth=0.8, zorder=1)
            start = end
        axes.barh(len(bars), total, color=GREY, height=0.62, zorder=2)
        axes.axvline(0, color=INK, linewidth=0.9, zorder=3)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.xaxis.get_major_locator().set_params(nbins=3)
        ticker = require("matplotlib.ticker", "report")
        axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: number(value, 2)))
        for place, (_, value) in enumerate(rows):
            axes.annotate(
                number(value, 2), (1.0, place), xycoords=("axes fraction", "data"),
                xytext=(5, 0), textcoords="offset points", va="center", fontsize=9.5, color=MUTED,
            )  # fmt: skip

    description = f"{title}: signed parts by layer that sum to {number(total)}"
    return inline_svg(key, description, draw, 400, 84 + 20 * len(rows))


def merged(parts: Sequence[tuple[str, float]]) -> tuple[list[tuple[str, float]], float | None]:
    """At most 24 of them in their order, and the sum of the others, which are smaller.

    Of more than twelve, those below two per cent of the largest are among the others too.
    """
    order = sorted(range(len(parts)), key=lambda i: -abs(parts[i][1]))
    if len(parts) > FEW_BARS:
        least = LEAST_BAR * abs(parts[order[0]][1])
        order = [i for i in order if abs(parts[i][1]) >= least]
    kept = set(order if len(order) <= MOST_BARS else order[: MOST_BARS - 1])
    rest = [value for i, (_, value) in enumerate(parts) if i not in kept]
    return [part for i, part in enumerate(parts) if i in kept], sum(rest) if rest else None
