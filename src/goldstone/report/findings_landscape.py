"""The loss landscape: its sharpest directions, and where the gradients of orbits lie in it."""

from collections.abc import Callable, Sequence

import numpy as np

from goldstone.auditing import AuditResult, Curvature, LossLandscape
from goldstone.core import Statistic
from goldstone.report.dots import SERIES_MARKERS, DotPlot, dot_plot, series_dots
from goldstone.report.marks import MUTED, SERIES
from goldstone.report.numbers import number, percentage
from goldstone.report.section import Cell, Figure, Finding, Table
from goldstone.report.svg import Axes, inline_svg, log_axis
from goldstone.report.words import mean

_ALONG = "all poses"
KINDS = ("Hessian", "Gauss–Newton")


def landscape_finding(result: AuditResult) -> Finding | None:
    """Eigenvalues with their residuals; shares and curvatures of gradients by element."""
    found = result.probes.landscape
    if found is None:
        return None
    both = (found.hessian, found.gauss_newton)
    names = [name for name in found.hessian.shares if name in found.gauss_newton.shares]
    panels = (
        _eigenvalues(both),
        _elements(
            "landscape-share",
            "Gradient in the top eigenspace",
            f"‖P∇ℓ at g·x‖² / ‖∇ℓ at g·x‖², P of the top {_rank(found)}",
            names,
            lambda c, g: c.shares[g].share,
            both,
            {"random": _rank(found) / found.parameters},
        ),
        _elements(
            "landscape-across",
            "Curvature along and across poses",
            "vᵀAv / vᵀv over the largest eigenvalue",
            [_ALONG, *(g for g in names if g in found.hessian.across)],
            lambda c, g: _scaled(c.along if g == _ALONG else c.across.get(g), c),
            both,
            {"0": 0.0},
        ),
    )
    caption = (
        "First the largest eigenvalues; an upright line is the residual ‖Av − λv‖, dashed the mean "
        "curvature tr A / p along a random direction. Then how much of the gradient at g·x lies "
        "in the top eigenspace, where training moves most; e is the gradient as it is. Last the "
        "curvature along the mean gradient of all poses (first row), and along the difference of "
        "the mean gradients at g·x and x, which trades one pose for the other. Steep there: the "
        "poses compete in directions the loss cares for; flat: they can be told apart at no cost. "
        "Gauss–Newton is JᵀJ / N of the outputs, without the loss's own curvature, so the two have "
        "different scales."
    )
    drawn = tuple(panel for panel in panels if panel)
    figure = Figure(drawn, caption, series=KINDS)
    return Finding(_lead(found), (figure,) if drawn else (), _tables(found), _remarks(both))


def _rank(found: LossLandscape) -> int:
    return len(found.hessian.eigenvalues)


def _scaled(statistic: Statistic | None, curvature: Curvature) -> Statistic:
    top = curvature.eigenvalues[0] if curvature.eigenvalues else 0.0
    if statistic is None or statistic.estimate is None or not top > 0:
        return Statistic(None)
    low, high = statistic.low, statistic.high
    return Statistic(
        statistic.estimate / top,
        None if low is None else low / top,
        None if high is None else high / top,
        statistic.n,
    )


def _lead(found: LossLandscape) -> str:
    hessian, gauss_newton = found.hessian, found.gauss_newton
    share = mean(entry.share.estimate for entry in hessian.shares.values())
    across = mean(entry.estimate for entry in hessian.across.values())
    top = hessian.eigenvalues[0] if hessian.eigenvalues else None
    other = gauss_newton.eigenvalues[0] if gauss_newton.eigenvalues else None
    return (
        f"The largest eigenvalue of the Hessian is {number(top)}, of Gauss–Newton {number(other)}; "
        f"a random direction has {number(hessian.random)}. The gradients along orbits lie to "
        f"{percentage(share)} in the Hessian's top {_rank(found)} of {found.parameters} "
        "directions. "
        f"Along the mean gradient of all poses, which lowers the loss of whole orbits, the "
        f"curvature is {number(hessian.along.estimate)}; along the difference between poses, which "
        f"trades one for another, {number(across)} in the mean over elements."
    )


def _eigenvalues(both: Sequence[Curvature]) -> str:
    values = [value for c in both for value in c.eigenvalues if value > 0]
    if not values:
        return ""
    randoms = [c.random for c in both if c.random > 0]

    def draw(axes: Axes) -> None:
        axes.set_title("Largest eigenvalues")
        axes.set_xlabel("rank")
        log_axis(axes.yaxis, min([*values, *randoms]) / 2, max(values) * 2)
        for k, curvature in enumerate(both):
            colour = SERIES[k]
            eigenvalues = np.array(curvature.eigenvalues)
            ranks = np.arange(1, len(eigenvalues) + 1) + 0.24 * (k - 0.5)
            shown = np.where(eigenvalues > 0, eigenvalues, np.nan)
            residuals = np.array(curvature.residuals)
            low = np.maximum(shown - residuals, 1e-300)
            axes.vlines(ranks, low, shown + residuals, color=colour, linewidth=1.6)
            axes.plot(
                ranks, shown, marker=SERIES_MARKERS[k], color=colour, markersize=6, linestyle="none"
            )
            if curvature.random > 0:
                axes.axhline(
                    curvature.random, color=colour, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1
                )
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines["bottom"].set_color(MUTED)

    description = "The largest eigenvalues of both curvature matrices with their residuals"
    return inline_svg("landscape-eigenvalues", description, draw)


def _elements(
    key: str,
    title: str,
    unit: str,
    names: Sequence[str],
    reading: Callable[[Curvature, str], Statistic | None],
    both: Sequence[Curvature],
    lines: dict[str, float],
) -> str:
    dots = series_dots(*([reading(c, name) for name in names] for c in both))
    return dot_plot(key, DotPlot(title, unit, tuple(names), dots, lines))


def _tables(found: LossLandscape) -> tuple[Table, ...]:
    both = (found.hessian, found.gauss_newton)
    ranks = max(len(c.eigenvalues) for c in both)
    spectrum: list[tuple[Cell, ...]] = []
    for i in range(ranks):
        row: list[Cell] = [str(i + 1)]
        for c in both:
            known = i < len(c.eigenvalues)
            row += [c.eigenvalues[i] if known else None, c.residuals[i] if known else None]
        spectrum.append(tuple(row))
    whole: tuple[tuple[Cell, ...], ...] = (
        ("trace", *(c.trace for c in both)),
        ("its standard error", *(c.trace_standard_error for c in both)),
        ("mean curvature, trace / p", *(c.random for c in both)),
        ("smallest eigenvalue", *(c.smallest for c in both)),
        ("curvature along the mean gradient", *(c.along for c in both)),
    )
    elements = tuple(
        (
            name,
            *(
                cell
                for c in both
                for cell in (
                    c.shares[name].share,
                    c.shares[name].over_plain,
                    c.shares[name].of_change,
                    c.across.get(name),
                )
            ),
        )
        for name in found.hessian.shares
        if name in found.gauss_newton.shares
    )
    columns = ("share", "over plain", "of change", "curvature across")
    return (
        Table("The whole", ("", *KINDS), whole),
        Table(
            "Largest eigenvalues",
            ("rank", *(f"{kind}{what}" for kind in KINDS for what in ("", ", residual"))),
            tuple(spectrum),
        ),
        Table(
            "By element: share of ∇ℓ at g·x in the top eigenspace, the same less that of x, share "
            "of the difference of the two; curvature along the mean difference",
            ("g", *(f"{column}, {kind}" for kind in KINDS for column in columns)),
            elements,
        ),
    )


def _remarks(both: Sequence[Curvature]) -> tuple[str, ...]:
    open_ = [kind for kind, c in zip(KINDS, both, strict=True) if not c.converged]
    if not open_:
        return ()
    which = " and ".join(open_)
    return (f"Eigenpairs of {which} did not reach their tolerance: read them by their residuals.",)
