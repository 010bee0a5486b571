"""Intertwiners of permutation representations: orbits on pairs of basis vectors."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup
from goldstone.representations.conjugate import ConjugateRepresentation
from goldstone.representations.direct_sum import DirectSum
from goldstone.representations.dual import DualRepresentation
from goldstone.representations.elementary import RegularRepresentation, TrivialRepresentation
from goldstone.representations.representation import Representation
from goldstone.representations.tensor_product import TensorProduct

_MOST_DENSE = 2048
_MOST_PAIRS = 2**28


@runtime_checkable
class PermutesBasis(Protocol):
    """A representation that knows its permutations."""

    def images_of(self, g: Tensor) -> Tensor:
        """The images of the basis vectors, int64 (*batch, dimension)."""


def permutation_images(representation: Representation, g: Tensor) -> Tensor | None:
    """The permutations of the basis vectors, ρ(g) e_j = e_{images[…, j]}, or None.

    None where some ρ(g) is no permutation matrix. Sums and products of permutation
    representations are handled without their matrices.

    Args:
        representation: ρ, of a finite group.
        g: a tensor of the group's elements.

    Returns:
        int64, (*batch, dimension).
    """
    match representation:
        case TrivialRepresentation():
            batch = g.shape[: g.dim() - len(representation.group.element_shape)]
            return torch.zeros((*batch, 1), dtype=torch.int64)
        case RegularRepresentation(group=FiniteGroup() as group):
            elements = group.element_tensor()
            rank = len(group.element_shape)
            return group.index(group.compose(g.unsqueeze(g.dim() - rank), elements))
        case PermutesBasis():
            return representation.images_of(g)
        case DualRepresentation() | ConjugateRepresentation():
            return permutation_images(representation.representation, g)
        case DirectSum() | TensorProduct():
            return _combined(representation, g)
    if representation.dimension > _MOST_DENSE or representation.dtype.is_complex:
        return None
    matrices = representation.matrix_unchecked(g)
    images = matrices.argmax(-2)
    expected = torch.zeros_like(matrices).scatter_(-2, images.unsqueeze(-2), 1.0)
    return images if torch.equal(matrices, expected) else None


def _combined(representation: DirectSum | TensorProduct, g: Tensor) -> Tensor | None:
    parts: dict[Any, Tensor] = {}
    for part in dict.fromkeys(representation.parts):
        images = permutation_images(part, g)
        if images is None:
            return None
        parts[part] = images
    result = None
    for part in representation.parts:
        images = parts[part]
        if result is None:
            result = images
        elif isinstance(representation, DirectSum):
            result = torch.cat((result, images + result.shape[-1]), -1)
        else:
            result = (result[..., :, None] * part.dimension + images[..., None, :]).flatten(-2)
    return result


def pair_orbits(source: Tensor, target: Tensor) -> tuple[Tensor, int]:
    """The orbits of permutations on pairs (i, j), numbered by their first pair, row by row.

    A matrix A intertwines permutation representations if and only if it is constant on each orbit
    of (i, j) ↦ (g i, g j), so the orbits' indicators are a basis of the intertwiners.

    Args:
        source: (c, n), the images of j under each generator.
        target: (c, m), the images of i.

    Returns:
        Labels (m, n), int64, and the number of orbits. In time linear in c·m·n.

    Raises:
        InputError: there are more than 2²⁸ pairs.
    """
    m, n = target.shape[-1], source.shape[-1]
    if m * n > _MOST_PAIRS:
        raise InputError(f"{m}×{n} pairs of basis vectors are more than {_MOST_PAIRS}")
    start = np.arange(m * n, dtype=np.int32)
    neighbours = []
    for t, s in zip(target, source, strict=True):
        moved = (t[:, None] * n + s).flatten().int().numpy()
        back = np.empty_like(start)
        back[moved] = start
        neighbours += [moved, back]
    found, labels = None, start
    # Each pair takes the least label of its neighbours, and then the label of the pair of that
    # number: how far labels are carried doubles with each round.
    while found is None or not np.array_equal(found, labels):
        found = labels
        for moved in neighbours:
            labels = np.minimum(labels, labels[moved])
        labels = labels[labels]
    first, ranks = np.unique(labels, return_inverse=True)
    return torch.from_numpy(ranks.astype(np.int64)).reshape(m, n), len(first)
