"""The steps from sample to sample of a Lie group, which left multiplication leaves as they are."""

from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import LieGroup
from goldstone.nn.full_precision import full_precision
from goldstone.nn.lie_distance import check_samples, logarithms


def relative_logarithms(
    group: LieGroup[Any],
    elements: Tensor,
    targets: Tensor | None = None,
    *,
    neighbours: Tensor | None = None,
    orbits: Tensor | None = None,
    target_orbits: Tensor | None = None,
) -> Tensor:
    """a_ij = log(h_j⁻¹ g_i) of pairs of samples: what does not change when all move by u.

    Of all pairs, or for each target of the k samples that a list of neighbours names. Computed once
    for all layers of a network. In a group with several components or with half turns the logarithm
    is not defined for all pairs; random samples miss the latter.

    Args:
        group: any Lie group.
        elements: h, (batch, n, *element shape).
        targets: g, (batch, m, *element shape); by default h.
        neighbours: the numbers j of samples for each target, int64 (batch, m, k), −1 for none, as
            :func:`nearest_elements` finds them; by default all.
        orbits: (batch, n, q), invariants of the points' orbits where the group has several, such as
            |x| under SO(n); q_i and q_j are appended to a_ij.
        target_orbits: (batch, m, q); by default ``orbits``.

    Returns:
        (batch, m, n, d + 2q), or (batch, m, k, d + 2q) with zeros where there is no neighbour.

    Raises:
        InputError: shapes that do not fit, or a pair outside the logarithm's domain.
    """
    targets = elements if targets is None else targets
    check_samples(group, elements, targets)
    count = targets.shape[1]
    if neighbours is not None:
        check_neighbours(neighbours, len(elements), count)
    far = orbits if target_orbits is None else target_orbits
    if orbits is not None and far is not None:
        fits = orbits.ndim == 3 and orbits.shape[:2] == elements.shape[:2]
        if not fits or far.shape != (len(targets), count, orbits.shape[2]):
            raise InputError(
                f"expected orbits (batch, n, q) for {tuple(elements.shape[:2])} samples and "
                f"{tuple(targets.shape[:2])} targets, got {tuple(orbits.shape)} and "
                f"{tuple(far.shape)}; give target_orbits"
            )
    absent = None if neighbours is None else neighbours < 0
    with full_precision(elements):
        inverses = of_neighbours(group.inverse(elements), neighbours, count)
        steps = group.compose(inverses, targets[:, :, None])
        if absent is not None:
            one = group.identity_tensor(steps)
            steps = torch.where(absent[(..., *[None] * one.ndim)], one, steps)
        found = logarithms(group, steps)
    if orbits is None or far is None:
        return found
    near = of_neighbours(orbits, neighbours, count).to(found)
    if absent is not None:
        near = near.masked_fill(absent[..., None], 0)
    pair = (far[:, :, None].to(found).expand_as(near), near)
    if absent is not None:
        pair = (pair[0].masked_fill(absent[..., None], 0), near)
    return torch.cat((found, *pair), -1)


def of_neighbours(values: Tensor, neighbours: Tensor | None, targets: int) -> Tensor:
    """What belongs to each target's neighbours: (batch, n, …) → (batch, targets, k, …).

    Where there is none it is that of sample 0. Without a list all samples are neighbours of all.
    """
    if neighbours is None:
        return values[:, None].expand(-1, targets, *values.shape[1:])
    batch = torch.arange(len(values), device=values.device)[:, None, None]
    return values[batch, neighbours.clamp(min=0)]


def check_neighbours(neighbours: Tensor, batch: int, targets: int) -> None:
    """Raise unless neighbours are numbers (batch, targets, k).

    Raises:
        InputError: another shape or dtype.
    """
    if neighbours.shape[:-1] != (batch, targets) or neighbours.dtype != torch.int64:
        raise InputError(
            f"expected neighbours (batch, targets, k) = ({batch}, {targets}, k) in int64, got "
            f"{tuple(neighbours.shape)} in {neighbours.dtype}; see nearest_elements"
        )
