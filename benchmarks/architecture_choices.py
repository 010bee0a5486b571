"""What breaks which symmetry before any training: padding, strides, pooling, norms, positions.

Networks of one or two layers, each with one choice, under shifts, turns, reflections and
permutations, at their initial weights. What theory says of each is written beside it, and checked.

    python benchmarks/architecture_choices.py [--seeds 8] [--only images]

writes benchmarks/results/architecture_choices.md and .json and fails where theory is contradicted.
"""

import argparse
import importlib
import json
import platform
import sys
import time
from pathlib import Path

import torch
from architecture_choices_study import EXPECTED

from goldstone.auditing import compare_architectures
from goldstone.core import to_json

STUDIES = ("images", "fields", "vectors", "sequences", "padded_sequences", "sets", "graphs")
RESULTS = Path(__file__).parent / "results"


def load(name):
    module = importlib.import_module(f"architecture_choices_{name}")
    return module.study()


def compact(value):
    """Without empty entries, numbers to four digits; still read by core.from_json."""
    if isinstance(value, dict):
        return {k: compact(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [compact(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def contradictions(study, table):
    """Cells that are not as theory has them."""
    found = []
    for row in study.rows:
        cells = [c for c in table.cells if c.architecture == row.name]
        for letter, head, cell in zip(row.expected, study.heads, cells, strict=True):
            standing = cell.standing
            got = standing if standing in ("built in", "initial only") else "not exact"
            if got != EXPECTED[letter]:
                found.append(f"{row.name}, {head}: expected {EXPECTED[letter]}, got {standing}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--only", nargs="*", default=STUDIES, choices=STUDIES)
    chosen = parser.parse_args()
    start, failures, pages, results = time.process_time(), [], [], {}
    for name in chosen.only:
        study = load(name)
        begun = time.process_time()
        table = compare_architectures(
            {row.name: row.make for row in study.rows},
            study.inputs,
            study.symmetries,
            seeds=chosen.seeds,
        )
        wrong = contradictions(study, table)
        failures += wrong
        print(f"## {study.title} ({time.process_time() - begun:.0f} s)\n")
        print(table.to_markdown(heads=study.heads, legend=False))
        print("\n".join(f"contradicts theory: {line}" for line in wrong))
        reasons = [f"- **{row.name}**: {row.why}." for row in study.rows]
        pages += [f"## {study.title}", study.about]
        pages += [table.to_markdown(heads=study.heads).rstrip(), "\n".join(reasons)]
        results[name] = {
            "title": study.title,
            "heads": study.heads,
            "expected": {row.name: [EXPECTED[e] for e in row.expected] for row in study.rows},
            "table": compact(to_json(table)),
        }
    seconds = time.process_time() - start
    print(f"{seconds:.0f} s of one core; {len(failures)} cells contradict theory")
    if tuple(chosen.only) == STUDIES:
        head = "# What breaks which symmetry before any training\n\nWritten by"
        pages.insert(
            0, f"{head} benchmarks/architecture_choices.py in {seconds:.0f} s of one core."
        )
        (RESULTS / "architecture_choices.md").write_text("\n\n".join(pages) + "\n", "utf-8")
        found = {
            "torch": torch.__version__,
            "python": platform.python_version(),
            "seconds": round(seconds),
            "contradictions": failures,
            "studies": results,
        }
        # A line for each cell.
        text = json.dumps(found, ensure_ascii=False).replace("}, {", "},\n{")
        (RESULTS / "architecture_choices.json").write_text(text + "\n", "utf-8")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
