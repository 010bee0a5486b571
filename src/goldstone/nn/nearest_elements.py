"""The nearest samples of a Lie group to each target."""

from math import inf
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import EuclideanGroup, LieGroup, SpecialEuclideanGroup
from goldstone.nn.lie_distance import Scales, check_samples, coordinate_scales, distances

_PAIRS = 2**19
"""How many pairs are looked at at a time."""


def nearest_elements(
    group: LieGroup[Any],
    elements: Tensor,
    targets: Tensor | None = None,
    *,
    count: int | None = None,
    radius: float | None = None,
    scales: Scales = 1.0,
    weights: Tensor | None = None,
) -> Tensor:
    """For each target g the samples h of least ‖log(h⁻¹g)/scales‖, the nearest first.

    That distance does not change when all move by u, and so neither do the lists: a
    :class:`LieConv` between neighbours is as equivariant as one between all pairs. With its scales
    and a ``radius`` of its cutoff, and no ``count``, it is the same layer.

    Pairs are looked at in pieces, so that memory grows as targets·count. Time grows as
    targets·samples; where there is a radius, rigid motions whose points are farther apart than that
    are sorted out first.

    Args:
        group: any Lie group.
        elements: h, (batch, n, *element shape).
        targets: g, (batch, m, *element shape); by default h, each its own nearest neighbour.
        count: the most neighbours of a target.
        radius: the distance that they are nearer than. One of both has to be given.
        scales: as of :class:`LieConv`.
        weights: (batch, n), 0 for padding, which is nobody's neighbour.

    Returns:
        Numbers of samples, int64 (batch, m, k), −1 where a target has fewer; k the count, or the
        most that any has.

    Raises:
        InputError: neither count nor radius, numbers or shapes out of range, or a pair without a
            relative logarithm.
    """
    targets = elements if targets is None else targets
    check_samples(group, elements, targets)
    units = coordinate_scales(group, scales)
    if (count is None and radius is None) or (count is not None and count < 1):
        raise InputError(f"expected a count of 1 or more, or a radius, got {count} and {radius}")
    if radius is not None and not radius > 0:
        raise InputError(f"expected a positive radius, got {radius}")
    n, m = elements.shape[1], targets.shape[1]
    if weights is not None and weights.shape != elements.shape[:2]:
        raise InputError(f"expected weights {(len(elements), n)}, got {tuple(weights.shape)}")
    most = n if count is None else min(count, n)
    lists = []
    for sample, others in enumerate(elements.detach()):
        real = None if weights is None else weights[sample] > 0
        found = []
        for piece in torch.split(targets[sample].detach(), max(1, _PAIRS // max(n, 1))):
            apart = _distances(group, others, piece, units, inf if radius is None else radius)
            if real is not None:
                apart = apart.masked_fill(~real, inf)
            kept = most if count is not None else max((apart < inf).sum(1).tolist(), default=0)
            values, places = apart.topk(kept, largest=False)
            found.append(places.masked_fill(values == inf, -1))
        lists.extend(found)
    width = most if count is not None else max((each.shape[1] for each in lists), default=0)
    padded = [torch.nn.functional.pad(each, (0, width - each.shape[1]), value=-1) for each in lists]
    joined = torch.cat(padded) if padded else torch.empty(0, width, dtype=torch.int64)
    return joined.reshape(len(elements), m, width)


def _distances(
    group: LieGroup[Any], elements: Tensor, targets: Tensor, units: tuple[float, ...], radius: float
) -> Tensor:
    """‖log(h⁻¹g)/scales‖ where it is less than the radius and infinite elsewhere, (m, n)."""
    inverses = group.inverse(elements)
    if radius == inf:
        return distances(group, group.compose(inverses[None], targets[:, None]), units)
    apart = torch.full((len(targets), len(elements)), inf, dtype=torch.float64)
    apart = apart.to(elements.device)
    if isinstance(group, SpecialEuclideanGroup | EuclideanGroup):
        # The shift v of the logarithm is at least as long as the way from point to point, φ_1(X) v.
        between = torch.cdist(targets[:, :-1, -1], elements[:, :-1, -1])
        i, j = (between < radius * max(units[-group.n :])).nonzero(as_tuple=True)
    else:
        i, j = torch.isinf(apart).nonzero(as_tuple=True)
    found = distances(group, group.compose(inverses[j], targets[i]), units).to(apart.dtype)
    apart[i, j] = found.masked_fill(found >= radius, inf)
    return apart
