"""Multiplicities of irreps by characters, and isotypic projectors."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, conjugacy_classes
from goldstone.representations.irrep import Irrep
from goldstone.representations.representation import Representation

_ENTRIES_AT_ONCE = 2**25


def multiplicities(representation: Representation, irreps: Sequence[Irrep]) -> tuple[int, ...]:
    """How often each irrep is contained: |G|⁻¹ Σ_g conj(χ_irrep(g)) χ(g) / dim End(irrep).

    Args:
        representation: of a finite group.
        irreps: of the same group.

    Raises:
        InputError: the group is not finite, or a result is no integer: the arguments are no
            representations or no irreps over the right field.
    """
    group = finite_group(representation)
    classes = conjugacy_classes(group)
    representatives = group.tensor(classes.representatives)
    weights = torch.tensor(classes.sizes, dtype=torch.float64) / group.order
    character = weights * _characters(representation, representatives)
    counts = []
    for irrep in irreps:
        own = _characters(irrep, representatives).conj()
        count = complex((own * character).sum()) / irrep.endomorphism_dimension
        if abs(count - round(count.real)) > 1e-6:
            raise InputError(
                f"the multiplicity of {irrep.name} comes out as {count.real:.6g}: the arguments "
                "are no representation and an irrep of it over the same field"
            )
        counts.append(round(count.real))
    return tuple(counts)


def isotypic_projector(representation: Representation, irrep: Irrep) -> Tensor:
    """The projector on the sum of all subspaces isomorphic to an irrep.

    (d / (|G| dim End)) Σ_g conj(χ_irrep(g)) ρ(g), of shape (dimension, dimension); it commutes
    with ρ, and is orthogonal where ρ is.

    Raises:
        InputError: the group is not finite.
    """
    group = finite_group(representation)
    dtype = torch.promote_types(representation.dtype, irrep.dtype)
    n = representation.dimension
    total = torch.zeros(n * n, dtype=dtype)
    for elements in element_chunks(group, max(n, irrep.dimension)):
        weights = irrep.character_unchecked(elements).to(dtype).conj()
        total += weights @ representation.matrix_unchecked(elements).to(dtype).flatten(1)
    return total.reshape(n, n) * (irrep.dimension / (group.order * irrep.endomorphism_dimension))


def _characters(representation: Representation, elements: Tensor) -> Tensor:
    chunks = [
        representation.character_unchecked(chunk)
        for chunk in torch.split(elements, _chunk_size(representation.dimension))
    ]
    return torch.cat(chunks).to(torch.complex128)


def _chunk_size(dimension: int) -> int:
    return max(1, _ENTRIES_AT_ONCE // dimension**2)


def element_chunks(group: FiniteGroup[Any], dimension: int) -> Iterator[Tensor]:
    """All elements in tensors that are small enough for matrices of this dimension."""
    for chunk in torch.split(torch.arange(group.order), _chunk_size(dimension)):
        yield group.from_index(chunk)


def finite_group(representation: Representation) -> FiniteGroup[Any]:
    """The representation's group, if it is finite.

    Raises:
        InputError: it is not.
    """
    group = representation.group
    if not isinstance(group, FiniteGroup):
        raise InputError(f"expected a representation of a finite group, got one of {group.name}")
    return group
