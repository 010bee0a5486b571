"""Floor 1: groups as pure algebra, with hashable elements and exact composition."""

from goldstone.groups.abelian_invariants import invariant_factors
from goldstone.groups.additive import AdditiveGroup
from goldstone.groups.all_subgroups import all_subgroups
from goldstone.groups.binary_polyhedral import binary_polyhedral_group
from goldstone.groups.candidates import axis_lattices, candidate_subgroups
from goldstone.groups.cayley_graph import CayleyGraph, cayley_graph
from goldstone.groups.cayley_group import CayleyGroup
from goldstone.groups.cayley_table import cayley_table
from goldstone.groups.character_table import CharacterTable, character_table
from goldstone.groups.commutators import (
    commutator_subgroup,
    derived_series,
    is_abelian,
    is_perfect,
    is_solvable,
    normal_closure,
)
from goldstone.groups.conjugacy import (
    ConjugacyClasses,
    centraliser,
    centre,
    conjugacy_classes,
    conjugate_subgroup,
    is_normal,
    normaliser,
)
from goldstone.groups.cosets import coset_table, left_cosets, right_cosets
from goldstone.groups.coverings import lorentz_covering, spin_covering, unitary_covering
from goldstone.groups.data_orbits import data_orbits
from goldstone.groups.direct_product import DirectProduct, LieDirectProduct, direct_product
from goldstone.groups.discretisation import discretise, embedding
from goldstone.groups.element_orders import element_orders, exponent
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.gauge import GaugeGroup
from goldstone.groups.group import Group, LinearGroup
from goldstone.groups.homomorphism import Homomorphism, homomorphism_from_generators
from goldstone.groups.isomorphism import are_isomorphic, find_isomorphism
from goldstone.groups.isomorphism_type import isomorphism_type
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
from goldstone.groups.matrix_group import MatrixGroup
from goldstone.groups.named import GROUP_NAME_FORMS, NameForm, group_named
from goldstone.groups.normal_subgroups import normal_subgroups
from goldstone.groups.orbits import PermutationAction, action_on_cosets, action_on_points
from goldstone.groups.permutation_group import PermutationGroup
from goldstone.groups.permutations import Permutations, parse_cycles
from goldstone.groups.planar import CyclicGroup, DihedralGroup, PointGroup
from goldstone.groups.polyhedral import (
    PolyhedralGroup,
    icosahedral_group,
    octahedral_group,
    tetrahedral_group,
)
from goldstone.groups.product_elements import ProductElements
from goldstone.groups.quaternion import DicyclicGroup, quaternion_group
from goldstone.groups.quotient import QuotientGroup, quotient_group
from goldstone.groups.scaling import ScalingGroup
from goldstone.groups.semidirect_product import SemidirectProduct, SplitExtension, wreath_product
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
from goldstone.groups.sylow import sylow_subgroup
from goldstone.groups.symmetric_group import AlternatingGroup, SymmetricGroup
from goldstone.groups.torus import TorusGroup
from goldstone.groups.translations import GridTranslations
from goldstone.groups.vector_permutations import VectorPermutations
from goldstone.groups.wallpaper import WallpaperGroup, p4m
from goldstone.groups.young_subgroup import YoungSubgroup

__all__ = [
    "GROUP_NAME_FORMS",
    "AdditiveGroup",
    "AlternatingGroup",
    "CayleyGraph",
    "CayleyGroup",
    "CharacterTable",
    "ConjugacyClasses",
    "Covering",
    "CyclicGroup",
    "DicyclicGroup",
    "DihedralGroup",
    "DirectProduct",
    "EuclideanGroup",
    "FiniteGroup",
    "GalileiGroup",
    "GaugeGroup",
    "GridTranslations",
    "Group",
    "HeisenbergGroup",
    "Homomorphism",
    "KleinFourGroup",
    "LieDirectProduct",
    "LieGroup",
    "LinearGroup",
    "LorentzGroup",
    "MatrixGroup",
    "MatrixLieGroup",
    "NameForm",
    "OrthogonalGroup",
    "PermutationAction",
    "PermutationGroup",
    "Permutations",
    "PointGroup",
    "PolyhedralGroup",
    "ProductElements",
    "QuotientGroup",
    "ScalingGroup",
    "SemidirectProduct",
    "SignedPermutationGroup",
    "SpecialEuclideanGroup",
    "SpecialLinearGroup",
    "SpecialOrthogonalGroup",
    "SpecialUnitaryGroup",
    "SpinGroup",
    "SplitExtension",
    "Subgroup",
    "SubgroupClass",
    "SubgroupGroup",
    "SubgroupLattice",
    "SymmetricGroup",
    "SymplecticGroup",
    "TorusGroup",
    "UnitaryGroup",
    "VectorPermutations",
    "WallpaperGroup",
    "YoungSubgroup",
    "action_on_cosets",
    "action_on_points",
    "all_subgroups",
    "are_isomorphic",
    "axis_lattices",
    "binary_polyhedral_group",
    "candidate_subgroups",
    "cayley_graph",
    "cayley_table",
    "centraliser",
    "centre",
    "character_table",
    "commutator_subgroup",
    "conjugacy_classes",
    "conjugate_subgroup",
    "coset_table",
    "data_orbits",
    "derived_series",
    "direct_product",
    "discretise",
    "element_orders",
    "embedding",
    "exponent",
    "find_isomorphism",
    "group_named",
    "homomorphism_from_generators",
    "icosahedral_group",
    "invariant_factors",
    "is_abelian",
    "is_normal",
    "is_perfect",
    "is_solvable",
    "isomorphism_type",
    "left_cosets",
    "lorentz_covering",
    "maximal",
    "normal_closure",
    "normal_subgroups",
    "normaliser",
    "octahedral_group",
    "p4m",
    "parse_cycles",
    "quaternion_group",
    "quotient_group",
    "right_cosets",
    "spin_covering",
    "subgroup",
    "subgroup_as_group",
    "subgroup_lattice",
    "sylow_subgroup",
    "tetrahedral_group",
    "unitary_covering",
    "wreath_product",
]
