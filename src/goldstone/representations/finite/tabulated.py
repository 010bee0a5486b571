"""All irreps of any finite group, from one eigenproblem in its group algebra."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError, generator
from goldstone.groups import FiniteGroup, conjugacy_classes
from goldstone.representations.finite.extension import extend_from_generators
from goldstone.representations.irrep import Field, FrobeniusSchurType, Irrep
from goldstone.representations.orthonormal_echelon import orthonormal_echelon

LARGEST_ORDER = 2_000
_ATTEMPTS = 8


@dataclass(frozen=True)
class TabulatedIrrep(Irrep):
    """An irrep of a finite group by its matrices on all elements; see :func:`tabulated_irreps`.

    Two of them are equal if group, name and field are: the matrices follow from these.
    """

    label: str
    over: Field
    type_: FrobeniusSchurType
    table: Tensor = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Dimension and a letter, as in the Atlas of Finite Groups: 1a is trivial, 1b the next."""
        return self.label

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return self.type_

    @property
    def dimension(self) -> int:
        return self.table.shape[-1]

    @property
    def dtype(self) -> torch.dtype:
        return self.table.dtype

    def _matrices(self, g: Tensor) -> Tensor:
        group: Any = self.group
        return self.table.to(g.device)[group.index(g)]

    @property
    def allows_pointwise(self) -> bool:
        return self.dimension == 1 and bool((self.table == 1).all())


def tabulated_irreps(group: FiniteGroup[Any], over: Field) -> tuple[TabulatedIrrep, ...]:
    """All irreps of a finite group over ℝ or ℂ, with their matrices on every element.

    A random self-adjoint element of the group algebra, acting on functions on the group from the
    right, commutes with the action from the left and has a generic spectrum: each eigenspace is an
    irreducible left-invariant subspace (cf. J. Dixon, *Computing irreducible representations of
    groups*, Math. Comp. 24, 1970). A random central element tells which of them are isomorphic; of
    these the one of the best separated eigenvalue is kept. Its basis is the one orthonormal basis
    in echelon form, so it is the same on every machine. An error δ of the eigenspace changes the
    matrices of the generators by δ² only; all others are products of these.

    The order is: trivial, then by dimension, then by character.

    Raises:
        InputError: the group has more than 2,000 elements.
    """
    if group.order > LARGEST_ORDER:
        raise InputError(
            f"the irreps of {group.name} (order {group.order}) have no closed form here and are "
            f"too large to tabulate; expected an order of at most {LARGEST_ORDER}"
        )
    elements = group.element_tensor()
    quotient = torch.stack(
        [group.index(group.compose(a, elements)) for a in group.inverse(elements)]
    )
    classes, inverse = conjugacy_classes(group).labels, quotient[:, 0]
    # Over ℝ there are as many irreps as classes up to inversion.
    merged = classes if over == "complex" else torch.minimum(classes, classes[inverse])
    count = len(torch.unique(merged))
    for attempt in range(_ATTEMPTS):
        bases = _irreducible_subspaces(quotient, classes, inverse, over, attempt)
        if len(bases) == count:
            break
    else:
        raise InputError(f"{group.name} breaks the laws of a group: check_group_laws says where")
    steps = group.tensor(group.generators())
    moved = [group.index(group.compose(s, elements)) for s in steps]
    tables: list[Tensor] = []
    for d in sorted({basis.shape[1] for basis in bases}):
        stack = torch.stack(
            [orthonormal_echelon(basis.mT).mT for basis in bases if basis.shape[1] == d]
        )
        # ρ(s)_ij = ⟨b_i, L_s b_j⟩ = Σ_h conj(b_i(sh)) b_j(h).
        matrices = [stack[:, to].mH @ stack for to in moved]
        empty = stack.new_zeros(len(stack), 0, d, d)
        on_steps = torch.stack(matrices, 1) if matrices else empty
        # One Newton step to the nearest orthogonal matrix, so that long products stay orthogonal.
        on_steps = 1.5 * on_steps - 0.5 * on_steps @ on_steps.mH @ on_steps
        if d == 1:
            on_steps = _with_exact_signs(on_steps)
        tables += extend_from_generators(group, steps, on_steps).unbind(0)
    return _named(group, over, tables, classes, group.index(group.power(elements, 2)))


def _irreducible_subspaces(
    quotient: Tensor, classes: Tensor, inverse: Tensor, over: Field, attempt: int
) -> list[Tensor]:
    """One orthonormal basis (order, d) for each isomorphism class of irreducible subspaces."""
    order = len(quotient)
    dtype = torch.complex128 if over == "complex" else torch.float64
    source = generator(attempt, "irreps")
    weights = torch.randn(2, order, generator=source, dtype=dtype)
    weights[1] = weights[1, classes]
    generic, central = 0.5 * (weights + weights[:, inverse].conj())
    values, vectors = torch.linalg.eigh(generic[quotient])
    scale = float(values.abs().max())
    starts = [0, *((values.diff() > 1e-10 * scale).nonzero()[:, 0] + 1).tolist(), order]
    spaces = list(pairwise(starts))
    # The scalar by which the central element acts on each space.
    samples = vectors[:, starts[:-1]]
    scalars = (samples.conj() * (central[quotient] @ samples)).sum(0).real
    gaps = values.diff()[torch.tensor(starts[1:-1], dtype=torch.int64) - 1]
    edge = torch.full((1,), torch.inf, dtype=torch.float64)
    separation = torch.minimum(torch.cat((edge, gaps)), torch.cat((gaps, edge)))
    ranked = scalars.argsort()
    new = scalars[ranked].diff() > 1e-9 * float(scalars.abs().max())
    kept = []
    for same in torch.tensor_split(ranked, (new.nonzero()[:, 0] + 1).tolist()):
        start, stop = spaces[int(same[separation[same].argmax()])]
        kept.append(vectors[:, start:stop])
    return kept


def _with_exact_signs(a: Tensor) -> Tensor:
    """Numbers with parts within 1e-9 of 0 and ±1 put there."""
    if a.is_complex():
        return torch.complex(_with_exact_signs(a.real), _with_exact_signs(a.imag))
    return torch.where((a - a.round()).abs() < 1e-9, a.round() + 0.0, a)


def _named(
    group: FiniteGroup[Any], over: Field, tables: list[Tensor], classes: Tensor, squares: Tensor
) -> tuple[TabulatedIrrep, ...]:
    found = []
    count = int(classes.max()) + 1
    first = torch.full((count,), group.order)
    first = first.scatter_reduce(0, classes, torch.arange(group.order), "amin")
    by_indicator: dict[int, FrobeniusSchurType] = {1: "real", 0: "complex", -1: "quaternionic"}
    by_norm: dict[int, FrobeniusSchurType] = {1: "real", 2: "complex", 4: "quaternionic"}
    for table in tables:
        character = table.diagonal(dim1=-2, dim2=-1).sum(-1)
        if over == "complex":
            kind = by_indicator[round(float(character[squares].mean().real))]
        else:
            kind = by_norm[round(float(character.square().mean()))]
        rounded = torch.view_as_real(character[first].to(torch.complex128)).round(decimals=6)
        # Falling by character, so that the trivial one (largest everywhere) is the first.
        key = (table.shape[-1], (-rounded + 0.0).flatten().tolist())
        found.append((key, kind, table))
    found.sort(key=lambda each: each[0])
    named: list[TabulatedIrrep] = []
    for (d, _), kind, table in found:
        letter = _letters(sum(other.dimension == d for other in named))
        named.append(TabulatedIrrep(group, f"{d}{letter}", over, kind, table))
    return tuple(named)


def _letters(number: int) -> str:
    """The letters a … z, then aa, ab and so on."""
    last = chr(ord("a") + number % 26)
    return last if number < 26 else _letters(number // 26 - 1) + last
