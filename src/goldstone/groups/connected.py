"""Orbits as connected components."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor


def connected_labels(count: int, maps: Sequence[Tensor]) -> Tensor:
    """The orbits of maps of {0 … count − 1} to itself: a label for each point, int64 (count,).

    Each map holds the points' images. Labels count from 0 in order of the orbits' first points.
    """
    images = torch.stack([torch.arange(count), *(m.reshape(count).cpu() for m in maps)])
    return link_labels(count, torch.arange(count).expand_as(images).flatten(), images.flatten())


def link_labels(count: int, one: Tensor, other: Tensor) -> Tensor:
    """The components that links between the points ``one`` and ``other`` make, labelled alike."""
    entries = (np.ones(len(one), dtype=np.int8), (one.numpy(), other.numpy()))
    graph = coo_array(entries, shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    # Labels by first points, whatever order the search came upon them.
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return torch.from_numpy(rank[inverse])
