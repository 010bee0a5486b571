"""Floor 2: matrix representations, the linear source of actions."""

from goldstone.representations.change_of_basis import ChangeOfBasis
from goldstone.representations.clebsch_gordan import clebsch_gordan
from goldstone.representations.conjugate import ConjugateRepresentation
from goldstone.representations.decompose import decompose, irrep_multiplicities
from goldstone.representations.decomposition import Decomposition, decompose_with
from goldstone.representations.direct_sum import DirectSum, multiple
from goldstone.representations.dual import DualRepresentation
from goldstone.representations.elementary import (
    DeterminantRepresentation,
    RegularRepresentation,
    StandardRepresentation,
    TrivialRepresentation,
)
from goldstone.representations.finite.irreps import irreps
from goldstone.representations.finite.multiplicities import isotypic_projector
from goldstone.representations.induction import InducedRepresentation
from goldstone.representations.intertwiners import (
    IntertwinerBasis,
    IsotypicPair,
    MultilinearBasis,
    intertwiner_basis,
    invariant_vectors,
    multilinear_basis,
    reynolds_average,
    reynolds_projector,
)
from goldstone.representations.irrep import Irrep
from goldstone.representations.lie.irreps import irreps_up_to
from goldstone.representations.lie.planar import O2Irrep, SO2ComplexIrrep, SO2Irrep
from goldstone.representations.lie.real_form import RealIrrep
from goldstone.representations.lie.spatial import O3Irrep, SO3Irrep
from goldstone.representations.lie.special_unitary import SU2Irrep, SU3Irrep
from goldstone.representations.lie.wigner import (
    solid_harmonics,
    spherical_harmonics,
    wigner_matrices,
)
from goldstone.representations.matrix_representation import MatrixRepresentation
from goldstone.representations.orthonormal_echelon import image_basis, orthonormal_echelon
from goldstone.representations.outer_product import OuterTensorProduct
from goldstone.representations.permutation import PermutationRepresentation
from goldstone.representations.powers import ExteriorPower, SymmetricPower
from goldstone.representations.pullback import Pullback
from goldstone.representations.quotient import QuotientRepresentation
from goldstone.representations.realification import Realification
from goldstone.representations.representation import Representation
from goldstone.representations.restriction import Restriction
from goldstone.representations.summary import GroupSummary, summarise_group
from goldstone.representations.tensor_product import TensorProduct
from goldstone.representations.unitary_form import is_unitary, unitary_form

__all__ = [
    "ChangeOfBasis",
    "ConjugateRepresentation",
    "Decomposition",
    "DeterminantRepresentation",
    "DirectSum",
    "DualRepresentation",
    "ExteriorPower",
    "GroupSummary",
    "InducedRepresentation",
    "IntertwinerBasis",
    "Irrep",
    "IsotypicPair",
    "MatrixRepresentation",
    "MultilinearBasis",
    "O2Irrep",
    "O3Irrep",
    "OuterTensorProduct",
    "PermutationRepresentation",
    "Pullback",
    "QuotientRepresentation",
    "RealIrrep",
    "Realification",
    "RegularRepresentation",
    "Representation",
    "Restriction",
    "SO2ComplexIrrep",
    "SO2Irrep",
    "SO3Irrep",
    "SU2Irrep",
    "SU3Irrep",
    "StandardRepresentation",
    "SymmetricPower",
    "TensorProduct",
    "TrivialRepresentation",
    "clebsch_gordan",
    "decompose",
    "decompose_with",
    "image_basis",
    "intertwiner_basis",
    "invariant_vectors",
    "irrep_multiplicities",
    "irreps",
    "irreps_up_to",
    "is_unitary",
    "isotypic_projector",
    "multilinear_basis",
    "multiple",
    "orthonormal_echelon",
    "reynolds_average",
    "reynolds_projector",
    "solid_harmonics",
    "spherical_harmonics",
    "summarise_group",
    "unitary_form",
    "wigner_matrices",
]
