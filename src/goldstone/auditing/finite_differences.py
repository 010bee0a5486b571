"""Derivatives from differences, with an estimate of their error."""

from collections.abc import Callable, Sequence

from goldstone.core import trees
from goldstone.core.trees import Tree

STEPS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)


def central_difference(
    curve: Callable[[float], Tree], steps: Sequence[float] = STEPS
) -> tuple[Tree, float]:
    """The derivative at 0 of a curve of trees, by the five-point rule.

    D(h) = [8 (c(h) − c(−h)) − (c(2h) − c(−2h))] / 12h, of order h⁴. Of the steps, in falling
    order, the one is taken whose D differs least from that of the step before it: larger steps
    bend, smaller ones round.

    Returns:
        The derivative, and that least difference as an estimate of its error (Euclidean norm over
        the whole tree).
    """
    best: tuple[Tree, float] | None = None
    before = _five_points(curve, steps[0])
    for h in steps[1:]:
        here = _five_points(curve, h)
        change = float((trees.flat(here) - trees.flat(before)).norm())
        # A NaN compares with nothing, so that a step outside the curve's domain is passed over.
        if best is None or change < best[1] or best[1] != best[1]:
            best = (here, change)
        before = here
    return best or (before, float("nan"))


def _five_points(curve: Callable[[float], Tree], h: float) -> Tree:
    return trees.map_leaves(
        lambda a, b, c, d: (
            (8 * (b - c) - (a - d)) / (12 * h)
            if a.is_floating_point() or a.is_complex()
            else a.new_zeros(a.shape)
        ),
        curve(2 * h),
        curve(h),
        curve(-h),
        curve(-2 * h),
    )
