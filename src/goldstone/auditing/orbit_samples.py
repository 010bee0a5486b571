"""Samples moved by a group element, and the loss gradients there."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.inspection import check_model
from goldstone.auditing.samples import Samples
from goldstone.auditing.subject import Loss, Subject
from goldstone.core import InputError, Task, trees
from goldstone.curvature import TreeBatch, TreeModel, per_sample_gradients
from goldstone.curvature.per_sample import Scalar


def moved_samples(samples: Samples, symmetry: Symmetry, element: Any) -> Samples:
    """The pairs (g x_i, g y_i)."""
    after = samples.context.at(1)
    return replace(
        samples,
        inputs=symmetry.on_input.act(element, samples.inputs, samples.context),
        targets=symmetry.target_action.act(element, samples.targets, after),
    )


def sample_loss(loss: Loss, samples: Samples) -> Scalar:
    """From the output on sample i and i to ℓ(output, y_i)."""
    targets = samples.targets
    return lambda output, i: loss(output, trees.take(targets, slice(i, i + 1))).sum()


def loss_gradients(
    subject: Subject, symmetry: Symmetry, element: Any, task: Task | None = None
) -> Tensor:
    """∇_θ ℓ(f(g x_i), g y_i) of the subject's samples, (n, p).

    Raises:
        InputError: the model has no trainable parameter, or a gradient is not finite.
    """
    moved = moved_samples(subject.samples, symmetry, element)
    return per_sample_gradients(
        TreeModel(subject.model),
        sample_loss(subject.loss, moved),
        TreeBatch(moved.inputs),
        task,
    )


def check_subject(subject: Subject) -> None:
    """Raise unless gradients of the subject's samples mean something, and their products too.

    Raises:
        InputError: the model is in a mode, or of a kind, in which samples are not independent (see
            :func:`goldstone.auditing.inspection.check_model`), or there is not one sample of each
            of two trajectories or more, in their order: products within a trajectory have no null.
    """
    samples = subject.samples
    check_model(subject.model, samples.inputs, samples.targets)
    n = trees.batch_size(samples.inputs)
    if n < 2 or not torch.equal(samples.trajectory.cpu(), torch.arange(n)):
        raise InputError(
            "expected one sample of each trajectory, of two at least, numbered in order; got "
            f"{n} samples of {samples.trajectories} trajectories: choose one time"
        )


def element_names(symmetry: Symmetry, elements: Sequence[Any]) -> tuple[str, ...]:
    """The names of elements that differ from one another.

    Raises:
        InputError: there is none, or two are equal.
    """
    names = tuple(symmetry.group.element_name(g) for g in elements)
    if not names or len(set(names)) < len(names):
        raise InputError(f"expected one group element or more, all different, got {list(names)}")
    return names
