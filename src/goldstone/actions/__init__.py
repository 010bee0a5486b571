"""Floor 3: how group elements move fields, and what a symmetry is."""

from goldstone.actions.action import Action
from goldstone.actions.boost import GalileanBoost
from goldstone.actions.context import Context
from goldstone.actions.fields import (
    EULER_FIELDS,
    NAVIER_STOKES_FIELDS,
    Fibre,
    Field,
    FieldLayout,
)
from goldstone.actions.grid import Pivot, fourier_shift, move_points
from goldstone.actions.laws import ActionLawErrors, action_law_errors
from goldstone.actions.named import FLOW_SYMMETRIES, axis_shifts, flow_symmetry
from goldstone.actions.planar import (
    FourierTranslation,
    PointAction,
    ShiftAction,
    WallpaperAction,
    turn_fibres,
)
from goldstone.actions.reversal import ReversedVelocityAction, reverse_vectors
from goldstone.actions.symmetry import Symmetry

__all__ = [
    "EULER_FIELDS",
    "FLOW_SYMMETRIES",
    "NAVIER_STOKES_FIELDS",
    "Action",
    "ActionLawErrors",
    "Context",
    "Fibre",
    "Field",
    "FieldLayout",
    "FourierTranslation",
    "GalileanBoost",
    "Pivot",
    "PointAction",
    "ReversedVelocityAction",
    "ShiftAction",
    "Symmetry",
    "WallpaperAction",
    "action_law_errors",
    "axis_shifts",
    "flow_symmetry",
    "fourier_shift",
    "move_points",
    "reverse_vectors",
    "turn_fibres",
]
