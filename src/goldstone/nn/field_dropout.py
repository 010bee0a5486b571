"""Dropout of whole fields."""

import torch
from torch import Tensor
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.parts import check_components, flat_parts, part_of_channel
from goldstone.representations import Representation


class FieldDropout(Constants):
    """Each part ("field") of a representation is zero with probability p, else divided by 1 − p.

    All components of a part share one draw for each sample, over the whole grid, so in training too
    the layer is linear and commutes with the group for every draw; dropout of single channels does
    not. In eval mode nothing changes.

    Args:
        source: representation of the channels, axis 1; the output's as well.
        p: the probability.

    Raises:
        InputError: p is not in [0, 1).
    """

    _part: Tensor

    @computed_on_cpu
    def __init__(
        self, source: Representation, p: float = 0.5, *, device: torch.device | str | None = None
    ) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise InputError(f"expected a probability of 0 or more and less than 1, got {p}")
        self.source = self.target = source
        self.p, self.fields = p, len(flat_parts(source))
        self.register_constant("_part", part_of_channel(source))
        self.cast(device, torch.get_default_dtype())

    def forward(self, x: Tensor) -> Tensor:
        """Drop fields of (batch, channels, …)."""
        check_components(x, self.source, 1, size=self._part.shape[0])
        if not self.training:
            return x
        kept = functional.dropout(x.new_ones(x.shape[0], self.fields), self.p)
        kept = kept.index_select(1, self._part)
        return x * kept.reshape(*kept.shape, *[1] * (x.ndim - 2))

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.source.group.name}, {self.fields} fields, p={self.p}"
