"""A short training on transformed pairs, of a copy of a model."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from goldstone.actions import Symmetry
from goldstone.auditing.orbit_samples import moved_samples
from goldstone.auditing.samples import Samples
from goldstone.auditing.subject import Loss
from goldstone.core import InputError, Progress, SilentProgress, derive_seed, generator, trees
from goldstone.core.trees import Tree
from goldstone.curvature import trainable_parameters

Optimiser = Literal["adamw", "sgd"]
_SILENT = SilentProgress()


@dataclass(frozen=True)
class FineTuning:
    """Settings of :func:`fine_tune`.

    Attributes:
        steps: of the optimiser.
        batch: samples a step, drawn with replacement.
        optimiser: AdamW, or SGD with momentum.
        learning_rate: constant.
        weight_decay: decoupled for AdamW.
        momentum: of SGD.
        seed: of the draws.
    """

    steps: int = 200
    batch: int = 16
    optimiser: Optimiser = "adamw"
    learning_rate: float = 1e-4
    weight_decay: float = 0.0
    momentum: float = 0.9
    seed: int = 0

    def __post_init__(self) -> None:
        if self.optimiser not in get_args(Optimiser):
            raise InputError(
                f"unknown optimiser {self.optimiser!r}; expected one of {get_args(Optimiser)}"
            )
        if min(self.steps, self.batch) < 1 or not self.learning_rate > 0:
            raise InputError(
                "fine-tuning: expected steps and batch of at least 1 and a learning rate > 0, got "
                f"{self.steps}, {self.batch} and {self.learning_rate}"
            )
        if not (self.weight_decay >= 0 and 0 <= self.momentum < 1):
            raise InputError(
                "fine-tuning: expected weight_decay ≥ 0 and 0 ≤ momentum < 1, got "
                f"{self.weight_decay} and {self.momentum}"
            )

    def optimiser_for(self, parameters: Sequence[Tensor]) -> torch.optim.Optimizer:
        """The optimiser, new."""
        if self.optimiser == "sgd":
            return torch.optim.SGD(
                parameters,
                lr=self.learning_rate,
                momentum=self.momentum,
                weight_decay=self.weight_decay,
            )
        return torch.optim.AdamW(parameters, lr=self.learning_rate, weight_decay=self.weight_decay)


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
    try:
        tuned = copy.deepcopy(model)
    except (RuntimeError, TypeError) as error:
        raise InputError(
            f"the model cannot be copied ({error}); fine-tune it yourself and compare the two with "
            "connecting_path"
        ) from error
    parameters = list(trainable_parameters(tuned).values())
    if not parameters:
        raise InputError("the model has no trainable parameter, so it cannot be fine-tuned")
    optimiser = tuning.optimiser_for(parameters)
    source = generator(tuning.seed, "fine-tuning")
    n = trees.batch_size(samples.inputs)
    devices = {p.device for p in parameters if p.device.type == "cuda"}
    with (
        torch.random.fork_rng(devices=list(devices)),
        torch.enable_grad(),
        progress.task("fine-tuning", tuning.steps) as task,
    ):
        torch.manual_seed(derive_seed(tuning.seed, "fine-tuning of random layers"))
        for step in range(tuning.steps):
            drawn = torch.randint(n, (tuning.batch,), generator=source)
            pose = torch.randint(len(elements), (tuning.batch,), generator=source)
            optimiser.zero_grad(set_to_none=True)
            inputs, targets = _in_poses(samples, drawn, pose, symmetry, elements)
            # One pass for all poses, so that layers that look at the batch see one batch.
            mean = loss(trees.call_model(tuned, inputs), targets).sum() / tuning.batch
            torch.autograd.backward(mean)
            value = float(mean.detach())
            if not isfinite(value):
                raise InputError(
                    f"fine-tuning: the loss is {value} at step {step}; lower the learning rate"
                )
            optimiser.step()
            task.advance(note=f"loss {value:.3g}")
    optimiser.zero_grad(set_to_none=True)
    return tuned


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
