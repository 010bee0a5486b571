"""A short training on transformed pairs, of a copy of a model."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Symmetry
from goldstone.auditing.further_training import FineTuning, train_copy
from goldstone.auditing.orbit_samples import moved_samples
from goldstone.auditing.samples import Samples
from goldstone.auditing.subject import Loss
from goldstone.core import InputError, Progress, SilentProgress, trees
from goldstone.core.trees import Tree

_SILENT = SilentProgress()


def fine_tune(
    model: nn.Module,
    samples: Samples,
    loss: Loss,
    symmetry: Symmetry,
    elements: Sequence[Any],
    tuning: FineTuning | None = None,
    progress: Progress = _SILENT,
) -> nn.Module:
    """A copy of the model, trained further on pairs (g x, g y), g drawn anew for each sample.

    In the mode that the model is in: a model in eval mode keeps its batch statistics. With the
    identity alone it is plain further training, the control. The same settings give the same copy;
    the model itself and the global random state are left as found.

    Args:
        model: with trainable parameters.
        samples: to train on; not those that the result is measured on.
        loss: per sample; its mean over the batch is minimised.
        symmetry: of the elements.
        elements: from which g is drawn, each as likely.
        tuning: optimiser settings.
        progress: shows the steps.

    Raises:
        InputError: no element or no trainable parameter, the model cannot be copied, or the loss
            becomes NaN or infinite.
    """
    tuning = tuning or FineTuning()
    if not elements:
        raise InputError("fine-tuning: expected at least one element, such as the identity")
    n = trees.batch_size(samples.inputs)

    def draw(source: torch.Generator) -> tuple[Tree, Tree]:
        drawn = torch.randint(n, (tuning.batch,), generator=source)
        pose = torch.randint(len(elements), (tuning.batch,), generator=source)
        # One batch of all poses, so that layers that look at the batch see one.
        return _in_poses(samples, drawn, pose, symmetry, elements)

    return train_copy(model, draw, loss, tuning, progress=progress)


def _in_poses(
    samples: Samples, drawn: Tensor, pose: Tensor, symmetry: Symmetry, elements: Sequence[Any]
) -> tuple[Tree, Tree]:
    """The drawn pairs, each in its pose."""
    parts = []
    for k in sorted(set(pose.tolist())):
        index = drawn[pose == k]
        some = Samples(
            trees.take(samples.inputs, index),
            trees.take(samples.targets, index),
            samples.trajectory[index],
            samples.context,
        )
        parts.append(moved_samples(some, symmetry, elements[k]))
    return (
        trees.concatenate([part.inputs for part in parts]),
        trees.concatenate([part.targets for part in parts]),
    )
