"""The tables of docs/validity.md, made of scores.json."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.validity.choosing import CUT, KIND, SHARE
from benchmarks.validity.choosing import STATISTICS as BY_METRIC
from benchmarks.validity.observations import FORWARD
from goldstone.report.numbers import ABSENT, number, percentage, seconds

Scores = Mapping[str, Any]
DECLARED = f"{KIND} > {CUT:g} %, budget {SHARE:g}"
RANKED = f"{KIND}, budget {SHARE:g}"
EUCLIDEAN = "euclidean"
MOST_FAILURES = 30
FIRST = {
    ("euclidean", "ρ"): "**ρ**, unit gradients",
    ("euclidean", "raw ρ"): "ρ, raw gradients",
    ("euclidean", "K − null"): "K − its null",
    ("euclidean", "probe"): "probe coherence",
    ("euclidean", "μ"): "common mode μ",
    ("euclidean", "K"): "baseline: raw cosine K",
    ("euclidean", "raw K"): "K, raw gradients",
    (FORWARD, "−T"): "baseline: forward, −T",
    (FORWARD, "−error"): "baseline: forward, −equivariance error",
    (FORWARD, "sharing"): "error sharing ς",
}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def value(statistic: Sequence[float | None] | None, digits: int = 2) -> str:
    """0.97 (0.93 … 0.99)."""
    if statistic is None or statistic[0] is None:
        return ABSENT
    estimate, *ends = (None if v is None else f"{v:.{digits}f}" for v in statistic)
    text = estimate if None in ends else f"{estimate} ({' … '.join(map(str, ends))})"
    return str(text).replace("-", "−")


def share(statistic: Sequence[float | None]) -> str:
    """93 % (88 % … 97 %)."""
    estimate, low, high = (percentage(v) for v in statistic)
    return estimate if ABSENT in (estimate, low) else f"{estimate} ({low} … {high})"


def found(scores: Scores, **where: Any) -> dict[str, Any]:
    """The one score with these properties; empty if there is none."""
    rows = (row for row in scores["scores"] if where.items() <= row.items())
    return next(rows, {})


def score(scores: Scores, **where: Any) -> str:
    """Its value in words."""
    return value(found(scores, **where).get("value"))


def zoo(scores: Scores) -> str:
    """Tasks and kinds of architecture."""
    rows = [
        [
            row["task"],
            row["family"].split(", ", 1)[1],
            str(row["models"]),
            ", ".join(f"{n} {name}" for name, n in row["recipes"].items()),
            str(row["elements"]),
            "–".join(f"{p:,}" for p in dict.fromkeys(row["parameters"])),
            seconds(row["seconds"]),
        ]
        for row in scores["zoo"]
    ]
    header = ["task", "kind", "models", "trained", "elements", "parameters", "time"]
    return table(header, rows)


def holds(scores: Scores) -> str:
    """AUROC of every statistic of the default metric and of the forward tests."""
    header = ["score", "AUROC, by construction", "AUROC, in the population"]
    order = [k for k in FIRST if k[0] == FORWARD] + [k for k in FIRST if k[0] != FORWARD]
    rows = [
        [
            FIRST[metric, statistic],
            *(
                score(
                    scores,
                    axis="holds",
                    measure="auroc",
                    truth=truth,
                    metric=metric,
                    statistic=statistic,
                )
                for truth in ("by construction", "in the population")
            ),
        ]
        for metric, statistic in order
    ]
    return table(header, rows) + "\n\n" + confusions(scores, "holds")


def transports(scores: Scores) -> str:
    """Rank correlation and AUROC of every statistic of the default metric and the baselines."""
    header = ["score", "rank correlation", "within models", "AUROC, transfer > 50 %"]
    header += ["AUROC, by construction"]
    rows = []
    for (metric, statistic), name in FIRST.items():
        where = {"axis": "transports", "metric": metric, "statistic": statistic}
        rows.append(
            [
                name,
                score(scores, measure="rank", truth=RANKED, **where),
                score(scores, measure="rank", truth="within models", **where),
                score(scores, measure="auroc", truth=DECLARED, **where),
                score(scores, measure="auroc", truth="by construction", **where),
            ]
        )
    return table(header, rows)


def by_task(scores: Scores) -> str:
    """The default score and the baselines within each task."""
    chosen = [(EUCLIDEAN, "ρ"), (EUCLIDEAN, "K"), (FORWARD, "−T")]
    header = ["task", "n"]
    header += [f"{what}, {s}" for s in ("ρ", "raw K", "−T") for what in ("rank", "AUROC")]
    rows = []
    for task in scores["tasks"]:
        where = {"axis": "transports", "truth": f"within {task}"}
        first = found(scores, measure="auroc", metric=EUCLIDEAN, statistic="ρ", **where)
        row = [task, f"{first.get('n', 0)} ({first.get('positives', 0)} above)"]
        for metric, statistic in chosen:
            both = where | {"metric": metric, "statistic": statistic}
            row += [score(scores, measure=m, **both) for m in ("rank", "auroc")]
        rows.append(row)
    return table(header, rows)


def metrics(scores: Scores) -> str:
    """AUROC and rank correlation of every metric and statistic."""
    header = ["metric", "n", *BY_METRIC]
    rows = []
    for metric in scores["thresholds"]:
        cells, n = [], 0
        for statistic in BY_METRIC:
            where = {"axis": "transports", "metric": metric, "statistic": statistic}
            area = found(scores, measure="auroc", truth=DECLARED, **where)
            rank = found(scores, measure="rank", truth=RANKED, **where)
            n = max(n, rank.get("n", 0))
            cells.append(f"{_plain(area)} / {_plain(rank)}")
        rows.append([metric, str(n), *cells])
    return table(header, rows)


def sensitivity(scores: Scores) -> str:
    """Other cuts, budgets and kinds of transfer, for ρ in the default metric."""
    where = {"axis": "transports", "metric": EUCLIDEAN}
    rows = [r for r in scores["scores"] if r["metric"] == EUCLIDEAN and r["statistic"] == "ρ"]
    lines = []
    for row in rows:
        if row["axis"] != "transports" or "budget" not in row["truth"]:
            continue
        raw = score(scores, statistic="K", truth=row["truth"], measure=row["measure"], **where)
        kind = "AUROC" if row["measure"] == "auroc" else "rank correlation"
        known = f"{row['n']}" + (f" ({row['positives']} above)" if "positives" in row else "")
        lines.append([row["truth"], kind, known, value(row["value"]), raw])
    return table(["truth", "", "n", "ρ", "raw K"], sorted(lines))


def halves(scores: Scores) -> str:
    """Chosen on one half, confirmed on the other."""
    return _confirmed("chosen on", scores["cross-fitted"])


def new_task(scores: Scores) -> str:
    """Chosen on all other tasks, confirmed on this one."""
    return _confirmed("confirmed on", scores["new task"])


def _confirmed(first: str, splits: Iterable[Mapping[str, Any]]) -> str:
    """Choices with their scores where they were made (there) and confirmed (here)."""
    header = [first, "choice", "AUROC there, here", "rank there, here", "Euclidean ρ here"]
    header += ["ρ_min of Euclidean ρ", "decided here", "of these wrong"]
    rows = []
    for entry in splits:
        if "metric" not in entry:
            rows.append([entry["split"], "none: one class is missing", *[ABSENT] * 6])
            continue
        own, other, default = entry["where chosen"], entry["confirmed"], entry["default"]
        limit = entry["thresholds"][EUCLIDEAN]
        said = limit.get("confirmed", {})
        rows.append(
            [
                entry["split"],
                f"{entry['metric']}, {entry['statistic']}",
                f"{own[0]:.2f}, {value(other['auroc'])}",
                f"{own[1]:.2f}, {value(other['rank'])}",
                f"{value(default['auroc'])}, {value(default['rank'])}",
                number(limit["least"], 2),
                *(share(said.get(key, [None] * 3)) for key in ("decided", "wrong if decided")),
            ]
        )
    return table(header, rows)


def thresholds(scores: Scores) -> str:
    """Operating characteristics of the verdict at each ρ_min."""
    header = ["ρ_min", "yes, if it transports", "no, if it transports"]
    header += ["no, if it does not", "yes, if it does not", "decided", "utility"]
    keys = ("yes if true", "no if true", "no if false", "yes if false", "decided")
    rows = [
        [least, *(share(entry[key]) for key in keys), number(entry["utility"], 3)]
        for k, (least, entry) in enumerate(scores["thresholds"][EUCLIDEAN].items())
        if float(least) <= 0.2 or k % 5 == 4
    ]
    return table(header, rows)


def samples(scores: Scores) -> str:
    """How much is decided, and how much of it wrongly, with so many pairs of gradients."""
    rows = [
        [
            n,
            *(
                share(entry[key])
                for key in ("decided", "wrong if decided", "yes if true", "no if false")
            ),
        ]
        for n, entry in scores["samples"].items()
    ]
    header = ["pairs", "decided", "wrong of these", "yes, if it transports", "no, if it does not"]
    return table(header, rows)


def confusions(scores: Scores, axis: str) -> str:
    """The answers of the audit against each truth."""
    rows = []
    for name, entry in scores["verdicts"].items():
        if not name.startswith(f"{axis}: "):
            continue
        for label, counts in entry["counts"].items():
            if not sum(counts.values()):
                continue
            rows.append(
                [
                    name.removeprefix(f"{axis}: ") if label == "true" else "",
                    f"it {axis}" if label == "true" else "it does not",
                    *(str(counts[a]) for a in ("yes", "no", "undetermined")),
                    share(entry["yes if true" if label == "true" else "no if false"]),
                ]
            )
    return table(["truth", "", "yes", "no", "undetermined", "right"], rows)


def verdicts(scores: Scores) -> str:
    """Of *transports*."""
    return confusions(scores, "transports")


def controls(scores: Scores) -> str:
    """Models without skill, wrong actions, and the audit's own controls."""
    header = ["without skill", "what", "skill", "holds: yes / no / ?", "transports: yes / no / ?"]
    header += ["T", "K", "ρ"]
    rows = [
        [
            row["model"],
            f"{row['recipe']} {row['architecture']}",
            "yes" if row["has_skill"] else "no",
            _answers(row["holds"]),
            _answers(row["transports"]),
            *(number(row[key], 2) for key in ("T", "K", "rho")),
        ]
        for row in scores["without skill"]
    ]
    text = table(header, rows)
    rows = [
        [row["task"], str(row["models"]), _answers(row["holds"]), _answers(row["transports"])]
        for row in scores["wrong action"]
    ]
    header = ["wrong action, task", "models", "holds: yes / no / ?", "transports: yes / no / ?"]
    text += "\n\n" + table(header, rows)
    rows = [[row["name"], f"{row['passed']} of {row['of']}"] for row in scores["controls"]]
    return text + "\n\n" + table(["control of every audit", "as it must be"], rows)


def free_path(scores: Scores) -> str:
    """By task and ε."""
    rows = []
    for task, entry in scores["free path"].items():
        for point in entry["points"]:
            cells = [number(point[k], 2) for k in ("ε", "ρ", "T", "error", "transfer")]
            rows.append([task, *cells])
        ranks = [number(entry["rank"].get(k), 2) for k in ("ρ", "T", "error", "transfer")]
        rows.append(["", "rank correlation with ε", *ranks])
    return table(["task", "ε", "ρ", "T", "equivariance error", "transfer, %"], rows)


def failures(scores: Scores) -> str:
    """Answers that are wrong by the truth."""
    rows = [
        [
            row["axis"],
            row["model"],
            row["element"],
            row["said"],
            value(row.get("ρ") or row.get("T"), 3),
            f"transfer {row['truth']:g} %"
            if row["axis"] == "transports"
            else f"{'holds' if row['truth'] else 'does not hold'} by construction; T of all "
            f"{value(row['in the population'], 3)}",
        ]
        for row in scores["failures"][:MOST_FAILURES]
    ]
    text = table(["axis", "model", "g", "the audit", "ρ or T", "truth"], rows)
    rest = len(scores["failures"]) - MOST_FAILURES
    return f"{text}\n\n{rest} more are in scores.json." if rest > 0 else text


def _answers(counts: Mapping[str, int]) -> str:
    return " / ".join(str(counts[a]) for a in ("yes", "no", "undetermined"))


def _plain(row: Mapping[str, Any]) -> str:
    estimate = row["value"][0] if row else None
    return ABSENT if estimate is None else f"{estimate:.2f}".replace("-", "−")


SECTIONS: dict[str, Callable[[Scores], str]] = {
    "zoo": zoo,
    "holds": holds,
    "transports": transports,
    "by-task": by_task,
    "metrics": metrics,
    "sensitivity": sensitivity,
    "halves": halves,
    "new-task": new_task,
    "verdicts": verdicts,
    "thresholds": thresholds,
    "samples": samples,
    "controls": controls,
    "free-path": free_path,
    "failures": failures,
}


def tables(scores: Scores, section: str) -> str:
    """The tables of a section."""
    return SECTIONS[section](scores)
