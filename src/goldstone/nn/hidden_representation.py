"""A sensible representation of about a given dimension for hidden layers."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, Group, LieDirectProduct, LinearGroup
from goldstone.nn.parts import flat_parts, is_trivial
from goldstone.nn.pointwise_activation import permutes_components
from goldstone.representations import (
    DirectSum,
    DualRepresentation,
    Irrep,
    OuterTensorProduct,
    RegularRepresentation,
    Representation,
    StandardRepresentation,
    TrivialRepresentation,
    intertwiner_basis,
    irrep_multiplicities,
    irreps,
    irreps_up_to,
)
from goldstone.representations.irrep import Field

_DEGREE = 2


def hidden_representation(
    group: Group[Any], dimension: int, containing: Sequence[Representation] = ()
) -> DirectSum:
    """A direct sum of exactly ``dimension`` components, channels spread evenly over its kinds.

    - a finite group of order up to ``dimension``: copies of the regular representation, which
      contains every irrep and allows pointwise nonlinearities;
    - permutations of points: scalars, vectors and matrices over the points, pointwise too;
    - other finite groups: irreps, small ones first;
    - SO(2), O(2), SO(3), O(3), SU(2), SU(3): irreps up to degree 2;
    - products of groups: products of these;
    - other groups of matrices: scalars, vectors, their duals if they differ, and matrices.

    Kinds that are larger than what is left are left out, and what cannot be filled evenly is filled
    with scalars.

    Args:
        group: any of the above.
        dimension: at least 1.
        containing: representations, such as those of a network's input and output, whose irreps
            are added to those of SO(2) … SU(3), and whose parts to those of products; if all are
            real, so are the irreps.

    Raises:
        InputError: the group has no such representations, or the dimension is not positive.
    """
    if dimension < 1:
        raise InputError(f"expected a hidden dimension of at least 1, got {dimension}")
    scalar: Representation = TrivialRepresentation(group)
    if isinstance(group, FiniteGroup) and group.order <= dimension:
        regular = RegularRepresentation(group)
        parts: list[Representation] = [regular] * (dimension // group.order)
        return DirectSum(group, tuple(parts) + (scalar,) * (dimension % group.order))
    found = _kinds(group, containing)
    scalar = next((kind for kind in found if is_trivial(kind)), scalar)
    kinds = [kind for kind in found if not is_trivial(kind)]
    fitting, left = [], dimension - 1
    for kind in kinds:
        if kind.dimension <= left:
            fitting.append(kind)
            left -= kind.dimension
    # One of each, then always another of the kind that has the fewest channels.
    counts = dict.fromkeys([scalar, *fitting], 1)
    while left:
        kind = min(
            (k for k in counts if k.dimension <= left), key=lambda k: counts[k] * k.dimension
        )
        counts[kind] += 1
        left -= kind.dimension
    return DirectSum(group, tuple(kind for kind, count in counts.items() for _ in range(count)))


def _kinds(group: Group[Any], containing: Sequence[Representation]) -> list[Representation]:
    is_complex = any(representation.dtype.is_complex for representation in containing)
    field: Field | None = ("complex" if is_complex else "real") if containing else None
    kinds = _listed(group, field)
    if isinstance(group, LieDirectProduct):
        own = [part for each in containing for part in flat_parts(each)]
        return list(dict.fromkeys(own + kinds))
    if isinstance(group, FiniteGroup) or not all(isinstance(kind, Irrep) for kind in kinds):
        return kinds
    for representation in containing:
        kinds += irrep_multiplicities(representation, field)
    return list(dict.fromkeys(kinds))


def _listed(group: Group[Any], field: Field | None) -> list[Representation]:
    if isinstance(group, LieDirectProduct):
        return _products(group, field)
    if isinstance(group, FiniteGroup):
        if isinstance(group, LinearGroup) and permutes_components(StandardRepresentation(group)):
            return _tensors(group)
        return list(irreps(group, field or "real"))
    try:
        return list(irreps_up_to(group, _DEGREE, field))
    except InputError:
        return _tensors(group)  # The group's irreps are not listed.


def _products(group: LieDirectProduct, field: Field | None) -> list[Representation]:
    """Products of what the factors have, their scalars included, small ones first."""
    of_factors = []
    for factor in group.factors:
        kinds = _listed(factor, field)
        scalar = next((k for k in kinds if is_trivial(k)), TrivialRepresentation(factor))
        of_factors.append([scalar, *(kind for kind in kinds if not is_trivial(kind))])
    products = [OuterTensorProduct(group, parts) for parts in product(*of_factors)]
    return sorted(products, key=lambda each: each.dimension)


def _tensors(group: Group[Any]) -> list[Representation]:
    if not isinstance(group, LinearGroup):
        raise InputError(
            f"{group.name} does not come as a group of matrices, from which hidden features could "
            "be made; give the hidden representation instead of a dimension"
        )
    vector = StandardRepresentation(group)
    dual = DualRepresentation(vector)
    if len(intertwiner_basis(vector, dual)):
        return [vector, vector * vector]
    return [vector, dual, vector * dual]
