"""Symmetric tensor decomposition: critical points, their symmetries and spectra."""

from goldstone.weightspace.tensor_decomposition.catalogue import (
    Catalogue,
    CatalogueEntry,
    find_critical_points,
)
from goldstone.weightspace.tensor_decomposition.critical_point import (
    CriticalPoint,
    critical_point,
)
from goldstone.weightspace.tensor_decomposition.fixed_points import (
    FixedPointSpace,
    fixed_point_space,
)
from goldstone.weightspace.tensor_decomposition.isotropy import (
    IsotropySubgroup,
    diagonal_subgroup,
    isotropy_subgroup,
)
from goldstone.weightspace.tensor_decomposition.objective import SymmetricTensorDecomposition
from goldstone.weightspace.tensor_decomposition.spectrum import (
    EntryPermutations,
    IsotypicEigenvalues,
    isotypic_spectrum,
)

__all__ = [
    "Catalogue",
    "CatalogueEntry",
    "CriticalPoint",
    "EntryPermutations",
    "FixedPointSpace",
    "IsotropySubgroup",
    "IsotypicEigenvalues",
    "SymmetricTensorDecomposition",
    "critical_point",
    "diagonal_subgroup",
    "find_critical_points",
    "fixed_point_space",
    "isotropy_subgroup",
    "isotypic_spectrum",
]
