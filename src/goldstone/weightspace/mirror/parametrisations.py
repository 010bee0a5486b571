"""Redundant parametrisations of a weight whose symmetry makes a constraint stationary."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.weightspace.mirror.coordinates import Coordinates, EntryCoordinates


class RedundantParametrisation(nn.Module, ABC):
    """A weight as a function of *factors*, which have a symmetry that the weight does not see.

    For ``torch.nn.utils.parametrize``: ``forward(*originals)`` is the weight and
    ``right_inverse(weight)`` gives originals of it. The factors are the first ``factors``
    originals; at a given weight their ½Σ‖·‖² is at least :meth:`induced_norm`, with equality where
    they are balanced. So weight decay λ of the factors is a penalty λ·induced_norm of the weight.
    """

    factors: int = 2

    decay_formula: ClassVar[str]
    """:meth:`induced_norm` in words of the field."""
    gauge_formula: ClassVar[str]
    """:meth:`gauge_potential`."""

    @abstractmethod
    def forward(self, *originals: Tensor) -> Tensor:
        """The weight."""

    @abstractmethod
    def right_inverse(self, weight: Tensor) -> tuple[Tensor, ...]:
        """Originals of the weight."""

    @abstractmethod
    def induced_norm(self, weight: Tensor) -> Tensor:
        """The least ½Σ‖factor‖² that makes the weight, a number."""

    @abstractmethod
    def gauge_slice(self, *factors: Tensor) -> Tensor:
        """χ of the factors, (c): zero where they are balanced."""

    @abstractmethod
    def balanced(self, weight: Tensor) -> tuple[Tensor, ...]:
        """Factors of the weight with χ = 0."""

    @abstractmethod
    def gauge_potential(self, weight: Tensor) -> Tensor:
        """½ log det(∇χ∇χᵀ) at the balanced factors, in closed form, a number.

        Noise of temperature T adds T times this to the loss, seen on the slice χ = 0: see
        :func:`goldstone.weightspace.gauge_correction`.
        """


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

    decay_formula = "Σ_g ‖z_g‖"
    gauge_formula = "½ Σ_g log(8‖z_g‖)"

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

    def gauge_slice(self, *factors: Tensor) -> Tensor:
        gate, factor = factors
        return (gate.square() - self.coordinates.group_norms(factor).square()).flatten()

    def balanced(self, weight: Tensor) -> tuple[Tensor, ...]:
        return _balanced(self.coordinates, self.coordinates.analyse(weight))

    def gauge_potential(self, weight: Tensor) -> Tensor:
        norms = self.coordinates.group_norms(self.coordinates.analyse(weight))
        return 0.5 * (8 * norms).log().sum()

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

    decay_formula = "Σ σᵢ"
    gauge_formula = "½ [Σ_{i<j} log 2(σᵢ + σⱼ) + Σᵢ log 8σᵢ]"

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

    def gauge_slice(self, *factors: Tensor) -> Tensor:
        """The entries on and above the diagonal of PᵀP − QQᵀ."""
        p, q = factors
        difference = p.mT @ p - q @ q.mT
        rows, columns = torch.triu_indices(self.rank, self.rank)
        return difference[rows, columns]

    def balanced(self, weight: Tensor) -> tuple[Tensor, ...]:
        return self.right_inverse(weight)

    def gauge_potential(self, weight: Tensor) -> Tensor:
        sigma: Tensor = torch.linalg.svdvals(weight.flatten(1))[: self.rank]
        rows, columns = torch.triu_indices(self.rank, self.rank, offset=1)
        pairs = (2 * (sigma[rows] + sigma[columns])).log().sum()
        return 0.5 * (pairs + (8 * sigma).log().sum())

    def extra_repr(self) -> str:
        return f"shape={tuple(self.shape)}, rank={self.rank}"


class CumulativeParametrisation(RedundantParametrisation):
    """θ = ℓ followed by ℓ + the running sums of g ⊙ f along an axis, ℓ its first slice.

    The differences of neighbours are gated: the constrained set is that of equal neighbours. The
    induced norm is the total variation Σ|θᵢ₊₁ − θᵢ|. Factors: g and f, both with an entry for each
    difference; then ℓ, which is free.

    Args:
        axis: along which neighbours are compared.
        gate: the gates at the start; see :class:`GatedParametrisation`.
    """

    decay_formula = "Σ |θᵢ₊₁ − θᵢ|"
    gauge_formula = "½ Σ log(8|θᵢ₊₁ − θᵢ|)"

    def __init__(self, axis: int = -1, gate: float = 1.0) -> None:
        super().__init__()
        self.axis = axis
        self.gated = GatedParametrisation(EntryCoordinates(), gate)

    def forward(self, *originals: Tensor) -> Tensor:
        gate, factor, level = originals
        steps = self.gated(gate, factor)
        return torch.cat((level, level + steps.cumsum(self.axis)), self.axis)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, ...]:
        level = weight.narrow(self.axis, 0, 1).clone()
        return (*self.gated.right_inverse(weight.diff(dim=self.axis)), level)

    def induced_norm(self, weight: Tensor) -> Tensor:
        return self.gated.induced_norm(weight.diff(dim=self.axis))

    def gauge_slice(self, *factors: Tensor) -> Tensor:
        return self.gated.gauge_slice(*factors)

    def balanced(self, weight: Tensor) -> tuple[Tensor, ...]:
        return self.gated.balanced(weight.diff(dim=self.axis))

    def gauge_potential(self, weight: Tensor) -> Tensor:
        return self.gated.gauge_potential(weight.diff(dim=self.axis))

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


def _balanced(coordinates: Coordinates, z: Tensor) -> tuple[Tensor, Tensor]:
    gate = coordinates.group_norms(z).sqrt()
    spread = coordinates.spread(gate)
    return gate, torch.where(spread > 0, z / spread.clamp(min=torch.finfo(z.dtype).tiny), 0.0)
