"""The symmetries of a network's parameters: found, applied, checked."""

from goldstone.weightspace.symmetries.general_linear import GeneralLinearGroup
from goldstone.weightspace.symmetries.goldstone_directions import (
    GoldstoneDirections,
    goldstone_directions,
    orbit_dimension,
    orbit_tangents,
)
from goldstone.weightspace.symmetries.parameter_axis import ParameterAxis
from goldstone.weightspace.symmetries.parameter_symmetries import (
    ParameterSymmetries,
    parameter_symmetries,
)
from goldstone.weightspace.symmetries.parameter_symmetry import ParameterSymmetry
from goldstone.weightspace.symmetries.symmetry_check import SymmetryCheck, check_symmetries

__all__ = [
    "GeneralLinearGroup",
    "GoldstoneDirections",
    "ParameterAxis",
    "ParameterSymmetries",
    "ParameterSymmetry",
    "SymmetryCheck",
    "check_symmetries",
    "goldstone_directions",
    "orbit_dimension",
    "orbit_tangents",
    "parameter_symmetries",
]
