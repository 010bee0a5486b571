"""Metric, statistic and threshold chosen on some families, confirmed on the others.

The rules, declared before any score was seen:

- metric and statistic of *transports*: the largest mean of AUROC (transfer above 50 %, at half of
  the achievable gain) and rank correlation with that transfer. Those within 0.01 of the best are
  tied, and the tie goes to the cheaper metric (:data:`COST`), then to the statistic named first in
  :data:`STATISTICS`.
- ρ_min: the largest :func:`utility` of the verdict in that metric on :data:`THRESHOLDS`; of tied
  values the one in the middle.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.validity.auroc import auroc
from benchmarks.validity.families import Resamples
from benchmarks.validity.observations import Observations, above
from benchmarks.validity.rank_correlation import rank_correlation
from benchmarks.validity.verdicts import confusion, transports, utility

Array = NDArray[np.float64]
Split = tuple[frozenset[str], frozenset[str]]
"""Families to choose on, and those to confirm on."""
KIND, SHARE, CUT = "transfer", 0.5, 50.0
TIED = 0.01
COST = (
    "euclidean",
    "adam",
    "empirical-fisher",
    "gauss-newton-diagonal",
    "galerkin",
    "kfac",
    "ekfac",
    "randomised-gauss-newton",
    "gauss-newton",
)
STATISTICS = ("ρ", "raw ρ", "K − null", "probe", "μ", "K", "raw K")
THRESHOLDS = tuple(round(0.02 * k, 2) for k in range(1, 31))
MOST_UNDEFINED = 0.05
"""Share of the observations in which a candidate may be undefined."""


def criteria(observed: Observations, rows: Array) -> dict[tuple[str, str], tuple[float, float]]:
    """AUROC and rank correlation of every metric and statistic, on the rows with weight."""
    transfer = np.where(rows > 0, observed.transfer[KIND, SHARE], np.nan)
    truth = above(transfer, CUT)
    found = {}
    for metric in observed.metrics:
        for statistic in STATISTICS:
            score = observed.scores[metric, statistic]
            undefined = ~np.isfinite(score[np.isfinite(transfer)])
            if undefined.mean() <= MOST_UNDEFINED if undefined.size else False:
                found[metric, statistic] = (
                    float(auroc(score, truth)[0]),
                    float(rank_correlation(score, transfer)[0]),
                )
    return found


def choose(observed: Observations, rows: Array) -> tuple[str, str] | None:
    """The metric and the statistic; None where either class is missing."""
    means = {name: float(np.mean(pair)) for name, pair in criteria(observed, rows).items()}
    means = {name: value for name, value in means.items() if np.isfinite(value)}
    if not means:
        return None
    best = max(means.values())
    tied = [name for name, value in means.items() if value >= best - TIED]
    return min(tied, key=lambda name: (_place(name[0], COST), STATISTICS.index(name[1])))


def choose_threshold(observed: Observations, rows: Array, metric: str) -> float | None:
    """ρ_min of the verdict in a metric; None where either class is missing."""
    truth = np.where(rows > 0, above(observed.transfer[KIND, SHARE], CUT), np.nan)
    values = [utility(transports(observed, metric, least), truth) for least in THRESHOLDS]
    if not np.isfinite(values).any():
        return None
    tied = [t for t, v in zip(THRESHOLDS, values, strict=True) if v >= max(values) - 1e-9]
    return tied[len(tied) // 2]


def without_task(families: Mapping[str, str]) -> dict[str, Split]:
    """By task, the families of all other tasks and its own; given the task of every family."""
    return {
        task: (
            frozenset(f for f, t in families.items() if t != task),
            frozenset(f for f, t in families.items() if t == task),
        )
        for task in sorted(set(families.values()))
    }


def cross_fitted(
    observed: Observations, splits: Mapping[str, Split], replicates: int
) -> list[dict[str, Any]]:
    """Of every split, by name: chosen on the first families, confirmed on the second."""
    family = np.asarray(observed.family)
    found = []
    for name, (chosen_on, confirmed_on) in splits.items():
        here, there = (np.isin(family, sorted(half)) for half in (chosen_on, confirmed_on))
        entry: dict[str, Any] = {
            "split": name,
            "chosen on": sorted(chosen_on),
            "confirmed on": sorted(confirmed_on),
        }
        choice = choose(observed, here.astype(float))
        if choice is not None and there.any():
            entry |= {"metric": choice[0], "statistic": choice[1]}
            entry["where chosen"] = list(criteria(observed, here.astype(float))[choice])
            entry["confirmed"] = _confirmed(observed, there, choice, replicates)
            entry["default"] = _confirmed(observed, there, ("euclidean", "ρ"), replicates)
            entry["thresholds"] = {
                metric: _threshold(observed, here, there, metric, replicates)
                for metric in dict.fromkeys(("euclidean", choice[0]))
            }
        found.append(entry)
    return found


def _confirmed(
    observed: Observations, rows: NDArray[np.bool_], choice: tuple[str, str], replicates: int
) -> dict[str, Any]:
    score, transfer = observed.scores[choice][rows], observed.transfer[KIND, SHARE][rows]
    resamples = _resamples(observed, rows, replicates)
    truth = above(transfer, CUT)
    return {
        "auroc": resamples.auroc(score, truth),
        "rank": resamples.rank_correlation(score, transfer),
        "n": int(np.isfinite(truth).sum()),
        "positives": int(np.nansum(truth)),
    }


def _threshold(
    observed: Observations,
    here: NDArray[np.bool_],
    there: NDArray[np.bool_],
    metric: str,
    replicates: int,
) -> dict[str, Any]:
    least = choose_threshold(observed, here.astype(float), metric)
    if least is None:
        return {"least": None}
    truth = above(observed.transfer[KIND, SHARE], CUT)[there]
    answers = np.asarray(transports(observed, metric, least))[there]
    return {
        "least": least,
        "confirmed": confusion(list(answers), truth, _resamples(observed, there, replicates)),
    }


def _resamples(observed: Observations, rows: NDArray[np.bool_], replicates: int) -> Resamples:
    index = np.flatnonzero(rows)
    return Resamples.draw(
        [observed.family[i] for i in index], [observed.model[i] for i in index], replicates
    )


def _place(name: str, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order)
