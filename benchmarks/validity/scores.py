"""How well the audit's numbers and answers agree with the truth, over the whole zoo.

    python -m benchmarks.validity.scores [--zoo FILE_OR_FOLDER] [--out FILE] [SECTION ...]

Reads benchmarks/results/validity/zoo.json (or a folder of a running zoo), writes scores.json beside
it, and prints the tables of docs/validity.md (all, or the sections named). Under a minute.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.validity import choosing, verdicts
from benchmarks.validity.agreement import agreement
from benchmarks.validity.auroc import auroc
from benchmarks.validity.families import SPLIT_SEED, Resamples, halves
from benchmarks.validity.observations import (
    DEFAULT_LEAST,
    KINDS,
    LEAST_NOVELTY,
    SHARES,
    Observations,
    Record,
    above,
    observed,
    read_zoo,
)
from benchmarks.validity.rank_correlation import rank_correlation
from benchmarks.validity.rounding import rounded
from goldstone.core import replacing

Array = NDArray[np.float64]
RESULTS = Path(__file__).parents[1] / "results" / "validity"
CUTS = (25.0, 50.0, 75.0)
REPLICATES = 2000
LEAST_SPREAD = 10.0
"""Per cent: in models whose transfers differ less there is nothing to rank."""
DEFAULT_METRIC = "euclidean"


def score(records: Mapping[str, Record], replicates: int = REPLICATES) -> dict[str, Any]:
    """Everything, as JSON values."""
    found = observed(records)
    resamples = Resamples.draw(found.family, found.model, replicates)
    parts = halves([r["family"] for r in records.values()], [r["task"] for r in records.values()])
    return {
        "models": len(records),
        "skilled": len(set(found.model)),
        "observations": len(found.model),
        "families": resamples.families,
        "tasks": sorted(set(found.task)),
        "declared": {
            "transfer": choosing.KIND,
            "share": choosing.SHARE,
            "cut": choosing.CUT,
            "ρ_min": DEFAULT_LEAST,
            "novelty": LEAST_NOVELTY,
            "split seed": SPLIT_SEED,
            "replicates": replicates,
        },
        "zoo": _zoo(records),
        "transfers": _transfers(found),
        "labels": _labels(found),
        "scores": list(_scores(found, resamples)),
        "ρ against": list(_advantages(found, resamples)),
        "lessons": _lessons(records),
        "agreement": agreement(found, resamples, choosing.KIND, choosing.SHARE, choosing.CUT),
        "verdicts": _verdicts(found, resamples),
        "thresholds": _thresholds(found, resamples),
        "halves": [sorted(part) for part in parts],
        "cross-fitted": choosing.cross_fitted(
            found, {"first half": parts, "second half": parts[::-1]}, replicates
        ),
        "new task": choosing.cross_fitted(
            found,
            choosing.without_task(dict(zip(found.family, found.task, strict=True))),
            replicates,
        ),
        "samples": verdicts.by_samples(found, truth(found), resamples),
        "without skill": verdicts.without_skill(records),
        "wrong action": verdicts.wrong_action(records),
        "controls": verdicts.controls(records),
        "free path": _free_paths(records, found),
        "failures": _failures(found),
        "points": _points(found),
    }


def truth(found: Observations) -> Array:
    """Transports: 1 or 0 by the declared transfer."""
    return above(found.transfer[choosing.KIND, choosing.SHARE], choosing.CUT)


def _scores(found: Observations, resamples: Resamples) -> Iterator[dict[str, Any]]:
    """A row for each metric, statistic and truth."""
    labels = {
        ("holds", "by construction"): found.holds_by_construction,
        ("holds", "in the population"): found.holds_in_population,
        ("transports", "by construction"): found.transports_by_construction,
    }
    for (kind, share), values in found.transfer.items():
        declared = (kind, share) == (choosing.KIND, choosing.SHARE)
        for cut in CUTS if declared else (choosing.CUT,):
            labels["transports", f"{kind} > {cut:g} %, budget {share:g}"] = above(values, cut)
    ranked = {f"{kind}, budget {share:g}": v for (kind, share), v in found.transfer.items()}
    task = np.asarray(found.task)
    for (metric, statistic), values in found.scores.items():
        where = {"metric": metric, "statistic": statistic}
        for (axis, name), label in labels.items():
            known = np.isfinite(label)
            yield where | {
                "axis": axis,
                "truth": name,
                "measure": "auroc",
                "value": resamples.auroc(values, label),
                "n": int(known.sum()),
                "positives": int(np.nansum(label)),
                "undefined": int((known & ~np.isfinite(values)).sum()),
            }
        rank = where | {"axis": "transports", "measure": "rank"}
        for name, transfer in ranked.items():
            yield rank | {
                "truth": name,
                "value": resamples.rank_correlation(values, transfer),
                "n": int((np.isfinite(values) & np.isfinite(transfer)).sum()),
            }
        transfer = found.transfer[choosing.KIND, choosing.SHARE]
        yield rank | {"truth": "within models"} | _within_models(found, values, resamples)
        for one in dict.fromkeys(found.task):
            here = np.where(task == one, transfer, np.nan)
            label = above(here, choosing.CUT)
            yield rank | {
                "truth": f"within {one}",
                "value": resamples.rank_correlation(values, here),
                "n": int(np.isfinite(here).sum()),
            }
            yield where | {
                "axis": "transports",
                "measure": "auroc",
                "truth": f"within {one}",
                "value": resamples.auroc(values, label),
                "n": int(np.isfinite(here).sum()),
                "positives": int(np.nansum(label)),
            }


def _within_models(found: Observations, values: Array, resamples: Resamples) -> dict[str, Any]:
    """Mean over models of the rank correlation over the model's elements."""
    transfer = found.transfer[choosing.KIND, choosing.SHARE]
    models = np.asarray(found.model)
    ranks, places = [], []
    for model in dict.fromkeys(found.model):
        rows = np.flatnonzero((models == model) & np.isfinite(values) & np.isfinite(transfer))
        if len(rows) < 3 or np.ptp(transfer[rows]) < LEAST_SPREAD:
            continue
        rank = rank_correlation(values[rows], transfer[rows])[0]
        if np.isfinite(rank):
            ranks.append(rank)
            places.append(rows[0])
    if not ranks:
        return {"value": [None, None, None], "n": 0}
    weights = resamples.counts[:, places]
    with np.errstate(invalid="ignore"):
        replicates = (weights @ np.array(ranks)) / weights.sum(1)
    ranked = np.isin(np.arange(len(models)), places)
    return {
        "value": resamples.statistic(float(np.mean(ranks)), replicates, ranked),
        "n": len(ranks),
    }


def _advantages(found: Observations, resamples: Resamples) -> Iterator[dict[str, Any]]:
    """AUROC of ρ in the default metric less that of every other score, in the same resamples."""
    label, ours = truth(found), found.scores[DEFAULT_METRIC, "ρ"]
    for (metric, statistic), values in found.scores.items():
        both = np.isfinite(values) & np.isfinite(ours)
        shared = np.where(both, label, np.nan)
        estimate, replicates = (
            auroc(ours, shared, counts) - auroc(values, shared, counts)
            for counts in (None, resamples.counts)
        )
        value = resamples.statistic(float(estimate[0]), replicates, np.isfinite(shared))
        yield {"metric": metric, "statistic": statistic, "value": value}


def _lessons(records: Mapping[str, Record]) -> dict[str, Any]:
    """How many were learned at the declared budget, and how much of the gain was reached there."""
    given = [lesson for record in records.values() for lesson in record["lessons"]]
    budgets = [b for one in given for b in one["budgets"] if b["share"] == choosing.SHARE]
    learned = [b["reached"] for b in budgets if b["learned"]]
    return {
        "given": len(given),
        "learned": len(learned),
        "reached": float(f"{np.median(learned):.4g}") if learned else None,
        "still learning": sum(one["still_learning"] for one in given),
    }


def _verdicts(found: Observations, resamples: Resamples) -> dict[str, Any]:
    """The answers of the audit, as it is, against every truth."""
    rows = {
        ("holds", "by construction"): (found.holds, found.holds_by_construction),
        ("holds", "in the population"): (found.holds, found.holds_in_population),
        ("transports", "by construction"): (found.transports, found.transports_by_construction),
    }
    for share in SHARES:
        for kind in KINDS:
            label = above(found.transfer[kind, share], choosing.CUT)
            name = f"{kind} > {choosing.CUT:g} %, budget {share:g}"
            rows["transports", name] = (found.transports, label)
    task = np.asarray(found.task)
    for one in dict.fromkeys(found.task):
        label = np.where(task == one, truth(found), np.nan)
        rows["transports", f"within {one}"] = (found.transports, label)
        label = np.where(task == one, found.holds_by_construction, np.nan)
        rows["holds", f"within {one}"] = (found.holds, label)
    return {
        f"{axis}: {name}": verdicts.confusion(answers, label, resamples)
        for (axis, name), (answers, label) in rows.items()
    }


def _thresholds(found: Observations, resamples: Resamples) -> dict[str, Any]:
    """By metric and ρ_min: the confusion with the declared transfer."""
    label = truth(found)

    def entry(metric: str, least: float) -> dict[str, Any]:
        answers = verdicts.transports(found, metric, least)
        (utility,) = rounded([verdicts.utility(answers, label)])
        return verdicts.confusion(answers, label, resamples) | {"utility": utility}

    limits = (DEFAULT_LEAST,)
    return {
        metric: {
            f"{least:g}": entry(metric, least)
            for least in (choosing.THRESHOLDS if metric == DEFAULT_METRIC else limits)
        }
        for metric in found.metrics
    }


def _zoo(records: Mapping[str, Record]) -> list[dict[str, Any]]:
    """A row for each task and kind of architecture."""
    rows: dict[str, dict[str, Any]] = {}
    for record in records.values():
        row = rows.setdefault(
            record["family"],
            {"task": record["task"], "family": record["family"], "models": 0, "recipes": {}}
            | {"parameters": [], "elements": len(record["elements"]), "seconds": 0.0},
        )
        row["models"] += 1
        row["recipes"][record["recipe"]] = row["recipes"].get(record["recipe"], 0) + 1
        row["parameters"].append(record["parameters"])
        row["seconds"] += record["seconds"]["audit"] + record["seconds"]["teach"]
    for row in rows.values():
        row["parameters"] = [min(row["parameters"]), max(row["parameters"])]
        row["seconds"] = round(row["seconds"], 1)
    return list(rows.values())


def _transfers(found: Observations) -> dict[str, Any]:
    """Of how many elements transfer is known, and how it is spread."""
    return {
        f"{kind} {share:g}": {
            "known": int(np.isfinite(values).sum()),
            "above": int(np.nansum(above(values, choosing.CUT))),
            "quartiles": [
                float(f"{v:.4g}") for v in np.nanquantile(values, (0, 0.25, 0.5, 0.75, 1))
            ]
            if np.isfinite(values).any()
            else [],
        }
        for (kind, share), values in found.transfer.items()
    }


def _labels(found: Observations) -> dict[str, int]:
    """How far the truths agree with one another."""
    built, shown = found.holds_by_construction, found.holds_in_population
    both = np.isfinite(built) & np.isfinite(shown)
    made, taught = found.transports_by_construction, truth(found)
    known = np.isfinite(made) & np.isfinite(taught)
    return {
        "holds by both": int(both.sum()),
        "holds in the population alone": int((both & (built < shown)).sum()),
        "holds by construction alone": int((both & (built > shown)).sum()),
        "transports by both": int(known.sum()),
        "transports by transfer alone": int((known & (made < taught)).sum()),
        "transports by construction alone": int((known & (made > taught)).sum()),
    }


def _free_paths(records: Mapping[str, Record], found: Observations) -> dict[str, Any]:
    """By task: ρ, T, error and transfer, medians over elements, as the free path grows."""
    names = np.asarray(found.model)
    columns = {
        "ρ": found.scores[DEFAULT_METRIC, "ρ"],
        "T": -found.scores["forward", "−T"],
        "error": -found.scores["forward", "−error"],
        "transfer": found.transfer[choosing.KIND, choosing.SHARE],
    }
    tasks: dict[str, Any] = {}
    for record in records.values():
        if record["free_path"] is None or not record["skilled"]:
            continue
        rows = names == record["name"]
        values = {name: _median(column[rows]) for name, column in columns.items()}
        entry = tasks.setdefault(record["task"], {"points": []})
        entry["points"].append({"ε": record["free_path"], "model": record["name"]} | values)
    for entry in tasks.values():
        entry["points"].sort(key=lambda p: p["ε"])
        entry["rank"] = {}
        for name in columns:
            known = [(p["ε"], p[name]) for p in entry["points"] if p[name] is not None]
            if len(known) > 2 and len({v for _, v in known}) > 1:
                entry["rank"][name] = float(f"{spearmanr(*zip(*known, strict=True)).statistic:.4g}")
    return tasks


def _points(found: Observations) -> dict[str, Any]:
    """What the figures show of every element."""
    transfer = found.transfer[choosing.KIND, choosing.SHARE]
    columns = {
        "ρ": found.scores[DEFAULT_METRIC, "ρ"],
        "K": found.scores[DEFAULT_METRIC, "K"],
        "−T": found.scores["forward", "−T"],
        "transfer": transfer,
        "holds": found.holds_by_construction,
    }
    return {"task": found.task} | {name: rounded(values) for name, values in columns.items()}


def _median(values: Array) -> float | None:
    known = values[np.isfinite(values)]
    return float(f"{np.median(known):.4g}") if known.size else None


def _failures(found: Observations) -> list[dict[str, Any]]:
    """Answers that are wrong by the declared truth, the worst first."""
    rows = []
    transfer = found.transfer[choosing.KIND, choosing.SHARE]
    for i, said in enumerate(found.transports):
        wrong = (said == "yes" and transfer[i] < choosing.CUT) or (
            said == "no" and transfer[i] > choosing.CUT
        )
        if wrong:
            rows.append(
                {
                    "axis": "transports",
                    "model": found.model[i],
                    "element": found.element[i],
                    "said": said,
                    "ρ": rounded(found.rho[DEFAULT_METRIC][i]),
                    "truth": float(f"{transfer[i]:.3g}"),
                    "by": float(f"{abs(transfer[i] - choosing.CUT):.3g}"),
                }
            )
    rows.sort(key=lambda row: -row["by"])
    wrong: list[dict[str, Any]] = []
    for i, said in enumerate(found.holds):
        label = found.holds_by_construction[i]
        if (said == "yes" and label == 0) or (said == "no" and label == 1):
            element = found.records[found.model[i]]["elements"][found.element[i]]
            wrong.append(
                {
                    "axis": "holds",
                    "model": found.model[i],
                    "element": found.element[i],
                    "said": said,
                    "T": rounded(element["T"]),
                    "in the population": found.records[found.model[i]]["holds_in_population"][
                        found.element[i]
                    ],
                    "truth": bool(label),
                }
            )
    return rows


def main() -> None:
    """Command line."""
    from benchmarks.validity.tables import SECTIONS, tables

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.validity.scores",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--zoo", type=Path, default=RESULTS / "zoo.json")
    parser.add_argument("--out", type=Path, default=RESULTS / "scores.json")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    found = score(read_zoo(options.zoo))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(options.out) as temporary:
        temporary.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    for name in options.sections or SECTIONS:
        print(f"## {name}\n\n{tables(found, name)}\n")


if __name__ == "__main__":
    main()
