"""Decomposition of representations of compact Lie groups."""

from typing import Any

import torch
from torch import Tensor

from goldstone.groups import LieGroup
from goldstone.representations.decomposition import Decomposition, decompose_with
from goldstone.representations.intertwiners.solve import intertwiner_basis
from goldstone.representations.irrep import Irrep
from goldstone.representations.lie.weights import irrep_multiplicities
from goldstone.representations.representation import Representation


def decompose_compact(representation: Representation) -> Decomposition:
    """A representation of SO(2), O(2), SO(3), O(3), SU(2) or SU(3) as a direct sum of irreps.

    Its weights say which irreps it contains, and :func:`intertwiner_basis` where they lie. A ρ that
    is not unitary is made so by the inner product (Σ T T†)⁻¹ over all intertwiners T.

    Returns:
        Q with Q⁻¹ρQ = ⊕ irreps; unique, so the same on every machine.

    Raises:
        InputError: another group, or no representation.
    """
    found = {
        irrep: intertwiner_basis(irrep, representation).dense()
        for irrep in irrep_multiplicities(representation)
    }
    metric = None
    if not _is_unitary(representation):
        total = torch.zeros((), dtype=torch.float64)
        for maps in found.values():
            total = total + (maps @ maps.mH).sum(0)
        metric = torch.linalg.inv(total)
        metric = (metric + metric.mH) / 2

    def intertwiners(irrep: Irrep, _: Representation) -> Tensor:
        return found[irrep]

    return decompose_with(representation, tuple(found), intertwiners, metric)


def _is_unitary(representation: Representation) -> bool:
    group: Any = representation.group
    one = torch.eye(representation.dimension, dtype=representation.dtype)
    algebra = torch.eye(group.dimension, dtype=torch.float64)
    generators = representation.derivative(algebra)
    defect = float((generators + generators.mH).abs().max())
    components = group.component_generators() if isinstance(group, LieGroup) else ()
    for matrix in map(representation.matrix, components):
        defect = max(defect, float((matrix @ matrix.mH - one).abs().max()))
    return defect < 1e-10
