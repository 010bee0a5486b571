"""Redundant parametrisations of a weight whose symmetry makes a constraint stationary."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.weightspace.mirror.coordinates import Coordinates


class RedundantParametrisation(nn.Module, ABC):
    """A weight as a function of *factors*, which have a symmetry that the weight does not see.

    For ``torch.nn.utils.parametrize``: ``forward(*originals)`` is the weight and
    ``right_inverse(weight)`` gives originals of it. The factors are the first ``factors``
    originals; at a given weight their ½Σ‖·‖² is at least :meth:`induced_norm`, with equality where
    they are balanced. So weight decay λ of the factors is a penalty λ·induced_norm of the weight.
    """

    factors: int = 2

    @abstractmethod
    def forward(self, *originals: Tensor) -> Tensor:
        """The weight."""

    @abstractmethod
    def right_inverse(self, weight: Tensor) -> tuple[Tensor, ...]:
        """Originals of the weight."""

    @abstractmethod
    def induced_norm(self, weight: Tensor) -> Tensor:
        """The least ½Σ‖factor‖² that makes the weight, a number."""


class GatedParametrisation(RedundantParametrisation):
    """θ = (1 − OOᵀ)r + O(g ⊙ f): the coordinates Oᵀθ = g ⊙ f are gated.

    The sign of a gate and of the factors behind it can change together, θ → θ: a mirror symmetry of
    any loss, under which Oᵀθ = 0 is the fixed set and so stationary. Factors: the gates g, one for
    each group of coordinates, and f; then r, unless O is square. The induced norm is Σ_g ‖z_g‖, the
    group lasso of z = Oᵀθ, by 2|g|‖f‖ ≤ g² + ‖f‖².

    Args:
        coordinates: O and its groups.
        gate: the gates at the start. Where |g| = ‖f‖ at the start, no coordinate could ever change
            its sign under gradient flow, which conserves g² − ‖f‖²; so they do not start balanced.

    References:
        L. Ziyin, "Symmetry induces structure and constraint of learning", ICML 2024
        (arXiv 2309.16932), section on differentiable constraints by symmetry; L. Ziyin, Z. Wang,
        "spred: solving L1 penalty with SGD", ICML 2023, for one gate per entry.
    """

    def __init__(self, coordinates: Coordinates, gate: float = 1.0) -> None:
        super().__init__()
        if not gate > 0:
            raise InputError(f"expected a gate > 0 to start with, got {gate}: at 0 it stays shut")
        self.coordinates, self.gate = coordinates, gate

    def forward(self, *originals: Tensor) -> Tensor:
        gate, factor = originals[:2]
        constrained = self.coordinates.synthesise(self.coordinates.spread(gate) * factor)
        if self.coordinates.spans_all:
            return constrained
        rest = originals[2]
        return constrained + rest - self._projected(rest)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, ...]:
        z = self.coordinates.analyse(weight)
        gate = torch.full_like(self.coordinates.group_norms(z), self.gate)
        # A copy: where z is the weight itself, factors must not share its memory.
        factor = (z / self.gate).clone()
        if self.coordinates.spans_all:
            return gate, factor
        return gate, factor, weight - self._projected(weight)

    def _projected(self, weight: Tensor) -> Tensor:
        return self.coordinates.synthesise(self.coordinates.analyse(weight))

    def induced_norm(self, weight: Tensor) -> Tensor:
        return self.coordinates.group_norms(self.coordinates.analyse(weight)).sum()

    def extra_repr(self) -> str:
        return f"gate={self.gate}"


class FactorisedParametrisation(RedundantParametrisation):
    """W = PQ with P (rows, r) and Q (r, columns); further axes of a weight count as columns.

    PRRᵀQ is the same for every orthogonal R of r×r: the reflections 1 − 2nnᵀ among them are mirror
    symmetries, each with the fixed set Pn = 0 = nᵀQ, of lower rank. The induced norm is the nuclear
    norm Σσᵢ(W), by 2‖PQ‖_* ≤ ‖P‖² + ‖Q‖². It starts balanced, P = U√S and Q = √S Vᵀ.

    Args:
        rank: r; by default the smaller of rows and columns, which restricts nothing.

    References:
        N. Srebro, J. Rennie, T. Jaakkola, "Maximum-margin matrix factorization", NeurIPS 2004,
        for the nuclear norm.
    """

    def __init__(self, shape: torch.Size, rank: int | None = None) -> None:
        super().__init__()
        if len(shape) < 2:
            raise InputError(f"expected a weight of two or more axes, got shape {tuple(shape)}")
        full = min(shape[0], shape[1:].numel())
        self.shape = shape
        self.rank = full if rank is None else rank
        if not 1 <= self.rank <= full:
            raise InputError(f"expected a rank from 1 to {full}, got {rank}")

    def forward(self, *originals: Tensor) -> Tensor:
        p, q = originals
        return (p @ q).reshape(self.shape)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, ...]:
        u, s, v = torch.linalg.svd(weight.flatten(1), full_matrices=False)
        root = s[: self.rank].sqrt()
        return (u[:, : self.rank] * root).contiguous(), root[:, None] * v[: self.rank]

    def induced_norm(self, weight: Tensor) -> Tensor:
        singular_values: Tensor = torch.linalg.svdvals(weight.flatten(1))
        return singular_values.sum()

    def extra_repr(self) -> str:
        return f"shape={tuple(self.shape)}, rank={self.rank}"
