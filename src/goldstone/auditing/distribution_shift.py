"""Does a symmetry survive where the data come from another distribution?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from goldstone.actions import Symmetry
from goldstone.auditing.answers import EXACT_FLOORS
from goldstone.auditing.element_choice import choose_elements
from goldstone.auditing.forward import forward_measurement
from goldstone.auditing.inspection import model_place
from goldstone.auditing.probed_model import probed
from goldstone.auditing.results import Answer
from goldstone.auditing.samples import AuditData, choose_samples
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.skill import model_summary
from goldstone.auditing.statistics import interval, mean_statistic
from goldstone.auditing.subject import Loss, Subject
from goldstone.core import InputError, Progress, SilentProgress, Statistic
from goldstone.core.trees import Tree
from goldstone.systems.flows import Trajectories

Data = Trajectories | tuple[Tree, Tree]
Reading = Literal["built in", "general", "covered", "not at home", "undetermined"]
"""What becomes of an element on other families of data:

``built in``      exact to rounding on every family: the architecture has it;
``general``       holds at home and on every other family;
``covered``       holds at home and fails on another family: it was learned from poses that the
                  training data cover, and goes no further;
``not at home``   fails at home already;
``undetermined``  the intervals do not decide, or the model has no skill there.
"""

HOME = "home"
_SILENT = SilentProgress()
_DEFAULTS = AuditSettings()


@dataclass(frozen=True)
class FamilyElement:
    """One element on one family of data.

    Attributes:
        name: of the element.
        log_loss_ratio: T = mean log ℓ(f(gx), gy)/ℓ(g f(x), gy).
        error: ‖f(gx) − g f(x)‖/‖f(x)‖.
        exact: whether the error is rounding.
        holds: *yes* if T's upper bound is below log(1 + δ) or it is exact, *no* if the lower bound
            is above; *undetermined* without skill. The bounds hold for all elements and families at
            once (Bonferroni), unlike the 95 % interval of ``log_loss_ratio``.
    """

    name: str
    log_loss_ratio: Statistic
    error: Statistic
    exact: bool
    holds: Answer


@dataclass(frozen=True)
class FamilyResult:
    """One family of data.

    Attributes:
        name: ``home`` is the one that the model was trained on.
        loss: of the pairs as they are.
        has_skill: whether the model beats persistence and climatology there.
        elements: the results.
    """

    name: str
    loss: Statistic
    has_skill: bool
    elements: tuple[FamilyElement, ...]


@dataclass(frozen=True)
class ElementShift:
    """What becomes of one element on other families; ``fails_in`` are those where it fails."""

    name: str
    reading: Reading
    fails_in: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class DistributionShift:
    """A symmetry at home and on other families of data.

    Attributes:
        symmetry: its name.
        tolerance: δ.
        families: home first.
        elements: the readings.
    """

    symmetry: str
    tolerance: float
    families: tuple[FamilyResult, ...]
    elements: tuple[ElementShift, ...]


def distribution_shift(
    model: nn.Module,
    home: Data,
    others: Mapping[str, Data],
    symmetry: Symmetry,
    loss: Loss,
    elements: Sequence[Any] | int | None = None,
    *,
    settings: AuditSettings = _DEFAULTS,
    progress: Progress = _SILENT,
) -> DistributionShift:
    """Compare the symmetry at home with that on other families, such as initial conditions.

    A symmetry that is built in holds anywhere; one that was learned because the training data cover
    all poses may hold there alone. It says more of a model than the home data can: forward tests
    do not tell the two apart at home.

    A model that fails on a family altogether errs alike in all poses, and looks symmetric. So a
    family counts only if the model has skill on it.

    Args:
        model: left as found.
        home: held-out data of the distribution that the model was trained on, as an audit takes
            them.
        others: data of other distributions, by name, in the same units.
        symmetry: the group and its actions; of the dynamics, so that all families have it.
        loss: per sample.
        elements: values of the group; a number of them to draw from Haar measure; None for the
            symmetry's own choice.
        settings: sizes, tolerance, bootstrap and seed.
        progress: shows the families.

    Raises:
        InputError: there is no other family, one is called ``home``, the data do not fit the model,
            or the model is refused (see :func:`goldstone.auditing.probed_model.probed`).
    """
    if not others or HOME in others:
        raise InputError(
            f"expected one or more families of data by name, none of them {HOME!r}, got "
            f"{list(others)}"
        )
    identity = symmetry.group.identity
    chosen = [g for g in choose_elements(symmetry, elements, settings.seed) if g != identity]
    if not chosen:
        raise InputError("expected one element or more besides the identity, got none")
    device, dtype = model_place(model)
    families = {HOME: home, **others}
    found = []
    with progress.task("families of data", len(families)) as task:
        for name, data in families.items():
            samples = choose_samples(data, settings, device, dtype)
            with probed(model, samples.forward.inputs) as module:
                found.append(
                    _family(name, module, samples, symmetry, chosen, loss, settings, len(families))
                )
            task.advance()
    shifts = tuple(_reading(i, found) for i in range(len(chosen)))
    return DistributionShift(symmetry.name, settings.tolerance, tuple(found), shifts)


def _family(
    name: str,
    model: nn.Module,
    data: AuditData,
    symmetry: Symmetry,
    elements: Sequence[Any],
    loss: Loss,
    settings: AuditSettings,
    families: int,
) -> FamilyResult:
    subject = Subject.measure(model, data.forward, loss, settings)
    summary = model_summary(name, subject, data.climatology)
    level = 1 - 0.05 / (len(elements) * families)
    results = []
    for g in elements:
        measured = forward_measurement(subject, symmetry, g)
        ratio, replicates = mean_statistic(
            measured.log_loss_ratio, data.forward.trajectory, subject.bootstrap
        )
        low, high = interval(replicates, subject.bootstrap.n, level)
        error = subject.mean(measured.error)
        exact = error.estimate is not None and (
            error.estimate <= EXACT_FLOORS * summary.numerical_floor
        )
        holds: Answer = "undetermined"
        if summary.has_skill and exact:
            holds = "yes"
        elif summary.has_skill and low is not None and high is not None:
            holds = "yes" if high < settings.log_tolerance else holds
            holds = "no" if low > settings.log_tolerance else holds
        results.append(FamilyElement(symmetry.group.element_name(g), ratio, error, exact, holds))
    return FamilyResult(name, summary.loss, summary.has_skill, tuple(results))


def _reading(i: int, families: Sequence[FamilyResult]) -> ElementShift:
    here = [family.elements[i] for family in families]
    fails = tuple(f.name for f in families[1:] if f.elements[i].holds == "no")
    open_in = [f.name for f in families if f.elements[i].holds == "undetermined"]
    reading: Reading = "undetermined"
    if here[0].holds == "no":
        reading, reason = "not at home", "it fails on the data that the model was trained on"
    elif here[0].holds == "yes" and fails:
        reading = "covered"
        reason = f"it holds at home and fails on {', '.join(fails)}: learned from covered poses"
    elif all(element.holds == "yes" for element in here):
        exact = all(element.exact for element in here)
        reading = "built in" if exact else "general"
        reason = "exact on every family" if exact else "it holds on every family"
    else:
        unskilled = [f.name for f in families if f.name in open_in and not f.has_skill]
        reason = f"undecided on {', '.join(open_in)}: " + (
            f"the model has no skill on {', '.join(unskilled)}; choose families nearer to home"
            if unskilled
            else "the intervals span the tolerance; give more trajectories"
        )
    return ElementShift(here[0].name, reading, fails, reason)
