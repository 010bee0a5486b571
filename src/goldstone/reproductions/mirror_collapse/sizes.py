"""How much is trained."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The sizes of all experiments."""

    seeds: int = 5
    duplicate_steps: int = 2000
    tasks: int = 160
    """Permutations of the digits' pixels, one after the other."""
    epochs: int = 2
    """Of each task."""
    strengths: tuple[float, ...] = (1e-4, 1e-3, 1e-2)
    """λ of weight decay and of syre."""
    rank_steps: int = 10_000
    rates: tuple[float, ...] = (1e-3, 1e-2, 2e-2, 3e-2, 5e-2)
    """Learning rates of the factorisations."""
    lasso_steps: int = 20_000


FULL = Sizes()
QUICK = Sizes(
    seeds=2,
    duplicate_steps=600,
    tasks=8,
    epochs=1,
    strengths=(1e-2,),
    rank_steps=400,
    rates=(1e-2, 5e-2),
    lasso_steps=12_000,
)
