"""Unitary forms of representations of finite and compact groups: Weyl's trick."""

from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError, generator
from goldstone.groups import FiniteGroup, Group, LieGroup
from goldstone.representations.change_of_basis import ChangeOfBasis
from goldstone.representations.irrep import Irrep
from goldstone.representations.representation import Representation

_UNITARY = 1e-10
_NEARLY = 1e-6
_HALVINGS = 120
_ENTRIES_AT_ONCE = 2**22


def unitary_form(representation: Representation) -> Representation:
    """ρ itself if it is unitary, else Q⁻¹ρQ that is, for a finite or compact group.

    Q = L⁻† for the Cholesky factor L of the invariant inner product M = ∫ ρ(g)†Mρ(g) dg = LL†. The
    mean is taken by halves: M ← (M + ρ(g)†Mρ(g))/2 with random g, each of which halves the mean
    square of what is not invariant; so after 120 of them nothing is left, however large the group.
    It is done twice, the second time in a basis that is unitary already but for rounding errors.

    Raises:
        InputError: the group is neither finite nor compact, or ρ is too ill-conditioned.
    """
    if is_unitary(representation):
        return representation
    group = representation.group
    if not has_unitary_forms(group):
        raise InputError(
            f"expected a unitary representation, or one of a finite or compact group, whose "
            f"unitary form exists; {group.name} is not compact"
        )
    basis = torch.eye(representation.dimension, dtype=representation.dtype)
    turned = representation
    for _ in range(2):
        lower, failed = torch.linalg.cholesky_ex(_invariant_inner_product(turned))
        if failed:
            break
        step = torch.linalg.solve_triangular(lower.mH, torch.eye(len(basis)).to(basis), upper=True)
        basis = basis @ step
        turned = ChangeOfBasis(representation, basis)
    if not is_unitary(turned, _NEARLY):
        raise InputError(
            "the representation is too far from a unitary one: its basis is ill-conditioned, or "
            f"its matrices are no representation of {group.name}"
        )
    return turned


def has_unitary_forms(group: Group[Any]) -> bool:
    """Whether the group is finite or compact, so that all its representations have them."""
    return isinstance(group, FiniteGroup) or (isinstance(group, LieGroup) and group.is_compact)


def is_unitary(representation: Representation, tolerance: float = _UNITARY) -> bool:
    """Whether ρ(g)†ρ(g) = 1 on generators, and dρ(x)† = −dρ(x), in every entry to a tolerance.

    An :class:`Irrep` is by definition.
    """
    if isinstance(representation, Irrep):
        return True
    algebra, elements = generator_matrices(representation)
    one = torch.eye(representation.dimension, dtype=elements.dtype)
    defects = torch.cat((algebra + algebra.mH, elements.mH @ elements - one))
    return not defects.numel() or float(defects.abs().max()) <= tolerance


def generator_matrices(representation: Representation) -> tuple[Tensor, Tensor]:
    """dρ of a basis of the Lie algebra, none for a finite group, and ρ of group elements.

    The elements generate a finite group, or the component group of a Lie group; so both together
    determine ρ. Shapes (d, n, n) and (c, n, n).
    """
    group, n = representation.group, representation.dimension
    if not isinstance(group, LieGroup):
        elements = representation.matrix_unchecked(group.tensor(group.generators())).detach()
        return elements.new_zeros(0, n, n), elements
    basis = torch.eye(group.dimension, dtype=torch.float64)
    elements = representation.matrix_unchecked(group.tensor(group.component_generators()))
    return representation.derivative(basis).detach(), elements.detach()


def _invariant_inner_product(representation: Representation) -> Tensor:
    n = representation.dimension
    source = generator(0, "unitary form")
    metric = torch.eye(n, dtype=representation.dtype)
    left = _HALVINGS
    while left:
        size = min(left, max(1, _ENTRIES_AT_ONCE // n**2))
        for matrix in representation.matrix_unchecked(representation.group.sample(source, (size,))):
            metric = 0.5 * (metric + matrix.mH @ metric @ matrix)
        left -= size
    return 0.5 * (metric + metric.mH)
