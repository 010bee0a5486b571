"""Do the intervals of transfer cover? A linear model, whose transfer is known in closed form."""

import pytest
import torch

from goldstone.actions import Context
from goldstone.auditing.lesson_pairs import LessonPairs
from goldstone.auditing.statistics import Bootstrap
from goldstone.auditing.teach_once_results import HeldOut, taught_element
from goldstone.core import generator

CHANGE = torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64)
LESSON = torch.tensor([1.0, 0.2, -0.3], dtype=torch.float64)
TURN = torch.tensor([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
SPREAD = torch.tensor([2.0, 1.0, 1.0], dtype=torch.float64), torch.full((3,), 0.5).double()
"""Standard deviations of the carriers' and the controls' inputs."""


def truth() -> float:
    """E m(x) = 2 Δθᵀ E[xxᵀ] δ for ℓ = (θ·x − y)², ỹ − y = δ·x, and so for Rx in place of x."""
    apart = torch.diag(SPREAD[0] ** 2 - SPREAD[1] ** 2)
    return float(100 * (CHANGE @ TURN @ apart @ LESSON) / (CHANGE @ apart @ LESSON))


def gains(x: torch.Tensor, carried: torch.Tensor) -> torch.Tensor:
    """Falls of (θ·x − ỹ)² and (θ·x − y)² as θ = 0 becomes CHANGE; y = 0."""
    asked = x @ LESSON
    after = carried @ CHANGE
    return torch.stack([asked**2 - (after - asked) ** 2, -(after**2)], 1)


@pytest.mark.parametrize("snapshots", [1, 3])
def test_intervals_cover(snapshots) -> None:
    trajectories, replicates = 48, 300
    source = generator(0, "coverage", snapshots)
    n = trajectories * snapshots
    carries = torch.arange(n) % (2 * snapshots) < snapshots
    trajectory = torch.arange(n) // snapshots
    bootstrap = Bootstrap.draw(trajectories, 300, 0)
    empty = torch.zeros(n)
    held = HeldOut(LessonPairs(empty, empty, empty, carries, trajectory, Context()), bootstrap)
    spread = torch.where(carries[:, None], *SPREAD)
    covered, estimates = 0, []
    for _ in range(replicates):
        # Half of the variance is that of the trajectory.
        common = torch.randn(trajectories, 3, generator=source, dtype=torch.float64)[trajectory]
        own = torch.randn(n, 3, generator=source, dtype=torch.float64)
        x = spread * (common + own) / 2**0.5
        found = taught_element(gains(x, x @ TURN.T), gains(x, x), held, learned=True).transfer
        estimates.append(found.estimate)
        covered += found.low <= truth() <= found.high
    assert 0.90 <= covered / replicates <= 0.99
    middle = torch.tensor(estimates)
    # A ratio of means is biased by its variance over n.
    assert abs(float(middle.mean()) - truth()) < 4 * float(middle.std()) / replicates**0.5 + 3


def test_gains_by_hand() -> None:
    """Two carriers and two controls, of two and one trajectory."""
    carries = torch.tensor([True, True, False, False])
    empty = torch.zeros(4)
    pairs = LessonPairs(empty, empty, empty, carries, torch.tensor([0, 1, 2, 2]), Context())
    held = HeldOut(pairs, Bootstrap.draw(3, 10, 0))
    taught = torch.tensor([[4.0, -2.0], [2.0, -2.0], [1.0, 0.0], [0.0, -1.0]]).double()
    moved = torch.tensor([[2.0, -1.0], [1.0, -1.0], [1.0, 1.0], [0.0, 0.0]]).double()
    found = taught_element(moved, taught, held, learned=True)
    assert found.lesson.estimate == 1.5
    assert found.control.estimate == 0.5
    assert found.kept.estimate == 0.5
    # (3 + 2)/2 − 0 of the (6 + 4)/2 − 1 that were taught.
    assert found.contrast.estimate == 2.5
    assert found.transfer.estimate == 62.5
    # 1.5 − 0.5 of 3 + 0.5.
    assert found.loss_transfer.estimate == pytest.approx(100 / 3.5)
    assert found.transfer.low is None
    assert found.transfer.n == 1
    assert taught_element(moved, taught, held, learned=False).transfer.estimate is None
