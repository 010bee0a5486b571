"""The Reynolds operator: averages over a finite group."""

from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup
from goldstone.representations.representation import Representation

_CHUNK_ENTRIES = 2**22


def reynolds_average(maps: Tensor, source: Representation, target: Representation) -> Tensor:
    """|G|⁻¹ Σ_g ρ_W(g) A ρ_V(g)⁻¹: the projections of matrices on the intertwiners.

    An orthogonal projection where the representations are unitary, an oblique one otherwise.

    Args:
        maps: A, (*batch, dim W, dim V).
        source: V.
        target: W.

    Raises:
        InputError: the group is not finite, or the shapes do not fit.
    """
    group = _finite(source, target)
    if maps.shape[-2:] != (target.dimension, source.dimension):
        raise InputError(
            f"expected maps (*batch, {target.dimension}, {source.dimension}), got "
            f"{tuple(maps.shape)}"
        )
    dtype = torch.promote_types(torch.promote_types(source.dtype, target.dtype), maps.dtype)
    batch = maps.shape[:-2]
    flat = maps.reshape(-1, *maps.shape[-2:]).to(dtype)
    total = torch.zeros_like(flat)
    size = source.dimension**2 + target.dimension**2 + flat.numel()
    for part in torch.split(group.element_tensor(), max(1, _CHUNK_ENTRIES // size)):
        left = target.matrix_unchecked(part).to(dtype)
        right = source.matrix_unchecked(group.inverse(part)).to(dtype)
        total += torch.einsum("gij,bjk,gkl->bil", left, flat, right)
    return (total / group.order).reshape(*batch, *maps.shape[-2:])


def reynolds_projector(source: Representation, target: Representation) -> Tensor:
    """The matrix of :func:`reynolds_average` on the entries of A, row by row: (m·n, m·n).

    |G|⁻¹ Σ_g ρ_W(g) ⊗ ρ_V(g)⁻ᵀ. Its image is Hom_G(V, W) and its trace dim Hom_G(V, W).

    Raises:
        InputError: the group is not finite.
    """
    group = _finite(source, target)
    dtype = torch.promote_types(source.dtype, target.dtype)
    m, n = target.dimension, source.dimension
    total = torch.zeros(m * m, n * n, dtype=dtype)
    for part in torch.split(group.element_tensor(), max(1, _CHUNK_ENTRIES // (m * m + n * n))):
        left = target.matrix_unchecked(part).to(dtype).flatten(1)
        right = source.matrix_unchecked(group.inverse(part)).to(dtype).mT.flatten(1)
        total += left.mT @ right
    return (total / group.order).reshape(m, m, n, n).transpose(1, 2).reshape(m * n, m * n)


def _finite(source: Representation, target: Representation) -> FiniteGroup[Any]:
    group = source.group
    if not isinstance(group, FiniteGroup) or group != target.group:
        raise InputError(
            "an average over the group needs two representations of one finite group, got "
            f"{group.name} and {target.group.name}"
        )
    return group
