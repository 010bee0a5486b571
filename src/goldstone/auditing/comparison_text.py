"""A comparison of two audits in words: its summary, its caveats, how sure it is."""

from collections.abc import Sequence

from goldstone.auditing.audit_result import AuditResult
from goldstone.auditing.comparison_results import (
    AxisComparison,
    ElementComparison,
    Outcome,
    SettingChange,
)

_THRESHOLDS = {"tolerance", "least_coherence"}
_MOST_NAMED = 8


def summarise(
    symmetry: str,
    outcome: Outcome,
    elements: Sequence[ElementComparison],
    holds: AxisComparison,
    transports: AxisComparison,
) -> str:
    """What changed, one sentence per axis, and how many numbers changed clearly."""
    head = {
        "worse": "Worse: an answer became no.",
        "undetermined": "Undetermined: what was yes is no longer sure.",
        "better": "Better: answers only rose.",
        "same": "Every answer is as it was.",
    }[outcome]
    sentences = [f"{symmetry}: {head}"]
    for name, axis in (("Holds", holds), ("Transports", transports)):
        if axis.compared:
            sentences += _axis_sentences(name, axis)
        else:
            sentences.append("Answers on transports are not compared: no one metric decided both.")
    for change in ("worse", "better"):
        sentences += [s for s in (_numbers_sentence(elements, change),) if s]
    return " ".join(sentences)


def caveats(
    first: AuditResult, second: AuditResult, settings: Sequence[SettingChange]
) -> tuple[str, ...]:
    """What differs besides the models."""
    a, b = first.provenance, second.provenance
    same_data = a.data_sha256 == b.data_sha256
    found = []
    if not same_data:
        found.append(
            "the data differ (another SHA-256): a change may be that of the data, not the model"
        )
    if a.weights_sha256 == b.weights_sha256:
        found.append(
            "the weights are the same: what changed is the data, the settings, the network around "
            "the weights, or the machine"
        )
    changed = {change.name for change in settings}
    if changed & _THRESHOLDS:
        found.append("the thresholds differ, so an answer may change where no number does")
    other = [f"{c.name} {_value(c.first)} → {_value(c.second)}" for c in settings]
    if other:
        found.append(f"the settings differ: {', '.join(other)}")
    if first.model.loss_name != second.model.loss_name:
        found.append(
            f"the losses differ ({first.model.loss_name} → {second.model.loss_name}): loss factors "
            "and coherences of two losses do not compare"
        )
    if first.symmetry.layout != second.symmetry.layout:
        found.append("the channels are declared differently: the same turn moves them otherwise")
    if a.dtype != b.dtype:
        found.append(f"the precision differs ({a.dtype} → {b.dtype})")
    if a.versions.get("goldstone") != b.versions.get("goldstone"):
        found.append(
            f"the versions of goldstone differ ({a.versions.get('goldstone')} → "
            f"{b.versions.get('goldstone')})"
        )
    for place, audit in (("first", first), ("second", second)):
        found += _of_one(place, audit)
    return tuple(found)


def how_intervals_are_made(*, same_samples: bool) -> str:
    """How the intervals of differences are made, and which way they err."""
    text = (
        "95 % intervals of differences: the root of the sum of squares of both audits' half-widths,"
        " as for independent audits; not corrected for the number of comparisons."
    )
    if same_samples:
        text += (
            " Both audits used the same samples, whose errors are mostly shared, so that these "
            "intervals are as a rule too wide; a paired bootstrap would need the values of every "
            "trajectory, which audits do not save."
        )
    return text


def _of_one(place: str, audit: AuditResult) -> list[str]:
    found = []
    if not audit.model.has_skill:
        found.append(
            f"the {place} model has no skill, and a model without skill is trivially symmetric"
        )
    if audit.precheck.status == "refused":
        found.append(f"the {place} audit was forced on a refused symmetry")
    wrong = [control.name for control in audit.controls if not control.as_expected]
    if wrong:
        found.append(f"the {place} audit's control {', '.join(wrong)} is not as expected")
    return found


def _axis_sentences(name: str, axis: AxisComparison) -> list[str]:
    then, now = axis.answer
    text = f"{name}: {now}, as before" if then == now else f"{name}: {then} → {now}"
    if axis.residual_first != axis.residual_second:
        text += f"; residual {_listed(axis.residual_first)} → {_listed(axis.residual_second)}"
    sentences = [text + "."]
    if axis.fell:
        sentences.append(f"Fell: {names(axis.fell)}.")
    if axis.rose:
        sentences.append(f"Rose: {names(axis.rose)}.")
    return sentences


def _numbers_sentence(elements: Sequence[ElementComparison], change: str) -> str:
    count = {
        "loss factor": sum(e.log_loss_ratio.change == change for e in elements),
        "equivariance error": sum(e.equivariance_error.change == change for e in elements),
        "ρ": sum(any(d.change == change for d in e.orbit_coherence.values()) for e in elements),
    }
    parts = [f"{name} of {n} of {len(elements)} elements" for name, n in count.items() if n]
    return f"Clearly {change}: {', '.join(parts)}." if parts else ""


def names(elements: Sequence[str]) -> str:
    """Names of elements, at most eight of them."""
    if len(elements) <= _MOST_NAMED:
        return ", ".join(elements)
    return f"{', '.join(elements[: _MOST_NAMED - 1])} and {len(elements) - _MOST_NAMED + 1} more"


def _listed(subgroups: Sequence[str]) -> str:
    return " or ".join(subgroups) or "nothing"


def _value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "+".join(map(str, value)) or "none"
    return "(absent)" if value is None else str(value)
