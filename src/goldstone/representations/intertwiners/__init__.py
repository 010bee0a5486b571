"""Intertwiners: the linear maps that commute with a group."""

from goldstone.representations.intertwiners.basis import IntertwinerBasis
from goldstone.representations.intertwiners.constraints import (
    IntertwinerConstraints,
    intertwiner_constraints,
)
from goldstone.representations.intertwiners.isotypic_splitting import (
    IsotypicPair,
    IsotypicSplitting,
    isotypic_splitting,
)
from goldstone.representations.intertwiners.krylov_null_space import krylov_null_space
from goldstone.representations.intertwiners.multilinear import (
    MultilinearBasis,
    invariant_vectors,
    multilinear_basis,
)
from goldstone.representations.intertwiners.null_space import NullSpace, direct_null_space
from goldstone.representations.intertwiners.permutation_orbits import (
    pair_orbits,
    permutation_images,
)
from goldstone.representations.intertwiners.reduced_null_space import reduced_null_space
from goldstone.representations.intertwiners.reynolds import reynolds_average, reynolds_projector
from goldstone.representations.intertwiners.solve import intertwiner_basis

__all__ = [
    "IntertwinerBasis",
    "IntertwinerConstraints",
    "IsotypicPair",
    "IsotypicSplitting",
    "MultilinearBasis",
    "NullSpace",
    "direct_null_space",
    "intertwiner_basis",
    "intertwiner_constraints",
    "invariant_vectors",
    "isotypic_splitting",
    "krylov_null_space",
    "multilinear_basis",
    "pair_orbits",
    "permutation_images",
    "reduced_null_space",
    "reynolds_average",
    "reynolds_projector",
]
