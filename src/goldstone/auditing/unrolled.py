"""Coherence of the unrolled loss: gradients through k steps of an emulator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Action, Context, Symmetry
from goldstone.auditing.coherence_summary import CoherenceSummary, summarise_products
from goldstone.auditing.inspection import model_place
from goldstone.auditing.orbit_gram import orbit_pairs
from goldstone.auditing.samples import Samples
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.subject import Loss, Subject
from goldstone.core import InputError, Progress, SilentProgress, Statistic
from goldstone.systems.flows import Trajectories

_SILENT = SilentProgress()
_DEFAULTS = AuditSettings()


class Unrolled(nn.Module):
    """x ↦ (f(x), f(f(x)), …, f^k(x)): (B, …) to (B, k, …)."""

    def __init__(self, model: nn.Module, steps: int) -> None:
        super().__init__()
        self.model = model
        self.steps = steps
        # Modules start in training mode; this one must not change the model's.
        self.training = model.training

    def forward(self, x: Tensor) -> Tensor:
        """Every state, with the gradient through all steps."""
        states = []
        for _ in range(self.steps):
            x = self.model(x)
            states.append(x)
        return torch.stack(states, 1)


@dataclass(frozen=True)
class StepwiseAction:
    """An action on states of consecutive steps, (B, k, …), each in its own context.

    Attributes:
        action: of one state.
    """

    action: Action

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """State j moved in the context of step ``context.step + j``."""
        first = context.step
        moved = [
            self.action.act(element, x[:, j], context.at(first + j)) for j in range(x.shape[1])
        ]
        return torch.stack(moved, 1)


def unrolled_symmetry(symmetry: Symmetry) -> Symmetry:
    """The symmetry of an :class:`Unrolled` model: inputs as before, every later state in turn."""
    return replace(
        symmetry,
        on_output=StepwiseAction(symmetry.on_output),
        on_target=None if symmetry.on_target is None else StepwiseAction(symmetry.on_target),
        on_layers={},
    )


def unrolled_loss(loss: Loss) -> Loss:
    """mean_j ℓ(prediction_j, target_j) over the states of (B, k, …)."""

    def mean(prediction: Tensor, target: Tensor) -> Tensor:
        steps = [loss(prediction[:, j], target[:, j]) for j in range(target.shape[1])]
        return torch.stack(steps).mean(0)

    return mean


def unrolled_samples(data: Trajectories, steps: int, start: int, samples: int) -> Samples:
    """State ``start`` of the first trajectories as inputs, the ``steps`` next ones as targets.

    Raises:
        InputError: the trajectories are too short, or there are fewer than two.
    """
    count = min(samples, len(data))
    if steps < 1 or not 0 <= start <= data.steps - steps or count < 2:
        raise InputError(
            f"unrolling: expected at least one step from a state that has as many after it, and "
            f"two trajectories; got {steps} steps from state {start} of {count} trajectories of "
            f"{data.steps} steps"
        )
    fields = data.fields[:count]
    return Samples(
        fields[:, start],
        fields[:, start + 1 : start + 1 + steps],
        torch.arange(count),
        data.context,
    )


def unrolled_subject(
    model: nn.Module, samples: Samples, loss: Loss, settings: AuditSettings = _DEFAULTS
) -> Subject:
    """The unrolled model with its loss, for any gradient probe.

    Args:
        model: maps a state to the next one.
        samples: of :func:`unrolled_samples`; the targets say how many steps.
        loss: of one step.
        settings: sizes and seed.

    Raises:
        InputError: a predicted state has NaN or infinite values.
    """
    steps = int(samples.targets.shape[1])
    return Subject.measure(Unrolled(model, steps), samples, unrolled_loss(loss), settings)


@dataclass(frozen=True)
class UnrolledCoherence:
    """Coherences of the gradients of mean_{j ≤ k} ℓ(f^j(x), y_j).

    Attributes:
        steps: k.
        loss: mean over trajectories.
        elements: by name, of unit gradients.
    """

    steps: int
    loss: Statistic
    elements: Mapping[str, CoherenceSummary]


def unrolled_coherence(
    model: nn.Module,
    data: Trajectories,
    symmetry: Symmetry,
    elements: Sequence[Any],
    loss: Loss,
    steps: Sequence[int] = (1, 2, 4),
    start: int = 0,
    settings: AuditSettings = _DEFAULTS,
    progress: Progress = _SILENT,
) -> tuple[UnrolledCoherence, ...]:
    """Coherences of the k-step loss for every k of ``steps``, all from the same states.

    That of k = 1 is the one-step coherence. Later errors come from the model's own
    states: a symmetry that its one-step gradients share may be lost on the way, and errors that
    one-step gradients do not see may be shared. Activations of all k steps are held at a time.

    Args:
        model: maps a state (B, C, X, Y) to the next one; left as found.
        data: trajectories of at least ``start`` + max k steps; ``settings.samples`` of them are
            used.
        symmetry: of one step.
        elements: by value or by name, without the identity.
        loss: per-sample loss of one step.
        steps: the numbers of steps k.
        start: the time of the first state.
        settings: sizes and seed.
        progress: shows the gradients.

    Raises:
        InputError: the trajectories are too short, or a state or a gradient is not finite.
    """
    if not steps:
        raise InputError("expected one number of steps or more, got none")
    device, dtype = model_place(model)
    moves = unrolled_symmetry(symmetry)
    found = []
    for k in steps:
        samples = unrolled_samples(data, k, start, settings.samples)
        placed = replace(
            samples,
            inputs=samples.inputs.to(device, dtype),
            targets=samples.targets.to(device, dtype),
        )
        subject = unrolled_subject(model, placed, loss, settings)
        pairs = orbit_pairs(subject, moves, elements, progress)
        found.append(
            UnrolledCoherence(
                k,
                subject.mean(subject.loss(subject.predictions, placed.targets)),
                {name: summarise_products(p.unit(), subject) for name, p in pairs.items()},
            )
        )
    return tuple(found)
