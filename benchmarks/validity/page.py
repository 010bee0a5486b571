"""docs/validity.md and its figures, from benchmarks/results/validity.

    python -m benchmarks.validity.page [--results FOLDER] [--docs FOLDER]

Reads scores.json, coverage.json, mechanism.md and price.md; what is not there is said to be not
measured. Every sentence that says what was found is made of the numbers.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.validity import coverage_tables, figures
from benchmarks.validity.page_sections import RESULTS, Sections, included
from goldstone.core import replacing

DOCS = Path(__file__).parents[2] / "docs"
IMAGES = Path("images") / "validity"


def page(results: Path, docs: Path) -> str:
    """The page; its figures are written."""
    scores = _read(results / "scores.json")
    cells = _read(results / "coverage.json")
    drawings = {name: draw(scores) for name, draw in figures.FIGURES.items()} if scores else {}
    drawings["coverage"] = figures.coverage(cells)
    for name, drawing in drawings.items():
        _write(docs / IMAGES / f"{name}.svg", drawing)
    lines = ["# Does the instrument tell the truth?", ""]
    lines += ["Written by `python -m benchmarks.validity.page`; do not edit.", ""]
    if scores:
        lines += Sections(scores, IMAGES).before_coverage()
    lines += ["## Coverage", "", *_coverage(cells, drawings["coverage"])]
    if scores:
        lines += Sections(scores, IMAGES).after_coverage()
    for name, title in (("mechanism", "Mechanism"), ("price", "Price tag")):
        lines += [f"## {title}", "", *included(results / f"{name}.md", docs, IMAGES), ""]
    if scores:
        lines += Sections(scores, IMAGES).failures()
    return "\n".join(lines).rstrip() + "\n"


def _coverage(cells: coverage_tables.Cells, drawing: str) -> list[str]:
    if not cells:
        return ["Not measured yet.", ""]
    least, most = coverage_tables.GOAL
    # Where b = a every interval is a point.
    counted = [c for g in cells.values() for c in g if "covered" in c and c.get("correlation") != 1]
    audited = [c for c in counted if not c["statistic"].startswith("μ")]
    common = [c for c in counted if c["statistic"].startswith("μ")]

    def within(chosen: Sequence[Mapping[str, Any]]) -> str:
        inside = sum(least <= c["covered"] <= most for c in chosen)
        below = [c["covered"] for c in chosen if c["covered"] < least]
        above = sum(c["covered"] > most for c in chosen)
        worst = f", down to {100 * min(below):.0f} %" if below else ""
        return (
            f"{inside} of {len(chosen)} cells lie within 95 ± 2 %, {above} above and {len(below)} "
            f"below{worst}"
        )

    setting = (
        "Synthetic populations of known truth, through the functions that the audit itself calls; "
        f"{counted[0]['replicates'] if counted else 0} replicates of each, so that a covered share "
        "of 95 % has a standard error of 0.7 %. Gradients have 30 components of falling variance "
        "about a mean; r is the correlation of a with b; the second population has Student t₃ "
        "tails and norms that differ tenfold. In front of each cell stands the true value; the "
        "four shares (%) are with 8, 16, 32 and 64 pairs."
    )
    summary = (
        f"Where r = 1 all is exact; of the others, T, K, ρ and transfer: {within(audited)}. Common "
        f"mode μ: {within(common)}. {_misses(counted)}"
    )
    lines = [
        setting,
        "",
        summary,
        "",
        coverage_tables.tables(cells),
        "",
    ]
    if drawing:
        lines += [f"![Coverage by number of pairs]({IMAGES.as_posix()}/coverage.svg)", ""]
    return [*lines, "    python -m benchmarks.validity.coverage", ""]


def _misses(cells: Sequence[Mapping[str, Any]]) -> str:
    """On which side the intervals lie that miss."""
    said = []
    for statistic in ("T", "K", "ρ", "μ"):
        chosen = [
            c
            for c in cells
            if c["statistic"].startswith(statistic) and c["covered"] < coverage_tables.GOAL[0]
        ]
        below, above = (sum(c[f"interval {side}"] for c in chosen) for side in ("below", "above"))
        if chosen:
            share = below / (below + above)
            said.append(f"of {statistic} {100 * share:.0f} %")
    if not said:
        return ""
    return (
        "In the cells below the goal, so many of the intervals that miss lie below the truth: "
        f"{', '.join(said)}. (The cosine μ of two noisy means is biased towards what the noise "
        "says; the mean of a skewed law is missed on the side of its tail; K is bounded by 1.)"
    )


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, drawing: str) -> None:
    if drawing:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(drawing, encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.validity.page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--docs", type=Path, default=DOCS)
    options = parser.parse_args()
    text = page(options.results, options.docs)
    with replacing(options.docs / "validity.md") as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
