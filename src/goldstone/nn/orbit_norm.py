"""What normalisations of fields have in common: the fields, and a weight and bias for each."""

import torch
from torch import Tensor, nn

from goldstone.nn.constants import Constants
from goldstone.nn.orbit_statistics import FieldParts
from goldstone.representations import Representation


class OrbitNorm(Constants):
    """The fields of a representation with a learned weight and bias for each.

    ``weight`` and ``bias`` are None without ``affine``; ``components`` is the number of channels of
    a field where it is a plain block of them, else None.
    """

    _part: Tensor
    _weights: Tensor
    _centred: Tensor

    def __init__(
        self,
        source: Representation,
        eps: float,
        affine: bool,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__()
        fields = FieldParts(source, type(self).__name__)
        self.source = self.target = source
        self.eps = eps
        self.fields, self.components = fields.count, fields.components
        dtype = dtype or torch.get_default_dtype()
        self.weight = self.bias = None
        if affine:
            self.weight = nn.Parameter(torch.ones(self.fields, device=device, dtype=dtype))
            self.bias = nn.Parameter(torch.zeros(self.fields, device=device, dtype=dtype))
        self.register_constant("_part", fields.part)
        self.register_constant("_weights", fields.weights)
        self.register_constant("_centred", fields.centred)
        self.cast(device, dtype)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Weights one, biases zero."""
        if self.weight is not None and self.bias is not None:
            nn.init.ones_(self.weight)
            nn.init.zeros_(self.bias)

    def _of_channels(self) -> tuple[Tensor | None, Tensor | None]:
        """Weight and bias of each channel, the bias zero where no mean is subtracted."""
        if self.weight is None or self.bias is None:
            return None, None
        return self.weight[self._part], (self.bias * self._centred.to(self.bias))[self._part]
