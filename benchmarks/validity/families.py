"""Families of models (task × kind of architecture): halves to choose on and to confirm on, and
resamples for intervals.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.validity.auroc import auroc
from benchmarks.validity.rank_correlation import rank_correlation
from goldstone.auditing.statistics import interval
from goldstone.core import derive_seed

Array = NDArray[np.float64]
SPLIT_SEED = 5
"""Of the halves; declared before any score was seen."""


def halves(
    families: Sequence[str], tasks: Sequence[str], seed: int = SPLIT_SEED
) -> tuple[frozenset[str], frozenset[str]]:
    """The families in two halves, each task dealt out as evenly as it goes.

    Args:
        families: of each model, repeated as they come.
        tasks: of each model.
        seed: of the shuffle.

    The odd family of a task goes to the half that is smaller so far.
    """
    by_task: dict[str, set[str]] = {}
    for family, task in zip(families, tasks, strict=True):
        by_task.setdefault(task, set()).add(family)
    first: list[str] = []
    second: list[str] = []
    for task in sorted(by_task):
        rng = np.random.default_rng(derive_seed(seed, "halves", task))
        order = [str(name) for name in rng.permutation(sorted(by_task[task]))]
        less, more = (first, second) if len(first) <= len(second) else (second, first)
        less += order[::2]
        more += order[1::2]
    return frozenset(first), frozenset(second)


@dataclass(frozen=True, eq=False)
class Resamples:
    """Resamples of families and, in each family drawn, of its models, both with replacement.

    Attributes:
        counts: (B, n), how often each observation is drawn.
        family: (n,), which family each observation is of, from 0.
    """

    counts: Array
    family: NDArray[np.int64]

    @classmethod
    def draw(
        cls, families: Sequence[str], models: Sequence[str], replicates: int, seed: int = 0
    ) -> "Resamples":
        """Draw them for observations of these families and models."""
        rng = np.random.default_rng(derive_seed(seed, "families"))
        names, family = np.unique(np.asarray(families, dtype=str), return_inverse=True)
        titles, first, model = np.unique(
            np.asarray(models, dtype=str), return_index=True, return_inverse=True
        )
        drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=replicates)
        of_model = np.zeros((replicates, len(titles)))
        for k in range(len(names)):
            members = np.flatnonzero(family[first] == k)
            share = np.full(len(members), 1 / len(members))
            of_model[:, members] = rng.multinomial(drawn[:, k] * len(members), share)
        return cls(of_model[:, model], family)

    @property
    def families(self) -> int:
        """How many there are."""
        return len(np.unique(self.family))

    def auroc(self, scores: Array, labels: Array) -> list[float | None]:
        """Of the area, [estimate, low, high]."""
        return self._of(partial(auroc, scores, labels), scores, labels)

    def rank_correlation(self, x: Array, y: Array) -> list[float | None]:
        """Of Spearman's correlation, [estimate, low, high]."""
        return self._of(partial(rank_correlation, x, y), x, y)

    def _of(
        self, statistic: Callable[[Array | None], Array], x: Array, y: Array
    ) -> list[float | None]:
        known = np.isfinite(x) & np.isfinite(y)
        return self.statistic(float(statistic(None)[0]), statistic(self.counts), known)

    def statistic(
        self, estimate: float, replicates: Array, known: NDArray[np.bool_]
    ) -> list[float | None]:
        """[estimate, low, high], five digits; None where not defined.

        ``known`` are the observations that it is of: their families, and not all there are, say
        how few the interval has to allow for.
        """
        if not np.isfinite(estimate):
            return [None, None, None]
        families = len(np.unique(self.family[known]))
        low, high = interval(torch.from_numpy(np.asarray(replicates)), families)
        return [None if v is None else float(f"{v:.5g}") for v in (float(estimate), low, high)]
