"""The audit: has this model learned this symmetry?"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from torch import Tensor, nn

from goldstone.actions import FieldLayout, Symmetry, flow_symmetry
from goldstone.auditing.controls import shuffled_control, wrong_action_control
from goldstone.auditing.display import display_arrays
from goldstone.auditing.elements import element_results, elements_to_test, measure_forward
from goldstone.auditing.gradient_results import GradientResults, measure_gradients
from goldstone.auditing.gradients import GradientProbe
from goldstone.auditing.history import audit_history, check_history
from goldstone.auditing.inspection import check_model, model_place
from goldstone.auditing.precheck import precheck
from goldstone.auditing.provenance import provenance
from goldstone.auditing.residual import axis_verdict, subgroup_lattice
from goldstone.auditing.results import (
    AuditResult,
    AxisVerdict,
    Control,
    ElementResult,
    SymmetrySummary,
    Verdict,
)
from goldstone.auditing.samples import Samples, choose_samples
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.shifts import shift_profile
from goldstone.auditing.skill import model_summary
from goldstone.auditing.subject import Loss, Subject
from goldstone.auditing.summary import summarise_verdict
from goldstone.core import InputError, Progress, SilentProgress, trees
from goldstone.core.trees import Tree
from goldstone.groups import FiniteGroup
from goldstone.systems.flows import GroundTruth, Trajectories
from goldstone.systems.flows import ground_truth as named_ground_truth
from goldstone.systems.losses import cross_entropy, mse, scaled_mse

Step = Callable[[Tree], Tree]
_SILENT = SilentProgress()
_DEFAULTS = AuditSettings()


def audit(
    model: nn.Module,
    data: Trajectories | tuple[Tree, Tree],
    symmetry: Symmetry | str,
    *,
    loss: Loss | None = None,
    ground_truth: GroundTruth | Step | Literal["auto"] | None = "auto",
    history: Iterable[tuple[int, nn.Module]] = (),
    optimiser: Mapping[str, Any] | None = None,
    shifts: bool = False,
    settings: AuditSettings = _DEFAULTS,
    force: bool = False,
    name: str | None = None,
    progress: Progress = _SILENT,
) -> AuditResult:
    """Ask whether ``model`` has learned ``symmetry``: does it hold, does learning transport?

    Args:
        model: maps a batch of inputs to predictions, such as states to the states one step later;
            in eval mode if it has dropout or batch normalisation. It is left exactly as found.
        data: held-out trajectories, or a pair (inputs, targets) of independent samples. Each is a
            tensor, sample axis first, or tuples and dicts of tensors; a tuple goes to the model as
            positional arguments, a dict as keyword arguments.
        symmetry: a :class:`~goldstone.actions.Symmetry`, or the short name of one of flows (see
            :data:`~goldstone.actions.FLOW_SYMMETRIES`) if ``data`` are trajectories.
        loss: per-sample training loss, (prediction, target) → (batch,). By default ``scaled_mse``
            for grid fields, ``cross_entropy`` for class labels, and else ``mse``.
        ground_truth: what the symmetry is verified against: a solver, or any function from a
            state to the true one a step later. ``"auto"`` takes the solver that the data name,
            None goes without and calls the symmetry *assumed*.
        history: (epoch, model) of training checkpoints, first to last.
        optimiser: the ``state_dict()`` of the Adam or AdamW that trained the model, for the metric
            ``"adam"``.
        shifts: measure the shift symmetry beside the audited one, as curves and maps.
        settings: sizes, thresholds and seed.
        force: run even if the precheck refuses the symmetry, as a negative control.
        name: the model's name in the report; its class by default.
        progress: shows what is being done.

    Returns:
        The result; ``result.verdict.summary`` says it in words, ``result.save(folder)`` writes it.

    Raises:
        InputError: model, data and symmetry do not fit, before any long work.
        SymmetryRefusedError: the action is no symmetry of the ground truth or the data.
    """
    clock = _Clock()
    device, dtype = model_place(model)
    layout, symmetry = _layout_and_symmetry(data, symmetry)
    chosen = choose_samples(data, settings, device, dtype)
    loss = loss or _usual_loss(chosen.forward.targets)
    _check_channels(symmetry, chosen.forward)
    check_model(model, chosen.forward.inputs, chosen.forward.targets)
    checkpoints = check_history(history, chosen)
    group, elements = symmetry.group, elements_to_test(symmetry)
    with clock.measure("precheck"), progress.task("precheck", 1) as task:
        subject = Subject.measure(model, chosen.forward, loss, settings)
        truth = _true_step(data, ground_truth)
        checked = precheck(symmetry, elements, subject, layout, truth, force=force)
        task.advance()
    few = Subject.measure(model, chosen.gradient, loss, settings)
    summary = model_summary(name or type(model).__name__, subject, chosen.climatology)
    with clock.measure("forward"):
        tested = (group.identity, *elements)
        forward = measure_forward(subject, few, chosen.starts, symmetry, tested, progress)
    gradients: GradientResults | None = None
    if settings.metrics and any(p.requires_grad for p in model.parameters()):
        with clock.measure("gradients"):
            probe = GradientProbe(few, symmetry, chosen.reference)
            gradients = measure_gradients(
                probe, elements, progress, chosen.reference_targets, optimiser
            )
    results = element_results(
        symmetry,
        tested,
        forward,
        (gradients.identity, *gradients.elements) if gradients else None,
        summary,
        subject,
        loss_is_invariant=checked.loss_is_invariant,
    )
    holds = axis_verdict(group, {g: r.holds for g, r in zip(tested, results, strict=True)})
    transports = axis_verdict(
        group, {g: r.transports for g, r in zip(tested, results, strict=True)}
    )
    plain = gradients.plain if gradients else None
    wrong: list[Control] = []
    controls: list[Control] = []
    with clock.measure("controls"), progress.task("controls", 1) as task:
        if layout is not None and any(field.is_vector for field in layout.fields):
            wrong.append(
                wrong_action_control(
                    subject,
                    few,
                    symmetry,
                    layout,
                    chosen.reference,
                    gradients,
                    has_skill=summary.has_skill,
                )
            )
        controls += wrong
        if gradients and gradients.elements:
            unit = [{str(m): p.unit for m, p in e.products.items()} for e in gradients.elements]
            controls.append(shuffled_control(unit, settings.seed))
        task.advance()
    arrays = display_arrays(few, symmetry, elements)
    profile = None
    if shifts:
        _check_grid("inputs", chosen.gradient.inputs)
        _check_grid("targets", chosen.gradient.targets)
        with clock.measure("shifts"):
            profile, more = shift_profile(few, plain, summary.numerical_floor, progress)
            arrays |= more
    with clock.measure("history"):
        cosets = _cosets(symmetry, holds)
        entries = audit_history(
            checkpoints, symmetry, elements, chosen, loss, settings, cosets, progress
        )
    return AuditResult(
        provenance=provenance(
            model,
            data,
            settings,
            gradients.gradients if gradients else 0,
            gradients.path if gradients else "none: forward tests alone",
            clock.seconds,
            _truth_name(data, ground_truth) if truth else "none",
            {
                "controls": sum(bool(c.orbit_coherence) for c in wrong) * few.samples.trajectories,
                "shifts": profile.gradients if profile else 0,
                "history": len(entries) * (len(elements) + 1) * few.samples.trajectories,
            },
        ),
        model=summary,
        symmetry=_symmetry_summary(symmetry, elements, layout),
        precheck=checked,
        elements=results,
        controls=tuple(controls),
        verdict=Verdict(
            holds=holds,
            transports=transports,
            confidence=_confidence(results[1:]),
            metric=settings.decisive_metric if settings.metrics else "none",
            summary=summarise_verdict(summary, symmetry.name, checked, results, holds, transports),
            subgroups=subgroup_lattice(group),
        ),
        history=entries,
        shifts=profile,
        metrics={str(m): d for m, d in gradients.metrics.items()} if gradients else {},
        arrays=arrays,
    )


class _Clock:
    """Seconds spent, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def _layout_and_symmetry(
    data: Trajectories | tuple[Tree, Tree], symmetry: Symmetry | str
) -> tuple[FieldLayout | None, Symmetry]:
    layout = None if isinstance(data, tuple) else data.layout
    if isinstance(symmetry, Symmetry):
        acted = getattr(symmetry.on_output, "layout", None)
        # One layout speaks for inputs and targets, or none.
        same = acted == getattr(symmetry.on_input, "layout", None)
        return layout or (acted if same else None), symmetry
    if isinstance(data, tuple) or layout is None:
        raise InputError(
            f"the short name {symmetry!r} needs to know what the channels are: give Trajectories "
            "with a field layout, or a Symmetry"
        )
    return layout, flow_symmetry(symmetry, layout, data.grid, speed=_speed(data))


def _speed(data: Trajectories) -> float:
    """Typical flow speed, the scale of boosts: rms velocity, or rms of momentum over density."""
    fields = {field.fibre: data.fields[:, :, channels] for field, channels in data.layout.slices()}
    if "velocity" in fields:
        return float(fields["velocity"].square().sum(2).mean().sqrt())
    if "momentum" in fields and "density" in fields:
        return float((fields["momentum"] / fields["density"]).square().sum(2).mean().sqrt())
    return 1.0


def _check_channels(symmetry: Symmetry, samples: Samples) -> None:
    """What declares a layout of grid fields gets grid fields of so many channels."""
    for name, action, x in (
        ("inputs", symmetry.on_input, samples.inputs),
        ("targets", symmetry.target_action, samples.targets),
    ):
        layout = getattr(action, "layout", None)
        if not isinstance(layout, FieldLayout):
            continue
        _check_grid(name, x)
        if layout.channels != x.shape[1]:
            raise InputError(
                f"the symmetry {symmetry.name!r} acts on {layout.channels} channels "
                f"({', '.join(layout.channel_names())}), the data have {x.shape[1]}"
            )


def _check_grid(name: str, x: Tree) -> None:
    if not isinstance(x, Tensor) or x.ndim != 4 or not x.dtype.is_floating_point:
        raise InputError(
            f"{name}: expected floating-point fields of shape (sample, channel, X, Y), got "
            f"{trees.describe(x)}" + (f" of {x.dtype}" if isinstance(x, Tensor) else "")
        )


def _usual_loss(targets: Tree) -> Loss:
    if not isinstance(targets, Tensor):
        raise InputError(
            f"targets of the form {trees.describe(targets)} have no usual loss; give "
            "loss=…, a function (prediction, target) → one number per sample"
        )
    if not targets.is_floating_point() and not targets.is_complex():
        return cross_entropy
    return scaled_mse if targets.ndim == 4 else mse


def _true_step(
    data: Trajectories | tuple[Tree, Tree],
    ground_truth: GroundTruth | Step | Literal["auto"] | None,
) -> Step | None:
    """The ground truth as a function from a state to the one a step later."""
    if ground_truth == "auto":
        if isinstance(data, tuple) or data.system == "unknown":
            return None
        ground_truth = named_ground_truth(data.system, data.parameters, data.lengths)
    if ground_truth is None or not hasattr(ground_truth, "advance"):
        return ground_truth
    if isinstance(data, tuple):
        raise InputError(
            "a solver with advance(state, duration) needs trajectories, which say the time of a "
            "step; with a pair of tensors give a function from a state to the next one"
        )
    advance, dt = ground_truth.advance, data.dt
    return lambda x: advance(x, dt)


def _truth_name(
    data: Trajectories | tuple[Tree, Tree],
    ground_truth: GroundTruth | Step | Literal["auto"] | None,
) -> str:
    if ground_truth == "auto" and isinstance(data, Trajectories):
        return f"the solver of {data.system} that the data name"
    return getattr(ground_truth, "system", None) or "a function given by the caller"


def _confidence(results: Sequence[ElementResult]) -> dict[str, float]:
    found = {}
    for axis in ("holds", "transports"):
        supports = [r.support[axis] for r in results if axis in r.support]
        if supports:
            found[axis] = min(supports)
    return found


def _cosets(symmetry: Symmetry, holds: AxisVerdict) -> tuple[tuple[str, ...], ...]:
    """The residual subgroup without e, and the broken cosets, as names of tested elements."""
    if not holds.residual_low or not isinstance(symmetry.group, FiniteGroup):
        return ()
    inside = tuple(name for name in holds.residual_low[0].elements if name != "e")
    return tuple(names for names in (inside, *holds.broken_cosets) if names)


def _symmetry_summary(
    symmetry: Symmetry, elements: Sequence[Any], layout: FieldLayout | None
) -> SymmetrySummary:
    group = symmetry.group
    point = getattr(symmetry.on_output, "point", symmetry.on_output)
    return SymmetrySummary(
        name=symmetry.name,
        group=group.name,
        order=group.order if isinstance(group, FiniteGroup) else None,
        tested=tuple(group.element_name(g) for g in elements),
        layout=tuple(layout.to_json()) if layout else (),
        pivot=getattr(point, "pivot", None),
    )
