"""What would it take? Steps and samples until broken elements hold, from one orbit Gram."""

from collections.abc import Sequence
from math import inf
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.advice.crossings import crossing_statistic
from goldstone.advice.linearised_training import LinearisedRun, LinearisedTraining
from goldstone.advice.output_directions import loss_covectors, output_directions
from goldstone.advice.output_losses import output_losses
from goldstone.advice.price_tag_results import ElementPrice, PriceCurve, PriceStatus, PriceTag
from goldstone.advice.tangent_kernel import (
    adam_preconditioner,
    direction_gradients,
    tangent_kernel,
)
from goldstone.advice.wording import optimiser_in_words, statement
from goldstone.auditing import FineTuning, Subject
from goldstone.auditing.named_elements import as_elements
from goldstone.auditing.orbit_samples import check_subject, element_names, moved_samples
from goldstone.auditing.probed_model import leaves_model_as_found
from goldstone.core import InputError, Progress, SilentProgress, Statistic, trees
from goldstone.curvature import memory_bytes, trainable_parameters
from goldstone.curvature.parameters import real_dtype, vector_size

STEPS_ERROR = 1.1
"""Standard deviation of log(forecast/actual steps) that intervals allow for: that of half of the
models of benchmarks/validity/price.py, without scaling."""
SAMPLES_ERROR = 1.1
"""The same of numbers of samples, for want of a better one: it was not fitted."""
ADAM_EPSILON = 1e-8
_SILENT = SilentProgress()
_DEFAULTS = FineTuning(steps=500, batch=16, learning_rate=1e-3)


@leaves_model_as_found
def price_tag(
    subject: Subject,
    symmetry: Symmetry,
    elements: Sequence[Any],
    tuning: FineTuning = _DEFAULTS,
    *,
    pool: int | None = None,
    parts: int = 16,
    samples: bool = True,
    progress: Progress = _SILENT,
) -> PriceTag:
    """Forecast the further training that makes each of the elements hold.

    The training is that of :func:`goldstone.auditing.fine_tune` with the identity and g: each
    sample of a batch is transformed or not, as likely. It is followed in the tangent space of the
    model, f(x) + J(x)(θ − θ₀), in which the optimiser's steps need no more than the Gram of the
    orbit, ⟨J_gxᵀ b, J_x′ᵀ b′⟩ in the optimiser's metric, b directions of the outputs.

    Args:
        subject: one sample of each trajectory, 24 or more, that the model was not trained on.
        symmetry: of the elements.
        elements: by value or by name, without the identity.
        tuning: new optimiser, batch and learning rate, and the most steps; weight decay is left
            out.
        pool: distinct samples that the model can be trained on; None for fresh ones all the time.
        parts: directions of every output that are followed, at most; each costs a backward pass
            for every sample and pose.
        samples: forecast the number of samples too.
        progress: shows the gradients.

    Raises:
        InputError: outputs are not one tensor of real numbers, ``parts`` or ``pool`` is below 1,
            the gradients do not fit in the settings' memory, or as
            :func:`goldstone.auditing.orbit_gram`.
    """
    check_subject(subject)
    elements = as_elements(symmetry, elements)
    names = element_names(symmetry, elements)
    _check(subject, parts, pool)
    found, directions = {}, 0
    with progress.task(
        "gradients of outputs", subject.samples.trajectories * (1 + len(names))
    ) as task:
        plain = _Pose(subject, symmetry, symmetry.group.identity, parts, task)
        for name, g in zip(names, elements, strict=True):
            moved = _Pose(subject, symmetry, g, parts, task)
            found[name] = _Forecast(subject, plain, moved, tuning, pool).price(samples=samples)
        directions = plain.directions.shape[1]
    numbers = plain.directions.shape[2]
    words = optimiser_in_words(tuning)
    tolerance = subject.settings.tolerance
    return PriceTag(
        tolerance=tolerance,
        optimiser=words,
        within=tuning.steps,
        pool=pool,
        n=subject.samples.trajectories,
        directions=directions,
        complete=directions == numbers,
        elements=found,
        statement=statement(found, words, tuning.steps, tolerance, pool),
    )


class _Pose:
    """Samples at one element: outputs, directions and their gradients."""

    def __init__(
        self, subject: Subject, symmetry: Symmetry, element: Any, parts: int, task: Any
    ) -> None:
        moved = moved_samples(subject.samples, symmetry, element)
        self.targets = moved.targets
        self.outputs: Tensor = subject.predict(moved.inputs)
        self.covectors = loss_covectors(subject.loss, self.outputs, moved.targets)
        self.directions = output_directions(self.outputs, self.covectors, parts)
        self.rows = direction_gradients(subject.model, moved.inputs, self.directions, task)

    def loss_gradients(self) -> Tensor:
        """∇_θ ℓ, (n, p)."""
        slopes = torch.einsum("nqj,nj->nq", self.directions, self.covectors)
        return torch.einsum("nq,nqp->np", slopes.to(self.rows), self.rows)


class _Forecast:
    """For one element."""

    def __init__(
        self,
        subject: Subject,
        plain: _Pose,
        moved: _Pose,
        tuning: FineTuning,
        pool: int | None,
    ) -> None:
        self._subject, self._tuning = subject, tuning
        self._pool = inf if pool is None else float(pool)
        rows = torch.stack([plain.rows, moved.rows], 1)
        preconditioner = None
        if tuning.optimiser != "sgd":
            drawn = torch.cat([plain.loss_gradients(), moved.loss_gradients()])
            preconditioner = adam_preconditioner(drawn, tuning.batch, ADAM_EPSILON)
        kernel = tangent_kernel(rows, preconditioner)
        # Samples slower than poses.
        n = kernel.n
        order = torch.arange(2 * n).reshape(2, n).T.reshape(-1)
        losses = output_losses(
            subject.loss,
            torch.cat([plain.outputs, moved.outputs])[order],
            trees.take(trees.concatenate([plain.targets, moved.targets]), order),
            torch.cat([plain.directions, moved.directions])[order],
        )
        # What it makes of the kernel serves every run.
        self._training = LinearisedTraining(kernel, losses, tuning)

    def price(self, *, samples: bool) -> ElementPrice:
        """The runs and what they say."""
        threshold = self._subject.settings.log_tolerance
        run = self._run(self._pool, (0.5, 0.5))
        ratios, held = _log_ratio(run), _held(run)
        now = self._subject.mean(ratios[0])
        counts = self._subject.bootstrap.counts / self._subject.bootstrap.n
        steps = crossing_statistic(
            run.steps[1:],
            ratios.mean(1)[1:].tolist(),
            (counts @ ratios[1:].T),
            threshold,
            STEPS_ERROR,
            now.n,
        )
        # Samples learned by heart in one pose alone would look like a symmetry that breaks.
        alone = self._training.run(inf, (1.0, 0.0), _looks(self._tuning.steps), own_share=0.0)
        without = float(_log_ratio(alone).mean(1)[-1])
        place = len(run.steps) - 1
        if steps.estimate is not None:
            place = next(k for k, step in enumerate(run.steps) if step >= steps.estimate)
        few = self._samples(threshold) if samples else None
        return ElementPrice(
            status=self._status(now, run, steps, without if alone.stable else inf),
            log_ratio=now,
            steps=steps,
            samples=few[0] if few else Statistic(None),
            held_pose=self._subject.mean(held[place]),
            held_pose_worst=float(held.mean(1).max()),
            without=without,
            curve=_curve(run),
            learning_curve=few[1] if few else PriceCurve((), (), ()),
        )

    def _status(
        self, now: Statistic, run: LinearisedRun, steps: Statistic, without: float
    ) -> PriceStatus:
        threshold = self._subject.settings.log_tolerance
        if now.estimate is not None and now.estimate < threshold:
            return "holds"
        if not run.stable:
            return "unstable"
        if without < threshold:
            return "free"
        return "priced" if steps.estimate is not None else "not within"

    def _run(self, pool: float, shares: tuple[float, float]) -> LinearisedRun:
        return self._training.run(pool, shares, _looks(self._tuning.steps))

    def _samples(self, threshold: float) -> tuple[Statistic, PriceCurve]:
        """The least pool with which T falls below the threshold at some look."""
        n = self._training.kernel.n
        pools = sorted({2**k for k in range(n.bit_length())} | {n})
        runs = [(float(m), self._run(float(m), (0.5, 0.5))) for m in pools]
        counts = self._subject.bootstrap.counts / self._subject.bootstrap.n
        best, replicates, held = [], [], []
        for _, one in runs:
            ratios = _log_ratio(one)
            best.append(float(ratios.mean(1).min()))
            replicates.append((counts @ ratios.T).amin(1))
            held.append(float(_held(one).mean(1)[int(ratios.mean(1).argmin())]))
        places = [m for m, _ in runs]
        found = crossing_statistic(
            places, best, torch.stack(replicates, 1), threshold, SAMPLES_ERROR, n
        )
        return found, PriceCurve(tuple(places), tuple(best), tuple(held))


def _log_ratio(run: LinearisedRun) -> Tensor:
    """Of every look and sample, log ℓ(gx)/ℓ(x), (looks, n)."""
    logs = run.losses.clamp_min(1e-300).log()
    return logs[:, :, 1] - logs[:, :, 0]


def _held(run: LinearisedRun) -> Tensor:
    """Growth of log ℓ(x), (looks, n)."""
    logs = run.losses[:, :, 0].clamp_min(1e-300).log()
    return logs - logs[0]


def _curve(run: LinearisedRun) -> PriceCurve:
    return PriceCurve(
        tuple(map(float, run.steps)),
        tuple(_log_ratio(run).mean(1).tolist()),
        tuple(_held(run).mean(1).tolist()),
    )


def _looks(steps: int) -> list[int]:
    """In equal ratios."""
    found, place = {steps}, 1.0
    while place < steps:
        found.add(round(place))
        place *= 1.12
    return sorted(found)


def _check(subject: Subject, parts: int, pool: int | None) -> None:
    if parts < 1 or (pool is not None and pool < 1):
        raise InputError(
            f"price tag: expected parts and pool of at least 1, got {parts} and {pool}"
        )
    outputs = subject.predictions
    if not isinstance(outputs, Tensor) or not outputs.is_floating_point():
        raise InputError(
            f"price tag: expected one tensor of real numbers as output, got "
            f"{trees.describe(outputs)}; wrap the model so that it gives one"
        )
    parameters = trainable_parameters(subject.model)
    if not parameters:
        raise InputError("the model has no trainable parameter, so nothing can be taught to it")
    q = min(parts, outputs[0].numel())
    rows = 2 * subject.samples.trajectories * q
    # Rows of both poses, and a scaled copy of them.
    needed = 2 * rows * vector_size(parameters) * real_dtype(parameters).itemsize
    if needed > memory_bytes(subject.settings.memory):
        raise InputError(
            f"price tag: {rows} gradients take {needed / 1e9:.1f} GB, more than the settings' "
            f"memory of {subject.settings.memory}; give fewer samples (Subject.first) or parts"
        )
