"""Dropout that keeps equivariance."""

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.parts import check_components, part_of_channel
from goldstone.representations import Representation


class PartDropout(nn.Module):
    """Zero whole parts of a feature with probability p in training, the others over 1 − p.

    All components of a vector are dropped together, and with each draw the layer is equivariant.
    Ordinary dropout of single components turns with nothing. On fields and sets every place draws
    for itself unless ``shared``.

    Args:
        representation: of the components.
        p: probability of a part to be dropped.
        axis: that of the components; the first axis is the batch's.
        shared: one draw for all places of a sample, as ``nn.Dropout2d`` does.

    Raises:
        InputError: p is no probability below 1.
    """

    _part: Tensor

    def __init__(
        self,
        representation: Representation,
        p: float = 0.5,
        *,
        axis: int = -1,
        shared: bool = False,
    ) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise InputError(f"expected a probability of at least 0 and below 1, got {p}")
        self.representation, self.p, self.axis, self.shared = representation, p, axis, shared
        part = part_of_channel(representation)
        self.parts = 1 + int(part.max())
        self.register_buffer("_part", part, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Drop parts along the axis; nothing in evaluation."""
        check_components(x, self.representation, self.axis, size=len(self._part))
        if not self.training or not self.p:
            return x
        shape = [len(x)] + [1] * (x.ndim - 1) if self.shared else list(x.shape)
        shape[self.axis] = self.parts
        real = x.real if x.is_complex() else x
        kept = torch.rand(shape, device=x.device, dtype=torch.float32) >= self.p
        factors = kept.index_select(self.axis, self._part).to(real.dtype) / (1 - self.p)
        return x * factors

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.representation.group.name}, {self.representation.dimension}, p={self.p:g}"
