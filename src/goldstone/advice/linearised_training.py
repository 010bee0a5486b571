"""Training in the tangent space of a model, followed in its kernel."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from goldstone.advice.output_losses import Losses
from goldstone.advice.tangent_kernel import TangentKernel, without_negative
from goldstone.auditing.further_training import FineTuning

BETAS = (0.9, 0.999)
OWN_SHARE = 0.6
"""κ, chosen on half of the models of benchmarks/validity/price.py."""
_DIVERGED = 1e3


@dataclass(frozen=True, eq=False)
class LinearisedRun:
    """Losses on samples that were not trained on.

    Attributes:
        steps: the looks, 0 first.
        losses: (looks, n, poses) float64.
        trained: the same of the samples that were.
        stable: no loss grew a thousand times; if not, the looks end there.
    """

    steps: tuple[int, ...]
    losses: Tensor
    trained: Tensor
    stable: bool


@dataclass(frozen=True, eq=False)
class LinearisedTraining:
    """The optimiser's steps on f(x) + J(x)(θ − θ₀), each on the mean gradient over all batches.

    Along the directions b the outputs of a sample that is trained on, u, and of one that is not, v,
    move by

    u ← u − lr (Θ°/m + (1 − 1/m) Θ̄) W ∇ℓ(u),  v ← v − lr Θ̄ W ∇ℓ(u),

    W the weights of the poses, m the number of samples in the pool, Θ° the blocks of Θ that are a
    sample's own, and Θ̄ the mean over other samples. For m = n the first is exact. With more, or
    fresh samples at every step, v = u and both move by

    [κ Θ/n + (1 − κ) Θ̄]⁺ W ∇ℓ(u):

    Θ̄ is without bias but has negative eigenvalues, and without them (⁺) it lacks the slow modes;
    Θ/n has them, but learns the samples by heart. κ = :data:`OWN_SHARE` lies between, the share of
    what a sample does to itself that its neighbours in more data would do.

    Momentum as SGD has it. Adam's moments are those of the start, which are in the kernel, times
    one number: the running mean of E‖g_B‖² over its value at the start.

    Attributes:
        kernel: between the samples' poses and directions.
        losses: of the n · poses outputs along the directions, the samples slower.
        tuning: the optimiser; its batch sets the noise that Adam sees.
    """

    kernel: TangentKernel
    losses: Losses
    tuning: FineTuning

    def run(
        self,
        pool: float,
        shares: Sequence[float],
        looks: Sequence[int],
        own_share: float = OWN_SHARE,
    ) -> LinearisedRun:
        """Train on ``pool`` distinct samples; more than n count as fresh ones at every step.

        ``shares`` are those of the poses in a batch, ``own_share`` is κ.
        """
        n, width = self.kernel.values.shape[:2]
        poses = self.kernel.poses
        q = width // poses
        weights = torch.tensor(shares, dtype=torch.float64).repeat_interleave(q)
        fresh = pool > n
        # Single precision: the products with these take most of the time.
        across = (self._population(own_share) if fresh else self.between).float()
        inside = across if fresh else (1 - 1 / pool) * across + self.kernel.of_own().float() / pool
        stepper = _Stepper(self.tuning, self.kernel.own, shares)
        seen = unseen = torch.zeros(n, width, dtype=torch.float64)

        def losses_at(moves: Tensor) -> Tensor:
            return self.losses.values(moves.reshape(n * poses, q)).reshape(n, poses)

        steps, found, trained = [0], [losses_at(unseen)], [losses_at(seen)]
        limit = _DIVERGED * float(found[0].mean())
        wanted = set(looks)
        for step in range(1, max(wanted) + 1):
            slopes = self.losses.slopes(seen.reshape(n * poses, q)).reshape(n, width)
            pull = (slopes * weights).reshape(-1).float()
            by_others = (across @ pull).double().reshape(n, width)
            own = by_others if fresh else (inside @ pull).double().reshape(n, width)
            moved, unmoved = stepper.step(step, slopes, slopes * weights, own, by_others)
            seen, unseen = seen - moved, unseen - unmoved
            if step in wanted:
                steps.append(step)
                found.append(losses_at(unseen))
                trained.append(losses_at(seen))
                if not float(found[-1].mean() + trained[-1].mean()) <= limit:
                    return self._result(steps, found, trained, stable=False)
        return self._result(steps, found, trained, stable=True)

    @cached_property
    def between(self) -> Tensor:
        """Θ̄."""
        return self.kernel.between()

    def _population(self, own_share: float) -> Tensor:
        """[κ Θ/n + (1 − κ) Θ̄]⁺."""
        n = self.kernel.n
        others = own_share * (n - 1) / n + 1 - own_share
        return without_negative(others * self.between + own_share / n * self.kernel.of_own())

    def _result(
        self, steps: list[int], found: list[Tensor], trained: list[Tensor], *, stable: bool
    ) -> LinearisedRun:
        return LinearisedRun(tuple(steps), torch.stack(found), torch.stack(trained), stable)


class _Stepper:
    """The optimiser's memory."""

    def __init__(self, tuning: FineTuning, own: Tensor, shares: Sequence[float]) -> None:
        self._tuning, self._own, self._shares = tuning, own, shares
        self._adam = tuning.optimiser != "sgd"
        self._first: list[Tensor] = []
        self._energy, self._scale = 0.0, 0.0

    def step(
        self, step: int, slopes: Tensor, pull: Tensor, own: Tensor, by_others: Tensor
    ) -> tuple[Tensor, Tensor]:
        """How far to go, given where the slopes drive what is trained on and what is not."""
        rate, decay, fed = self._tuning.learning_rate, self._tuning.momentum, 1.0
        if self._adam:
            decay, slow = BETAS
            fed = 1 - decay
            energy = self._energy_of(slopes, float((pull * by_others).sum(1).mean()))
            self._scale = self._scale or energy or 1.0
            self._energy = slow * self._energy + (1 - slow) * energy / self._scale
            second = self._energy / (1 - slow**step)
            rate /= (1 - decay**step) * max(second, 1e-12) ** 0.5
        drives = (own, by_others)
        before = self._first or [torch.zeros_like(drive) for drive in drives]
        self._first = [decay * old + fed * new for old, new in zip(before, drives, strict=True)]
        seen, unseen = self._first
        return rate * seen, rate * unseen

    def _energy_of(self, slopes: Tensor, mean: float) -> float:
        """E‖g_B‖²: that of the mean gradient and the rest, which a batch averages."""
        q = slopes.shape[1] // len(self._shares)
        single = 0.0
        for h, share in enumerate(self._shares):
            at, own = slopes[:, h * q : (h + 1) * q], self._own[:, h * q : (h + 1) * q]
            pushed = torch.einsum("nkl,nl->nk", own[:, :, h * q : (h + 1) * q], at)
            single += share * float((at * pushed).sum(1).mean())
        mean = max(mean, 0.0)
        return mean + max(single - mean, 0.0) / self._tuning.batch
