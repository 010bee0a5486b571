"""Clebsch–Gordan coefficients: the equivariant products of two representations."""

from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.intertwiners import intertwiner_basis
from goldstone.representations.lie.angular_momentum import coupling, real_coupling
from goldstone.representations.lie.gelfand_tsetlin import gelfand_tsetlin
from goldstone.representations.lie.highest_weight import highest_weight_embeddings
from goldstone.representations.lie.spatial import O3Irrep, SO3Irrep
from goldstone.representations.lie.special_unitary import SU2Irrep, SU3Irrep
from goldstone.representations.orthonormal_echelon import orthonormal_echelon
from goldstone.representations.representation import Representation
from goldstone.representations.tensor_product import TensorProduct


def clebsch_gordan(a: Representation, b: Representation, c: Representation) -> Tensor:
    """The coefficients C of a basis of Hom_G(a ⊗ b, c).

    Each z_k = Σ_ij C[n, i, j, k] x_i y_j is an equivariant product of x in a and y in b with values
    in c, and the products are orthonormal, Σ_ijk conj(C[n, i, j, k]) C[n', i, j, k] = δ_nn' dim c.
    For a unitary irrep c each is a co-isometry, Σ_ij C[n, i, j, k] conj(C[n, i, j, k']) = δ_kk'.
    Wigner's 3j symbols, of norm 1, are C / √dim c up to sign.

    - SO(3) and O(3): in the real basis, the tensors of e3nn's ``wigner_3j`` times √dim c up to
      sign, in the axes that :class:`SO3Irrep` states.
    - SU(2): ⟨a α b β | c γ⟩ in the phases of Condon and Shortley, by Racah's formula in exact
      integers; the former come from it by change of basis.
    - SU(3): real, from highest weight vectors in the basis of Gelfand and Tsetlin.
    - All others, finite groups among them, and all representations that are not these irreps:
      :func:`intertwiner_basis`, from the group's generators.

    Where there are several products their basis is in echelon form and so unique; for a = b the
    symmetric ones come first, then the antisymmetric ones.

    Returns:
        (multiplicity, dim a, dim b, dim c): float64; complex128 for other complex representations.

    Raises:
        InputError: the representations are of different groups.
    """
    if not a.group == b.group == c.group:
        raise InputError(
            "Clebsch–Gordan coefficients need three representations of one group, got "
            f"{a.group.name}, {b.group.name} and {c.group.name}"
        )
    products = _products(a, b, c)
    return _by_symmetry(products) if a == b and len(products) > 1 else products


def _products(a: Representation, b: Representation, c: Representation) -> Tensor:
    shape = (a.dimension, b.dimension, c.dimension)
    if isinstance(a, O3Irrep) and isinstance(b, O3Irrep) and isinstance(c, O3Irrep):
        if a.parity * b.parity != c.parity:
            return torch.zeros((0, *shape), dtype=torch.float64)
        return _one_or_none(real_coupling(a.degree, b.degree, c.degree))
    if isinstance(a, SO3Irrep) and isinstance(b, SO3Irrep) and isinstance(c, SO3Irrep):
        return _one_or_none(real_coupling(a.degree, b.degree, c.degree))
    if isinstance(a, SU2Irrep) and isinstance(b, SU2Irrep) and isinstance(c, SU2Irrep):
        return _one_or_none(coupling(a.twice_spin, b.twice_spin, c.twice_spin))
    if isinstance(a, SU3Irrep) and isinstance(b, SU3Irrep) and isinstance(c, SU3Irrep):
        product = gelfand_tsetlin(a.p, a.q).tensor_product(gelfand_tsetlin(b.p, b.q))
        found = highest_weight_embeddings(gelfand_tsetlin(c.p, c.q), product)
        return torch.from_numpy(found.reshape(-1, *shape))
    maps = intertwiner_basis(TensorProduct(a.group, (a, b)), c).dense()
    return maps.mT.reshape(-1, *shape) * sqrt(c.dimension)


def _one_or_none(coefficients: NDArray[np.float64]) -> Tensor:
    found = torch.from_numpy(coefficients)[None]
    return found if coefficients.any() else found[:0]


def _by_symmetry(products: Tensor) -> Tensor:
    """The echelon bases of the symmetric products x·y = y·x and of the antisymmetric ones."""
    found = []
    for sign in (1, -1):
        part = (products + sign * products.transpose(1, 2)).flatten(1) / 2
        _, sizes, rows = torch.linalg.svd(part, full_matrices=False)
        # The swap is an involution: projections of an orthonormal basis have sizes 0 and √dim c.
        rows = rows[sizes > sizes.new_tensor(products.shape[-1]).sqrt() / 2]
        found.append(orthonormal_echelon(rows))
    return torch.cat(found).reshape(products.shape) * sqrt(products.shape[-1])
