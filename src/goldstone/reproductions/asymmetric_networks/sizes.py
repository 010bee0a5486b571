"""How much is trained, and what the networks of the two data sets look like."""

from dataclasses import dataclass

ARMS = (
    "standard",
    "W-asymmetric",
    "W-asymmetric, zeros",
    "σ-asymmetric",
    "σ-asymmetric, N(0, 1)",
)
"""The zeros are the fixed entries for κ = 0, as in the paper's proof; σ has F ~ N(0, 1/width)."""

MNIST_ARMS = ("standard", "W-asymmetric", "σ-asymmetric")
ALIGNED = "standard, aligned"
INTERPOLATED = ("standard", "W-asymmetric", "σ-asymmetric")
BAYESIAN = ("standard", "W-asymmetric")
CONTROLS = ("W-asymmetric, zeros", "standard, point estimate")
"""Of the deepest Bayesian network: without large fixed entries, and without a posterior."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything. Training is by epochs, batches of 64 unless said otherwise."""

    width: int = 256
    digits_pairs: int = 5
    digits_epochs: int = 20
    mnist_pairs: int = 3
    mnist_epochs: int = 8
    mnist_images: int = 10_000
    mnist_test: int = 4_000
    points: int = 25
    """Along every straight line."""
    interpolation_runs: int = 10
    """Of each arm, of random hyperparameters, for interpolation from the initialisation."""
    interpolation_epochs: tuple[int, int] = (10, 40)
    speed_seeds: int = 3
    speed_counts: tuple[int, ...] = (8, 16, 32, 48)
    """Fixed entries of each unit of the first layer, of 64; in the hidden ones four times that."""
    speed_scales: tuple[float, ...] = (0.5, 1.0, 2.0)
    speed_epochs: int = 15
    bayesian_seeds: int = 3
    bayesian_depths: tuple[int, ...] = (8, 16, 32)
    bayesian_width: int = 64
    bayesian_epochs: int = 20


FULL = Sizes()
QUICK = Sizes(
    width=64,
    digits_pairs=1,
    digits_epochs=4,
    mnist_pairs=1,
    mnist_epochs=1,
    mnist_images=640,
    mnist_test=200,
    points=5,
    interpolation_runs=1,
    interpolation_epochs=(2, 4),
    speed_seeds=1,
    speed_counts=(16,),
    speed_scales=(1.0,),
    speed_epochs=3,
    bayesian_seeds=1,
    bayesian_depths=(4,),
    bayesian_width=32,
    bayesian_epochs=3,
)
