"""What would settle an answer that its interval leaves open."""

from math import ceil

from goldstone.core import Statistic

_MOST = 100
"""Times as many samples: beyond it the estimate is taken to lie on the threshold."""


def samples_to_settle(statistic: Statistic, threshold: float) -> int | None:
    """How many samples would bring the interval to one side of ``threshold``.

    n (half-width towards the threshold / distance to it)², since intervals narrow as 1/√n; if the
    estimate stays where it is. None where there is no interval, or the estimate lies so near the
    threshold that it would take over a hundred times as many.
    """
    estimate, low, high, n = statistic.estimate, statistic.low, statistic.high, statistic.n
    if estimate is None or low is None or high is None or n < 1:
        return None
    gap = abs(estimate - threshold)
    width = max(0.0, estimate - low if estimate > threshold else high - estimate)
    if width > gap * _MOST**0.5:
        return None
    # Rounding must not ask for one more.
    return max(n + 1, ceil(n * (width / gap) ** 2 - 1e-6))


def more_trajectories(statistic: Statistic, threshold: float) -> str:
    """The end of a sentence: how many in place of how many, or that it lies at the threshold."""
    needed = samples_to_settle(statistic, threshold)
    if needed is None:
        if statistic.estimate is None or statistic.low is None:
            return ""
        return (
            f", over {_MOST * statistic.n:,} in all, for the estimate {statistic.estimate:.3g} "
            f"lies at the threshold {threshold:.3g}"
        )
    return f", about {needed:,} in place of {statistic.n:,}"


def more_gradients(statistic: Statistic, threshold: float) -> str:
    """The same for pairs of gradients, with what they cost."""
    needed = samples_to_settle(statistic, threshold)
    text = more_trajectories(statistic, threshold)
    if needed is None:
        return text
    # Loss and probe gradients, of the element and of the identity.
    return f"{text} (samples={needed}: {4 * (needed - statistic.n):,} more gradients)"
