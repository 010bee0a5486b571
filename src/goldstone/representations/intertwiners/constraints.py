"""The linear equations of intertwiners, from generators of the group alone."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import LieGroup
from goldstone.representations.representation import Representation


@dataclass(frozen=True, eq=False)
class IntertwinerConstraints:
    """The equations B_i A = A D_i for matrices A of shape (m, n), as a linear operator.

    (C A)_i = B_i A − A D_i with the Frobenius inner product; its null space is Hom(V, W).

    Args:
        source: D, (c, n, n): ρ_V of generators and dρ_V of a basis of the Lie algebra.
        target: B, (c, m, m): the same of ρ_W.
    """

    source: Tensor
    target: Tensor

    def __post_init__(self) -> None:
        d, b = self.source, self.target
        square = d.dim() == b.dim() == 3 and d.shape[1] == d.shape[2] and b.shape[1] == b.shape[2]
        if not square or len(d) != len(b):
            raise InputError(
                "expected as many square matrices for the source as for the target, (c, n, n) and "
                f"(c, m, m); got {tuple(d.shape)} and {tuple(b.shape)}"
            )
        if not bool(d.isfinite().all() and b.isfinite().all()):
            raise InputError("the matrices of the generators are not finite")

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n), the shape of the unknown matrix."""
        return self.target.shape[-1], self.source.shape[-1]

    @property
    def unknowns(self) -> int:
        """m·n."""
        return self.shape[0] * self.shape[1]

    @property
    def dtype(self) -> torch.dtype:
        """float64 where both representations are real, else complex128."""
        return torch.promote_types(self.source.dtype, self.target.dtype)

    @property
    def scale(self) -> float:
        """The typical size of C: the largest root mean square singular value of B_i plus D_i's."""
        m, n = self.shape
        sizes = self.target.norm(dim=(1, 2)) / m**0.5 + self.source.norm(dim=(1, 2)) / n**0.5
        return max(float(sizes.max()) if len(sizes) else 0.0, 1e-6)

    def apply(self, maps: Tensor) -> Tensor:
        """B_i A − A D_i: (*batch, m, n) to (c, *batch, m, n)."""
        maps = maps.to(self.dtype)
        parts = [
            b @ maps - maps @ d
            for b, d in zip(self.target.to(self.dtype), self.source.to(self.dtype), strict=True)
        ]
        return torch.stack(parts) if parts else maps.new_zeros(0, *maps.shape)

    def apply_adjoint(self, residuals: Tensor) -> Tensor:
        """Σ_i B_iᴴ R_i − R_i D_iᴴ: (c, *batch, m, n) to (*batch, m, n)."""
        result = torch.zeros_like(residuals[0]) if len(residuals) else residuals.sum(0)
        target, source = self.target.to(self.dtype).mH, self.source.to(self.dtype).mH
        for r, b, d in zip(residuals, target, source, strict=True):
            result += b @ r - r @ d
        return result

    def dense(self) -> Tensor:
        """C as a matrix (c·m·n, m·n) on the entries of A, row by row."""
        m, n = self.shape
        one_m, one_n = (torch.eye(size, dtype=self.dtype) for size in (m, n))
        blocks = [
            torch.kron(b.contiguous(), one_n) - torch.kron(one_m, d.mT.contiguous())
            for b, d in zip(self.target.to(self.dtype), self.source.to(self.dtype), strict=True)
        ]
        return torch.cat(blocks) if blocks else torch.zeros(0, m * n, dtype=self.dtype)

    def residual(self, maps: Tensor) -> float:
        """The largest ‖B_i A − A D_i‖ / ‖A‖ over equations i and maps A, Frobenius norms."""
        if not maps.numel() or not len(self.source):
            return 0.0
        worst = 0.0
        chunk = max(1, 2**24 // (self.unknowns * len(self.source)))
        for part in torch.split(maps, chunk):
            norms = self.apply(part).norm(dim=(-2, -1)) / part.norm(dim=(-2, -1))
            worst = max(worst, float(norms.max()))
        return worst

    def is_adjoint_closed(self) -> bool:
        """Whether intertwiners of (D_i, B_i) surely intertwine (D_iᴴ, B_iᴴ) too.

        So it is where both are unitary or both skew-Hermitian, and where the pairs of adjoints lie
        in the span of the pairs and the identity, as for tensors of Lorentz and symplectic groups.
        The algebra that the pairs generate is then a *-algebra, hence semisimple.
        """
        open_ones = [i for i in range(len(self.source)) if not self._adjoint_is_known(i)]
        if not open_ones:
            return True
        m, n = self.shape
        one = torch.cat([torch.eye(size, dtype=self.dtype).flatten() for size in (m, n)])
        span = torch.stack([self._pair(i) for i in range(len(self.source))] + [one])
        wanted = torch.stack([self._pair(i, adjoint=True) for i in open_ones])
        directions, sizes, _ = torch.linalg.svd(span.mT, full_matrices=False)
        directions = directions[:, sizes > 1e-10 * sizes[0]]
        rest = wanted.mT - directions @ (directions.mH @ wanted.mT)
        return bool((rest.norm(dim=0) <= 1e-10 * wanted.norm(dim=1)).all())

    def _pair(self, i: int, adjoint: bool = False) -> Tensor:
        both = (self.target[i], self.source[i])
        return torch.cat([(a.mH if adjoint else a).to(self.dtype).flatten() for a in both])

    def _adjoint_is_known(self, i: int) -> bool:
        both = (self.target[i], self.source[i])
        tolerance = 1e-11 * max(1.0, *(float(a.norm()) for a in both))
        if all(float((a + a.mH).norm()) <= tolerance for a in both):
            return True
        return all(
            float((a @ a.mH - torch.eye(len(a), dtype=a.dtype)).norm()) <= tolerance for a in both
        )


def intertwiner_constraints(
    source: Representation, target: Representation
) -> IntertwinerConstraints:
    """The equations of Hom_G(V, W) for generators of the group.

    For a finite group its generators; for a Lie group a basis of the Lie algebra, which accounts
    for the identity component, and generators of the component group.

    Raises:
        InputError: the representations are of different groups.
    """
    group = source.group
    if group != target.group:
        raise InputError(
            "intertwiners need two representations of one group, got one of "
            f"{group.name} and one of {target.group.name}"
        )
    lie = group if isinstance(group, LieGroup) else None
    elements = group.tensor(lie.component_generators() if lie else group.generators())
    pairs = []
    for representation in (source, target):
        matrices = representation.matrix_unchecked(elements).detach()
        if lie:
            basis = torch.eye(lie.dimension, dtype=torch.float64)
            matrices = torch.cat((representation.derivative(basis).detach(), matrices))
        pairs.append(matrices)
    return IntertwinerConstraints(*pairs)
