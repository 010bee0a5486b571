"""Marginal potentials of predictors: all of an orbit's points counted."""

import torch
from torch import Tensor

from goldstone.core import InputError


def hadamard_marginal(norms: Tensor, decay: float, temperature: float, size: int = 1) -> Tensor:
    """−T log of the density of θ = g·f in e^{−(λ/2)(g² + ‖f‖²)/T}, up to a constant.

    g is a number and f has ``size`` entries (one: the Hadamard product of two numbers). With
    r = ‖θ‖, m = size and x = λr/T it is −T log[r^{(1−m)/2} K_{(m−1)/2}(x)]: for x ≫ 1 about λr, the
    group lasso; for r → 0 it falls without bound, as −T log log(1/r) for m = 1 and T(m − 1) log r
    for m > 1. A loss of θ adds to it: e^{−(ℓ + potential)/T} is the marginal density of θ.

    Args:
        norms: r > 0, any shape.
        decay: λ > 0.
        temperature: T > 0.
        size: m ≥ 1.

    Returns:
        Of the same shape, float64. By SciPy: without gradients.

    Raises:
        InputError: a number is not positive.
    """
    if not (decay > 0 and temperature > 0 and size >= 1 and bool((norms > 0).all())):
        raise InputError(
            "expected a decay, a temperature, a size and norms > 0, got "
            f"{decay}, {temperature}, {size} and norms from {float(norms.min()):.3g}"
        )
    from scipy.special import kve

    r = norms.detach().double().cpu()
    x = decay * r / temperature
    # K = e^{−x}·kve, which does not underflow.
    log_bessel = torch.as_tensor(kve((size - 1) / 2, x.numpy())).log() - x
    return -temperature * (0.5 * (1 - size) * r.log() + log_bessel)
