"""How far the lessons agree with one another: no score can tell their transfer better than that."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.validity.families import Resamples
from benchmarks.validity.observations import Observations, above, transfers


def agreement(
    observed: Observations, resamples: Resamples, kind: str, share: float, cut: float
) -> dict[str, Any]:
    """Transfer by one lesson as a score of the median by the others, each lesson in turn.

    ``n`` counts elements of models with two learned lessons or more.
    """

    def pairs() -> Iterator[tuple[int, float, float]]:
        for row, (model, element) in enumerate(zip(observed.model, observed.element, strict=True)):
            found = transfers(observed.records[model], element, kind, share)
            for k in range(len(found) if len(found) > 1 else 0):
                yield row, found[k], float(np.median(found[:k] + found[k + 1 :]))

    found = list(pairs())
    rows = np.array([row for row, _, _ in found], dtype=int)
    one, others = (np.array([pair[k] for pair in found]) for k in (1, 2))
    drawn = Resamples(resamples.counts[:, rows], resamples.family[rows])
    return {
        "auroc": drawn.auroc(one, above(others, cut)),
        "rank": drawn.rank_correlation(one, others),
        "n": len(set(rows.tolist())),
    }
