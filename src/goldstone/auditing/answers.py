"""From the statistics of one element to its two answers, its grade and its label."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.auditing.coherence import Coherences
from goldstone.auditing.results import Answer, Grade, Label
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.settling import more_gradients, more_trajectories
from goldstone.core import Statistic

EXACT_FLOORS = 10.0
"""An equivariance error up to this many numerical floors is *exact*."""

MORE_DATA = "audit more trajectories"

NO_SKILL = (
    "the model does not beat persistence and climatology (the input itself, and the mean target or "
    "the frequencies of the classes), and a model without skill is trivially symmetric: train it "
    "further"
)


@dataclass(frozen=True)
class ElementAnswer:
    """The answers of one element; ``support`` is the bootstrap's.

    ``reason`` is why one is undetermined, and what would settle it; ``reasons`` the same by axis.
    """

    holds: Answer
    transports: Answer
    grade: Grade
    label: Label
    support: dict[str, float]
    reason: str
    reasons: dict[str, str]


def answer_element(
    error: Statistic,
    numerical_floor: float,
    log_loss_ratio: Statistic,
    log_loss_replicates: Tensor,
    coherence: Coherences | None,
    adjusted_p: float,
    settings: AuditSettings,
    *,
    has_skill: bool,
    loss_is_invariant: bool,
    no_gradients: str = "",
) -> ElementAnswer:
    """Apply the definitions of docs/methods/influence.md.

    *Holds*: the 95 % interval of T lies below log(1 + δ) (yes) or above it (no); what is exact
    holds, whatever rounding does to the losses of a perfect model. *Transports*: the
    interval of ρ lies above ρ_min and the corrected permutation p is below 0.05 (yes), or it lies
    below ρ_min (no). Without skill both are undetermined.
    """
    exact = error.estimate is not None and error.estimate <= EXACT_FLOORS * numerical_floor
    reasons: dict[str, str] = {}
    support = {}
    holds: Answer = "undetermined"
    if not has_skill:
        reasons["holds"] = NO_SKILL
    else:
        holds = _compare(log_loss_ratio, settings.log_tolerance, below="yes", above="no")
        holds = "yes" if exact else holds
        if holds == "undetermined":
            more = more_trajectories(log_loss_ratio, settings.log_tolerance)
            reasons["holds"] = (
                f"the interval of the loss ratio spans the tolerance: {MORE_DATA}{more}"
            )
        support["holds"] = (
            1.0
            if exact
            else _support(log_loss_replicates, settings.log_tolerance, above=holds == "no")
        )
    transports, why = _transports(
        coherence,
        adjusted_p,
        settings,
        has_skill=has_skill,
        loss_is_invariant=loss_is_invariant,
        no_gradients=no_gradients,
    )
    if why:
        reasons["transports"] = why
    reason = "; ".join(reasons.values())
    if transports == "undetermined" and not has_skill:
        reasons.setdefault("transports", NO_SKILL)
    if coherence is not None and has_skill and loss_is_invariant:
        support["transports"] = _support(
            coherence.orbit_replicates, settings.least_coherence, above=transports != "no"
        )
    grades: dict[Answer, Grade] = {
        "yes": "approximate",
        "no": "violated",
        "undetermined": "undetermined",
    }
    return ElementAnswer(
        holds=holds,
        transports=transports,
        grade="exact" if exact else grades[holds],
        label=_label(holds, transports),
        support=support,
        reason=reason,
        reasons=reasons,
    )


def _transports(
    coherence: Coherences | None,
    adjusted_p: float,
    settings: AuditSettings,
    *,
    has_skill: bool,
    loss_is_invariant: bool,
    no_gradients: str,
) -> tuple[Answer, str]:
    if coherence is None:
        because = f": {no_gradients}" if no_gradients else ""
        return "undetermined", f"no gradients were taken{because}"
    if not loss_is_invariant:
        return "undetermined", (
            "loss not invariant: the gradient probes need a loss with ℓ(g·p, g·t) = ℓ(p, t), "
            "such as 'mse' for turns, or for boosts of a velocity (it has none for boosts of "
            "conserved variables)"
        )
    if not has_skill:
        return "undetermined", ""
    if coherence.orbit.estimate is None:
        return "undetermined", "the gradients vanish, or do not differ from sample to sample"
    answer = _compare(coherence.orbit, settings.least_coherence, below="no", above="yes")
    if answer == "yes" and adjusted_p >= 0.05:
        return "undetermined", (
            f"orbit coherence is high but the permutation test gives p = {adjusted_p:.2g}: "
            f"{MORE_DATA}"
        )
    if answer == "undetermined":
        more = more_gradients(coherence.orbit, settings.least_coherence)
        return answer, f"the interval of the orbit coherence spans the threshold: {MORE_DATA}{more}"
    return answer, ""


def _compare(statistic: Statistic, threshold: float, below: Answer, above: Answer) -> Answer:
    if statistic.low is None or statistic.high is None:
        return "undetermined"
    if statistic.high < threshold:
        return below
    return above if statistic.low > threshold else "undetermined"


def _support(replicates: Tensor, threshold: float, *, above: bool) -> float:
    finite = replicates[torch.isfinite(replicates)]
    if len(finite) == 0:
        return 0.0
    share = float((finite > threshold).double().mean())
    return share if above else 1 - share


def _label(holds: Answer, transports: Answer) -> Label:
    labels: dict[tuple[Answer, Answer], Label] = {
        ("yes", "yes"): "internalised",
        ("yes", "no"): "covered",
        ("no", "yes"): "latent",
        ("no", "no"): "broken",
    }
    return labels.get((holds, transports), "undetermined")
