"""Floor 1: groups as pure algebra, with hashable elements and exact composition."""

from goldstone.groups.additive import AdditiveGroup
from goldstone.groups.cayley_table import cayley_table
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Group, LinearGroup
from goldstone.groups.lie import LieGroup
from goldstone.groups.matrix.euclidean import EuclideanGroup, SpecialEuclideanGroup
from goldstone.groups.matrix.lorentz import LorentzGroup
from goldstone.groups.matrix.matrix_lie import MatrixLieGroup
from goldstone.groups.matrix.orthogonal import OrthogonalGroup, SpecialOrthogonalGroup
from goldstone.groups.matrix.special_linear import SpecialLinearGroup
from goldstone.groups.matrix.symplectic import SymplecticGroup
from goldstone.groups.matrix.unitary import SpecialUnitaryGroup, UnitaryGroup
from goldstone.groups.planar import CyclicGroup, DihedralGroup, PointGroup
from goldstone.groups.subgroup_group import SubgroupGroup, subgroup_as_group
from goldstone.groups.subgroups import (
    Subgroup,
    all_subgroups,
    axis_lattices,
    candidate_subgroups,
    left_cosets,
    maximal,
    subgroup,
)
from goldstone.groups.translations import GridTranslations
from goldstone.groups.wallpaper import WallpaperGroup, p4m

__all__ = [
    "AdditiveGroup",
    "CyclicGroup",
    "DihedralGroup",
    "EuclideanGroup",
    "FiniteGroup",
    "GridTranslations",
    "Group",
    "LieGroup",
    "LinearGroup",
    "LorentzGroup",
    "MatrixLieGroup",
    "OrthogonalGroup",
    "PointGroup",
    "SpecialEuclideanGroup",
    "SpecialLinearGroup",
    "SpecialOrthogonalGroup",
    "SpecialUnitaryGroup",
    "Subgroup",
    "SubgroupGroup",
    "SymplecticGroup",
    "UnitaryGroup",
    "WallpaperGroup",
    "all_subgroups",
    "axis_lattices",
    "candidate_subgroups",
    "cayley_table",
    "left_cosets",
    "maximal",
    "p4m",
    "subgroup",
    "subgroup_as_group",
]
