"""The linear equations of intertwiners, from generators of the group alone."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.representation import Representation
from goldstone.representations.unitary_form import generator_matrices


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
        m, n = self.shape
        inside = maps.reshape(-1, m, n).transpose(0, 1)
        dtype = torch.promote_types(self.dtype, maps.dtype)
        result = self.apply_inside(inside.to(dtype)).transpose(1, 2)
        return result.reshape(len(self.source), *maps.shape)

    def apply_adjoint(self, residuals: Tensor) -> Tensor:
        """Σ_i B_iᴴ R_i − R_i D_iᴴ: (c, *batch, m, n) to (*batch, m, n)."""
        m, n = self.shape
        flat = residuals.reshape(len(self.source), residuals[0].numel() // (m * n), m, n)
        result = self.apply_adjoint_inside(flat.transpose(1, 2).to(self.dtype)).transpose(0, 1)
        return result.reshape(residuals.shape[1:])

    def apply_inside(self, maps: Tensor) -> Tensor:
        """As :meth:`apply`, the batch inside: (m, batch, n) to (c, m, batch, n).

        So that each side is one large product of matrices.
        """
        (m, n), c = self.shape, len(self.source)
        batch = maps.shape[1]
        left = self.target.to(maps.dtype).reshape(c * m, m) @ maps.reshape(m, batch * n)
        right = maps.reshape(m * batch, n) @ self.source.to(maps.dtype).transpose(0, 1).flatten(1)
        result: Tensor = left.reshape(c, m, batch, n)
        result -= right.reshape(m, batch, c, n).permute(2, 0, 1, 3)
        return result

    def apply_adjoint_inside(self, residuals: Tensor) -> Tensor:
        """As :meth:`apply_adjoint`, the batch inside: (c, m, batch, n) to (m, batch, n)."""
        (m, n), c = self.shape, len(self.source)
        batch = residuals.shape[2]
        left = self.target.to(self.dtype).reshape(c * m, m).mH
        right = self.source.to(self.dtype).transpose(0, 1).flatten(1).mH
        result = left @ residuals.reshape(c * m, batch * n)
        beside = residuals.permute(1, 2, 0, 3).reshape(m * batch, c * n)
        return result.reshape(m, batch, n) - (beside @ right).reshape(m, batch, n)

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
        """Whether all equations belong to the part of :meth:`adjoint_closed_part`."""
        return len(self.adjoint_closed_part()) == len(self.source)

    def adjoint_closed_part(self) -> list[int]:
        """The equations (D_i, B_i) whose intertwiners surely intertwine (D_iᴴ, B_iᴴ) too.

        So it is where both are unitary or both skew-Hermitian, and where the pairs of adjoints lie
        in the span of the part's pairs and the identity, as for tensors of Lorentz and symplectic
        groups. The algebra that the part generates is a *-algebra, hence semisimple.
        """
        known = [i for i in range(len(self.source)) if self._adjoint_is_known(i)]
        part = list(range(len(self.source)))
        while True:
            others = [i for i in part if i not in known]
            spanned = self._adjoints_in_span(others, part) if others else []
            if len(spanned) == len(others):
                return part
            part = sorted(known + spanned)

    def part(self, equations: list[int]) -> "IntertwinerConstraints":
        """Some of the equations."""
        return IntertwinerConstraints(self.source[equations], self.target[equations])

    def _adjoints_in_span(self, wanted: list[int], part: list[int]) -> list[int]:
        one = torch.cat([torch.eye(size, dtype=self.dtype).flatten() for size in self.shape])
        span = torch.stack([self._pair(i) for i in part] + [one]).mT
        adjoints = torch.stack([self._pair(i, adjoint=True) for i in wanted]).mT
        directions, sizes, _ = torch.linalg.svd(span, full_matrices=False)
        directions = directions[:, sizes > 1e-10 * sizes[0]]
        rest = adjoints - directions @ (directions.mH @ adjoints)
        inside = rest.norm(dim=0) <= 1e-10 * adjoints.norm(dim=0)
        return [i for i, yes in zip(wanted, inside.tolist(), strict=True) if yes]

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
    pairs = [torch.cat(generator_matrices(each)) for each in (source, target)]
    return IntertwinerConstraints(*pairs)
