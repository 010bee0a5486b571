"""Does a symmetry survive where the data come from another distribution?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from goldstone.actions import Symmetry
from goldstone.auditing.answers import EXACT_FLOORS
from goldstone.auditing.element_choice import choose_elements
from goldstone.auditing.forward import forward_measurement
from goldstone.auditing.inspection import model_place
from goldstone.auditing.probed_model import probed
from goldstone.auditing.results import Answer, ModelSummary
from goldstone.auditing.samples import choose_samples
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
``general``       holds at home and on every other family, with errors not twice as large;
``covered``       holds at home, and on another family it fails, or its relative error is more than
                  twice as large: it was learned from poses that the training data cover, and goes
                  no further;
``not at home``   fails at home already;
``undetermined``  the intervals do not decide, or the model has no skill there.
"""

HOME = "home"
GROWTH = 2.0
_SILENT = SilentProgress()
_DEFAULTS = AuditSettings()


@dataclass(frozen=True)
class FamilyElement:
    """One element on one family of data.

    Attributes:
        name: of the element.
        log_loss_ratio: T = mean log ℓ(f(gx), gy)/ℓ(g f(x), gy).
        error: ‖f(gx) − g f(x)‖/‖f(x)‖.
        growth: the error over that at home; None at home. It sees what T does not: where a model
            fails altogether it errs alike in all poses.
        exact: whether the error is rounding.
        holds: *yes* if T's upper bound is below log(1 + δ) or it is exact, *no* if the lower bound
            is above; *undetermined* without skill.
        grows: *yes* if the growth is above 2, or exact at home alone, *no* if below or exact.

    The bounds of the two answers hold for all elements and families at once (Bonferroni), unlike
    the 95 % intervals shown.
    """

    name: str
    log_loss_ratio: Statistic
    error: Statistic
    growth: Statistic
    exact: bool
    holds: Answer
    grows: Answer


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
    """What becomes of one element on other families.

    ``fails_in`` are those where it fails or its error grows.
    """

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

    A model that fails on a family altogether errs alike in all poses, and looks symmetric by its
    losses. So a family counts only if the model has skill on it, and the growth of the equivariance
    error decides beside the losses.

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
    level = 1 - 0.05 / (2 * len(chosen) * len(families))
    found: list[FamilyResult] = []
    at_home: list[_Errors] = []
    with progress.task("families of data", len(families)) as task:
        for name, data in families.items():
            samples = choose_samples(data, settings, device, dtype)
            with probed(model, samples.forward.inputs) as module:
                subject = Subject.measure(module, samples.forward, loss, settings)
                summary = model_summary(name, subject, samples.climatology)
                errors = [_Errors.measure(subject, symmetry, g) for g in chosen]
            at_home = at_home or errors
            answers = (
                error.against(here, summary, settings, level)
                for error, here in zip(errors, at_home, strict=True)
            )
            found.append(FamilyResult(name, summary.loss, summary.has_skill, tuple(answers)))
            task.advance()
    shifts = tuple(_reading(i, found) for i in range(len(chosen)))
    return DistributionShift(symmetry.name, settings.tolerance, tuple(found), shifts)


@dataclass(frozen=True, eq=False)
class _Errors:
    """One element on one family, with replicates of the bootstrap."""

    name: str
    log_loss_ratio: Statistic
    log_loss_replicates: Tensor
    error: Statistic
    error_replicates: Tensor

    @classmethod
    def measure(cls, subject: Subject, symmetry: Symmetry, element: Any) -> "_Errors":
        measured = forward_measurement(subject, symmetry, element)
        of, bootstrap = subject.samples.trajectory, subject.bootstrap
        ratio = mean_statistic(measured.log_loss_ratio, of, bootstrap)
        error = mean_statistic(measured.error, of, bootstrap)
        return cls(symmetry.group.element_name(element), *ratio, *error)

    def against(
        self, home: "_Errors", summary: ModelSummary, settings: AuditSettings, level: float
    ) -> FamilyElement:
        """The answers; ``level`` is that of their intervals."""
        here, there, n = self.error.estimate, home.error.estimate, self.error.n
        exact = here is not None and here <= EXACT_FLOORS * summary.numerical_floor
        home_exact = there is not None and there <= EXACT_FLOORS * summary.numerical_floor
        growth = Statistic(None, None, None, n)
        grows: Answer = "no"
        if self is not home and not exact and home_exact:
            grows = "yes"
        elif self is not home and not exact:
            replicates = self.error_replicates / home.error_replicates
            if here is not None and there:
                growth = Statistic(here / there, *interval(replicates, n), n)
            grows = _side(interval(replicates, n, level), GROWTH, below="no", above="yes")
        bounds = interval(self.log_loss_replicates, self.log_loss_ratio.n, level)
        holds = _side(bounds, settings.log_tolerance, below="yes", above="no")
        if not summary.has_skill:
            holds = grows = "undetermined"
        elif exact:
            holds = "yes"
        return FamilyElement(
            self.name, self.log_loss_ratio, self.error, growth, exact, holds, grows
        )


def _side(
    bounds: tuple[float | None, float | None], threshold: float, below: Answer, above: Answer
) -> Answer:
    low, high = bounds
    if low is None or high is None:
        return "undetermined"
    if high < threshold:
        return below
    return above if low > threshold else "undetermined"


def _reading(i: int, families: Sequence[FamilyResult]) -> ElementShift:
    here = [family.elements[i] for family in families]
    fails = tuple(
        f.name for f in families[1:] if f.elements[i].holds == "no" or f.elements[i].grows == "yes"
    )
    open_in = [
        f.name for f in families if "undetermined" in (f.elements[i].holds, f.elements[i].grows)
    ]
    reading: Reading = "undetermined"
    if here[0].holds == "no":
        reading, reason = "not at home", "it fails on the data that the model was trained on"
    elif here[0].holds == "yes" and fails:
        reading = "covered"
        reason = f"it holds at home, and on {', '.join(fails)} it fails or its error grows"
    elif not open_in:
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
