"""A model's trainable parameters as one real vector."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


def trainable_parameters(model: nn.Module) -> dict[str, Tensor]:
    """The parameters with ``requires_grad``, by name, in the module's order."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def vector_size(parameters: Mapping[str, Tensor]) -> int:
    """Real numbers in the parameter vector; a complex parameter counts twice."""
    return sum(_size(p) for p in parameters.values())


def parameter_slices(parameters: Mapping[str, Tensor]) -> dict[str, slice]:
    """Where each parameter lies in the vector."""
    result, start = {}, 0
    for name, p in parameters.items():
        result[name] = slice(start, start + _size(p))
        start += _size(p)
    return result


def real_dtype(parameters: Mapping[str, Tensor]) -> torch.dtype:
    """The dtype of the parameter vector: that of the first parameter's real numbers."""
    first = next(iter(parameters.values()))
    return first.real.dtype if first.is_complex() else first.dtype


def flatten_into(tensors: Sequence[Tensor], out: Tensor) -> None:
    """Write ``tensors`` one after another into the vector ``out``, complex ones as (re, im)."""
    real = [torch.view_as_real(t) if t.is_complex() else t for t in tensors]
    torch.cat([t.reshape(-1).to(out.device) for t in real], out=out)


def split_vector(vector: Tensor, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of :func:`flatten_into`: the vector's parts, shaped as the parameters."""
    result, start = {}, 0
    for name, p in like.items():
        part = vector[start : start + _size(p)].to(p.real.dtype if p.is_complex() else p.dtype)
        if p.is_complex():
            # Not view_as_complex, which needs an even place in the vector.
            result[name] = torch.complex(*part.reshape(*p.shape, 2).unbind(-1))
        else:
            result[name] = part.reshape(p.shape)
        start += _size(p)
    return result


def _size(p: Tensor) -> int:
    return p.numel() * (2 if p.is_complex() else 1)
