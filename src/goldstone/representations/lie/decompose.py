"""Decomposition of representations of compact Lie groups."""

from goldstone.representations.decomposition import Decomposition, decompose_with
from goldstone.representations.intertwiners.solve import intertwiner_basis
from goldstone.representations.irrep import Field
from goldstone.representations.lie.weights import compact_multiplicities
from goldstone.representations.representation import Representation


def decompose_compact(representation: Representation, field: Field | None) -> Decomposition:
    """A unitary representation of a compact Lie group as a direct sum: see :func:`decompose`.

    Its weights say which irreps it contains, and :func:`intertwiner_basis` where they lie.
    """
    present = tuple(compact_multiplicities(representation, field))
    return decompose_with(
        representation, present, lambda irrep, rho: intertwiner_basis(irrep, rho).dense()
    )
