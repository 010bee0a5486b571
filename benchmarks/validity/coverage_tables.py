"""The tables of coverage, made of coverage.json."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.validity.populations import LAWS, SHAPES
from benchmarks.validity.tables import table

Cells = Mapping[str, Sequence[Mapping[str, Any]]]
CORRELATIONS = (0.0, 0.1, 0.5, 0.9, 1.0)
SIZES = (8, 16, 32, 64)
LESSON_SIZES = (12, 24, 48, 96)
COHERENCES = ("K, unit", "ρ, unit", "ρ, raw", "μ, unit", "μ, raw")
GOAL = (0.93, 0.97)


def tables(cells: Cells) -> str:
    """All of them."""
    return "\n\n".join((coherences(cells), means(cells), permutations(cells)))


def coherences(cells: Cells) -> str:
    """Of K, ρ and μ: share covered with 8, 16, 32 and 64 pairs, the truth in front."""
    rows = []
    for shape in SHAPES:
        for r in CORRELATIONS:
            row = [shape, f"{r:g}"]
            for name in COHERENCES:
                given = [_cell(cells, f"coherences, {shape}, {r}, {n}", name) for n in SIZES]
                known = [c for c in given if c]
                truth = f"{known[0]['truth']:.2f}: " if known else ""
                row.append(truth + ", ".join(_percent(c.get("covered")) for c in given))
            rows.append(row)
    return table(["population", "r", *COHERENCES], rows)


def means(cells: Cells) -> str:
    """Of T, and of transfer."""

    def row(statistic: str, law: str, sizes: Sequence[int], key: str) -> list[str]:
        shares = (_cell(cells, f"{key}, {n}").get("covered") for n in sizes)
        return [statistic, law, ", ".join(map(str, sizes)), ", ".join(map(_percent, shares))]

    rows = [row("T", law, SIZES, f"T, {law}") for law in LAWS]
    rows.append(row("transfer", "linear model", LESSON_SIZES, "transfer"))
    return table(["statistic", "population", "trajectories", "covered, %"], rows)


def permutations(cells: Cells) -> str:
    """False positives of the permutation test."""
    rows = []
    for shape in SHAPES:
        for key in ("false", "any of three"):
            shares = (_cell(cells, f"p, {shape}, {n}").get(key) for n in SIZES)
            name = "p < .05" if key == "false" else "any of three elements, by Holm"
            rows.append([name, shape, ", ".join(_percent(v) for v in shares)])
    header = ["false positives", "population", "%, with " + ", ".join(map(str, SIZES)) + " pairs"]
    return table(header, rows)


def outside(cells: Cells) -> Iterator[Mapping[str, Any]]:
    """Cells that are covered less often than the goal allows."""
    for group in cells.values():
        for cell in group:
            if "covered" in cell and cell["covered"] < GOAL[0]:
                yield cell


def _cell(cells: Cells, key: str, statistic: str = "") -> Mapping[str, Any]:
    found = cells.get(key, ())
    return next((c for c in found if statistic in ("", c["statistic"])), {})


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
