"""How far apart two networks are as functions."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from goldstone.core import trees


def output_difference(model: nn.Module, other: nn.Module, inputs: Sequence[Any]) -> float:
    """Max |f(x) − f′(x)| over max |f(x)|, in float64.

    Args:
        model: f; not changed.
        other: f′; not changed.
        inputs: positional arguments.
    """
    arguments = tuple(
        trees.map_leaves(lambda x: x.double() if x.is_floating_point() else x, one)
        for one in inputs
    )
    outputs = []
    for one in (model, other):
        with torch.no_grad():
            leaves = trees.leaves(copy.deepcopy(one).double()(*arguments))
        outputs.append(torch.cat([x.double().reshape(-1) for x in leaves]))
    before, after = outputs
    size = before.abs().max().clamp_min(torch.finfo(torch.float64).tiny)
    return float((before - after).abs().max() / size)
