"""What ``goldstone align`` computes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from torch import Tensor, nn

from goldstone.auditing.usual_loss import usual_loss
from goldstone.cli.align_data import Samples
from goldstone.core import InputError, Progress, SymmetryRefusedError, to_json, trees
from goldstone.weightspace import (
    Alignment,
    LossBarrier,
    ParameterSymmetries,
    activation_matching,
    bezier_path,
    check_symmetries,
    learned_matching,
    loss_barrier,
    merged,
    output_difference,
    parameter_symmetries,
    weight_matching,
)
from goldstone.weightspace.matching.samples import equal_batches
from goldstone.weightspace.symmetries.parameter_symmetry import Kind

KINDS: tuple[str, ...] = get_args(Kind)
CHECKED = 8
"""Samples on which symmetries are tested."""

LARGEST_CHANGE = 1e-2
"""Of the outputs, relative: what the ε of norms may do to symmetries that hold up to it."""


@dataclass(frozen=True)
class AlignSettings:
    """What was asked for; the options of the same names."""

    method: Literal["weights", "activations", "learned"] = "weights"
    kinds: tuple[str, ...] | None = None
    steps: int = 500
    learning_rate: float | None = None
    curve: int = 0
    points: int = 25
    batch: int = 256
    merge_at: float = 0.5
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Aligned:
    """Two networks after alignment.

    Attributes:
        settings: what was asked for.
        symmetries: those found.
        alignment: how B was moved.
        paths: ``straight``, ``aligned`` and, if asked for, ``curve``.
        change: of B's outputs by the motion, relative.
        merged: weights between A and B moved.
        notes: what to know besides.
    """

    settings: AlignSettings
    symmetries: ParameterSymmetries
    alignment: Alignment
    paths: dict[str, LossBarrier]
    change: float
    merged: dict[str, Tensor]
    notes: tuple[str, ...]

    @property
    def aligned(self) -> dict[str, Tensor]:
        """B moved."""
        return self.alignment.state_dict

    def to_json(self) -> dict[str, Any]:
        """Numbers, no weights."""
        return {
            "settings": to_json(asdict(self.settings)),
            "symmetries": [
                {
                    "units": one.name,
                    "kind": one.kind,
                    "permutes": one.permutes,
                    "group": one.group_name,
                    "parameters": list(one.parameters),
                }
                for one in self.symmetries.symmetries
            ],
            "unsupported": list(self.symmetries.unsupported),
            "shared": [list(pair) for pair in self.symmetries.shared],
            "distance_before": self.alignment.distance_before,
            "distance": self.alignment.distance,
            "rounds": self.alignment.rounds,
            "output_change": self.change,
            "paths": {name: to_json(path) for name, path in self.paths.items()},
            "notes": list(self.notes),
        }


def align_networks(
    a: nn.Module,
    b: nn.Module,
    samples: Samples,
    train: Samples,
    loss: Callable[[Any, Any], Tensor] | None,
    settings: AlignSettings,
    progress: Progress,
    checkpoint: Path | None = None,
) -> Aligned:
    """Find, test, align, measure, merge; learning goes on from its checkpoint.

    Raises:
        InputError: the options do not go together, or what :func:`weight_matching` raises.
        SymmetryRefusedError: a symmetry changes the function; says by how much.
    """
    _check(settings)
    few = tuple(trees.take(one, slice(0, CHECKED)) for one in samples.inputs)
    judged = usual_loss(samples.targets) if loss is None else loss
    symmetries = parameter_symmetries(a, few)
    check_symmetries(a, few, symmetries, seed=settings.seed)
    alignment = _aligned(a, b, symmetries, train, judged, settings, progress, checkpoint)
    moved = alignment.model(b)
    change = output_difference(b, moved, few)
    if not change <= LARGEST_CHANGE:
        raise SymmetryRefusedError(
            f"moving B along its symmetries changes its outputs by {change:.2g} of their size "
            f"(tolerance {LARGEST_CHANGE:g}): --kinds permutation moves weights without rounding"
        )

    def path(other: nn.Module, midpoint: dict[str, Tensor] | None = None) -> LossBarrier:
        return loss_barrier(
            a, other, samples.inputs, samples.targets, judged, points=settings.points,
            midpoint=midpoint, batch_size=settings.batch, reset_inputs=train.inputs,
            seed=settings.seed, progress=progress,
        )  # fmt: skip

    paths = {"straight": path(b), "aligned": path(moved)}
    if settings.curve:
        curve = bezier_path(
            a, moved, train.inputs, train.targets, judged, steps=settings.curve,
            learning_rate=_rate(settings, 1e-3), seed=settings.seed, progress=progress,
        )  # fmt: skip
        paths["curve"] = path(moved, curve.midpoint)
    middle = merged(a, moved, settings.merge_at, equal_batches(train.inputs, settings.batch))
    state = {name: x.detach() for name, x in middle.state_dict().items()}
    return Aligned(settings, symmetries, alignment, paths, change, state, _notes(symmetries))


def _check(settings: AlignSettings) -> None:
    if not 0.0 <= settings.merge_at <= 1.0:
        raise InputError(f"--merge-at: expected t between 0 and 1, got {settings.merge_at:g}")
    for name, value, least in (
        ("--steps", settings.steps, 1),
        ("--curve", settings.curve, 0),
        ("--points", settings.points, 3),
        ("--batch", settings.batch, 1),
    ):
        if value < least:
            raise InputError(f"{name}: expected {least} or more, got {value}")
    if settings.method == "activations" and settings.kinds not in (None, ("permutation",)):
        raise InputError("--method activations only permutes units; leave --kinds out")


def _aligned(
    a: nn.Module,
    b: nn.Module,
    symmetries: ParameterSymmetries,
    train: Samples,
    loss: Callable[[Any, Any], Tensor],
    settings: AlignSettings,
    progress: Progress,
    checkpoint: Path | None,
) -> Alignment:
    if settings.method == "activations":
        return activation_matching(a, b, train.inputs, batch_size=settings.batch)
    kinds = cast(tuple[Kind, ...] | None, settings.kinds)
    start = weight_matching(a, b, symmetries, kinds=kinds, seed=settings.seed, progress=progress)
    if settings.method == "weights":
        return start
    return learned_matching(
        a, b, symmetries, train.inputs, train.targets, loss, kinds=kinds, start=start,
        steps=settings.steps, learning_rate=_rate(settings, 1e-2), seed=settings.seed,
        checkpoint=checkpoint, progress=progress,
    )  # fmt: skip


def _rate(settings: AlignSettings, usual: float) -> float:
    return usual if settings.learning_rate is None else settings.learning_rate


def _notes(symmetries: ParameterSymmetries) -> tuple[str, ...]:
    notes = []
    if symmetries.unsupported:
        notes.append(
            f"operations not understood: {', '.join(symmetries.unsupported)}; what enters them "
            "stays where it is, the rest is aligned"
        )
    if symmetries.unused:
        notes.append(f"weights that the model does not read: {', '.join(symmetries.unused)}")
    if symmetries.shared:
        notes.append(
            "shared weights move as one: " + ", ".join(" = ".join(x) for x in symmetries.shared)
        )
    if not symmetries.symmetries:
        notes.append("no symmetry was found: B stays as it is, and only its barrier is measured")
    return tuple(notes)
