"""The equivariant linear maps between two parts, in the form that is cheapest to combine."""

from math import sqrt

import torch

from goldstone.core import InputError
from goldstone.nn.block_bases import BlockBasis, DenseBasis, FactorisedBasis, OrbitBasis
from goldstone.representations import (
    ConjugateRepresentation,
    Irrep,
    O3Irrep,
    Representation,
    SO3Irrep,
    SU2Irrep,
    SU3Irrep,
    TensorProduct,
    clebsch_gordan,
    decompose,
    intertwiner_basis,
    irrep_multiplicities,
)
from goldstone.representations.intertwiners import permutation_images
from goldstone.representations.irrep import Field
from goldstone.representations.unitary_form import has_unitary_forms, is_unitary

_MOST_DENSE_ORBITS = 2**18
_MOST_DENSE = 2**20
"""Numbers in a dense basis, above which it is factorised: 4 MiB in single precision."""

_COUPLED = (SO3Irrep, O3Irrep, SU2Irrep, SU3Irrep)


def linear_basis(source: Representation, target: Representation) -> BlockBasis:
    """An orthonormal basis of Hom_G(source, target) for two parts of one group.

    - two irreps: by Schur's lemma, without solving anything;
    - a product of two irreps of SO(3), O(3), SU(2) or SU(3) to a third: Clebsch–Gordan
      coefficients;
    - permutation representations: orbits of pairs of basis vectors;
    - else :func:`intertwiner_basis`, or, where that would have more than 2²⁰ entries and both
      representations are unitary with known irreps, their decompositions.

    All are unique, so coefficients mean the same maps on every machine.
    """
    if isinstance(source, Irrep) and isinstance(target, Irrep) and source.dtype == target.dtype:
        if source != target:
            # No two irreps of one group over one field are isomorphic.
            return DenseBasis(torch.zeros(0, target.dimension, source.dimension).to(source.dtype))
        return DenseBasis(_endomorphisms(source))
    coupling = _coupling(source, target)
    if coupling is not None:
        return DenseBasis(coupling.movedim(-1, 1).flatten(2) / sqrt(target.dimension))
    factors = _factors(source, target)
    if factors is not None:
        return factors
    found, entries = intertwiner_basis(source, target), source.dimension * target.dimension
    if found.method == "orbits" and found.dimension * entries > _MOST_DENSE_ORBITS:
        return OrbitBasis(found.orbits(), found.dimension)
    return DenseBasis(found.dense())


def _coupling(source: Representation, target: Representation) -> torch.Tensor | None:
    """Clebsch–Gordan coefficients (count, left, right, target) where they have closed forms."""
    if not (isinstance(source, TensorProduct) and len(source.parts) == 2):
        return None
    left, right = source.parts
    conjugate = right if isinstance(right, ConjugateRepresentation) else None
    if conjugate is not None:
        right = _conjugate_irrep(conjugate.representation)
    if not all(isinstance(part, _COUPLED) for part in (left, right, target)):
        return None
    coupling = clebsch_gordan(left, right, target)
    if conjugate is None:
        return coupling
    turn = intertwiner_basis(conjugate, right).dense()[0] * sqrt(right.dimension)
    return torch.einsum("pijk,jl->pilk", coupling.to(turn), turn)


def _conjugate_irrep(irrep: Representation) -> Representation:
    """The irrep that is isomorphic to the complex conjugate of one with known couplings."""
    return SU3Irrep(irrep.q, irrep.p) if isinstance(irrep, SU3Irrep) else irrep


def _endomorphisms(irrep: Irrep) -> torch.Tensor:
    if irrep.endomorphism_dimension == 1:
        return torch.eye(irrep.dimension, dtype=irrep.dtype)[None] / sqrt(irrep.dimension)
    return intertwiner_basis(irrep, irrep).dense()


def _factors(source: Representation, target: Representation) -> FactorisedBasis | None:
    """The factorised basis if a dense one would be large and the irreps are known."""
    entries = source.dimension * target.dimension
    # There are at least as many maps as in an average irrep's copies, at most one for each entry.
    if entries * entries <= _MOST_DENSE or not has_unitary_forms(source.group):
        return None
    if not (is_unitary(source) and is_unitary(target)) or _permutes(source, target):
        return None
    field: Field | None = "complex" if (source + target).dtype.is_complex else None
    try:
        columns, rows = (irrep_multiplicities(each, field) for each in (source, target))
    except InputError:
        return None  # The group's irreps are not known.
    shared = [irrep for irrep in rows if irrep in columns]
    count = sum(columns[i] * rows[i] * i.endomorphism_dimension for i in shared)
    if count * entries <= _MOST_DENSE:
        return None
    of_source = decompose(source, field)
    of_target = of_source if source == target else decompose(target, field)
    return FactorisedBasis(
        [
            (
                of_target.columns(irrep).movedim(0, 1),
                _endomorphisms(irrep),
                of_source.columns(irrep).mH,
            )
            for irrep in shared
        ]
    )


def _permutes(*representations: Representation) -> bool:
    group = representations[0].group
    generators = group.tensor(group.generators())
    return all(permutation_images(each, generators) is not None for each in representations)
