"""Floor 3: how group elements move fields, and what a symmetry is."""

from goldstone.actions.action import Action
from goldstone.actions.boost import GalileanBoost
from goldstone.actions.bounded import keeping_walls
from goldstone.actions.context import Context
from goldstone.actions.feature_fields import FeatureFieldAction, GridAction, move_grid
from goldstone.actions.fields import EULER_FIELDS, NAVIER_STOKES_FIELDS, Fibre, Field, FieldLayout
from goldstone.actions.frames import FramesAction, history_symmetry
from goldstone.actions.gauge import GaugeAction, GaugeKind, gauge_symmetry
from goldstone.actions.graphs import GraphEntry, graph_action, ragged_permutations
from goldstone.actions.grid import Pivot, fourier_shift, move_points
from goldstone.actions.images import ImageAction, ImageScaling, disc_window
from goldstone.actions.joints import JointRotation, mirror_representation
from goldstone.actions.laws import ActionLawErrors, action_law_errors, law_tolerance_of
from goldstone.actions.linear import LinearAction, TrivialAction, linear_symmetry
from goldstone.actions.named import FLOW_SYMMETRIES, axis_shifts, flow_symmetry
from goldstone.actions.named_bounded import (
    BOUNDED_SYMMETRIES,
    bounded_symmetry,
    flow_scaling_symmetry,
)
from goldstone.actions.named_conditions import conditioned_symmetry
from goldstone.actions.named_graphs import graph_symmetry, ragged_graph_symmetry
from goldstone.actions.named_images import IMAGE_SYMMETRIES, image_symmetry
from goldstone.actions.named_joints import joint_rotation_symmetry, mirror_symmetry
from goldstone.actions.named_points import (
    PLANAR_POINT_CLOUD_SYMMETRIES,
    POINT_CLOUD_SYMMETRIES,
    point_cloud_symmetry,
    set_symmetry,
)
from goldstone.actions.named_sequences import SEQUENCE_SYMMETRIES, sequence_symmetry
from goldstone.actions.named_volumes import VOLUME_SYMMETRIES, volume_symmetry
from goldstone.actions.permuting import AxisPermutation, ClassPermutation, RelabelAction
from goldstone.actions.planar import (
    FourierTranslation,
    PointAction,
    ShiftAction,
    WallpaperAction,
    turn_fibres,
)
from goldstone.actions.points import POSITIONS, PointCloudAction, PointFeature, PointKind
from goldstone.actions.product import ProductAction
from goldstone.actions.resampling import Boundary, Mode, resample, translate
from goldstone.actions.reversal import ReversedVelocityAction, reverse_vectors
from goldstone.actions.sequences import CyclicShift, PaddedShift, window_reorderings
from goldstone.actions.shifts import GridShift
from goldstone.actions.substitution import SubstitutionRelation
from goldstone.actions.symmetry import Symmetry
from goldstone.actions.trees import TreeAction
from goldstone.actions.units import FlowScaling, PowerAction

__all__ = [
    "BOUNDED_SYMMETRIES",
    "EULER_FIELDS",
    "FLOW_SYMMETRIES",
    "IMAGE_SYMMETRIES",
    "NAVIER_STOKES_FIELDS",
    "PLANAR_POINT_CLOUD_SYMMETRIES",
    "POINT_CLOUD_SYMMETRIES",
    "POSITIONS",
    "SEQUENCE_SYMMETRIES",
    "VOLUME_SYMMETRIES",
    "Action",
    "ActionLawErrors",
    "AxisPermutation",
    "Boundary",
    "ClassPermutation",
    "Context",
    "CyclicShift",
    "FeatureFieldAction",
    "Fibre",
    "Field",
    "FieldLayout",
    "FlowScaling",
    "FourierTranslation",
    "FramesAction",
    "GalileanBoost",
    "GaugeAction",
    "GaugeKind",
    "GraphEntry",
    "GridAction",
    "GridShift",
    "ImageAction",
    "ImageScaling",
    "JointRotation",
    "LinearAction",
    "Mode",
    "PaddedShift",
    "Pivot",
    "PointAction",
    "PointCloudAction",
    "PointFeature",
    "PointKind",
    "PowerAction",
    "ProductAction",
    "RelabelAction",
    "ReversedVelocityAction",
    "ShiftAction",
    "SubstitutionRelation",
    "Symmetry",
    "TreeAction",
    "TrivialAction",
    "WallpaperAction",
    "action_law_errors",
    "axis_shifts",
    "bounded_symmetry",
    "conditioned_symmetry",
    "disc_window",
    "flow_scaling_symmetry",
    "flow_symmetry",
    "fourier_shift",
    "gauge_symmetry",
    "graph_action",
    "graph_symmetry",
    "history_symmetry",
    "image_symmetry",
    "joint_rotation_symmetry",
    "keeping_walls",
    "law_tolerance_of",
    "linear_symmetry",
    "mirror_representation",
    "mirror_symmetry",
    "move_grid",
    "move_points",
    "point_cloud_symmetry",
    "ragged_graph_symmetry",
    "ragged_permutations",
    "resample",
    "reverse_vectors",
    "sequence_symmetry",
    "set_symmetry",
    "translate",
    "turn_fibres",
    "volume_symmetry",
    "window_reorderings",
]
