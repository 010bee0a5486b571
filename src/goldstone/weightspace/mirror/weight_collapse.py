"""Collapse of a model's layers, from their weights."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from goldstone.core import InputError, check_finite
from goldstone.weightspace.mirror.collapse import (
    CollapseReport,
    Modulo,
    check_collapse_settings,
    layer_collapse,
)


def weight_collapse(
    model: nn.Module, tolerance: float = 1e-3, modulo: Modulo = "nothing"
) -> CollapseReport:
    """Dead and duplicate units and the rank of every linear, convolution and attention layer.

    A unit's vector is its incoming weights with its bias; a dead one gives a constant whatever the
    input. Ranks are those of the weight as a matrix (outputs, everything else). Weights that are
    parametrised count as they are used.

    Args:
        model: of ``nn.Linear``, ``nn.Conv…d`` and their transposes, ``nn.MultiheadAttention``.
        tolerance: relative; 10⁻³ suits single precision.
        modulo: up to what units count as equal; see :data:`Modulo`.

    Raises:
        InputError: there is no such layer, or a weight is not finite.
    """
    check_collapse_settings(tolerance, modulo)
    layers = {}
    with torch.no_grad():
        for name, weight, bias in weight_matrices(model):
            check_finite(weight, f"the weight of {name!r}")
            vectors = weight if bias is None else torch.cat((weight, bias[:, None]), 1)
            layers[name] = layer_collapse(
                vectors @ vectors.mT, torch.linalg.svdvals(weight), tolerance, modulo
            )
    if not layers:
        raise InputError(
            f"{type(model).__name__} has no linear, convolution or attention layer whose units "
            "could be compared"
        )
    return CollapseReport("weights", tolerance, modulo, layers)


def weight_matrices(model: nn.Module) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    """Name, weight (units, inputs) and bias (units) of each layer, in float64 on the CPU.

    The queries, keys and values of attention come apart. A grouped convolution is block diagonal:
    units of different groups read different inputs.
    """
    for name, module in model.named_modules():
        if isinstance(module, _ConvNd):
            blocks = module.weight.chunk(module.groups)
            if isinstance(module, _ConvTransposeNd):
                blocks = tuple(block.transpose(0, 1) for block in blocks)
            joined: Tensor = torch.block_diag(*map(_matrix, blocks))  # type: ignore[no-untyped-call]
            yield name, joined, _vector(module.bias)
        elif isinstance(module, nn.Linear):
            yield name, _matrix(module.weight), _vector(module.bias)
        elif isinstance(module, nn.MultiheadAttention):
            yield from _attention(name, module)


def _attention(
    name: str, module: nn.MultiheadAttention
) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    weights = (
        (module.q_proj_weight, module.k_proj_weight, module.v_proj_weight)
        if module.in_proj_weight is None
        else module.in_proj_weight.chunk(3)
    )
    biases = (None,) * 3 if module.in_proj_bias is None else module.in_proj_bias.chunk(3)
    for part, weight, bias in zip("qkv", weights, biases, strict=True):
        yield f"{name}.{part}", _matrix(weight), _vector(bias)


def _matrix(weight: Tensor) -> Tensor:
    return weight.detach().flatten(1).cpu().double()


def _vector(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach().cpu().double()
