"""The verdict in plain words, and what to do next."""

from collections.abc import Sequence
from math import exp

from goldstone.auditing.answers import MORE_DATA, NO_SKILL
from goldstone.auditing.results import (
    AxisVerdict,
    ElementResult,
    ModelSummary,
    Precheck,
)


def summarise_verdict(
    model: ModelSummary,
    symmetry_name: str,
    precheck: Precheck,
    elements: Sequence[ElementResult],
    holds: AxisVerdict,
    transports: AxisVerdict,
) -> str:
    """One paragraph: what holds, what transports, what is broken and by how much, what to do."""
    sentences = [] if precheck.status == "verified" else [precheck.statement]
    if not model.has_skill:
        sentences.append(f"Undetermined on both axes: {NO_SKILL}.")
        exact = [e.name for e in elements if e.grade == "exact"]
        if exact and len(exact) == len(elements):
            sentences.append(
                "Its outputs are equivariant to rounding error, whatever the weights have learned."
            )
        return " ".join(sentences)
    sentences.append(holds_sentence(model, symmetry_name, elements, holds))
    sentences.append(_transports(elements, transports))
    if any(e.orbit_coherence for e in elements):
        sentences.append(_frozen(model))
    sentences.append(_advice(elements))
    return " ".join(sentence for sentence in sentences if sentence)


def holds_sentence(
    model: ModelSummary, name: str, elements: Sequence[ElementResult], verdict: AxisVerdict
) -> str:
    """Which elements hold and which do not, and by how much the loss grows."""
    moved = [e for e in elements if e.name != "e"]
    if verdict.answer == "yes":
        exact = all(e.grade == "exact" for e in moved)
        worst = max((e.equivariance_error.estimate or 0.0 for e in moved), default=0.0)
        how = (
            "exactly, to rounding error"
            if exact
            else f"with an equivariance error up to {worst:.1%}"
        )
        return (
            f"The symmetry {name} holds for {model.name}: all {len(moved)} tested elements, {how}."
        )
    failed = [e for e in moved if e.holds == "no"]
    open_ = [e for e in moved if e.holds == "undetermined"]
    if failed:
        factor = max(_factor(e) for e in failed)
        text = (
            f"{model.name} has not learned {name}: under {_names(failed)} its loss grows, by up "
            f"to a factor of {factor:.1f}."
        )
        passed = [e for e in moved if e.holds == "yes"]
        if passed:
            text += f" What holds is {_kept(verdict, passed)}."
    else:
        text = f"Whether {name} holds for {model.name} is undetermined: no element fails."
    if open_:
        text += f" Undetermined: {_names(open_)}."
    return text


def _transports(elements: Sequence[ElementResult], transports: AxisVerdict) -> str:
    moved = [e for e in elements if e.name != "e"]
    if all(e.transports == "undetermined" for e in moved):
        given = (e.reasons["transports"] for e in moved if "transports" in e.reasons)
        reason = next(given, "no gradients were taken")
        return f"Whether learning transports along it is undetermined ({reason})."
    if transports.answer == "yes":
        return (
            "Learning transports along all of them: a training step on x also improves the model "
            "at g·x."
        )
    passed = [e for e in moved if e.transports == "yes"]
    text = f"Learning transports along {_kept(transports, passed)}"
    stopped = [e for e in moved if e.transports == "no"]
    if stopped:
        text += f" and not along {_names(stopped)}"
    open_ = [e for e in moved if e.transports == "undetermined"]
    if open_:
        text += f"; undetermined along {_names(open_)}"
    return text + "."


def _frozen(model: ModelSummary) -> str:
    """Which parameters the gradients are of, where it is not all."""
    if model.trainable is None or model.trainable == model.parameters:
        return ""
    return (
        f"Gradients are those of the {model.trainable:,} of {model.parameters:,} parameters that "
        "are not frozen."
    )


def _advice(elements: Sequence[ElementResult]) -> str:
    moved = [e for e in elements if e.name != "e"]
    labels = {
        label: [e for e in moved if e.label == label] for label in ("covered", "latent", "broken")
    }
    advice = []
    if labels["broken"]:
        advice.append(
            f"train on data moved by {_names(labels['broken'])} (augmentation), or build the "
            "symmetry into the architecture"
        )
    if labels["latent"]:
        advice.append(
            f"along {_names(labels['latent'])} gradients already agree: a little augmented "
            "training should make it hold"
        )
    if labels["covered"]:
        advice.append(
            f"along {_names(labels['covered'])} it holds on this data but is not shared in the "
            "weights: expect it to fail on data unlike the training set, and audit such data"
        )
    if advice:
        return "What to do: " + "; ".join(advice) + "."
    undetermined = [e for e in moved if e.label == "undetermined"]
    if any(MORE_DATA in e.reason for e in undetermined):
        return "What to do: audit more trajectories, which narrows the intervals."
    # Other reasons say themselves what would settle it.
    return "" if undetermined else "Nothing needs doing for this symmetry."


def _factor(element: ElementResult) -> float:
    return exp(min(element.log_loss_ratio.estimate or 0.0, 50.0))


def _names(elements: Sequence[ElementResult]) -> str:
    names = [e.name for e in elements]
    if len(names) > 8:
        names = [*names[:7], f"{len(names) - 7} more"]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _kept(verdict: AxisVerdict, passed: Sequence[ElementResult]) -> str:
    """The residual subgroups, or the elements that passed without making up a subgroup."""
    texts = []
    for h in verdict.residual_low:
        if h.order is None:
            texts.append(h.name)
        elif h.order > 1:
            texts.append(f"the subgroup {h.name} of order {h.order}")
    if texts:
        return " or ".join(texts)
    return f"{_names(passed)} (no subgroup)" if passed else "none of them"
