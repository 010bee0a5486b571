"""The loss of a symmetric tensor decomposition, with its gradient and Hessian."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError


@dataclass(frozen=True)
class SymmetricTensorDecomposition:
    """L(W) = ‖Σᵢ wᵢ^{⊗n} − Σⱼ eⱼ^{⊗n}‖², wᵢ the rows of W (k, d) and eⱼ the unit vectors of ℝᵈ.

    It is Σ⟨wᵢ, wⱼ⟩ⁿ − 2Σ W_ijⁿ + d. Permutations of the rows and of the columns leave it as it is:
    its symmetry group is S_k × S_d (for even n also changes of sign, of any row or column; they are
    not used here).

    Attributes:
        dimension: d ≥ 1.
        order: n ≥ 2.
        components: k ≥ 1; by default d.

    Raises:
        InputError: a number is too small.

    References:
        Y. Arjevani, J. Bruna, M. Field, J. Kileel, M. Trager, F. Williams, "Symmetry breaking in
        symmetric tensor decomposition", arXiv 2103.06234, section 2.
    """

    dimension: int
    order: int = 3
    components: int = 0

    def __post_init__(self) -> None:
        if self.components == 0:
            object.__setattr__(self, "components", self.dimension)
        if self.dimension < 1 or self.order < 2 or self.components < 1:
            raise InputError(
                "expected a dimension ≥ 1, an order ≥ 2 and one or more components, got "
                f"{self.dimension}, {self.order} and {self.components}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(k, d), that of W."""
        return self.components, self.dimension

    def loss(self, weights: Tensor) -> Tensor:
        """L of weights (*batch, k, d), of shape (*batch)."""
        self.check(weights)
        gram = weights @ weights.mT
        own = gram.pow(self.order).sum((-1, -2))
        return own - 2 * weights.pow(self.order).sum((-1, -2)) + self.dimension

    def gradient(self, weights: Tensor) -> Tensor:
        """∇L = 2n[(WWᵀ)^{∘(n−1)}W − W^{∘(n−1)}], powers entry by entry; (*batch, k, d)."""
        self.check(weights)
        n = self.order
        gram = weights @ weights.mT
        return 2 * n * (gram.pow(n - 1) @ weights - weights.pow(n - 1))

    def hessian(self, weights: Tensor) -> Tensor:
        """∇²L at one W, (k·d, k·d), entries of W numbered row by row."""
        self.check(weights)
        n, (k, d) = self.order, self.shape
        gram = weights @ weights.mT
        slope = (n - 1) * gram.pow(n - 2)
        one = torch.eye(d, dtype=weights.dtype, device=weights.device)
        own = torch.einsum("ij,ja,jb->iab", slope, weights, weights)
        own = own - (n - 1) * torch.diag_embed(weights.pow(n - 2))
        cross = torch.einsum("ij,ja,ib->iajb", slope, weights, weights)
        cross = cross + torch.einsum("ij,ab->iajb", gram.pow(n - 1), one)
        rows = torch.arange(k)
        cross[rows, :, rows, :] += own
        return 2 * n * cross.reshape(k * d, k * d)

    def check(self, weights: Tensor) -> None:
        """Raise InputError unless ``weights`` are floating-point of shape (*batch, k, d)."""
        if weights.shape[-2:] != self.shape or not weights.is_floating_point():
            raise InputError(
                f"expected floating-point weights of shape (*batch, {self.components}, "
                f"{self.dimension}), got {weights.dtype} of shape {tuple(weights.shape)}"
            )
