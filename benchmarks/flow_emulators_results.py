"""What the runs of flow_emulators.py say: paired ratios, equivalent data, counts of answers."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.study import Runs, interval

Cell = dict[int, dict[str, Any]]
"""Runs by seed."""
Cells = dict[tuple[str, str, int], Cell]
"""By kind of flow, arm and number of trajectories."""
NETWORKS = ("plain", "augmented", "equivariant")
COMPARISONS = {
    "equal steps": (("{}",), "equivariant"),
    "equal steps, 3×": (("{} 3×",), "equivariant 3×"),
    "equal time": (("{}", "{} 3×"), "equivariant"),
}
"""What is compared with which equivariant arm: the best of some arms of a network in each run."""


def compared(comparison: str, network: str) -> tuple[tuple[str, ...], str]:
    """The arms of a network, and the equivariant one."""
    arms, other = COMPARISONS[comparison]
    return tuple(arm.format(network) for arm in arms), other


def cells(runs: Runs) -> Cells:
    """The runs of a study."""
    found: Cells = {}
    for key, run in runs.found.items():
        if "audit" in run:
            kind, arm, size, seed = key.split(", ")
            cell = found.setdefault((kind, arm, int(size.split()[0])), {})
            cell[int(seed.split()[1])] = run
    return found


def sizes_of(found: Cells, kind: str) -> list[int]:
    """Numbers of trajectories that were learned from."""
    return sorted({size for name, _, size in found if name == kind})


def errors(
    found: Cells, kind: str, arms: Sequence[str], size: int, key: str = "error"
) -> dict[int, float]:
    """The least error of some arms by seed, for seeds that all of them ran."""
    each = [found.get((kind, arm, size), {}) for arm in arms]
    seeds = set.intersection(*map(set, each))
    return {seed: min(cell[seed][key] for cell in each) for seed in sorted(seeds)}


def paired(some: Mapping[int, float], others: Mapping[int, float]) -> list[float]:
    """Ratios of the runs of one seed, which learned from the same trajectories."""
    return [some[seed] / others[seed] for seed in some if seed in others]


def geometric(values: Sequence[float]) -> str:
    """Geometric mean with its 95 % t-interval."""
    mean, half = interval([math.log(v) for v in values])
    if math.isnan(mean):
        return "–"
    low, high = ("–" if math.isnan(half) else f"{math.exp(mean + s * half):.3g}" for s in (-1, 1))
    return f"{math.exp(mean):.3g} ({low} to {high})"


def trajectories_needed(curve: Mapping[int, float], error: float) -> tuple[float, str]:
    """From how many trajectories a curve of errors has come down to ``error``.

    Straight lines between logarithms; ``"≤"`` if it is there from the first number on, ``">"`` if
    it is not with the last one.
    """
    sizes = sorted(curve)
    below = [size for size in sizes if curve[size] <= error]
    if not below:
        return float(sizes[-1]), ">"
    second = sizes.index(below[0])
    if not second:
        return float(sizes[0]), "≤"
    m, n = sizes[second - 1], sizes[second]
    share = math.log(curve[m] / error) / math.log(curve[m] / curve[n])
    return m * (n / m) ** share, ""


def times_fewer(found: Cells, kind: str, arms: tuple[Sequence[str], str], size: int) -> str:
    """How many times fewer trajectories the last arm needs for the one-step error of the first.

    A geometric mean over seeds with its interval. Only a bound where a seed's curve is below the
    error from its first number of trajectories on (``≥``), or not even with its last (``≤``).
    """
    curves = {n: errors(found, kind, (arms[1],), n) for n in sizes_of(found, kind)}
    factors, signs = [], set()
    for seed, error in errors(found, kind, arms[0], size).items():
        curve = {n: those[seed] for n, those in curves.items() if seed in those}
        if size in curve:
            needed, sign = trajectories_needed(curve, error)
            factors.append(size / needed)
            signs.add(sign)
    if not factors or {"≤", ">"} <= signs:
        return "–"
    if signs == {""}:
        return geometric(factors)
    mean = math.exp(math.fsum(map(math.log, factors)) / len(factors))
    return f"{'≥' if '≤' in signs else '≤'} {mean:.3g}"


def audits(found: Cells, kind: str, network: str) -> list[dict[str, Any]]:
    """Audits of a network trained for either number of steps, of all sizes and seeds."""
    return [
        run["audit"]
        for (name, arm, _), cell in found.items()
        if name == kind and arm.removesuffix(" 3×") == network
        for run in cell.values()
    ]


def answers(some: Sequence[dict[str, Any]], axis: str) -> Counter[str]:
    """How often an axis was answered how."""
    return Counter(audit[axis] for audit in some)


def usual_residual(some: Sequence[dict[str, Any]], axis: str) -> str:
    """The largest subgroups of which an axis is answered yes, as most audits find them."""
    found = Counter(
        " or ".join(f"{{{', '.join(elements)}}}" for elements in audit["residual"][axis])
        for audit in some
    )
    if not found:
        return "–"
    text, times = found.most_common(1)[0]
    return f"{text} ({times})"


def always_broken(some: Sequence[dict[str, Any]]) -> list[str]:
    """Elements that hold in no audit."""
    names = some[0]["elements"] if some else {}
    return [g for g in names if all(audit["elements"][g]["holds"] == "no" for audit in some)]


def of_element(some: Sequence[dict[str, Any]], name: str, value: str) -> list[float]:
    """Estimates of T or ρ of an element."""
    values = (audit["elements"][name][value][0] for audit in some)
    return [v for v in values if v is not None]
