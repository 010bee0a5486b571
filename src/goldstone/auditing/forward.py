"""Forward probes: does the model treat x and g·x alike?"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.subject import Subject
from goldstone.core import trees
from goldstone.core.trees import Tree


@dataclass(frozen=True, eq=False)
class ForwardMeasurement:
    """Per sample, (n,) each.

    Attributes:
        error: ‖f(gx) − g f(x)‖/‖f(x)‖.
        error_of_change: the same over ‖f(x) − x‖ (NaN if input and output differ in shape).
        error_of_model_error: the same over ‖f(x) − y‖ (NaN for class labels).
        log_loss_ratio: log ℓ(f(gx), gy) − log ℓ(g f(x), gy). For an invariant loss the second term
            is log ℓ(f(x), y); for others it puts both predictions in the same frame.
        error_sharing: cos(f(gx) − gy, g f(x) − gy); for class labels the cosine of the loss's
            gradients in the outputs.
    """

    error: Tensor
    error_of_change: Tensor
    error_of_model_error: Tensor
    log_loss_ratio: Tensor
    error_sharing: Tensor


def forward_measurement(subject: Subject, symmetry: Symmetry, element: Any) -> ForwardMeasurement:
    """Compare f(gx) with g f(x) on every sample, a batch of the settings' at a time."""
    size = subject.settings.batch
    samples = subject.samples
    batches = zip(
        trees.chunks(samples.inputs, size),
        trees.chunks(samples.targets, size),
        trees.chunks(subject.predictions, size),
        strict=True,
    )
    parts = [_of_batch(subject, symmetry, element, *batch) for batch in batches]
    return ForwardMeasurement(
        **{f.name: torch.cat([getattr(part, f.name) for part in parts]) for f in fields(parts[0])}
    )


def _of_batch(
    subject: Subject, symmetry: Symmetry, element: Any, inputs: Tree, targets: Tree, plain: Tree
) -> ForwardMeasurement:
    """Of a few samples, with the model's predictions on them as they are."""
    before = subject.samples.context
    moved_plain = symmetry.on_output.act(element, plain, before.at(1))
    moved_targets = symmetry.target_action.act(element, targets, before.at(1))
    of_moved = subject.predict(symmetry.on_input.act(element, inputs, before))
    gap = distances(of_moved, moved_plain)
    unknown = torch.full_like(gap, torch.nan)
    steps = trees.same_shapes(inputs, plain)
    answers = trees.same_shapes(targets, plain)
    return ForwardMeasurement(
        error=gap / norms(plain),
        error_of_change=gap / (distances(plain, inputs) if steps else unknown),
        error_of_model_error=gap / (distances(plain, targets) if answers else unknown),
        log_loss_ratio=subject.log_loss(of_moved, moved_targets)
        - subject.log_loss(moved_plain, moved_targets),
        error_sharing=torch.cosine_similarity(
            subject.residual(of_moved, moved_targets),
            subject.residual(moved_plain, moved_targets),
        ),
    )


def roll_out(subject: Subject, starts: Tree) -> list[Tree]:
    """f(x), f(f(x)), … for the settings' number of steps; none if outputs cannot be inputs."""
    states, state = [], starts
    if not trees.same_shapes(starts, subject.predictions):
        return []
    for _ in range(subject.settings.rollout_steps):
        state = subject.predict(state)
        states.append(state)
    return states


def rollout_errors(
    subject: Subject, symmetry: Symmetry, element: Any, starts: Tree, rollout: Sequence[Tree]
) -> list[Tensor]:
    """‖f^k(gx) − g f^k(x)‖/‖f^k(x)‖ for k = 1 …; ``rollout`` holds f^k(x)."""
    context = subject.samples.context
    state = symmetry.on_input.act(element, starts, context)
    errors = []
    for k, plain in enumerate(rollout, 1):
        state = subject.predict(state)
        moved = symmetry.on_output.act(element, plain, context.at(k))
        errors.append(distances(state, moved) / norms(plain))
    return errors


def norms(x: Tree) -> Tensor:
    """Euclidean norm of each sample, (n,)."""
    return trees.flat(trees.at_least_single(x)).square().sum(1).sqrt()


def distances(x: Tree, y: Tree) -> Tensor:
    """‖x − y‖ of each sample, (n,)."""
    x, y = trees.at_least_single((x, y))
    return (trees.flat(x) - trees.flat(y)).square().sum(1).sqrt()
