"""The audit: has this model learned this symmetry?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from torch import nn

from goldstone.actions import Symmetry
from goldstone.auditing.audit_result import AuditResult
from goldstone.auditing.clock import Clock
from goldstone.auditing.controls import audit_controls
from goldstone.auditing.display import display_arrays
from goldstone.auditing.elements import element_results, elements_to_test, measure_forward
from goldstone.auditing.given import (
    Data,
    Step,
    check_channels,
    check_grid,
    layout_and_symmetry,
    tensors_of,
    true_step,
    truth_name,
    usual_loss,
    usual_metric,
)
from goldstone.auditing.gradient_check import check_loss, gradient_obstacle
from goldstone.auditing.gradient_results import GradientResults, measure_gradients
from goldstone.auditing.gradients import GradientProbe
from goldstone.auditing.history import audit_history, check_history
from goldstone.auditing.inspection import check_model, model_place
from goldstone.auditing.memory_plan import fitting_settings
from goldstone.auditing.metrics import adam
from goldstone.auditing.null_classes import check_null
from goldstone.auditing.orbit_metrics import Metric, check_metric
from goldstone.auditing.precheck import precheck
from goldstone.auditing.probe_choice import ProbeQuestion, choose_probes
from goldstone.auditing.probed_model import Model, as_module, left_as_found, model_name
from goldstone.auditing.probes import ProbeInputs, run_probes
from goldstone.auditing.provenance import provenance
from goldstone.auditing.samples import choose_samples
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.shifts import shift_profile
from goldstone.auditing.skill import model_summary
from goldstone.auditing.subject import Loss, Subject, steady_loss
from goldstone.auditing.verdict import symmetry_summary, tested_cosets, verdict
from goldstone.core import Progress, SilentProgress
from goldstone.systems.flows import GroundTruth

_SILENT = SilentProgress()
_DEFAULTS = AuditSettings()


def audit(
    model: Model,
    data: Data,
    symmetry: Symmetry | str,
    *,
    loss: Loss | None = None,
    metric: Metric | None = None,
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
            in eval mode if it has dropout or batch normalisation. It is left exactly as found. A
            plain function of tensors, such as an inference session, is a black box: it gets the
            forward probes alone, and whether learning transports stays undetermined.
        data: held-out trajectories, or a pair (inputs, targets) of independent samples. Each is a
            tensor, sample axis first, or tuples and dicts of tensors; a tuple goes to the model as
            positional arguments, a dict as keyword arguments.
        symmetry: a :class:`~goldstone.actions.Symmetry`, or the short name of one of flows (see
            :data:`~goldstone.actions.FLOW_SYMMETRIES`) if ``data`` are trajectories.
        loss: per-sample training loss, (prediction, target) → (batch,). By default ``scaled_mse``
            for grid fields, ``cross_entropy`` for class labels, and else ``mse``.
        metric: what the probe ``"orbit-metric"`` follows over the transformed test sets: see
            :func:`~goldstone.auditing.metric_over_orbit`. By default ``"accuracy"`` for class
            labels, and else the loss.
        ground_truth: what the symmetry is verified against: a solver, or any function from a
            state to the true one a step later. ``"auto"`` takes the solver that the data name,
            None goes without and calls the symmetry *assumed*.
        history: (epoch, model) of training checkpoints, first to last.
        optimiser: the ``state_dict()`` of the Adam or AdamW that trained the model, for the metric
            ``"adam"``.
        shifts: measure the shift symmetry beside the audited one, as curves and maps.
        settings: sizes, thresholds, seed, metrics of the gradients and further probes.
        force: run even if the precheck refuses the symmetry, as a negative control.
        name: the model's name in the report; by default its class, or the function's name.
        progress: shows what is being done.

    Returns:
        The result; ``result.verdict.summary`` says it in words, ``result.save(folder)`` writes it.

    Raises:
        InputError: model, data, symmetry and probes do not fit, before any long work.
        SymmetryRefusedError: the action is no symmetry of the ground truth or the data.
    """
    checkpoints = tuple((epoch, as_module(checkpoint)) for epoch, checkpoint in history)
    module = as_module(model)
    with left_as_found(module, *(checkpoint for _, checkpoint in checkpoints)):
        return _audit(
            module,
            data,
            symmetry,
            loss,
            metric,
            ground_truth,
            checkpoints,
            optimiser,
            settings,
            name or model_name(model),
            progress,
            shifts=shifts,
            force=force,
        )


def _audit(
    model: nn.Module,
    data: Data,
    symmetry: Symmetry | str,
    loss: Loss | None,
    metric: Metric | None,
    ground_truth: GroundTruth | Step | Literal["auto"] | None,
    checkpoints: Sequence[tuple[int, nn.Module]],
    optimiser: Mapping[str, Any] | None,
    settings: AuditSettings,
    name: str,
    progress: Progress,
    *,
    shifts: bool,
    force: bool,
) -> AuditResult:
    """The audit of a module that someone else leaves as found."""
    clock, numbers = Clock(), tensors_of(data)
    layout, symmetry = layout_and_symmetry(data, symmetry, _speed(data))
    chosen = choose_samples(data, settings, *model_place(model, numbers))
    loss = steady_loss(loss or usual_loss(chosen.forward.targets))
    check_channels(symmetry, chosen.forward)
    if shifts:
        check_grid("inputs", chosen.gradient.inputs)
        check_grid("targets", chosen.gradient.targets)
    check_model(model, chosen.forward.inputs, chosen.forward.targets)
    check_loss(model, loss, chosen.forward.inputs, chosen.forward.targets)
    if metric is not None:
        check_metric(metric)
    check_history(checkpoints, chosen)
    no_gradients = ""
    if settings.metrics or settings.probes:
        examples = chosen.forward.inputs, chosen.forward.targets
        no_gradients = gradient_obstacle(model, loss, *examples)
    if "adam" in settings.metrics and not no_gradients:
        adam(model, optimiser)
    check_null(chosen.gradient, settings)
    settings = fitting_settings(model, chosen, settings, gradients=not no_gradients)
    elements = elements_to_test(symmetry)
    asked = ProbeQuestion(model, data, chosen.forward, symmetry, elements, no_gradients)
    probes, left_out = choose_probes(settings, asked)
    with clock.measure("precheck"), progress.task("precheck", 1) as task:
        subject = Subject.measure(model, chosen.forward, loss, settings)
        truth = true_step(data, ground_truth)
        checked = precheck(symmetry, elements, subject, layout, truth, force=force)
        task.advance()
    few = Subject.measure(model, chosen.gradient, loss, settings)
    summary = model_summary(name, subject, chosen.climatology)
    with clock.measure("forward"):
        tested = (symmetry.group.identity, *elements)
        forward = measure_forward(subject, few, chosen.starts, symmetry, tested, progress)
    gradients: GradientResults | None = None
    if settings.metrics and not no_gradients:
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
        no_gradients=no_gradients,
    )
    judged = verdict(symmetry, elements, results, summary, checked, settings)
    with clock.measure("controls"), progress.task("controls", 1) as task:
        controls = audit_controls(
            subject,
            few,
            symmetry,
            layout,
            chosen.reference,
            gradients,
            has_skill=summary.has_skill,
        )
        task.advance()
    arrays = display_arrays(few, symmetry, elements)
    profile = None
    if shifts:
        plain = gradients.plain if gradients else None
        with clock.measure("shifts"):
            profile, more = shift_profile(few, plain, summary.numerical_floor, progress)
            arrays |= more
    with clock.measure("history"):
        cosets = tested_cosets(symmetry, judged.holds)
        entries = audit_history(
            checkpoints, symmetry, elements, chosen, loss, settings, cosets, progress
        )
    followed = metric or usual_metric(subject.predictions, chosen.forward.targets, loss)
    given = ProbeInputs(subject, few, symmetry, elements, data, followed, progress, optimiser)
    found, probe_gradients = run_probes(probes, left_out, given, clock)
    n = few.samples.trajectories
    return AuditResult(
        provenance=provenance(
            model,
            data,
            settings,
            gradients.gradients if gradients else 0,
            gradients.path if gradients else f"none: {no_gradients or 'forward tests alone'}",
            clock.seconds,
            truth_name(data, ground_truth) if truth else "none",
            {
                "controls": (gradients.probe.subject if gradients else few).samples.trajectories
                * sum(bool(c.orbit_coherence and c.log_loss_ratio is not None) for c in controls),
                "shifts": profile.gradients if profile else 0,
                "history": n * len(entries) * (len(elements) + 1),
                **probe_gradients,
            },
            gradients.saved if gradients else 0,
            gradients.probe.keeping.plan if gradients else None,
        ),
        model=summary,
        symmetry=symmetry_summary(symmetry, elements, layout),
        precheck=checked,
        elements=results,
        controls=controls,
        verdict=judged,
        history=entries,
        shifts=profile,
        metrics={str(m): d for m, d in gradients.metrics.items()} if gradients else {},
        probes=found,
        arrays=arrays,
    )


def _speed(data: Data) -> float:
    """Typical flow speed, the scale of boosts: rms velocity, or rms of momentum over density."""
    if isinstance(data, tuple):
        return 1.0
    fields = {field.fibre: data.fields[:, :, channels] for field, channels in data.layout.slices()}
    if "velocity" in fields:
        return float(fields["velocity"].square().sum(2).mean().sqrt())
    if "momentum" in fields and "density" in fields:
        return float((fields["momentum"] / fields["density"]).square().sum(2).mean().sqrt())
    return 1.0
