"""Orbits in a data set under a group that acts on its samples."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.connected import link_labels
from goldstone.groups.finite import FiniteGroup


def data_orbits(
    group: FiniteGroup[Any],
    data: Tensor,
    act: Callable[[Any, Tensor], Tensor],
    tolerance: float = 1e-6,
) -> Tensor:
    """Which samples are images of one another: a label for each, int64 of shape (n,).

    Samples x and y are linked if |a·x − y| ≤ tolerance in every entry for an element a; linked
    samples, directly or through others, share a label. The data set need not be closed under the
    group. Labels count from 0 in order of first samples.

    Args:
        group: the group; every element is applied.
        data: the samples, (n, …).
        act: takes an element's value and the whole data set to the moved data set, (n, …).
        tolerance: the largest difference of an entry between equal samples, in the data's units.

    Raises:
        InputError: ``act`` changes the data's shape.
    """
    flat = data[..., None].flatten(1).double()
    one, other = [], []
    for a in group.elements():
        moved = act(a, data)
        if moved.shape != data.shape:
            raise InputError(
                f"expected {group.element_name(a)} to keep the shape {tuple(data.shape)} of the "
                f"data, got {tuple(moved.shape)}"
            )
        # Chebyshev distance: the largest difference of an entry.
        rows = moved[..., None].flatten(1).double()
        near = torch.cdist(rows, flat, p=float("inf")) <= tolerance
        links = near.nonzero()
        one.append(links[:, 0])
        other.append(links[:, 1])
    return link_labels(len(data), torch.cat(one).cpu(), torch.cat(other).cpu())
