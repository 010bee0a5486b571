"""How much is trained and sampled."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The sizes of all experiments."""

    seeds: int = 5
    norm_steps: int = 40_000
    """Of SGD, as published, for norm and column ratios."""
    points: int = 40
    """Of the curves of ratios over training."""
    spectral_steps: int = 20_000
    noise_steps: int = 40_000
    """Of SGD without decay, with and without noise in the labels."""
    strengths: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1, 0.3)
    """λ of the L1 penalty and of the factors' decay."""
    sensing_steps: int = 4000
    chains: int = 10_000
    """Of the Langevin equation, for each seed."""
    sampler_steps: int = 1800


FULL = Sizes()
QUICK = Sizes(
    seeds=2,
    norm_steps=1200,
    points=10,
    spectral_steps=1500,
    noise_steps=1200,
    strengths=(0.01, 0.03),
    sensing_steps=500,
    chains=5000,
    sampler_steps=1500,
)
