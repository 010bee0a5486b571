"""The norms of fields: from equivariant to invariant channels."""

import torch
from torch import Tensor

from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.memory_format import in_format_of
from goldstone.nn.parts import check_components, check_unitary, flat_parts, part_of_channel
from goldstone.representations import DirectSum, Representation, TrivialRepresentation


class NormPool(Constants):
    """y_c = √(mean_k |x[c, k]|²), one invariant channel for each part of a representation.

    What :class:`GroupPool` is for fields on a group this is for vectors, tensors and other irreps,
    whose components no element permutes. The root is never less than 1e-6, so that gradients at 0
    are finite. Where a sign should stay, as of scalars, map to trivial parts instead.

    (batch, channels, …) → (batch, parts, …); the channels then turn as plain images do.

    Args:
        source: representation of the channels.

    Attributes:
        target: as many trivial parts.

    Raises:
        InputError: a part is not unitary, so that the group changes norms.
    """

    _part: Tensor
    _weights: Tensor

    @computed_on_cpu
    def __init__(
        self,
        source: Representation,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_unitary(source, "NormPool")
        parts = flat_parts(source)
        trivial = TrivialRepresentation(source.group)
        self.source, self.fields = source, len(parts)
        self.target: Representation = DirectSum(source.group, (trivial,) * len(parts))
        part = part_of_channel(source)
        sizes = torch.tensor([each.dimension for each in parts], dtype=torch.float64)
        self.register_constant("_part", part)
        self.register_constant("_weights", 1 / sizes[part])
        self.cast(device, (dtype or torch.get_default_dtype()).to_real())

    def forward(self, x: Tensor) -> Tensor:
        """Pool (batch, channels, …)."""
        check_components(x, self.source, 1, size=self._part.shape[0])
        squares = x.abs().square()
        weights = self._weights.to(squares.dtype).reshape(-1, *[1] * (x.ndim - 2))
        power = squares.new_zeros(x.shape[0], self.fields, *x.shape[2:])
        power = power.index_add(1, self._part, squares * weights)
        return in_format_of(x, (power + 1e-12).sqrt())

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.source.group.name}, {self.source.dimension} → {self.target.dimension}"
