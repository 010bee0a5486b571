"""A model with its weights moved at random, to tell a built-in symmetry from a lucky start."""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

from goldstone.core import InputError, generator

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def perturbed_copy(model: ModuleT, scale: float, seed: int) -> ModuleT:
    """A copy in evaluation mode with θ + scale·s·ξ for θ: ξ standard normal, s the size of θ.

    The size is the root mean square of the parameter tensor; of one that is all zeros, as biases
    and embeddings often start, the median size of the others. What is frozen stays: a fixed table
    of positions is a part of the architecture, a trainable one is not. Buffers stay too.

    Where the equivariance error is an analytic function of the weights it vanishes either for all
    of them or on a set of measure zero, so one random draw tells the two apart.

    Raises:
        InputError: the scale is negative or not finite.
    """
    if not 0 <= scale < torch.inf:
        raise InputError(f"expected a scale of zero or more for the perturbation, got {scale}")
    moved = copy.deepcopy(model).train()
    parameters = {n: p for n, p in moved.named_parameters() if p.requires_grad}
    sizes = {name: _root_mean_square(p) for name, p in parameters.items()}
    positive = sorted(size for size in sizes.values() if size > 0)
    typical = positive[len(positive) // 2] if positive else 1.0
    with torch.no_grad():
        for name, parameter in parameters.items():
            dtype = torch.complex128 if parameter.is_complex() else torch.float64
            source = generator(seed, "perturbed weights", name)
            noise = torch.randn(parameter.shape, generator=source, dtype=dtype)
            parameter.add_((scale * (sizes[name] or typical) * noise).to(parameter))
    # After the perturbation, as some layers expand their kernels when they leave training mode.
    return moved.eval()


def _root_mean_square(parameter: Tensor) -> float:
    if parameter.numel() == 0:
        return 0.0
    wide = parameter.detach().to(torch.complex128 if parameter.is_complex() else torch.float64)
    return float(wide.abs().square().mean().sqrt())
