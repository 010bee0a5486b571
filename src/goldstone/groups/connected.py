"""Orbits as connected components."""

from collections.abc import Sequence

import torch
from torch import Tensor


def connected_labels(count: int, maps: Sequence[Tensor]) -> Tensor:
    """The orbits of maps of {0 … count − 1} to itself: a label for each point, int64 (count,).

    Each map holds the points' images. Labels count from 0 in order of the orbits' first points.
    """
    images = torch.stack([torch.arange(count), *(m.reshape(count) for m in maps)])
    return link_labels(count, torch.arange(count).expand_as(images).flatten(), images.flatten())


def link_labels(count: int, one: Tensor, other: Tensor) -> Tensor:
    """The components that links between the points ``one`` and ``other`` make, labelled alike.

    Every component's tree of labels hangs itself below the lowest that a link shows it, and is
    then flattened, until nothing changes (Shiloach and Vishkin, J. Algorithms 3 (1982) 57–67).
    """
    label = torch.arange(count)
    while True:
        low = torch.minimum(label[one], label[other])
        new = label.scatter_reduce(0, label[one], low, "amin")
        new = new.scatter_reduce(0, label[other], low, "amin")
        while not torch.equal(new, new[new]):
            new = new[new]
        if torch.equal(new, label):
            # A label is the first point of its component.
            numbers: Tensor = torch.unique(label, return_inverse=True)[1]
            return numbers
        label = new
