"""Fewer samples of a Lie group that stand for many."""

from math import inf
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import LieGroup
from goldstone.nn.lie_distance import Scales, check_samples, coordinate_scales, distances

Choice = Literal["farthest", "random"]
"""Each the farthest from those chosen before, after a random first; or all at random."""


def subsample_elements(
    group: LieGroup[Any],
    elements: Tensor,
    count: int,
    *,
    generator: torch.Generator,
    choice: Choice = "farthest",
    scales: Scales = 1.0,
    weights: Tensor | None = None,
) -> Tensor:
    """Numbers of ``count`` samples, int64 (batch, count), as targets of the next :class:`LieConv`.

    By ``"farthest"`` each is the farthest by ‖log(h⁻¹g)/scales‖ from those before it, so that no
    sample is farther from them than they are from each other (Gonzalez 1985, "Clustering to
    minimize the maximum intercluster distance"; Qi et al. 2017, "PointNet++"): time n·count.
    Distances do not change when all samples move by u, and so with the same generator neither does
    the choice. ``torch.take_along_dim`` takes the samples themselves.

    Args:
        group: any Lie group.
        elements: h, (batch, n, *element shape).
        count: how many of them, up to n.
        generator: of the first sample, or of all.
        choice: see above.
        scales: as of :class:`LieConv`.
        weights: (batch, n), 0 for padding, which is not chosen.

    Raises:
        InputError: another choice, shapes that do not fit, fewer samples than asked for, or a pair
            without a relative logarithm.
    """
    if choice not in get_args(Choice):
        raise InputError(f"expected the choice 'farthest' or 'random', got {choice!r}")
    check_samples(group, elements, elements)
    units = coordinate_scales(group, scales)
    batch, n = elements.shape[:2]
    if weights is not None and weights.shape != (batch, n):
        raise InputError(f"expected weights {(batch, n)}, got {tuple(weights.shape)}")
    real = torch.ones(batch, n, dtype=torch.bool) if weights is None else (weights > 0).cpu()
    fewest = min(real.sum(1).tolist(), default=n)
    if not 1 <= count <= fewest:
        raise InputError(
            f"expected a count of 1 to {fewest}, the fewest samples of a cloud, got {count}"
        )
    chance = torch.rand(
        batch, n, generator=generator, dtype=torch.float64, device=generator.device
    ).cpu()
    order = chance.masked_fill(~real, inf).argsort(1).to(elements.device)
    if choice == "random":
        return order[:, :count]
    elements, real = elements.detach(), real.to(elements.device)
    inverses, rows = group.inverse(elements), torch.arange(batch, device=elements.device)
    chosen, nearest = [order[:, 0]], None
    while len(chosen) < count:
        steps = group.compose(inverses, elements[rows, chosen[-1]][:, None])
        away = distances(group, steps, units)
        nearest = away if nearest is None else torch.minimum(nearest, away)
        nearest[rows, chosen[-1]] = -inf
        chosen.append(nearest.masked_fill(~real, -inf).argmax(1))
    return torch.stack(chosen, 1)
