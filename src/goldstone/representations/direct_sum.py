"""Direct sums of representations."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.representations.derived import CompoundRepresentation
from goldstone.representations.representation import Representation


@dataclass(frozen=True)
class DirectSum(CompoundRepresentation):
    """ρ₁ ⊕ ρ₂ ⊕ …: block-diagonal, the parts in order."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_one_group("a direct sum")

    @property
    def dimension(self) -> int:
        return sum(part.dimension for part in self.parts)

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


def multiple(representation: Representation, copies: int) -> DirectSum:
    """``copies`` copies of a representation."""
    return DirectSum(representation.group, (representation,) * copies)
