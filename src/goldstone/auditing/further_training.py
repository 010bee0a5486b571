"""A copy of a model, trained further."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from goldstone.auditing.subject import Loss
from goldstone.core import InputError, Progress, SilentProgress, derive_seed, generator, trees
from goldstone.core.trees import Tree
from goldstone.curvature import trainable_parameters
from goldstone.curvature.adam import optimiser_order

Optimiser = Literal["adamw", "adam", "sgd"]
Draw = Callable[[torch.Generator], tuple[Tree, Tree]]
"""The next batch of inputs and targets."""
Look = Callable[[int, nn.Module], None]
"""Called with the number of steps made and the copy, which it must not change."""
_SILENT = SilentProgress()


@dataclass(frozen=True)
class FineTuning:
    """Settings of :func:`~goldstone.auditing.fine_tune` and other further training.

    Attributes:
        steps: of the optimiser.
        batch: samples a step, drawn with replacement.
        optimiser: AdamW, Adam, or SGD with momentum.
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
        adam = torch.optim.Adam if self.optimiser == "adam" else torch.optim.AdamW
        return adam(parameters, lr=self.learning_rate, weight_decay=self.weight_decay)


def train_copy(
    model: nn.Module,
    draw: Draw,
    loss: Loss,
    tuning: FineTuning,
    *,
    name: str = "fine-tuning",
    steps: int | None = None,
    look: Look | None = None,
    state: Mapping[str, Any] | None = None,
    progress: Progress = _SILENT,
) -> nn.Module:
    """A copy of the model after further steps on the mean loss of drawn batches.

    In the mode that the model is in: a model in eval mode keeps its batch statistics. The same
    settings give the same copy; the model itself and the global random state are left as found.

    Args:
        model: with trainable parameters.
        draw: gives a batch of at most ``tuning.batch`` samples.
        loss: per sample; its mean over the batch is minimised.
        tuning: optimiser settings.
        name: of the work, in messages, and of the random streams.
        steps: in place of ``tuning.steps``.
        look: called after every step.
        state: see :func:`further_optimiser`.
        progress: shows the steps.

    Raises:
        InputError: no trainable parameter, the model cannot be copied, the optimiser's state does
            not fit, or the loss becomes NaN or infinite.
    """
    try:
        tuned = copy.deepcopy(model)
    except (RuntimeError, TypeError) as error:
        raise InputError(
            f"the model cannot be copied ({error}); fine-tune it yourself and compare the two with "
            "connecting_path"
        ) from error
    if not trainable_parameters(tuned):
        raise InputError("the model has no trainable parameter, so it cannot be fine-tuned")
    steps = tuning.steps if steps is None else steps
    optimiser = further_optimiser(tuned, tuning, state)
    source = generator(tuning.seed, name)
    devices = {p.device for p in tuned.parameters() if p.device.type == "cuda"}
    with (
        torch.random.fork_rng(devices=list(devices)),
        torch.enable_grad(),
        progress.task(name, steps) as task,
    ):
        torch.manual_seed(derive_seed(tuning.seed, f"{name} of random layers"))
        for step in range(steps):
            optimiser.zero_grad(set_to_none=True)
            inputs, targets = draw(source)
            size = trees.batch_size(inputs)
            mean = loss(trees.call_model(tuned, inputs), targets).sum() / size
            torch.autograd.backward(mean)
            value = float(mean.detach())
            if not isfinite(value):
                raise InputError(
                    f"{name}: the loss is {value} at step {step}; lower the learning rate"
                )
            optimiser.step()
            if look is not None:
                look(step + 1, tuned)
            task.advance(note=f"loss {value:.3g}")
    optimiser.zero_grad(set_to_none=True)
    return tuned


def further_optimiser(
    model: nn.Module, tuning: FineTuning, state: Mapping[str, Any] | None = None
) -> torch.optim.Optimizer:
    """The optimiser of the settings, new, or one that goes on from a saved state.

    From a state come the kind (Adam, AdamW or SGD), the moments and what is set by group (betas,
    ε, weight decay, momentum); the learning rate is ``tuning.learning_rate``, since that of a
    finished training is often zero.

    Args:
        model: whose trainable parameters are optimised.
        tuning: settings.
        state: ``state_dict()`` of the optimiser that trained the model.

    Raises:
        InputError: the state does not fit the model, or is of another optimiser.
    """
    if state is None:
        return tuning.optimiser_for(list(trainable_parameters(model).values()))
    known = dict(model.named_parameters())
    names = iter(optimiser_order(model, state))
    groups = [
        {"params": [known[next(names)] for _ in group["params"]]} for group in state["param_groups"]
    ]
    optimiser = _kind(state["param_groups"][0], tuning)(groups, lr=tuning.learning_rate)
    try:
        # It casts the state in place of copying it.
        optimiser.load_state_dict(copy.deepcopy(dict(state)))
    except (ValueError, KeyError, RuntimeError) as error:
        raise InputError(f"the optimiser's state does not fit the model: {error}") from error
    for group in optimiser.param_groups:
        group["lr"] = tuning.learning_rate
    return optimiser


def _kind(group: Mapping[str, Any], tuning: FineTuning) -> Callable[..., torch.optim.Optimizer]:
    if "momentum" in group:
        return torch.optim.SGD
    if "betas" not in group:
        raise InputError(
            f"expected the state of Adam, AdamW or SGD, got one with {sorted(group)}; train the "
            "copy with a new optimiser: leave the state out"
        )
    decoupled = group.get("decoupled_weight_decay", tuning.optimiser == "adamw")
    return torch.optim.AdamW if decoupled else torch.optim.Adam
