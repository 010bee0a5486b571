"""Mirror symmetries: constraints made symmetries of the loss, and the collapse they cause."""

from goldstone.weightspace.mirror.activation_collapse import activation_collapse
from goldstone.weightspace.mirror.collapse import CollapseReport, LayerCollapse, Modulo
from goldstone.weightspace.mirror.collapse_history import CollapseHistory, collapse_history
from goldstone.weightspace.mirror.constraints import (
    Constraint,
    LowRank,
    PiecewiseConstant,
    Sparsity,
    TiedUnits,
    Vanishing,
    constrain_by_symmetry,
)
from goldstone.weightspace.mirror.decay import decay_groups, induced_penalty, redundancy_penalty
from goldstone.weightspace.mirror.mirror_symmetry import MirrorSymmetry, unit_exchange, unit_sign
from goldstone.weightspace.mirror.parametrisations import (
    CumulativeParametrisation,
    FactorisedParametrisation,
    GatedParametrisation,
    RedundantParametrisation,
)
from goldstone.weightspace.mirror.weight_collapse import weight_collapse

__all__ = [
    "CollapseHistory",
    "CollapseReport",
    "Constraint",
    "CumulativeParametrisation",
    "FactorisedParametrisation",
    "GatedParametrisation",
    "LayerCollapse",
    "LowRank",
    "MirrorSymmetry",
    "Modulo",
    "PiecewiseConstant",
    "RedundantParametrisation",
    "Sparsity",
    "TiedUnits",
    "Vanishing",
    "activation_collapse",
    "collapse_history",
    "constrain_by_symmetry",
    "decay_groups",
    "induced_penalty",
    "redundancy_penalty",
    "unit_exchange",
    "unit_sign",
    "weight_collapse",
]
