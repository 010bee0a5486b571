"""Direct sums of representations."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.representation import Representation


@dataclass(frozen=True)
class DirectSum(Representation):
    """ρ₁ ⊕ ρ₂ ⊕ …: block-diagonal, the parts in order."""

    parts: tuple[Representation, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        if not self.parts or any(part.group != self.group for part in self.parts):
            raise InputError(
                "a direct sum needs one or more representations of the same group "
                f"({self.group.name}), got {[p.group.name for p in self.parts]}"
            )

    @property
    def dimension(self) -> int:
        return sum(part.dimension for part in self.parts)

    @property
    def dtype(self) -> torch.dtype:
        is_complex = any(part.dtype.is_complex for part in self.parts)
        return torch.complex128 if is_complex else torch.float64

    def _matrices(self, g: Tensor) -> Tensor:
        # Equal parts are computed once.
        blocks = {part: part.matrix_unchecked(g) for part in dict.fromkeys(self.parts)}
        return self._block_diagonal([blocks[part] for part in self.parts])

    def _derivatives(self, x: Tensor) -> Tensor:
        blocks = {part: part.derivative(x) for part in dict.fromkeys(self.parts)}
        return self._block_diagonal([blocks[part] for part in self.parts])

    def _block_diagonal(self, blocks: list[Tensor]) -> Tensor:
        batch = blocks[0].shape[:-2]
        result = torch.zeros(
            (*batch, self.dimension, self.dimension), dtype=self.dtype, device=blocks[0].device
        )
        start = 0
        for block in blocks:
            size = block.shape[-1]
            result[..., start : start + size, start : start + size] = block
            start += size
        return result

    @property
    def allows_pointwise(self) -> bool:
        return all(part.allows_pointwise for part in self.parts)


def multiple(representation: Representation, copies: int) -> DirectSum:
    """``copies`` copies of a representation."""
    return DirectSum(representation.group, (representation,) * copies)
