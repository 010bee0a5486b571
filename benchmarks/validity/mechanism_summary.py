"""What the runs of the mechanism experiment say: effects, doses, mediation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.validity.mechanism_arms import Arm, arms
from benchmarks.validity.mechanism_cases import CASES, Case

MEDIATORS = ("rho", "rho within class", "probe", "kernel")
Row = dict[str, float]
"""What is known of a run at one moment: means over the elements of a role."""


@dataclass(frozen=True)
class Effect:
    """A mean over seeds with its 95 % interval by Student's t, and how many seeds it is of."""

    mean: float
    low: float
    high: float
    seeds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Effect":
        known = np.array([v for v in values if np.isfinite(v)])
        if len(known) < 2:
            return cls(float(known.mean()) if len(known) else nan, nan, nan, len(known))
        half = stats.t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / len(known) ** 0.5
        return cls(float(known.mean()), known.mean() - half, known.mean() + half, len(known))

    def shown(self, digits: int = 2) -> str:
        """The mean with its interval; a sign shows that it is a difference."""
        if not np.isfinite(self.low):
            return f"{self.mean:+.{digits}f}" if np.isfinite(self.mean) else "–"
        low, high = f"{self.low:+.{digits}f}", f"{self.high:+.{digits}f}"
        return f"{self.mean:+.{digits}f} ({low} … {high})"


def flat(case: Case, checkpoint: Mapping[str, Any]) -> Row:
    """Means over the elements of each role, and over those of them that were measured."""
    row = {k: float(v) for k, v in checkpoint.items() if k != "poses"}
    for role in ("used", "between", "beyond"):
        poses = [checkpoint["poses"][name] for name in case.named(role)]
        coherent = [checkpoint["poses"][n] for n in case.named(role) if n in case.coherent]
        for key in ("T", "loss", "accuracy"):
            if poses and key in poses[0]:
                row[f"{key} {role}"] = float(np.mean([pose[key] for pose in poses]))
        for key in MEDIATORS:
            if coherent and key in coherent[0]:
                row[f"{key} {role}"] = float(np.mean([pose[key] for pose in coherent]))
    return row


def at_level(rows: Sequence[Row], level: float, axis: str = "loss") -> Row | None:
    """The run where its loss in the trained pose first falls to a level, between checkpoints.

    Linear in the logarithm of the loss. None if that is never reached.
    """
    for before, after in pairwise(rows):
        if before[axis] > level >= after[axis]:
            part = log(before[axis] / level) / log(before[axis] / after[axis])
            shared = before.keys() & after.keys()
            return {k: before[k] + part * (after[k] - before[k]) for k in shared}
    return None


class CaseRuns:
    """The runs of a case, by arm and seed."""

    def __init__(self, case: Case, runs: Mapping[str, Any]) -> None:
        self.case = case
        self.arms = {arm.name: arm for arm in arms(case)}
        self.rows: dict[tuple[str, int], list[Row]] = {}
        self.seconds = 0.0
        for key, run in runs.items():
            name, arm, seed = key.split(" | ")
            if name == case.name and arm in self.arms:
                self.seconds += run["seconds"]
                self.rows[arm, int(seed)] = [flat(case, c) for c in run["checkpoints"]]
        self.seeds = sorted({seed for _, seed in self.rows})

    def values(self, arm: str, key: str, level: float, axis: str = "loss") -> list[float]:
        """By seed; NaN where the level was not reached."""
        found = []
        for seed in self.seeds:
            row = at_level(self.rows.get((arm, seed), []), level, axis)
            found.append(nan if row is None else row.get(key, nan))
        return found

    def effect(self, arm: str, key: str, level: float, axis: str = "loss") -> Effect:
        """The arm less the control of the same seed, which had the same weights and batches."""
        pairs = zip(
            self.values(arm, key, level, axis),
            self.values("control", key, level, axis),
            strict=True,
        )
        return Effect.of([a - b for a, b in pairs])

    def doses(self, term: str) -> list[Arm]:
        """Arms of one term alone by rising strength, the control at 0."""
        alone = [a for a in self.arms.values() if a.term == term and not a.also and not a.primed]
        return sorted([*alone, self.arms["control"]], key=lambda arm: arm.strength)

    def dose_response(self, term: str, key: str, level: float) -> Effect:
        """Spearman's correlation of strength and outcome, within each seed."""
        doses = self.doses(term)
        table = np.array([self.values(arm.name, key, level) for arm in doses])
        strengths = np.array([arm.strength for arm in doses])
        found = []
        for column in table.T:
            known = np.isfinite(column)
            if known.sum() > 2:
                found.append(float(stats.spearmanr(strengths[known], column[known]).statistic))
        return Effect.of(found)

    def table(self, names: Sequence[str], key: str, level: float) -> NDArray[np.float64]:
        """(arm, seed)."""
        return np.array([self.values(name, key, level) for name in names])

    def expected(self, arm: str, mediator: str, outcome: str, level: float, term: str) -> Effect:
        """Outcome of an arm, less what its coherence would give if set by ``term``'s doses.

        The line through the doses' means gives an outcome for every coherence. A quantity that
        acts by itself acts alike however it was moved: then this is zero. By seed, the line too.
        """
        names = [a.name for a in self.doses(term)]
        m, y = (self.table(names, key, level) for key in (mediator, outcome))
        seen = np.array(self.values(arm, outcome, level))
        here = np.array(self.values(arm, mediator, level))
        gaps = []
        for k in range(len(self.seeds)):
            known = np.isfinite(m[:, k]) & np.isfinite(y[:, k])
            order = np.argsort(m[known, k])
            line = np.interp(here[k], m[known, k][order], y[known, k][order])
            gaps.append(float(seen[k] - line))
        return Effect.of(gaps)

    def within_arms(self, mediator: str, outcome: str, level: float) -> tuple[float, float, int]:
        """Correlation of two quantities over runs beyond arm and seed; permutation p; runs.

        Both are taken as residuals of arm and seed means; the mediator is permuted over the seeds
        of each arm.
        """
        names = [a.name for a in self.arms.values() if a.term not in ("augmentation", "control")]
        names = [n for n in names if not self.arms[n].also and not self.arms[n].primed]
        m, y = (self.table(names, key, level) for key in (mediator, outcome))
        full = np.isfinite(m).all(1) & np.isfinite(y).all(1)
        m, y = m[full], y[full]
        if len(m) < 2 or m.shape[1] < 3:
            return nan, nan, 0

        def centred(t: NDArray[np.float64]) -> NDArray[np.float64]:
            found: NDArray[np.float64] = t - t.mean(1, keepdims=True) - t.mean(0) + t.mean()
            return found

        def correlation(a: NDArray[np.float64]) -> float:
            return float(np.corrcoef(centred(a).ravel(), centred(y).ravel())[0, 1])

        source = np.random.default_rng(0)
        observed = correlation(m)
        draws = [correlation(source.permuted(m, axis=1)) for _ in range(1000)]
        p = (1 + sum(abs(d) >= abs(observed) for d in draws)) / 1001
        return observed, p, m.size

    def between_arms(
        self, mediator: str, outcome: str, level: float, *, augmented: bool = True
    ) -> float:
        """Correlation of the arms' mean changes from the control, with or without augmentation."""
        names = [n for n in self.arms if n != "control" and (augmented or "augment" not in n)]
        pairs = [(self.effect(n, mediator, level), self.effect(n, outcome, level)) for n in names]
        known = [(a.mean, b.mean) for a, b in pairs if np.isfinite(a.mean * b.mean)]
        return float(np.corrcoef(np.array(known).T)[0, 1]) if len(known) > 2 else nan


def all_cases(runs: Mapping[str, Any]) -> dict[str, CaseRuns]:
    """Cases that have runs."""
    known = {key.split(" | ")[0] for key in runs}
    return {name: CaseRuns(CASES[name](), runs) for name in CASES if name in known}
