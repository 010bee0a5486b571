"""Samplers of the stationary measure of noisy training: Langevin equations and SGD."""

from collections.abc import Callable, Iterator
from math import exp, sqrt

import torch
from torch import Tensor

from goldstone.core import InputError, generator

BatchLoss = Callable[[Tensor], Tensor]
"""The losses (chains) of parameters (chains, p)."""


def langevin_samples(
    loss: BatchLoss,
    start: Tensor,
    *,
    temperature: float,
    step: float,
    steps: int,
    seed: int,
    burn_in: int = 0,
    every: int = 1,
    friction: float | None = None,
    weight_decay: float = 0.0,
) -> Iterator[Tensor]:
    """Many independent chains of a Langevin equation, of stationary density e^{−(L + λ‖θ‖²/2)/T}.

    Without friction θ ← θ − hg + √(2Th) ξ, g the gradient (Euler and Maruyama), right to first
    order in the step h. With friction γ the equation with inertia, by the splitting BAOAB (B.
    Leimkuhler, C. Matthews, "Rational construction of stochastic numerical methods for molecular
    sampling", 2013), right to second order.

    Args:
        loss: L.
        start: (chains, p); not changed.
        temperature: T ≥ 0.
        step: h > 0.
        steps: in all.
        seed: of the noise.
        burn_in: steps before the first state that is given.
        every: give one of so many states after these.
        friction: γ > 0 of the equation with inertia (momentum), or None for the one without.
        weight_decay: λ.

    Returns:
        An iterator of θ, (chains, p), a new tensor each time.

    Raises:
        InputError: a setting is out of range, or the chains leave all bounds: the step is too long.
    """
    _check_run(step, steps, burn_in, every)
    if not temperature >= 0 or not (friction is None or friction > 0):
        raise InputError(
            f"expected a temperature ≥ 0 and a friction > 0 or None, got {temperature}, {friction}"
        )

    def states() -> Iterator[Tensor]:
        def gradient(theta: Tensor) -> Tensor:
            with torch.enable_grad():
                leaf = theta.detach().requires_grad_()
                slope = torch.autograd.grad(loss(leaf).sum(), leaf)[0]
            return slope + weight_decay * theta

        random = generator(seed, "langevin", device=start.device)
        theta = start.detach().clone()
        velocity = sqrt(temperature) * _noise(theta, random)
        keep = 0.0 if friction is None else exp(-friction * step)
        kick = sqrt(temperature * (1 - keep**2))
        slope = gradient(theta)
        for number in range(steps):
            if friction is None:
                noise = sqrt(2 * temperature * step) * _noise(theta, random)
                theta = theta - step * slope + noise
            else:
                velocity = velocity - step / 2 * slope
                theta = theta + step / 2 * velocity
                velocity = keep * velocity + kick * _noise(theta, random)
                theta = theta + step / 2 * velocity
            slope = gradient(theta)
            if friction is not None:
                velocity = velocity - step / 2 * slope
            if number >= burn_in and (number - burn_in) % every == 0:
                yield _finite(theta.clone(), step)

    return states()


def sgd_samples(
    loss: Callable[[Tensor, Tensor], Tensor],
    samples: int,
    start: Tensor,
    *,
    batch: int,
    learning_rate: float,
    steps: int,
    seed: int,
    burn_in: int = 0,
    every: int = 1,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    noise: Tensor | None = None,
) -> Iterator[Tensor]:
    """Many independent runs of SGD, each with its own mini-batches, as a sampler.

    v ← μv + g + λθ + Bξ, θ ← θ − lr·v, with g the gradient of a mini-batch drawn with replacement,
    and ξ standard normal: the update of ``torch.optim.SGD`` with gradient noise of covariance BBᵀ
    added.

    Args:
        loss: of parameters (chains, p) and sample numbers (chains, batch), the mean loss (chains)
            of each mini-batch.
        samples: how many samples there are.
        start: (chains, p); not changed.
        batch: samples in a mini-batch.
        learning_rate: lr.
        steps: in all.
        seed: of batches and noise.
        burn_in: steps before the first state that is given.
        every: give one of so many states after these.
        momentum: μ, 0 or more and below 1.
        weight_decay: λ.
        noise: B, (p, q) for anisotropic noise, or None.

    Returns:
        An iterator of θ, (chains, p), a new tensor each time.

    Raises:
        InputError: a setting is out of range, or the runs diverge.
    """
    _check_run(learning_rate, steps, burn_in, every)
    if not 0 <= momentum < 1 or batch < 1 or samples < 1:
        raise InputError(
            "expected a momentum of 0 or more and below 1, a batch and samples ≥ 1, got "
            f"{momentum}, {batch}, {samples}"
        )
    if noise is not None and (noise.ndim != 2 or noise.shape[0] != start.shape[-1]):
        raise InputError(
            f"expected a noise factor ({start.shape[-1]}, q), got {tuple(noise.shape)}"
        )

    def states() -> Iterator[Tensor]:
        random = generator(seed, "sgd", device=start.device)
        theta = start.detach().clone()
        velocity = torch.zeros_like(theta)
        for number in range(steps):
            chosen = torch.randint(
                samples, (len(theta), batch), generator=random, device=theta.device
            )
            with torch.enable_grad():
                leaf = theta.detach().requires_grad_()
                slope = torch.autograd.grad(loss(leaf, chosen).sum(), leaf)[0]
            slope = slope + weight_decay * theta
            if noise is not None:
                size = (len(theta), noise.shape[1])
                slope = slope + _normal(size, theta, random) @ noise.to(theta).mT
            velocity = momentum * velocity + slope
            theta = theta - learning_rate * velocity
            if number >= burn_in and (number - burn_in) % every == 0:
                yield _finite(theta.clone(), learning_rate)

    return states()


def _noise(like: Tensor, random: torch.Generator) -> Tensor:
    return _normal(tuple(like.shape), like, random)


def _normal(shape: tuple[int, ...], like: Tensor, random: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=random, device=like.device, dtype=like.dtype)


def _finite(theta: Tensor, step: float) -> Tensor:
    if not bool(torch.isfinite(theta).all()):
        raise InputError(f"the chains left all bounds; take a step below {step:g}")
    return theta


def _check_run(step: float, steps: int, burn_in: int, every: int) -> None:
    if not step > 0 or steps < 1 or every < 1 or not 0 <= burn_in < steps:
        raise InputError(
            "expected a step > 0, steps ≥ 1, every ≥ 1 and 0 ≤ burn_in < steps, got "
            f"{step}, {steps}, {every}, {burn_in}"
        )
