"""That a symmetry holds for a model on data, asserted by the forward part of an audit."""

from collections.abc import Callable
from dataclasses import replace
from math import exp
from typing import Literal

from torch import Tensor, nn

from goldstone.actions import Symmetry
from goldstone.auditing import AuditResult, AuditSettings, ElementResult, audit
from goldstone.auditing.answers import NO_SKILL
from goldstone.auditing.summary import holds_sentence
from goldstone.core.trees import Tree
from goldstone.systems.flows import GroundTruth, Trajectories
from goldstone.testing.laws import LawError

_SETTINGS = AuditSettings(metrics=(), rollout_steps=0)
_MOST_NAMED = 8


def assert_holds(
    model: nn.Module,
    data: Trajectories | tuple[Tree, Tree],
    symmetry: Symmetry | str,
    *,
    tolerance: float | None = None,
    settings: AuditSettings = _SETTINGS,
    ground_truth: GroundTruth | Callable[[Tree], Tree] | Literal["auto"] | None = "auto",
    loss: Callable[[Tree, Tree], Tensor] | None = None,
) -> AuditResult:
    """Assert that the model is as good on moved data as on the data, for every tested element.

    It is the forward part of :func:`goldstone.audit`, without gradients: an element holds if the
    95 % interval of its loss factor exp(T) lies below 1 + δ, or if the model is exactly equivariant
    under it. Undetermined fails too: too few data show nothing.

    Args:
        model: as for :func:`goldstone.audit`; it is left as found.
        data: held-out trajectories, or (inputs, targets) of independent samples; eight or more.
        symmetry: a :class:`~goldstone.actions.Symmetry`, or a short name if ``data`` are
            trajectories.
        tolerance: δ; by default that of ``settings``, 0.1.
        settings: sizes, thresholds and seed; its metrics are left out.
        ground_truth: what the symmetry is verified against, as for :func:`goldstone.audit`.
        loss: per-sample loss, (prediction, target) → (batch,); the default is that of the audit.

    Returns:
        The result of the audit, for further assertions.

    Raises:
        LawError: an ``AssertionError`` that says the verdict and, element by element, the loss
            factor and the equivariance error.
        InputError: model, data and symmetry do not fit.
        SymmetryRefusedError: the action is no symmetry of the ground truth or the data.
    """
    __tracebackhide__ = True
    chosen = replace(settings, metrics=())
    if tolerance is not None:
        chosen = replace(chosen, tolerance=tolerance)
    result = audit(model, data, symmetry, settings=chosen, ground_truth=ground_truth, loss=loss)
    if result.verdict.holds.answer != "yes":
        raise LawError(_message(result, 1 + chosen.tolerance))
    return result


def _message(result: AuditResult, allowed: float) -> str:
    name = result.symmetry.name
    if not result.model.has_skill:
        return f"whether {name} holds for {result.model.name} is undetermined: {NO_SKILL}"
    lines = [holds_sentence(result.model, name, result.elements, result.verdict.holds)]
    if result.precheck.status != "verified":
        lines.append(result.precheck.statement)
    wrong = [e for e in result.elements if e.name != "e" and e.holds != "yes"]
    # The worst first, with what fails before what is open.
    wrong.sort(key=lambda e: (e.holds != "no", -(e.log_loss_ratio.estimate or 0.0)))
    lines += [f"  {_describe(e)} (allowed {allowed:.3g})" for e in wrong[:_MOST_NAMED]]
    if len(wrong) > _MOST_NAMED:
        lines.append(f"  and {len(wrong) - _MOST_NAMED} more")
    return "\n".join(lines)


def _describe(element: ElementResult) -> str:
    t, error = element.log_loss_ratio, element.equivariance_error.estimate
    text = f"{element.name}: {element.holds}, loss factor {_factor(t.estimate)}"
    if t.low is not None and t.high is not None:
        text += f" [{_factor(t.low)}, {_factor(t.high)}]"
    return text + (f", equivariance error {error:.1e}" if error is not None else "")


def _factor(logarithm: float | None) -> str:
    return "of no value" if logarithm is None else f"{exp(min(logarithm, 600.0)):.3g}"
