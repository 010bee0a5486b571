"""The straight path between two models: do they sit in one basin?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from goldstone.actions import Symmetry
from goldstone.auditing.further_training import FineTuning
from goldstone.auditing.inspection import check_model, predict
from goldstone.auditing.orbit_fine_tuning import fine_tune
from goldstone.auditing.orbit_samples import element_names, moved_samples
from goldstone.auditing.results import Answer
from goldstone.auditing.samples import Samples
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.statistics import Bootstrap, by_trajectory, interval
from goldstone.auditing.subject import Loss
from goldstone.core import InputError, Progress, SilentProgress, Statistic
from goldstone.core.trees import Tree

_SILENT = SilentProgress()
_DEFAULTS = AuditSettings()
Replicated = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class PathCurve:
    """A loss L(t) along the path, means over trajectories.

    Attributes:
        loss: at each position.
        barrier: max_t [L(t) − (1 − t)L(0) − t L(1)], not negative.
        relative_barrier: the same over the larger of L(0) and L(1).
        log_change: log L(1)/L(0).
        connected: *yes* if the relative barrier's upper bound is below the tolerance, *no* if its
            lower bound is above it.
    """

    loss: tuple[Statistic, ...]
    barrier: Statistic
    relative_barrier: Statistic
    log_change: Statistic
    connected: Answer


@dataclass(frozen=True)
class ConnectingPath:
    """Losses of θ(t) = (1 − t)θ_a + tθ_b.

    Attributes:
        positions: t.
        plain: the loss of the pairs as they are.
        orbit: the mean loss over the tested poses, the identity among them.
        distance: ‖θ_b − θ_a‖/‖θ_a‖.
    """

    positions: tuple[float, ...]
    plain: PathCurve
    orbit: PathCurve
    distance: float


@dataclass(frozen=True)
class SymmetryBasin:
    """Paths from a model to its fine-tuned copies.

    Attributes:
        augmented: to the copy fine-tuned on pairs in all poses.
        control: to the copy fine-tuned as long on plain pairs.
    """

    augmented: ConnectingPath
    control: ConnectingPath


def connecting_path(
    model_a: nn.Module,
    model_b: nn.Module,
    samples: Samples,
    symmetry: Symmetry,
    elements: Sequence[Any],
    loss: Loss,
    *,
    points: int = 11,
    tolerance: float = 0.1,
    settings: AuditSettings = _DEFAULTS,
    progress: Progress = _SILENT,
) -> ConnectingPath:
    """Loss, plain and averaged over orbits, along the straight path between two models' weights.

    The barrier is that of Frankle et al. 2020 ("Linear Mode Connectivity and the Lottery Ticket
    Hypothesis", section 2), against the chord as in Entezari et al. 2022. As a maximum it is biased
    upwards: an interval that stays below the tolerance says the more. Floating-point buffers, such
    as batch statistics, are interpolated too, others are those of ``model_a``; both models are
    left as found.

    Args:
        model_a: where the path starts.
        model_b: where it ends, of the same architecture.
        samples: on which losses are measured, several of a trajectory if there are.
        symmetry: of the elements.
        elements: without the identity.
        loss: per sample.
        points: positions, both ends among them.
        tolerance: relative barrier that still counts as none.
        settings: batch, bootstrap and seed.
        progress: shows the positions.

    Raises:
        InputError: the models' parameters differ in name or shape, one is in training mode with
            layers that then depend on the batch or on chance, fewer than three points, or a loss is
            NaN or infinite.
    """
    if points < 3 or not tolerance > 0:
        raise InputError(
            f"expected three points or more and a tolerance > 0, got {points} and {tolerance}"
        )
    start, end = _state(model_a), _state(model_b)
    if {k: v.shape for k, v in start.items()} != {k: v.shape for k, v in end.items()}:
        differ = sorted(
            name
            for name in start.keys() | end.keys()
            if name not in start or name not in end or start[name].shape != end[name].shape
        )
        raise InputError(
            "a path needs two models of one architecture; these differ in " + ", ".join(differ[:5])
        )
    for model in (model_a, model_b):
        check_model(model, samples.inputs, samples.targets)
    poses = (symmetry.group.identity, *elements)
    element_names(symmetry, poses)
    moved = [moved_samples(samples, symmetry, g) for g in poses]
    positions = [k / (points - 1) for k in range(points)]
    plain, orbit = [], []
    with progress.task("losses along the path", points) as task:
        for t in positions:
            between = _WithState(model_a, {k: _mix(start[k], end[k], t) for k in start})
            losses = [
                loss(predict(between, m.inputs, settings.batch), m.targets).double().cpu()
                for m in moved
            ]
            found = torch.stack(losses)
            if not bool(torch.isfinite(found).all()):
                raise InputError(f"the loss is NaN or infinite at position {t:.2f} of the path")
            plain.append(by_trajectory(found[0], samples.trajectory))
            orbit.append(by_trajectory(found.mean(0), samples.trajectory))
            task.advance()
    bootstrap = Bootstrap.draw(samples.trajectories, settings.bootstrap, settings.seed)
    at = torch.tensor(positions, dtype=torch.float64)
    weights = dict(model_a.named_parameters())
    length = sum(float(start[k].detach().abs().square().sum()) for k in weights) ** 0.5
    apart = sum(float((end[k] - start[k]).detach().abs().square().sum()) for k in weights) ** 0.5
    return ConnectingPath(
        positions=tuple(positions),
        plain=_curve(torch.stack(plain, 1), at, bootstrap, tolerance),
        orbit=_curve(torch.stack(orbit, 1), at, bootstrap, tolerance),
        distance=apart / length if length > 0 else 0.0,
    )


def symmetry_basin(
    model: nn.Module,
    training: Samples,
    held_out: Samples,
    symmetry: Symmetry,
    elements: Sequence[Any],
    loss: Loss,
    tuning: FineTuning | None = None,
    *,
    points: int = 11,
    tolerance: float = 0.1,
    settings: AuditSettings = _DEFAULTS,
    progress: Progress = _SILENT,
) -> SymmetryBasin:
    """Does training sit in a symmetry-compatible basin?

    It does if the copy fine-tuned on all poses has a lower orbit loss (``orbit.log_change``) and no
    barrier lies on the way to it. Short fine-tuning at a small learning rate hardly leaves any
    basin: ``distance``, and the control, say how much the way means.

    Args:
        model: left as found.
        training: to fine-tune on; of other trajectories than ``held_out``.
        held_out: on which losses are measured.
        symmetry: of the elements.
        elements: without the identity.
        loss: per sample.
        tuning: of both copies.
        points: positions on each path.
        tolerance: relative barrier that still counts as none.
        settings: batch, bootstrap and seed.
        progress: shows steps and positions.

    Raises:
        InputError: as :func:`~goldstone.auditing.fine_tune` and :func:`connecting_path`.
    """
    identity = symmetry.group.identity

    def path(poses: Sequence[Any]) -> ConnectingPath:
        tuned = fine_tune(model, training, loss, symmetry, poses, tuning, progress)
        return connecting_path(
            model,
            tuned,
            held_out,
            symmetry,
            elements,
            loss,
            points=points,
            tolerance=tolerance,
            settings=settings,
            progress=progress,
        )

    return SymmetryBasin(augmented=path((identity, *elements)), control=path((identity,)))


class _WithState(nn.Module):
    """A model with other parameters and buffers, the model itself untouched."""

    def __init__(self, model: nn.Module, state: dict[str, Tensor]) -> None:
        super().__init__()
        # In a tuple, so that it is no submodule and keeps its own mode.
        self._held = (model,)
        self._state = state

    def forward(self, *args: Tree, **kwargs: Tree) -> Tree:
        return functional_call(self._held[0], self._state, args, kwargs)


def _state(model: nn.Module) -> dict[str, Tensor]:
    return {
        name: t.detach().clone() for name, t in (*model.named_parameters(), *model.named_buffers())
    }


def _mix(a: Tensor, b: Tensor, t: float) -> Tensor:
    """(1 − t)a + tb; what is no real or complex number stays as in a."""
    if t == 0 or not (a.is_floating_point() or a.is_complex()):
        return a
    return torch.add((1 - t) * a, t * b)


def _curve(losses: Tensor, positions: Tensor, bootstrap: Bootstrap, tolerance: float) -> PathCurve:
    """From losses (trajectory, position)."""
    n = bootstrap.n
    observed, replicates = losses.mean(0)[None], bootstrap.counts @ losses / n

    def barrier(curves: Tensor) -> Tensor:
        chord = (1 - positions) * curves[:, :1] + positions * curves[:, -1:]
        # At the ends it is zero, but for rounding.
        return (curves - chord)[:, 1:-1].amax(1).clamp_min(0)

    def relative(curves: Tensor) -> Tensor:
        return barrier(curves) / torch.maximum(curves[:, 0], curves[:, -1])

    def log_change(curves: Tensor) -> Tensor:
        return (curves[:, -1] / curves[:, 0]).log()

    def statistic(function: Replicated) -> Statistic:
        value = float(function(observed)[0])
        if not isfinite(value):
            return Statistic(None, None, None, n)
        return Statistic(value, *interval(function(replicates), n), n)

    found = statistic(relative)
    connected: Answer = "undetermined"
    if found.low is not None and found.high is not None:
        connected = (
            "yes" if found.high < tolerance else "no" if found.low > tolerance else connected
        )
    return PathCurve(
        loss=tuple(
            Statistic(float(observed[0, k]), *interval(replicates[:, k], n), n)
            for k in range(len(positions))
        ),
        barrier=statistic(barrier),
        relative_barrier=found,
        log_change=statistic(log_change),
        connected=connected,
    )
