"""What was measured of the zoo, as columns with a row for each model and element."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Record = Mapping[str, Any]
"""What was measured of a model; see :mod:`benchmarks.validity.measuring`."""
SHARES = (0.25, 0.5, 0.9)
KINDS = ("transfer", "loss_transfer")
TOLERANCE = log1p(0.1)
LEAST_NOVELTY = 0.6
"""Where x is told from gx less often than this, the lesson was taught in both poses."""
FORWARD = "forward"
STATISTICS = ("K", "K − null", "raw K", "ρ", "raw ρ", "probe", "μ")
"""Of every metric: mean pair coherence, the same less its null, of raw gradients; orbit coherence
of unit and of raw gradients; probe coherence; common-mode coherence."""
FORWARD_STATISTICS = ("−T", "−error", "sharing")


@dataclass(frozen=True, eq=False)
class Observations:
    """Columns of equal length.

    Attributes:
        model, family, task, element: names.
        holds_by_construction, transports_by_construction: 1, 0, or NaN where nothing says so.
        holds_in_population: whether T over all held-out samples is below log 1.1.
        transfer: by kind and share of the achievable gain, the median over learned lessons, in per
            cent; NaN where none was learned or the poses could not be told apart.
        scores: by (metric, statistic), higher for more symmetric.
        holds, transports: the audit's answers.
        rho: by metric (n, 3): estimate, low, high.
        p: by metric, adjusted.
        records: of the models, by name.
    """

    model: list[str]
    family: list[str]
    task: list[str]
    element: list[str]
    holds_by_construction: Array
    transports_by_construction: Array
    holds_in_population: Array
    transfer: Mapping[tuple[str, float], Array]
    scores: Mapping[tuple[str, str], Array]
    holds: list[str]
    transports: list[str]
    rho: Mapping[str, Array]
    p: Mapping[str, Array]
    records: Mapping[str, Record]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Of the gradients."""
        return tuple(self.rho)


def read_zoo(path: Path) -> dict[str, Record]:
    """Records by model from zoo.json, or from a folder with a file for each model."""
    if path.is_dir():
        records = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(path.glob("*.json"))]
        return {r["name"]: r for r in records if "elements" in r}
    found: dict[str, Record] = json.loads(path.read_text(encoding="utf-8"))
    return found


def observed(records: Mapping[str, Record]) -> Observations:
    """The skilled models; the others can only be undetermined and are looked at apart."""
    rows = [
        (record, name, element)
        for record in records.values()
        if record["skilled"]
        for name, element in record["elements"].items()
    ]
    metrics = list(dict.fromkeys(m for _, _, e in rows for m in e["rho"]))

    def column(value: Any) -> Array:
        return np.array([_float(value(r, g, e)) for r, g, e in rows])

    def of_metric(key: str, metric: str) -> Array:
        return column(lambda r, g, e: _first(e[key].get(metric)))

    scores = {
        (FORWARD, "−T"): -column(lambda r, g, e: _first(e["T"])),
        (FORWARD, "−error"): -column(lambda r, g, e: _first(e["error"])),
        (FORWARD, "sharing"): column(lambda r, g, e: _first(e["sharing"])),
    }
    keys = {"K": "K", "raw K": "raw K", "ρ": "rho", "raw ρ": "raw rho", "probe": "probe", "μ": "mu"}
    for metric in metrics:
        found = {name: of_metric(key, metric) for name, key in keys.items()}
        found["K − null"] = found["K"] - of_metric("null", metric)
        scores |= {(metric, name): found[name] for name in STATISTICS}
    return Observations(
        model=[r["name"] for r, _, _ in rows],
        family=[r["family"] for r, _, _ in rows],
        task=[r["task"] for r, _, _ in rows],
        element=[g for _, g, _ in rows],
        holds_by_construction=column(lambda r, g, e: r["holds_by_construction"].get(g)),
        transports_by_construction=column(
            lambda r, g, e: r.get("transports_by_construction", {}).get(g)
        ),
        holds_in_population=column(lambda r, g, e: _below(r["holds_in_population"].get(g))),
        transfer={
            (kind, share): column(lambda r, g, e, k=kind, s=share: transfer(r, g, k, s))
            for kind in KINDS
            for share in SHARES
        },
        scores=scores,
        holds=[e["holds"] for _, _, e in rows],
        transports=[e["transports"] for _, _, e in rows],
        rho={
            m: np.array([[_float(v) for v in e["rho"].get(m) or [None] * 3] for _, _, e in rows])
            for m in metrics
        },
        p={m: column(lambda r, g, e, m=m: e["p"].get(m)) for m in metrics},
        records=records,
    )


def transfer(record: Record, element: str, kind: str, share: float) -> float | None:
    """Median over the lessons that were learned, where the poses can be told apart."""
    found: list[float] = []
    for lesson in record["lessons"]:
        if lesson["novelty"].get(element, 1.0) < LEAST_NOVELTY:
            continue
        for budget in lesson["budgets"]:
            value = _first(budget[kind].get(element))
            if budget["share"] == share and budget["learned"] and value is not None:
                found.append(value)
    return float(np.median(found)) if found else None


def above(values: Array, cut: float) -> Array:
    """1 above the cut, 0 below, NaN where there is no value."""
    return np.where(np.isfinite(values), (values > cut).astype(float), np.nan)


def _below(statistic: Sequence[float | None] | None) -> float | None:
    value = _first(statistic)
    return None if value is None else float(value < TOLERANCE)


def _first(statistic: Sequence[float | None] | None) -> float | None:
    return None if statistic is None else statistic[0]


def _float(value: float | bool | None) -> float:
    return float("nan") if value is None else float(value)
