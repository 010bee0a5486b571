"""Scores of the forecasts, their tables and the picture."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log, log1p
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.validity.price_cases import FITTED
from goldstone.advice.crossings import crossing

TOLERANCES = (0.1, 0.25, 0.5, 1.0, 2.0)
Models = Mapping[str, Any]
METHODS = {
    "the forecast": "forecast",
    "loss gradients alone": "loss gradients",
    "proportional to T_g": "ratio",
    "1/(1 − ρ)": "rho",
    "as many as training took": "training",
    "the same for all": "constant",
}


@dataclass(frozen=True)
class Row:
    """One model, optimiser, element and tolerance: steps, actual and by method.

    What is not reached counts as twice the most steps.
    """

    model: str
    optimiser: str
    tolerance: float
    actual: float
    reached: bool
    steps: Mapping[str, float]
    said: bool

    @property
    def fitted(self) -> bool:
        return self.model in FITTED


def rows(models: Models) -> list[Row]:
    """Of all that is broken by half more than the tolerance."""
    found = []
    for model, result in models.items():
        for key, run in result["runs"].items():
            optimiser, name = key.split(" ", 1)
            element, actual = result["elements"][name], run["actual"]
            most = 2.0 * actual["steps"][-1]
            for tolerance in TOLERANCES:
                threshold = log1p(tolerance)
                if element["log_ratio"] < 1.5 * threshold:
                    continue
                true = crossing(actual["steps"], actual["log_ratio"], threshold)
                if true < 2:
                    continue
                steps = {
                    kind: crossing(run[kind]["at"][1:], run[kind]["log_ratio"][1:], threshold)
                    for kind in ("forecast", "loss gradients")
                }
                said = steps["forecast"] < inf
                steps |= {
                    "ratio": element["log_ratio"] - threshold,
                    "rho": 1 / max(1 - element["rho"], 1e-3),
                    "training": float(result["trained_steps"]),
                    "constant": 1.0,
                }
                capped = {kind: min(value, most) for kind, value in steps.items()}
                found.append(
                    Row(model, optimiser, tolerance, min(true, most), true < inf, capped, said)
                )
    return found


def scale(table: Sequence[Row], kind: str) -> float:
    """The median of actual/forecast where something was reached."""
    ratios = [row.actual / row.steps[kind] for row in table if row.reached]
    return float(np.median(ratios)) if ratios else 1.0


def by_model(table: Sequence[Row], statistic: Callable[[list[Row]], float]) -> tuple[float, ...]:
    """The statistic with its 95 % interval by resampling models."""
    names = sorted({row.model for row in table})
    source = np.random.default_rng(0)
    draws = []
    for _ in range(1000):
        drawn = [
            row
            for k in source.integers(0, len(names), len(names))
            for row in table
            if row.model == names[k]
        ]
        draws.append(statistic(drawn))
    low, high = np.nanquantile(draws, (0.025, 0.975)) if np.isfinite(draws).any() else (np.nan,) * 2
    return statistic(list(table)), float(low), float(high)


def rank(kind: str) -> Callable[[list[Row]], float]:
    def of(table: list[Row]) -> float:
        actual, said = [r.actual for r in table], [r.steps[kind] for r in table]
        if len(set(actual)) < 2 or len(set(said)) < 2:
            return float("nan")
        return float(spearmanr(actual, said).statistic)

    return of


def log_error(
    kind: str, factor: float, mean: Callable[[list[float]], Any]
) -> Callable[[list[Row]], float]:
    """A mean of |log(forecast/actual)| where something was reached."""

    def of(table: list[Row]) -> float:
        gaps = [abs(log(factor * r.steps[kind] / r.actual)) for r in table if r.reached]
        return float(mean(gaps)) if gaps else float("nan")

    return of


def _root_mean_square(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _words(half: Sequence[Row]) -> str:
    names = "; ".join(sorted({r.model for r in half}))
    return (
        f"Confirmed on half of the models ({names}): {len(half)} numbers of steps, "
        f"{sum(r.reached for r in half)} of them reached. They are not untouched: the forecast was "
        "developed with some of them in sight. Each "
        "method is scaled by one number, fitted on the other half of the models. Errors are those "
        "of log(forecast/actual) where steps were reached; what a forecast does not reach counts "
        "as twice the most steps. Intervals by resampling models."
    )


def shown(value: tuple[float, ...], digits: int = 2) -> str:
    if not np.isfinite(value[0]):
        return "–"
    return f"{value[0]:.{digits}f} ({value[1]:.{digits}f} … {value[2]:.{digits}f})"


def page(models: Models) -> str:
    """All tables."""
    table = rows(models)
    fitted, half = [r for r in table if r.fitted], [r for r in table if not r.fitted]
    lines = ["# Price tags", "", "Written by `python -m benchmarks.validity.price`.", ""]
    lines += [
        "## Steps",
        "",
        _words(half),
        "",
        "| method | scale | rank correlation | median error | root mean square error |",
        "|---|---|---|---|---|",
    ]
    for title, kind in METHODS.items():
        factor = scale(fitted, kind)
        cells = [title, f"{factor:.2g}", shown(by_model(half, rank(kind)))]
        cells.append(shown(by_model(half, log_error(kind, factor, np.median))))
        cells.append(shown(by_model(half, log_error(kind, factor, _root_mean_square))))
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("")
    lines += calibration(table) + curves(models) + pools(models) + costs(models)
    return "\n".join(lines) + "\n"


def calibration(table: Sequence[Row]) -> list[str]:
    """Ratios of forecast to actual steps, by optimiser and tolerance."""
    lines = [
        "## Forecast over actual steps, all models, unscaled",
        "",
        "Median ratio and the standard deviation of its logarithm where both reach the tolerance;",
        "neither: of those that training did not reach, how many the forecast did not either.",
        "",
    ]
    lines += [
        "| optimiser | tolerance | reached | forecast too | ratio | spread | neither | of |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for optimiser in ("adamw", "sgd"):
        for tolerance in TOLERANCES:
            some = [r for r in table if (r.optimiser, r.tolerance) == (optimiser, tolerance)]
            both = [r for r in some if r.reached and r.said]
            never = [r for r in some if not r.reached]
            gaps = [log(r.steps["forecast"] / r.actual) for r in both]
            middle = f"{exp(np.median(gaps)):.2f}" if gaps else "–"
            spread = f"{np.std(gaps):.2f}" if gaps else "–"
            cells = [
                optimiser,
                f"{tolerance:.0%}",
                str(sum(r.reached for r in some)),
                str(len(both)),
                middle,
                spread,
                str(sum(not r.said for r in never)),
                str(len(never)),
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def curves(models: Models) -> list[str]:
    """T_g and the held pose along the steps."""
    lines = [
        "## Along the steps",
        "",
        "T_g, and the growth of the mean log loss in the held pose, at a tenth of the steps and at",
        "the end: forecast / actual.",
        "",
    ]
    lines += [
        "| model | optimiser, g | T_g before | at a tenth | at the end | held | held, end |",
        "|---|---|---|---|---|---|---|",
    ]
    for model, result in models.items():
        for key, run in result["runs"].items():
            name = key.split(" ", 1)[1]
            cells = [model, key, f"{result['elements'][name]['log_ratio']:.2f}"]
            for kind in ("log_ratio", "held_pose"):
                for share in (0.1, 1.0):
                    step = share * run["actual"]["steps"][-1]
                    cells.append(
                        f"{at(run['forecast'], kind, step):.2f} / "
                        f"{at(run['actual'], kind, step):.2f}"
                    )
            lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def at(curve: Mapping[str, Any], kind: str, step: float) -> float:
    places = curve.get("steps") or curve["at"]
    pairs = [(p, v) for p, v in zip(places, curve[kind], strict=True) if p > 0 and v is not None]
    return float(np.interp(log(step), [log(p) for p, _ in pairs], [v for _, v in pairs]))


def pools(models: Models) -> list[str]:
    """The least T_g on the way, by the number of distinct samples."""
    lines = [
        "## Few distinct samples",
        "",
        "The least T_g within the steps, AdamW: forecast / actual.",
        "",
        "| model | g | 4 | 16 |",
        "|---|---|---|---|",
    ]
    for model, result in models.items():
        found = result["pools"]
        forecast, cells = found["forecast"], []
        for many, run in found["actual"].items():
            known = dict(zip(forecast["at"], forecast["log_ratio"], strict=True))
            said, true = known.get(float(many)), min(run["log_ratio"])
            cells.append(f"{said:.2f} / {true:.2f}" if said is not None else f"– / {true:.2f}")
        lines.append("| " + " | ".join([model, found["element"], *cells]) + " |")
    return [*lines, ""]


def costs(models: Models) -> list[str]:
    lines = [
        "## Seconds",
        "",
        "| model | AdamW forecast, all g | SGD forecast, all g | one training |",
        "|---|---|---|---|",
    ]
    for model, result in models.items():
        seconds = result["seconds"]
        one = np.mean([run["actual"]["seconds"] for run in result["runs"].values()])
        cells = [
            model,
            f"{seconds['forecast adamw']:.0f}",
            f"{seconds['forecast sgd']:.0f}",
            f"{one:.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def picture(models: Models) -> str:
    """Forecast against actual steps, a mark for each model."""
    from goldstone.report.marks import MUTED, SERIES
    from goldstone.report.svg import Axes, inline_svg, log_axis
    from goldstone.reproductions.figures import side_by_side

    table = [row for row in rows(models) if row.reached and row.said]

    def draw(axes: Axes) -> None:
        axes.set_title("Steps until the ratio of losses falls to 1.1 … 3")
        axes.set_xlabel("actual")
        axes.set_ylabel("forecast")
        ends = [1, 1000]
        log_axis(axes.xaxis, *ends)
        log_axis(axes.yaxis, *ends)
        axes.plot(ends, ends, color=MUTED, linewidth=0.9)
        for k, name in enumerate(models):
            some = [row for row in table if row.model == name]
            axes.plot(
                [row.actual for row in some],
                [row.steps["forecast"] for row in some],
                linestyle="none",
                marker="osD^v"[k // len(SERIES)] if k >= len(SERIES) else "o",
                markersize=5,
                color=SERIES[k % len(SERIES)],
                label=name,
            )
        axes.legend(fontsize=8, frameon=False, loc="upper left")

    drawn = inline_svg("price", "Forecast against actual steps; see price.md", draw, 520, 420)
    return side_by_side([drawn])
