"""The steps from sample to sample of a Lie group, which left multiplication leaves as they are."""

from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import LieGroup


def relative_logarithms(
    group: LieGroup[Any],
    elements: Tensor,
    targets: Tensor | None = None,
    *,
    orbits: Tensor | None = None,
    target_orbits: Tensor | None = None,
) -> Tensor:
    """a_ij = log(h_j⁻¹ g_i) of all pairs of samples: what does not change when all move by u.

    Computed once for all layers of a network. In a group with several components or with half
    turns the logarithm is not defined for all pairs; random samples miss the latter.

    Args:
        group: any Lie group.
        elements: h, (batch, n, *element shape).
        targets: g, (batch, m, *element shape); by default h.
        orbits: (batch, n, q), invariants of the points' orbits where the group has several, such as
            |x| under SO(n); q_i and q_j are appended to a_ij.
        target_orbits: (batch, m, q); by default ``orbits``.

    Returns:
        (batch, m, n, d + 2q).

    Raises:
        InputError: shapes that do not fit, or a pair outside the logarithm's domain.
    """
    targets = elements if targets is None else targets
    rank = len(group.element_shape)
    for samples in (elements, targets):
        group.check_form(samples)
        if samples.ndim != 2 + rank or len(samples) != len(elements):
            raise InputError(
                "expected samples (batch, n, *element shape) and targets of the same batch, got "
                f"{tuple(elements.shape)} and {tuple(targets.shape)}"
            )
    steps = group.compose(group.inverse(elements)[:, None], targets[:, :, None])
    try:
        found = group.log(steps)
    except InputError as error:
        raise InputError(
            f"two samples have no relative logarithm: {error}; draw others, an odd number of "
            "evenly spaced ones, or samples of one component"
        ) from error
    if orbits is None:
        return found
    far = orbits if target_orbits is None else target_orbits
    if orbits.shape[:2] != found.shape[0:3:2] or far.shape[:2] != found.shape[:2]:
        raise InputError(
            f"expected orbits (batch, n, q) for samples of shape {tuple(found.shape[:3])} (batch, "
            f"targets, n), got {tuple(orbits.shape)} and {tuple(far.shape)}; give target_orbits"
        )
    shape = found.shape[:3]
    far = far[:, :, None].expand(*shape, -1).to(found)
    near = orbits[:, None].expand(*shape, -1).to(found)
    return torch.cat((found, far, near), -1)
