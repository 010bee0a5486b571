"""Floor 1: groups as pure algebra, with hashable elements and exact composition."""

from goldstone.groups.additive import AdditiveGroup
from goldstone.groups.all_subgroups import all_subgroups
from goldstone.groups.candidates import axis_lattices, candidate_subgroups
from goldstone.groups.cayley_table import cayley_table
from goldstone.groups.cosets import left_cosets, right_cosets
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Group, LinearGroup
from goldstone.groups.klein_four import KleinFourGroup
from goldstone.groups.lie import LieGroup
from goldstone.groups.matrix.euclidean import EuclideanGroup, SpecialEuclideanGroup
from goldstone.groups.matrix.galilei import GalileiGroup
from goldstone.groups.matrix.heisenberg import HeisenbergGroup
from goldstone.groups.matrix.lorentz import LorentzGroup
from goldstone.groups.matrix.matrix_lie import MatrixLieGroup
from goldstone.groups.matrix.orthogonal import OrthogonalGroup, SpecialOrthogonalGroup
from goldstone.groups.matrix.special_linear import SpecialLinearGroup
from goldstone.groups.matrix.symplectic import SymplecticGroup
from goldstone.groups.matrix.unitary import SpecialUnitaryGroup, UnitaryGroup
from goldstone.groups.permutation_group import PermutationGroup
from goldstone.groups.permutations import Permutations, parse_cycles
from goldstone.groups.planar import CyclicGroup, DihedralGroup, PointGroup
from goldstone.groups.quaternion import DicyclicGroup, quaternion_group
from goldstone.groups.scaling import ScalingGroup
from goldstone.groups.signed_permutations import SignedPermutationGroup
from goldstone.groups.spin import SpinGroup
from goldstone.groups.subgroup_group import SubgroupGroup, subgroup_as_group
from goldstone.groups.subgroup_lattice import (
    Covering,
    SubgroupClass,
    SubgroupLattice,
    subgroup_lattice,
)
from goldstone.groups.subgroups import Subgroup, maximal, subgroup
from goldstone.groups.symmetric_group import AlternatingGroup, SymmetricGroup
from goldstone.groups.torus import TorusGroup
from goldstone.groups.translations import GridTranslations
from goldstone.groups.wallpaper import WallpaperGroup, p4m

__all__ = [
    "AdditiveGroup",
    "AlternatingGroup",
    "Covering",
    "CyclicGroup",
    "DicyclicGroup",
    "DihedralGroup",
    "EuclideanGroup",
    "FiniteGroup",
    "GalileiGroup",
    "GridTranslations",
    "Group",
    "HeisenbergGroup",
    "KleinFourGroup",
    "LieGroup",
    "LinearGroup",
    "LorentzGroup",
    "MatrixLieGroup",
    "OrthogonalGroup",
    "PermutationGroup",
    "Permutations",
    "PointGroup",
    "ScalingGroup",
    "SignedPermutationGroup",
    "SpecialEuclideanGroup",
    "SpecialLinearGroup",
    "SpecialOrthogonalGroup",
    "SpecialUnitaryGroup",
    "SpinGroup",
    "Subgroup",
    "SubgroupClass",
    "SubgroupGroup",
    "SubgroupLattice",
    "SymmetricGroup",
    "SymplecticGroup",
    "TorusGroup",
    "UnitaryGroup",
    "WallpaperGroup",
    "all_subgroups",
    "axis_lattices",
    "candidate_subgroups",
    "cayley_table",
    "left_cosets",
    "maximal",
    "p4m",
    "parse_cycles",
    "quaternion_group",
    "right_cosets",
    "subgroup",
    "subgroup_as_group",
    "subgroup_lattice",
]
