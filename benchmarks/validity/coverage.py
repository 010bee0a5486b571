"""How often the audit's 95 % intervals hold the truth, and how often its tests cry wolf.

    nice -n 10 python -m benchmarks.validity.coverage [--out FILE] [--replicates 1000]

Synthetic populations (:mod:`benchmarks.validity.populations`) whose truth is known in closed form
or from a million draws, through the functions that the audit itself calls. Resumable: every cell is
kept in FILE (benchmarks/results/validity/coverage.json) when it is done. Some eight minutes of one
core.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.validity.coverage_tables import CORRELATIONS, LESSON_SIZES, SIZES, tables
from benchmarks.validity.populations import LAWS, SHAPES, log_ratios, products
from goldstone.actions import Context
from goldstone.auditing.coherence import coherences
from goldstone.auditing.lesson_pairs import LessonPairs
from goldstone.auditing.statistics import Bootstrap, holm, mean_statistic
from goldstone.auditing.teach_once_results import HeldOut, taught_element
from goldstone.core import Statistic, generator, replacing

RESULTS = Path(__file__).parents[1] / "results" / "validity" / "coverage.json"
BOOTSTRAP, PERMUTATIONS, DRAWS = 1000, 400, 8
SNAPSHOTS = 4
Cell = dict[str, Any]


class Tally:
    """Of intervals: how many hold the truth, and on which side the others lie."""

    def __init__(self) -> None:
        self.n = self.below = self.above = self.undefined = 0
        self.width = 0.0

    def add(self, found: Statistic, truth: float) -> None:
        """Count one. An interval that is not defined holds nothing."""
        self.n += 1
        if found.low is None or found.high is None:
            self.undefined += 1
            return
        # Where a = b the products are rounded, and so is ρ = 1.
        self.below += found.high < truth - 1e-9
        self.above += found.low > truth + 1e-9
        self.width += found.high - found.low

    def cell(self, **where: Any) -> Cell:
        """As JSON values: ``below`` and ``above`` are shares of intervals off the truth."""
        return where | {
            "covered": 1 - (self.below + self.above + self.undefined) / self.n,
            "interval below": self.below / self.n,
            "interval above": self.above / self.n,
            "undefined": self.undefined / self.n,
            "width": self.width / self.n,
            "replicates": self.n,
        }


def bootstraps(n: int) -> list[Bootstrap]:
    """Several, taken in turn, so that the chance of one is in no result."""
    return [Bootstrap.draw(n, BOOTSTRAP, seed) for seed in range(DRAWS)]


def of_coherences(shape: str, correlation: float, n: int, replicates: int) -> list[Cell]:
    """ρ, K and μ of unit and of raw gradients."""
    population = replace(SHAPES[shape], correlation=correlation)
    truth = population.truth()
    tallies = {name: Tally() for name in truth}
    source = generator(1, "coverage", shape, f"{correlation}", n)
    drawn = bootstraps(n)
    for k in range(replicates):
        raw = products(*population.draw(n, source))
        for kind, given in (("unit", raw.unit()), ("raw", raw)):
            found = coherences(given, drawn[k % DRAWS], 1, 0)
            for name, statistic in (
                ("K", found.pair),
                ("ρ", found.orbit),
                ("μ", found.common_mode),
            ):
                tallies[f"{name}, {kind}"].add(statistic, truth[f"{name}, {kind}"])
    where = {"population": shape, "correlation": correlation, "n": n}
    # K is of unit gradients either way.
    return [
        tally.cell(statistic=name, truth=truth[name], **where)
        for name, tally in tallies.items()
        if name != "K, raw"
    ]


def of_log_ratios(law: str, n: int, replicates: int) -> list[Cell]:
    """T: the mean over trajectories with four snapshots each."""
    source = generator(1, "coverage", law, n)
    trajectory = torch.arange(n).repeat_interleave(SNAPSHOTS)
    drawn = bootstraps(n)
    tally = Tally()
    for k in range(replicates):
        values = log_ratios(law, n, SNAPSHOTS, source)
        tally.add(mean_statistic(values, trajectory, drawn[k % DRAWS])[0], 0.0)
    return [tally.cell(statistic="T", population=law, n=n, truth=0.0)]


def of_transfer(n: int, replicates: int) -> list[Cell]:
    """Transfer of a linear model that was taught by one step: a ratio of second moments."""
    change, lesson = torch.tensor([[1.0, 0.5, 0.0], [1.0, 0.2, -0.3]]).double()
    turn = torch.tensor([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]]).double()
    spread = torch.tensor([[2.0, 1.0, 1.0], [0.5, 0.5, 0.5]]).double()
    apart = torch.diag(spread[0] ** 2 - spread[1] ** 2)
    truth = float(100 * (change @ turn @ apart @ lesson) / (change @ apart @ lesson))
    index = torch.arange(n)
    empty = torch.zeros(n)
    pairs = LessonPairs(empty, empty, empty, index % 2 == 0, index, Context())
    held = [HeldOut(pairs, bootstrap) for bootstrap in bootstraps(n)]
    source = generator(0, "coverage", n)
    tally = Tally()

    def gains(x: Tensor, seen: Tensor) -> Tensor:
        asked, after = x @ lesson, seen @ change
        return torch.stack([asked**2 - (after - asked) ** 2, -(after**2)], 1)

    for k in range(replicates):
        x = torch.randn(n, 3, generator=source).double() * spread[index % 2]
        found = taught_element(gains(x, x @ turn.T), gains(x, x), held[k % DRAWS], learned=True)
        tally.add(found.transfer, truth)
    return [tally.cell(statistic="transfer", population="linear model", n=n, truth=truth)]


def of_permutations(shape: str, n: int, replicates: int) -> list[Cell]:
    """Where pairing says nothing (r = 0): how often p < .05, and for any of three elements."""
    population = SHAPES[shape]
    source = generator(1, "permutation", shape, n)
    few = Bootstrap.draw(n, 2, 0)
    single = family = 0
    for k in range(replicates):
        p = {
            f"{g}": coherences(
                products(*population.draw(n, source)).unit(), few, PERMUTATIONS, 3 * k + g
            ).permutation_p
            for g in range(3)
        }
        single += sum(value < 0.05 for value in p.values())
        family += min(holm(p).values()) < 0.05
    where = {"statistic": "permutation p", "population": shape, "n": n}
    return [
        where
        | {"false": single / (3 * replicates), "any of three": family / replicates}
        | {"replicates": replicates}
    ]


def plan(replicates: int) -> Iterator[tuple[str, Callable[[], list[Cell]]]]:
    """Every cell with its key."""
    for n in SIZES:
        for law in LAWS:
            yield f"T, {law}, {n}", partial(of_log_ratios, law, n, replicates)
    for r in CORRELATIONS:
        for shape in SHAPES:
            for n in SIZES:
                yield (
                    f"coherences, {shape}, {r}, {n}",
                    partial(of_coherences, shape, r, n, replicates),
                )
    for n in LESSON_SIZES:
        yield f"transfer, {n}", partial(of_transfer, n, replicates)
    for shape in SHAPES:
        for n in SIZES:
            yield f"p, {shape}, {n}", partial(of_permutations, shape, n, replicates)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.validity.coverage",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--replicates", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    found = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
    for key, work in plan(options.replicates):
        done = found.get(key)
        if done is not None and done[0]["replicates"] == options.replicates:
            continue
        found[key] = work()
        with replacing(options.out) as temporary:
            temporary.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        said = [f"{c['statistic']} {c.get('covered', c.get('false')):.3f}" for c in found[key]]
        print(key, said, flush=True)
    print(tables(found))


if __name__ == "__main__":
    main()
