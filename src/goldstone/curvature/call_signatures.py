"""Torch's functions that apply linear maps or scales, and the names of their arguments in order."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

LINEAR = ("input", "weight", "bias")
CONVOLUTIONS = (torch.conv1d, torch.conv2d, torch.conv3d)
TRANSPOSED = (torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d)
CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
TRANSPOSED_CONVOLUTION = (
    "input",
    "weight",
    "bias",
    "stride",
    "padding",
    "output_padding",
    "groups",
    "dilation",
)
ATTENTION = (
    "query",
    "key",
    "value",
    "embed_dim_to_check",
    "num_heads",
    "in_proj_weight",
    "in_proj_bias",
    "bias_k",
    "bias_v",
    "add_zero_attn",
    "dropout_p",
    "out_proj_weight",
    "out_proj_bias",
)
NORMS: dict[Callable[..., Any], tuple[str, ...]] = {
    functional.layer_norm: ("input", "normalized_shape", "weight", "bias"),
    functional.group_norm: ("input", "num_groups", "weight", "bias"),
    functional.batch_norm: ("input", "running_mean", "running_var", "weight", "bias"),
    functional.instance_norm: ("input", "running_mean", "running_var", "weight", "bias"),
}


def bound(names: tuple[str, ...], args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name."""
    return dict(zip(names, args, strict=False)) | named
