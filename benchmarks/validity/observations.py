"""What was measured of the zoo, as columns with a row for each model and element."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldstone.auditing import AuditSettings

Array = NDArray[np.float64]
Record = Mapping[str, Any]
"""What was measured of a model; see :mod:`benchmarks.validity.measuring`."""
SHARES = (0.25, 0.5, 0.9)
KINDS = ("transfer", "loss_transfer")
TOLERANCE = log1p(0.1)
DEFAULT_LEAST = AuditSettings().least_coherence
"""The audit's ρ_min now, which may be above that of the audits that were measured."""
LEAST_NOVELTY = 0.6
"""Where x is told from gx less often than this, the lesson was taught in both poses."""
FORWARD = "forward"
STATISTICS = ("K", "K − null", "raw K", "ρ", "raw ρ", "probe", "μ")
"""Of every metric: mean pair coherence, the same less its null, of raw gradients; orbit coherence
of unit and of raw gradients; probe coherence; common-mode coherence."""
FORWARD_STATISTICS = ("−T", "−error", "sharing")


class Row(NamedTuple):
    """An element of a model, and what was measured of it."""

    record: Record
    element: str
    measured: Mapping[str, Any]

    def of(self, key: str) -> Any:
        """The element's entry in what was measured of the model."""
        return self.record[key].get(self.element)


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
        holds, transports: the audit's answers, the latter at its ρ_min of now.
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


def read_zoo(path: Path, least: float = AuditSettings().least_coherence) -> dict[str, Record]:
    """Records by model from zoo.json, or from a folder with a file for each model.

    The answers about *transports* are those at ρ_min = ``least``, whatever they were measured at.
    """
    if path.is_dir():
        records = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(path.glob("*.json"))]
        found = {r["name"]: r for r in records if "elements" in r}
    else:
        found = json.loads(path.read_text(encoding="utf-8"))
    for record in found.values():
        answered = [record["elements"], record["wrong"], *record["by_samples"].values()]
        for measured in (one for elements in answered for one in elements.values()):
            measured["transports"] = _answer(measured, least, has_skill=record["has_skill"])
    return found


def _answer(measured: Mapping[str, Any], least: float, *, has_skill: bool) -> str:
    """The answer at a ρ_min that is not below the one of the measurement.

    A yes then had a small p, and an interval above ``least`` was above the other too.
    """
    rho = measured["rho"]
    _, low, high = rho["euclidean"] if isinstance(rho, Mapping) else rho
    if None in (low, high) or not has_skill:
        return "undetermined"
    if measured["transports"] == "yes" and low > least:
        return "yes"
    return "no" if high < least else "undetermined"


def observed(records: Mapping[str, Record]) -> Observations:
    """The skilled models; the others can only be undetermined and are looked at apart."""
    rows = [
        Row(record, name, element)
        for record in records.values()
        if record["skilled"]
        for name, element in record["elements"].items()
    ]
    metrics = list(dict.fromkeys(m for row in rows for m in row.measured["rho"]))

    def column(value: Callable[[Row], Any]) -> Array:
        return np.array([_float(value(row)) for row in rows])

    def of_metric(key: str, metric: str) -> Array:
        return column(lambda row: _first(row.measured[key].get(metric)))

    scores = {
        (FORWARD, "−T"): -column(lambda row: _first(row.measured["T"])),
        (FORWARD, "−error"): -column(lambda row: _first(row.measured["error"])),
        (FORWARD, "sharing"): column(lambda row: _first(row.measured["sharing"])),
    }
    keys = {"K": "K", "raw K": "raw K", "ρ": "rho", "raw ρ": "raw rho", "probe": "probe", "μ": "mu"}
    for metric in metrics:
        found = {name: of_metric(key, metric) for name, key in keys.items()}
        found["K − null"] = found["K"] - of_metric("null", metric)
        scores |= {(metric, name): found[name] for name in STATISTICS}
    return Observations(
        model=[row.record["name"] for row in rows],
        family=[row.record["family"] for row in rows],
        task=[row.record["task"] for row in rows],
        element=[row.element for row in rows],
        holds_by_construction=column(lambda row: row.of("holds_by_construction")),
        transports_by_construction=column(lambda row: row.of("transports_by_construction")),
        holds_in_population=column(lambda row: _below(row.of("holds_in_population"))),
        transfer={
            (kind, share): column(
                lambda row, k=kind, s=share: transfer(row.record, row.element, k, s)
            )
            for kind in KINDS
            for share in SHARES
        },
        scores=scores,
        holds=[row.measured["holds"] for row in rows],
        transports=[
            answer(row.measured["transports"], row.measured["rho"].get("euclidean")) for row in rows
        ],
        rho={
            m: np.array(
                [[_float(v) for v in row.measured["rho"].get(m) or [None] * 3] for row in rows]
            )
            for m in metrics
        },
        p={m: column(lambda row, m=m: row.measured["p"].get(m)) for m in metrics},
        records=records,
    )


def transfer(record: Record, element: str, kind: str, share: float) -> float | None:
    """Median over the lessons that were learned, where the poses can be told apart."""
    found = transfers(record, element, kind, share)
    return float(np.median(found)) if found else None


def transfers(record: Record, element: str, kind: str, share: float) -> list[float]:
    """By each lesson that was learned, where the poses can be told apart."""
    found: list[float] = []
    for lesson in record["lessons"]:
        if lesson["novelty"].get(element, 1.0) < LEAST_NOVELTY:
            continue
        for budget in lesson["budgets"]:
            value = _first(budget[kind].get(element))
            if budget["share"] == share and budget["learned"] and value is not None:
                found.append(value)
    return found


def answer(said: str, rho: Sequence[float | None] | None, least: float = DEFAULT_LEAST) -> str:
    """The answer of a model with skill at this ρ_min, from that at a lower one.

    A yes needs ρ to be above the threshold and p to be small; the one that was said tells the
    latter.
    """
    if rho is None or rho[1] is None or rho[2] is None:
        return said
    if rho[2] < least:
        return "no"
    return "yes" if said == "yes" and rho[1] > least else "undetermined"


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
