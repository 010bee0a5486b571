"""Before a model is judged: is the action an action, and is it a symmetry at all?"""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from goldstone.actions import (
    Action,
    Context,
    FieldLayout,
    FourierTranslation,
    ShiftAction,
    Symmetry,
    action_law_errors,
    law_tolerance_of,
)
from goldstone.auditing.conventions import convention_checks
from goldstone.auditing.ground_truth import (
    GroundTruth,
    diagnose,
    ground_truth_checks,
    reproduction_check,
)
from goldstone.auditing.results import ConventionCheck, GroundTruthCheck, Precheck
from goldstone.auditing.subject import Subject
from goldstone.core import InputError, SymmetryRefusedError, trees
from goldstone.core.trees import Tree

LARGEST_LOSS_CHANGE = 1e-3
_CHECKED = 4


def precheck(
    symmetry: Symmetry,
    elements: Sequence[Any],
    subject: Subject,
    layout: FieldLayout | None,
    ground_truth: GroundTruth | None,
    *,
    force: bool = False,
) -> Precheck:
    """Laws of the action, the ground truth, the data's conventions and the loss.

    Raises:
        InputError: the action breaks the laws of an action.
        SymmetryRefusedError: it is no symmetry of the ground truth or contradicts the data, and
            ``force`` is not set.
    """
    samples = subject.samples
    last = trees.batch_size(samples.inputs) - 1
    spread = torch.unique(torch.linspace(0, last, _CHECKED).round().long())
    inputs, targets = trees.take(samples.inputs, spread), trees.take(samples.targets, spread)
    laws = _check_laws(symmetry, elements, inputs, targets, subject)
    invariance = _loss_invariance(symmetry, elements, subject, spread)
    conventions = convention_checks(samples, layout) if layout is not None else ()
    truth: tuple[GroundTruthCheck, ...] = ()
    # Shifts move every channel alike, whatever it is.
    alike = isinstance(symmetry.on_output, (ShiftAction, FourierTranslation))
    doubtful = [check for check in conventions if not check.passes and not alike]
    findings = []
    if ground_truth is not None:
        reproduced = reproduction_check(ground_truth, inputs, targets)
        conventions = (*conventions, reproduced)
        # A solver that steps the data as they went knows better than their statistics.
        doubtful = [] if reproduced.passes else [*doubtful, reproduced]
        truth = ground_truth_checks(ground_truth, symmetry, elements, inputs, samples.context)
        failing = [g for g, check in zip(elements, truth, strict=True) if not check.passes]
        if failing:
            names = ", ".join(check.name for check in truth if not check.passes)
            worst = max(check.violation_of_change for check in truth)
            diagnosis = diagnose(ground_truth, symmetry, elements, failing, inputs, samples.context)
            findings.append(
                f"{names}: the ground truth does not commute with it (it misses by up to "
                f"{worst:.2g} of the change over a step); {diagnosis}"
            )
    findings = [*map(_convention_finding, doubtful), *findings]
    status: Literal["verified", "assumed", "refused"]
    if findings:
        status = "refused"
    else:
        status = "verified" if ground_truth is not None else "assumed"
    if findings and not force:
        raise SymmetryRefusedError(
            f"the symmetry {symmetry.name!r} is refused before the model is audited: "
            + "; ".join(findings)
            + ". Mend the declaration, or force the audit to run it as a negative control"
        )
    return Precheck(
        status=status,
        statement=_statement(status, symmetry.name, truth, conventions),
        findings=tuple(findings),
        law_errors=laws,
        ground_truth=truth,
        conventions=conventions,
        loss_invariance=invariance,
        loss_is_invariant=symmetry.fixes_loss
        and max(invariance.values(), default=0.0) <= LARGEST_LOSS_CHANGE,
        forced=bool(findings),
    )


def _check_laws(
    symmetry: Symmetry, elements: Sequence[Any], inputs: Tree, targets: Tree, subject: Subject
) -> dict[str, float]:
    """Law errors of the three actions, each at its own time."""
    samples = subject.samples
    outputs = trees.take(subject.predictions, slice(trees.batch_size(inputs)))
    # An output has the target's form, unless the targets are class labels.
    outputs = targets if trees.same_shapes(outputs, targets) else outputs
    cases: dict[str, tuple[Action, Tree, int]] = {
        "on_input": (symmetry.on_input, inputs, 0),
        "on_output": (symmetry.on_output, outputs, 1),
        "on_target": (symmetry.target_action, targets, 1),
    }
    found = {}
    for name, (action, x, step) in cases.items():
        for element in elements:
            _check_image(
                f"{name} of {symmetry.name!r}", action, element, x, samples.context.at(step)
            )
        errors = action_law_errors(action, symmetry.group, x, samples.context.at(step), elements)
        worst = max(errors.identity, errors.composition)
        # Resampled images obey the laws as far as their content is smooth, and say so.
        allowed = law_tolerance_of([action])
        if not worst <= allowed:
            raise InputError(
                f"{name} of {symmetry.name!r} breaks the laws of an action by {worst:.2g} "
                f"(elements {errors.worst[0]} and {errors.worst[1]}; allowed {allowed:g}): "
                "act(a, act(b, x)) must be act(a·b, x)"
                + (
                    "; images that are not smooth to their edges need a window: see disc_window"
                    if hasattr(action, "law_tolerance")
                    else ""
                )
            )
        found[name] = worst
    return found


def _check_image(name: str, action: Action, element: Any, x: Tree, context: Context) -> None:
    """An action gives states of the same shapes, and leaves the one it is given alone."""
    before = trees.map_leaves(Tensor.clone, x)
    moved = action.act(element, x, context)
    if not trees.same_shapes(moved, x) or trees.batch_size(moved) != trees.batch_size(x):
        raise InputError(
            f"{name} changes the shape {trees.describe(x)} to {trees.describe(moved)}; an action "
            "keeps the shape"
        )
    if not trees.equal(before, x):
        raise InputError(f"{name} changes the state that it is given in place; act on a copy")


def _loss_invariance(
    symmetry: Symmetry,
    elements: Sequence[Any],
    subject: Subject,
    chosen: Tensor,
) -> dict[str, float]:
    """|ℓ(g·p, g·t) − ℓ(p, t)|/ℓ(p, t) by element, worst over samples."""
    after, loss = subject.samples.context.at(1), subject.loss
    predictions = trees.take(subject.predictions, chosen)
    targets = trees.take(subject.samples.targets, chosen)
    plain = loss(predictions, targets)
    found = {}
    for element in elements:
        moved = loss(
            symmetry.on_output.act(element, predictions, after),
            symmetry.target_action.act(element, targets, after),
        )
        gap = (moved - plain).abs() / plain.abs().clamp_min(torch.finfo(plain.dtype).tiny)
        found[symmetry.group.element_name(element)] = float(gap.max())
    return found


def _convention_finding(check: ConventionCheck) -> str:
    if not check.alternatives:
        return f"{check.name}: {check.declared:.2g} ({check.meaning})"
    best = min(check.alternatives, key=lambda name: check.alternatives[name])
    return (
        f"{check.name}: {check.declared:.2g} as declared, but {check.alternatives[best]:.2g} "
        f"{best} ({check.meaning})"
    )


def _statement(
    status: str,
    name: str,
    truth: Sequence[GroundTruthCheck],
    conventions: Sequence[ConventionCheck],
) -> str:
    if status == "refused":
        return f"{name} is NOT a symmetry as declared; what follows is a negative control."
    if status == "verified":
        worst = max((check.violation for check in truth), default=0.0)
        return f"{name} is verified: the ground truth commutes with every element to {worst:.1e}."
    agreeing = sum(check.passes for check in conventions)
    asked = (
        f"{agreeing} of {len(conventions)} convention checks of the data agree with the declared "
        "fields"
        if conventions
        else "the data allow no convention check"
    )
    return (
        f"{name} is ASSUMED to be a symmetry of the data, not verified: there is no ground truth "
        f"to test it against ({asked})."
    )
