"""Folding equivariant networks into ordinary ones."""

import copy
from typing import Any, TypeVar

from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def to_plain(network: Network) -> nn.Module:
    """A copy in which every layer with a ``to_plain`` method is replaced by what that returns.

    Steerable convolutions become :class:`torch.nn.Conv2d`, equivariant linear layers
    :class:`torch.nn.Linear` and orbit batch norms :class:`torch.nn.BatchNorm2d` with the same
    output in eval mode; all else stays. So inference costs what the ordinary network costs, and
    exports hold nothing of the group. The weights are those of now: train the equivariant network,
    not its copy.

    Args:
        network: any module, or one such layer.
    """
    folded: dict[int, nn.Module] = {}

    def fold(module: nn.Module) -> nn.Module:
        if id(module) in folded:
            return folded[id(module)]
        method: Any = getattr(module, "to_plain", None)
        folded[id(module)] = plain = method() if callable(method) else module
        if plain is module:
            # Not named_children, which lists a shared module once.
            for name, child in list(module._modules.items()):
                if child is not None:
                    setattr(module, name, fold(child))
        return plain

    return fold(copy.deepcopy(network).eval())
