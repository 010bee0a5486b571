"""Do two sets of samples have one distribution? Tests by permutation of whole trajectories."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError, generator

RIDGE = 0.1
FOLDS = 5


@dataclass(frozen=True)
class TwoSampleTest:
    """The result of a two-sample test.

    Attributes:
        statistic: unbiased MMD²; or the classifier's cross-validated accuracy, of which ½ is
            chance.
        null_quantile: the 95 % quantile of the statistic under permutations.
        p: permutation p-value, (1 + #{permuted ≥ observed})/(1 + permutations).
    """

    statistic: float
    null_quantile: float
    p: float


def gaussian_kernel(features: Tensor) -> Tensor:
    """exp(−‖x − y‖²/m), m the median squared distance of distinct rows: (n, n) in float64."""
    rows = features.double()
    squares = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist").square()
    apart = squares[~torch.eye(len(rows), dtype=torch.bool, device=rows.device)]
    return torch.exp(-squares / apart.median().clamp_min(torch.finfo(torch.float64).tiny))


def mmd_test(
    kernel: Tensor, label: Tensor, cluster: Tensor, seed: int, permutations: int = 500
) -> TwoSampleTest:
    """Kernel two-sample test with the maximum mean discrepancy.

    MMD² = mean k(x, x′) + mean k(y, y′) − 2 mean k(x, y) over pairs of rows of *different*
    clusters, which makes it unbiased when the rows of a cluster depend on one another.

    Args:
        kernel: (n, n), of all rows.
        label: (n,) ±1, one label for all rows of a cluster.
        cluster: (n,) numbers 0, 1, … of the trajectories.
        seed: of the permutations.
        permutations: of the clusters' labels.

    References:
        Gretton et al. (2012), A kernel two-sample test, JMLR 13, eq. 3.
    """
    sides = _permuted(label, cluster, seed, permutations)
    # Labels are those of clusters: sums over the rows of two clusters are all that is needed.
    members = torch.nn.functional.one_hot(cluster, sides.shape[1]).double().T
    k = (members @ kernel @ members.T).fill_diagonal_(0)
    pairs = torch.outer(members.sum(1), members.sum(1)).fill_diagonal_(0)
    a, b = (sides > 0).double(), (sides < 0).double()

    def mean_over(one: Tensor, two: Tensor) -> Tensor:
        return torch.div(((one @ k) * two).sum(1), ((one @ pairs) * two).sum(1))

    found = mean_over(a, a) + mean_over(b, b) - 2 * mean_over(a, b)
    return _result(found, found, permutations)


def classifier_test(
    kernel: Tensor, label: Tensor, cluster: Tensor, seed: int, permutations: int = 500
) -> TwoSampleTest:
    """Classifier two-sample test, with a kernel ridge classifier of the labels ±1.

    Predictions are cross-validated over five folds of clusters. They are linear in the labels, so
    that permuted labels cost one product with a matrix each, and the null is that of the classifier
    trained anew. The test's statistic is the mean margin y f(x); accuracy is reported.

    Args:
        kernel: (n, n), of all rows.
        label: (n,) ±1, one label for all rows of a cluster.
        cluster: (n,) numbers 0, 1, … of the trajectories.
        seed: of the folds and the permutations.
        permutations: of the clusters' labels.

    References:
        Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests, ICLR.
    """
    signs = _permuted(label, cluster, seed, permutations)[:, cluster]
    n, clusters = len(kernel), int(cluster.max()) + 1
    order = torch.randperm(clusters, generator=generator(seed, "folds"))
    # Without a look at the labels, so that all permutations of them are alike.
    fold = torch.empty(clusters, dtype=torch.long)
    fold[order] = torch.arange(clusters) % FOLDS
    smoother = torch.zeros(n, n, dtype=torch.float64)
    for k in range(FOLDS):
        held = fold[cluster] == k
        if not bool(held.any()) or bool(held.all()):
            continue
        inner = kernel[~held][:, ~held]
        ridge = RIDGE * torch.eye(len(inner), dtype=torch.float64)
        solved = torch.linalg.solve(inner + ridge, kernel[~held][:, held])
        smoother[held.nonzero(), (~held).nonzero()[:, 0]] = solved.T
    predicted = signs @ smoother.T
    margin = (signs * predicted).mean(1)
    accuracy = ((signs * predicted) > 0).double().mean(1)
    return _result(margin, accuracy, permutations)


def _side(label: Tensor, cluster: Tensor) -> Tensor:
    """The label of each cluster.

    Raises:
        InputError: a cluster has both, or there are fewer than two clusters of a label.
    """
    sides = torch.zeros(int(cluster.max()) + 1, dtype=torch.float64)
    sides[cluster] = label.double()
    if not torch.equal(sides[cluster], label.double()):
        raise InputError("all rows of a cluster need one label: a trajectory is on one side")
    if min(int((sides > 0).sum()), int((sides < 0).sum())) < 2:
        raise InputError("a two-sample test needs two or more trajectories on each side")
    return sides


def _permuted(label: Tensor, cluster: Tensor, seed: int, permutations: int) -> Tensor:
    """Labels of the clusters, (1 + permutations, clusters), the first as they are."""
    sides = _side(label, cluster)
    source = generator(seed, "permutations")
    shuffled = [sides[torch.randperm(len(sides), generator=source)] for _ in range(permutations)]
    return torch.stack([sides, *shuffled])


def _result(decisive: Tensor, shown: Tensor, permutations: int) -> TwoSampleTest:
    # Rounding must not count equal permutations as lesser ones.
    slack = 1e-12 * float(decisive.abs().max())
    above = int((decisive[1:] >= decisive[0] - slack).sum())
    quantile = float(torch.quantile(shown[1:], 0.95)) if permutations else float("nan")
    return TwoSampleTest(float(shown[0]), quantile, (1 + above) / (1 + permutations))
