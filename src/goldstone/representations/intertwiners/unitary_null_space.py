"""The null space of intertwiner constraints in unitary forms of both representations."""

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.change_of_basis import ChangeOfBasis
from goldstone.representations.intertwiners.constraints import IntertwinerConstraints
from goldstone.representations.intertwiners.isotypic_splitting import isotypic_splitting
from goldstone.representations.intertwiners.null_space import NullSpace
from goldstone.representations.representation import Representation
from goldstone.representations.unitary_form import generator_matrices, unitary_form

_MOST_ENTRIES = 2**28


def unitary_null_space(source: Representation, target: Representation) -> NullSpace:
    """The null space for finite and compact groups where the representations are not unitary.

    With P⁻¹ρ_V P and Q⁻¹ρ_W Q unitary, the intertwiners are Q A P⁻¹ for the intertwiners A of the
    unitary forms, found by :func:`isotypic_splitting`.

    Raises:
        InputError: the group is neither finite nor compact, a representation is ill-conditioned,
            or there are too many maps.
    """
    forms = [unitary_form(each) for each in (source, target)]
    split = isotypic_splitting(IntertwinerConstraints(*map(_unitary_generators, forms)))
    k = sum(pair.dimension for pair in split.pairs)
    unknowns = target.dimension * source.dimension
    if k * unknowns > _MOST_ENTRIES:
        raise InputError(f"{k} maps of {unknowns} entries are too many; use method='krylov'")
    shape = (-1, target.dimension, source.dimension)
    dtype = torch.promote_types(source.dtype, target.dtype)
    maps = torch.zeros(0, *shape[1:], dtype=dtype)
    if k:
        maps = torch.cat([pair.rows() for pair in split.pairs]).reshape(shape)
    if isinstance(forms[1], ChangeOfBasis) and forms[1] is not target:
        maps = forms[1].basis.to(maps.dtype) @ maps
    if isinstance(forms[0], ChangeOfBasis) and forms[0] is not source:
        maps = maps @ forms[0].inverse_basis.to(maps.dtype)
    return NullSpace(
        torch.linalg.qr(maps.flatten(1).mT).Q.mT,
        split.largest_zero,
        split.smallest_nonzero,
        "in unitary forms an intertwiner is determined by its block on one eigenspace of each "
        "irrep, and every such block belongs to one",
    )


def _unitary_generators(representation: Representation) -> Tensor:
    """The generators' matrices, rid of the rounding errors that keep them from being unitary."""
    algebra, elements = generator_matrices(representation)
    elements = 1.5 * elements - 0.5 * elements @ elements.mH @ elements
    return torch.cat((0.5 * (algebra - algebra.mH), elements))
