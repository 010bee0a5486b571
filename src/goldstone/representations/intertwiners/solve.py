"""Bases of intertwiners between any two representations."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, get_args

import torch

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, LieGroup
from goldstone.representations.direct_sum import DirectSum
from goldstone.representations.intertwiners.basis import (
    BlockMaps,
    DenseMaps,
    IntertwinerBasis,
    IsotypicMaps,
    Method,
    OrbitMaps,
)
from goldstone.representations.intertwiners.constraints import (
    IntertwinerConstraints,
    intertwiner_constraints,
)
from goldstone.representations.intertwiners.isotypic_splitting import isotypic_splitting
from goldstone.representations.intertwiners.krylov_null_space import krylov_null_space
from goldstone.representations.intertwiners.null_space import CLEAR, direct_null_space
from goldstone.representations.intertwiners.permutation_orbits import (
    pair_orbits,
    permutation_images,
)
from goldstone.representations.intertwiners.reduced_null_space import reduced_null_space
from goldstone.representations.intertwiners.unitary_null_space import unitary_null_space
from goldstone.representations.orthonormal_echelon import orthonormal_echelon
from goldstone.representations.representation import Representation
from goldstone.representations.unitary_form import has_unitary_forms

Choice = Literal["auto", "direct", "isotypic", "reduced", "unitary", "krylov", "orbits"]

_DIRECT = 512
_DIRECT_AT_MOST = 4096
_MOST_ELEMENTS, _MOST_ENTRIES = 100_000, 10_000_000


def intertwiner_basis(
    source: Representation, target: Representation, method: Choice = "auto"
) -> IntertwinerBasis:
    """A basis of Hom_G(V, W) = {A : ρ_W(g) A = A ρ_V(g) for all g}.

    The equations are those of generators only: of a finite group's generators, or of a basis of
    the Lie algebra and generators of the component group. The basis is real if both
    representations are. Direct sums are solved once for each pair of distinct parts.

    Args:
        source: V, of dimension n.
        target: W, of dimension m, of the same group.
        method: ``auto`` takes the first that applies:
            ``orbits``: permutation representations; exact, in time linear in m·n.
            ``direct``: up to 512 unknowns; singular value decomposition of the equations.
            ``isotypic``: unitary representations, and those closed under adjoints such as tensors
            of Lorentz and symplectic groups; (m + n)³, see :func:`isotypic_splitting`.
            ``unitary``: other representations of finite and compact groups; ``isotypic`` in a
            :func:`unitary_form`.
            ``reduced``: other groups with some such generators, as the rotations in SE(n); see
            :func:`reduced_null_space`.
            ``krylov``: all others; without a matrix of the equations, see
            :func:`krylov_null_space`.

    Raises:
        InputError: the representations are of different groups; the method does not apply to
            them; or the dimension cannot be told, because singular values lie too near zero or
            the characters contradict.
    """
    if method not in get_args(Choice):
        raise InputError(f"expected a method among {', '.join(get_args(Choice))}, got {method!r}")
    if source.group != target.group:
        raise InputError(
            "intertwiners need two representations of one group, got one of "
            f"{source.group.name} and one of {target.group.name}"
        )
    columns, rows = _parts(source), _parts(target)
    if len(columns) == len(rows) == 1:
        (_, v), (_, w) = columns[0], rows[0]
        return replace(_solve(v, w, method), source=source, target=target)
    pairs = dict.fromkeys((v, w) for _, v in columns for _, w in rows)
    solved = {(v, w): _solve(v, w, method) for v, w in pairs}
    blocks = tuple((row, column, solved[v, w]) for row, w in rows for column, v in columns)
    bases = list(solved.values())
    characters = [basis.character_dimension for _, _, basis in blocks]
    dtype = torch.promote_types(source.dtype, target.dtype)
    return IntertwinerBasis(
        source=source,
        target=target,
        dimension=sum(len(basis) for _, _, basis in blocks),
        method="blocks",
        residual=max(basis.residual for basis in bases),
        largest_zero=_extreme(max, [basis.largest_zero for basis in bases]),
        smallest_nonzero=_extreme(min, [basis.smallest_nonzero for basis in bases]),
        completeness="; ".join(sorted({basis.completeness for basis in bases})),
        character_dimension=None if None in characters else sum(c or 0 for c in characters),
        maps=BlockMaps(blocks, (target.dimension, source.dimension), dtype),
    )


def _extreme(choose: Callable[[list[float]], float], numbers: list[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return choose(known) if known else None


def _parts(representation: Representation, start: int = 0) -> list[tuple[int, Representation]]:
    """The parts of nested direct sums, each with its first coordinate."""
    if not isinstance(representation, DirectSum):
        return [(start, representation)]
    found = []
    for part in representation.parts:
        found += _parts(part, start)
        start += part.dimension
    return found


def _solve(v: Representation, w: Representation, method: Choice) -> IntertwinerBasis:
    """The basis, without regard to direct sums, checked against the characters."""
    found = None
    if method in ("auto", "orbits"):
        found = _by_orbits(v, w)
        if found is None and method == "orbits":
            raise InputError(
                "the method 'orbits' needs permutation representations of a finite group"
            )
    if found is None:
        constraints = intertwiner_constraints(v, w)
        chosen = _automatic(v, constraints) if method == "auto" else method
        try:
            found = _by_equations(v, w, constraints, chosen)
        except InputError:
            if method != "auto" or chosen not in ("isotypic", "reduced", "unitary"):
                raise
            found = _by_equations(v, w, constraints, "krylov")
    dimension = _dimension_by_characters(v, w)
    if dimension is None:
        return found
    if dimension != len(found):
        raise InputError(
            f"found {len(found)} intertwiners where the characters say {dimension}: are the "
            "matrices representations?"
        )
    completeness = f"{found.completeness}; the characters give the same dimension"
    return replace(found, completeness=completeness, character_dimension=dimension)


def _by_orbits(v: Representation, w: Representation) -> IntertwinerBasis | None:
    group = v.group
    if isinstance(group, LieGroup):
        return None
    elements = group.tensor(group.generators())
    source = permutation_images(v, elements)
    target = None if source is None else permutation_images(w, elements)
    if source is None or target is None:
        return None
    labels, count = pair_orbits(source, target)
    return IntertwinerBasis(
        source=v,
        target=w,
        dimension=count,
        method="orbits",
        residual=0.0,
        largest_zero=None,
        smallest_nonzero=None,
        completeness="intertwiners are constant on the orbits of pairs of basis vectors",
        character_dimension=None,
        maps=OrbitMaps(labels, count),
    )


def _by_equations(
    v: Representation, w: Representation, constraints: IntertwinerConstraints, method: Choice
) -> IntertwinerBasis:
    if method == "isotypic":
        return _by_splitting(v, w, constraints)
    if method == "direct" and constraints.unknowns > _DIRECT_AT_MOST:
        raise InputError(
            f"the method 'direct' is for up to {_DIRECT_AT_MOST} unknowns, here are "
            f"{constraints.unknowns}; use 'auto' or 'krylov'"
        )
    chosen: Method = "krylov"
    if method == "direct":
        chosen, space = "direct", direct_null_space(constraints)
    elif method == "reduced":
        chosen, space = "reduced", reduced_null_space(constraints)
    elif method == "unitary":
        chosen, space = "unitary", unitary_null_space(v, w)
    else:
        space = krylov_null_space(constraints)
    rows = orthonormal_echelon(space.rows, real=not constraints.dtype.is_complex)
    maps = rows.reshape(-1, *constraints.shape)
    residual = constraints.residual(maps)
    if residual > CLEAR * constraints.scale:
        raise InputError(f"the maps found solve the equations to {residual:.1e} only")
    return IntertwinerBasis(
        source=v,
        target=w,
        dimension=len(maps),
        method=chosen,
        residual=residual,
        largest_zero=space.largest_zero,
        smallest_nonzero=space.smallest_nonzero,
        completeness=space.completeness,
        character_dimension=None,
        maps=DenseMaps(maps),
    )


def _by_splitting(
    v: Representation, w: Representation, constraints: IntertwinerConstraints
) -> IntertwinerBasis:
    split = isotypic_splitting(constraints)
    completeness = (
        "an intertwiner is determined by its block on one eigenspace of each irrep, and every such "
        "block belongs to one"
    )
    return IntertwinerBasis(
        source=v,
        target=w,
        dimension=sum(pair.dimension for pair in split.pairs),
        method="isotypic",
        residual=split.residual,
        largest_zero=split.largest_zero,
        smallest_nonzero=split.smallest_nonzero,
        completeness=completeness,
        character_dimension=None,
        maps=IsotypicMaps(split.pairs, constraints.shape, constraints.dtype),
    )


def _automatic(v: Representation, constraints: IntertwinerConstraints) -> Choice:
    if constraints.unknowns <= _DIRECT:
        return "direct"
    closed = len(constraints.adjoint_closed_part())
    if closed == len(constraints.source):
        return "isotypic"
    if has_unitary_forms(v.group):
        return "unitary"
    return "reduced" if closed else "krylov"


def _dimension_by_characters(v: Representation, w: Representation) -> int | None:
    """The dimension |G|⁻¹ Σ conj(χ_W) χ_V of Hom(V, W), unless G is large or not finite."""
    group = v.group
    size = v.dimension**2 + w.dimension**2
    if not isinstance(group, FiniteGroup) or group.order > min(
        _MOST_ELEMENTS, _MOST_ENTRIES // size
    ):
        return None
    total = torch.zeros((), dtype=torch.complex128)
    for part in torch.split(group.element_tensor(), max(1, 2**21 // size)):
        left, right = (a.character_unchecked(part).detach() for a in (w, v))
        total += (left.conj().to(torch.complex128) * right).sum()
    mean = complex(total) / group.order
    if abs(mean - round(mean.real)) > 1e-6:
        raise InputError(
            f"the inner product of the characters is {mean:.6g}, not an integer: are the matrices "
            f"representations of {group.name}?"
        )
    return round(mean.real)
