"""Second moments under normal inputs: what nonlinearities divide by to keep variance at one."""

from collections.abc import Callable
from math import lgamma, log

import torch
from torch import Tensor

_POINTS = 20_001


def second_moment(function: Callable[[Tensor], Tensor]) -> float:
    """E |f(z)|², z standard normal, by the trapezoidal rule on [−12, 12] in float64."""
    z = torch.linspace(-12, 12, _POINTS, dtype=torch.float64, device="cpu")
    density = (-z.square() / 2).exp() / (2 * torch.pi) ** 0.5
    return float(torch.trapezoid(density * function(z).abs().square(), z))


def radial_second_moment(function: Callable[[Tensor], Tensor], dimension: int) -> float:
    """E f(r)², k r² chi-squared with k degrees of freedom: r the rms of k standard normals."""
    k = dimension
    r = torch.linspace(0, 1 + 12 / k**0.5, _POINTS, dtype=torch.float64, device="cpu")[1:]
    # The density 2 (k/2)^{k/2} r^{k−1} e^{−k r²/2} / Γ(k/2).
    logarithm = log(2) + k / 2 * log(k / 2) - lgamma(k / 2) + (k - 1) * r.log() - k * r.square() / 2
    return float(torch.trapezoid(logarithm.exp() * function(r).square(), r))
