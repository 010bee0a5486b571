"""What normalisations of fields have in common: the fields, and a weight and bias for each."""

import torch
from torch import Tensor, nn

from goldstone.nn.orbit_statistics import FieldParts
from goldstone.representations import Representation


class OrbitNorm(nn.Module):
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
        self.register_buffer("_part", fields.part.to(device), persistent=False)
        self.register_buffer("_weights", fields.weights.to(device, dtype), persistent=False)
        self.register_buffer("_centred", fields.centred.to(device, dtype), persistent=False)
