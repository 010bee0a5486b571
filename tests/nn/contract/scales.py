"""Layers over the plane and over scales."""

from collections.abc import Callable

from torch import nn

from goldstone.actions import GridShift, Symmetry
from goldstone.groups import GridTranslations
from goldstone.nn import (
    ScaleConv2d,
    ScaleFilters,
    ScaleLiftingConv2d,
    ScalePool,
    scale_exactness,
)
from tests.nn.contract.entry import Case, Entry, batches, one_more, unbatched

FILTERS = ScaleFilters(3, order=2)
SIZE = 13
SHIFTS = GridTranslations((SIZE, SIZE))


def shifted(
    make: Callable[..., nn.Module], *sizes: int, over: bool = True, **options: object
) -> Case:
    """Whole shifts of a periodic field; input, output or both have scales."""
    axes = {False: (0, 1), True: (1, 2)}
    symmetry = Symmetry(
        "shifts",
        SHIFTS,
        GridShift(SHIFTS, axes[len(sizes) == 2]),
        GridShift(SHIFTS, axes[over]),
        elements=((1, 0), (0, 1), (5, 2)),
    )
    inputs = batches((*sizes, SIZE, SIZE))
    return Case(make, inputs, symmetry, **({"wrong": (one_more(1), unbatched)} | options))


def error_of(layers: Callable[[], nn.Module]) -> Callable[[], float]:
    """Of enlarging images by one step: the worst over the scales, or of what is left of them."""
    return lambda: scale_exactness(layers(), FILTERS.base, size=41).worst


def lifting(**given: object) -> ScaleLiftingConv2d:
    return ScaleLiftingConv2d(FILTERS, 1, 2, **given)


PERIODIC = {"padding_mode": "circular"}

ENTRIES = (
    Entry(
        ScaleLiftingConv2d,
        "changes of scale, as many as there are scales; shifts",
        "(batch, in, X, Y) → (batch, out, scale, X, Y)",
        {
            "shifts": shifted(
                lambda **given: ScaleLiftingConv2d(FILTERS, 2, 3, **PERIODIC, **given), 2
            )
        },
        exact="shifts; changes of scale to the sampling of filters",
        measured=error_of(lifting),
        at_most=1e-3,
    ),
    Entry(
        ScaleConv2d,
        "changes of scale, as many as there are scales; shifts",
        "(batch, in, scale, X, Y) → (batch, out, scale′, X, Y)",
        {
            "shifts": shifted(
                lambda **given: ScaleConv2d(FILTERS, 2, 3, 2, **PERIODIC, **given),
                2,
                3,
                power=(0.25, 0.55),  # One for what a layer makes of noise; noise itself is blurred.
            )
        },
        exact="shifts; changes of scale to the sampling of filters",
        measured=error_of(lambda: nn.Sequential(lifting(), ScaleConv2d(FILTERS, 2, 2))),
        at_most=1e-3,
    ),
    Entry(
        ScalePool,
        "changes of scale as far as what is pooled stays in range; shifts",
        "(batch, field, scale, X, Y) → (batch, field, X, Y)",
        {
            "max": shifted(
                lambda **_: ScalePool(), 2, 3, over=False, power=None, wrong=(unbatched,)
            ),
            "mean": shifted(
                lambda **_: ScalePool("mean"), 2, 3, over=False, power=None, wrong=(unbatched,)
            ),
        },
        exact="shifts; changes of scale while the largest stays in range, else",
        measured=error_of(lambda: nn.Sequential(lifting(), ScalePool())),
        at_most=0.5,
    ),
)
