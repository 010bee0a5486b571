"""The audit's answers against the truth."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.validity.families import Resamples
from benchmarks.validity.observations import Observations, Record, answer

Array = NDArray[np.float64]
ANSWERS = ("yes", "no", "undetermined")
LEVEL = 0.05


def transports(observed: Observations, metric: str, least: float) -> list[str]:
    """The audit's answers, had this metric decided at this ρ_min."""
    _, low, high = observed.rho[metric].T
    yes = (low > least) & (observed.p[metric] < LEVEL)
    no = high < least
    return list(np.where(yes, "yes", np.where(no, "no", "undetermined")))


def confusion(answers: Sequence[str], truth: Array, resamples: Resamples) -> dict[str, Any]:
    """Counts by truth and answer, and the shares that matter, with intervals.

    ``right`` is, of either truth, the share answered rightly, ``wrong`` the share answered
    wrongly; ``wrong_if_decided`` is of the answers given.
    """
    said = np.asarray(answers)
    table = {
        name: {answer: int(((said == answer) & (truth == value)).sum()) for answer in ANSWERS}
        for name, value in (("true", 1), ("false", 0))
    }
    right = ((said == "yes") & (truth == 1)) | ((said == "no") & (truth == 0))
    wrong = ((said == "no") & (truth == 1)) | ((said == "yes") & (truth == 0))

    def share(part: NDArray[np.bool_], of: NDArray[np.bool_]) -> list[float | None]:
        return ratio(part & of, of, resamples)

    known = np.isfinite(truth)
    return {
        "counts": table,
        "yes if true": share(right, truth == 1),
        "no if true": share(wrong, truth == 1),
        "no if false": share(right, truth == 0),
        "yes if false": share(wrong, truth == 0),
        "decided": share(right | wrong, known),
        "wrong if decided": share(wrong, (right | wrong) & known),
    }


def ratio(
    part: NDArray[np.bool_], whole: NDArray[np.bool_], resamples: Resamples
) -> list[float | None]:
    """The share of a part in the whole, with an interval."""
    if not whole.any():
        return [None, None, None]
    with np.errstate(invalid="ignore"):
        replicates = (resamples.counts @ part) / (resamples.counts @ whole)
    return resamples.statistic(part.sum() / whole.sum(), replicates, whole)


def utility(answers: Sequence[str], truth: Array) -> float:
    """1 for a right answer, ½ for none, 0 for a wrong one; the mean of both truths' means."""
    said = np.asarray(answers)
    value = np.where(said == "undetermined", 0.5, 0.0)
    value = np.where(((said == "yes") & (truth == 1)) | ((said == "no") & (truth == 0)), 1.0, value)
    means = [value[truth == t].mean() for t in (0, 1) if (truth == t).any()]
    return float(np.mean(means)) if len(means) == 2 else float("nan")


def by_samples(observed: Observations, truth: Array, resamples: Resamples) -> dict[str, Any]:
    """The confusion of the default verdict by the number of pairs of gradients."""
    sizes = sorted({int(n) for r in observed.records.values() for n in r["by_samples"]})
    found = {}
    for n in sizes:
        measured = [
            observed.records[model]["by_samples"].get(str(n), {}).get(g, {})
            for model, g in zip(observed.model, observed.element, strict=True)
        ]
        answers = [answer(e["transports"], e["rho"]) if e else "" for e in measured]
        known = np.where(np.asarray(answers) == "", np.nan, truth)
        found[str(n)] = confusion(answers, known, resamples)
    return found


def without_skill(records: Mapping[str, Record]) -> list[dict[str, Any]]:
    """What the audit says of untrained, constant and identity models: how often which answer."""
    found = []
    for record in records.values():
        if record["skilled"]:
            continue
        elements = record["elements"].values()
        found.append(
            {
                "model": record["name"],
                "task": record["task"],
                "recipe": record["recipe"],
                "architecture": record["architecture"],
                "has_skill": record["has_skill"],
                "holds": _count(e["holds"] for e in elements),
                "transports": _count(e["transports"] for e in elements),
                "grade": _count(e["grade"] for e in elements),
                "T": _mean(e["T"] for e in elements),
                "rho": _mean(e["rho"].get("euclidean") for e in elements),
                "K": _mean(e["K"].get("euclidean") for e in elements),
            }
        )
    return found


def wrong_action(records: Mapping[str, Record]) -> list[dict[str, Any]]:
    """The answers under a deliberately wrong action, by task, where the model was trained."""
    found: dict[str, dict[str, Any]] = {}
    for record in records.values():
        if not record.get("wrong"):
            continue
        row = found.setdefault(
            record["task"],
            {"task": record["task"], "models": 0, "holds": _count([]), "transports": _count([])},
        )
        row["models"] += 1
        for element in record["wrong"].values():
            row["holds"][element["holds"]] += 1
            said = answer(element["transports"], element["rho"].get("euclidean"))
            row["transports"][said] += 1
    return list(found.values())


def controls(records: Mapping[str, Record]) -> list[dict[str, Any]]:
    """The audit's own controls by name: in how many models they came out as they must."""
    found: dict[str, dict[str, Any]] = {}
    for record in records.values():
        for control in record["controls"] if record["skilled"] else ():
            row = found.setdefault(control["name"], {"name": control["name"], "of": 0, "passed": 0})
            row["of"] += 1
            row["passed"] += bool(control["as_expected"])
    return list(found.values())


def _count(answers: Any) -> dict[str, int]:
    said = list(answers)
    return {answer: said.count(answer) for answer in dict.fromkeys((*ANSWERS, *said))}


def _mean(statistics: Any) -> float | None:
    found = [s[0] for s in statistics if s is not None and s[0] is not None]
    return float(f"{np.mean(found):.4g}") if found else None
