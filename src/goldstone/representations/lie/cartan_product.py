"""The highest component of a tensor product: how irreps of high weight grow from small ones."""

from torch import Tensor


def cartan_product(coupling: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """The matrices of c from those of a and b, given the coupling of a ⊗ b to c.

    ρ_c(g)_kk' = Σ C[i, j, k] ρ_a(g)_ii' ρ_b(g)_jj' C[i', j', k']. The coupling is a real
    co-isometry, so that a step adds a rounding error but enlarges none: an irrep reached in n steps
    is right to about n ulp. It is a polynomial in the entries of g, hence smooth everywhere.

    Args:
        coupling: (a, b, c), with Σ_ij C[i, j, k] C[i, j, k'] = δ_kk'.
        first: (*batch, a, a).
        second: (*batch, b, b).

    Returns:
        (*batch, c, c).
    """
    a, b, c = coupling.shape
    batch = second.shape[:-2]
    right = (second @ coupling.movedim(1, 0).reshape(b, a * c)).reshape(*batch, b, a, c)
    mixed = first @ right.movedim(-2, -3).reshape(*batch, a, b * c)
    # Expanded, so that it becomes a batched product: several times faster than a broadcast one.
    left = coupling.reshape(a * b, c).mT.expand(*batch, c, a * b)
    return left @ mixed.reshape(*batch, a * b, c)
