"""Explicit or spontaneous: why is a model asymmetric?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from goldstone.actions import Context, Symmetry
from goldstone.auditing.breaking_gaps import measure_gaps
from goldstone.auditing.data_symmetry import DataSymmetry
from goldstone.auditing.element_choice import choose_elements
from goldstone.auditing.probed_model import Model, trajectories_of
from goldstone.auditing.statistics import Bootstrap, by_trajectory, interval, mean_statistic
from goldstone.core import InputError, Statistic, trees
from goldstone.core.trees import Tree

Kind = Literal["symmetric", "explicit", "spontaneous", "built in", "undetermined"]
"""Why a model is, or is not, symmetric under an element:

``symmetric``     the models are equivariant, to the tolerance, whatever the data are;
``explicit``      the data or the task break the symmetry, and the models do;
``spontaneous``   no asymmetry of the data is seen, every model breaks the symmetry, and each in its
                  own way: their mean restores it;
``built in``      no asymmetry of the data is seen, and all models break the symmetry in the same
                  way: the architecture, the loss or the training does it, or an asymmetry of the
                  data that the test did not find;
``undetermined``  the intervals do not decide, or there is one model only.
"""

_CONTEXT = Context()
_UNKNOWN = Statistic(None)
SHARED = 0.5


@dataclass(frozen=True)
class ElementBreaking:
    """Why the models are asymmetric under one element.

    With Δ_s = f_s(gx) − g f_s(x) of the models s = 1 … S:

    Attributes:
        name: of the element.
        data_is_broken: the answer of the data test.
        single: E_s ‖Δ_s‖/‖f_s(x)‖, the mean error of a single model.
        ensemble: ‖mean_s Δ_s‖/‖mean_s f_s(x)‖, the error of the mean prediction.
        shared: E⟨Δ_s, Δ_t⟩/E‖Δ_s‖² over pairs s ≠ t: the share of the asymmetry that the models
            have in common. 0: each breaks the symmetry in its own way, and the ensemble's squared
            error falls as 1/S; 1: all in the same way. Its interval is for these models, by
            resampling trajectories. None for one model.
        untrained: ``single`` of the untrained models, if they were given.
        kind: see :data:`Kind`.
        reason: in words.
        growth: E log of ``single`` over ``untrained``, paired by sample: the control for what the
            initialisation brought. Below 0: training has reduced the asymmetry; above 0: it has
            made more of it. None without the untrained models.
    """

    name: str
    data_is_broken: bool
    single: Statistic
    ensemble: Statistic
    shared: Statistic
    untrained: Statistic
    kind: Kind
    reason: str
    growth: Statistic = _UNKNOWN


@dataclass(frozen=True)
class BreakingKinds:
    """Explicit against spontaneous breaking, element by element.

    Attributes:
        symmetry: its name.
        models: how many.
        tolerance: relative error up to which a model counts as symmetric.
        elements: the results.
        confounds: what could fool this reading, and whether it was controlled.
    """

    symmetry: str
    models: int
    tolerance: float
    elements: tuple[ElementBreaking, ...]
    confounds: tuple[str, ...]


def breaking_kind(
    models: Sequence[Model],
    inputs: Tree,
    symmetry: Symmetry,
    data: DataSymmetry,
    elements: Sequence[Any] | int | None = None,
    *,
    untrained: Sequence[Model] = (),
    augmented: bool = False,
    before_averaging: Callable[[Tree], Tree] | None = None,
    tolerance: float = 0.05,
    trajectory: Tensor | None = None,
    context: Context = _CONTEXT,
    batch: int = 32,
    replicates: int = 2000,
    seed: int = 0,
) -> BreakingKinds:
    """Put the asymmetry of the data beside that of models trained from several seeds.

    Args:
        models: of one architecture, trained on the same data from different seeds.
        inputs: n samples: a tensor, sample axis first, or a tree of tensors.
        symmetry: the group and its actions.
        data: what :func:`goldstone.auditing.data_symmetry` found, preferably with ``targets``, as
            an asymmetric task counts as explicit breaking too.
        elements: as they were given there.
        untrained: the same models before training, to tell what training did from what the
            initialisation brought.
        augmented: the models were trained with augmentation by the group.
        before_averaging: applied to predictions, such as a softmax; it has to commute with
            ``symmetry.on_output``.
        tolerance: relative error up to which a model counts as symmetric.
        trajectory: (n,) which trajectory each sample comes from, the unit of the bootstrap.
        context: the frame of the inputs; outputs lie one model step later.
        batch: samples evaluated together.
        replicates: of the bootstrap.
        seed: of the bootstrap, and of the elements as it was there.

    Raises:
        InputError: no model, a model that is refused, or an element that the data were not tested
            with.
    """
    if not models:
        raise InputError("expected one or more models, got none")
    chosen = [g for g in choose_elements(symmetry, elements, seed) if g != symmetry.group.identity]
    names = [symmetry.group.element_name(g) for g in chosen]
    tested = {element.name: element.answer == "broken" for element in data.elements}
    missing = [name for name in names if name not in tested]
    if missing:
        raise InputError(
            f"the data were not tested under {', '.join(missing)}; give both the same elements"
        )
    of = trajectories_of(trajectory, trees.batch_size(inputs))
    bootstrap = Bootstrap.draw(int(of.max()) + 1, replicates, seed)
    link = before_averaging or (lambda prediction: prediction)
    trained = measure_gaps(models, inputs, symmetry, chosen, link, context, batch)
    before = (
        measure_gaps(untrained, inputs, symmetry, chosen, link, context, batch)
        if untrained
        else None
    )

    def mean(values: Tensor) -> Statistic:
        return mean_statistic(values, of, bootstrap)[0]

    results = []
    for i, name in enumerate(names):
        single = mean(trained.single[i])
        shared = _ratio(trained.common[i], trained.square[i], of, bootstrap)
        shared = shared if len(models) > 1 else Statistic(None)
        kind, reason = _judge(tested[name], single, shared, tolerance)
        growth = Statistic(None)
        if before is not None:
            growth = mean((trained.single[i] / before.single[i]).log())
        if kind in ("spontaneous", "built in"):
            reason += _since(growth)
        results.append(
            ElementBreaking(
                name=name,
                data_is_broken=tested[name],
                single=single,
                ensemble=mean(trained.ensemble[i]),
                shared=shared,
                untrained=Statistic(None) if before is None else mean(before.single[i]),
                kind=kind,
                reason=reason,
                growth=growth,
            )
        )
    confounds = _confounds(data, len(models), results, augmented=augmented, tolerance=tolerance)
    return BreakingKinds(symmetry.name, len(models), tolerance, tuple(results), confounds)


def _ratio(top: Tensor, bottom: Tensor, of: Tensor, bootstrap: Bootstrap) -> Statistic:
    """A ratio of means over trajectories."""
    a, b = by_trajectory(top, of), by_trajectory(bottom, of)
    if not float(b.sum()) > 0:
        return Statistic(None)
    low, high = interval((bootstrap.counts @ a) / (bootstrap.counts @ b), bootstrap.n)
    return Statistic(float(a.sum() / b.sum()), low, high, bootstrap.n)


def _judge(
    data_is_broken: bool, single: Statistic, shared: Statistic, tolerance: float
) -> tuple[Kind, str]:
    if single.low is None or single.high is None:
        return "undetermined", "the models' errors have no interval: give two or more trajectories"
    if single.high < tolerance:
        kept = " though the data are not" if data_is_broken else ""
        return "symmetric", f"the models are symmetric{kept}"
    if single.low <= tolerance:
        return "undetermined", "the interval of the error spans the tolerance: give more samples"
    if data_is_broken:
        return "explicit", "the data or the task are not symmetric, and the models follow them"
    if shared.low is None or shared.high is None:
        return "undetermined", (
            "the model is asymmetric and the data are not seen to be: train it from more seeds, to "
            "see whether each breaks the symmetry in its own way"
        )
    if shared.high < SHARED:
        return "spontaneous", (
            "each model breaks the symmetry in its own way, and their mean restores it"
        )
    if shared.low > SHARED:
        return "built in", (
            "all models break the symmetry in the same way, which the data are not seen to do: "
            "look at padding, strides, fixed positions and normalisation, or give the data test "
            "more data"
        )
    return "undetermined", "the models share about half of their asymmetry: train more seeds"


def _since(growth: Statistic) -> str:
    """What training has done to the asymmetry of the untrained models."""
    if growth.low is not None and growth.low > 0:
        return "; training has made more of it than the initialisation brought"
    if growth.high is not None and growth.high < 0:
        return "; it is what training has left of the initialisation's asymmetry"
    return ""


def _confounds(
    data: DataSymmetry,
    models: int,
    results: Sequence[ElementBreaking],
    *,
    augmented: bool,
    tolerance: float,
) -> tuple[str, ...]:
    found = []
    if any(not r.data_is_broken for r in results):
        found.append(f"'not seen to be broken' is no proof of symmetry. {data.statement}")
    already = [
        r.name
        for r in results
        if r.untrained.estimate is not None and r.untrained.estimate > tolerance
    ]
    if all(r.untrained.estimate is None for r in results):
        found.append(
            "not controlled: weights drawn alike for all poses, such as learned positions, make "
            "models asymmetric each in its own way before any training; give the untrained models"
        )
    elif already:
        found.append(
            f"the untrained models are asymmetric under {', '.join(already)} already: their "
            "initialisation (learned positions?) is exchangeable between poses, so that a mean "
            "over seeds is symmetric whatever training does: see growth for what training did"
        )
    if augmented:
        found.append(
            "trained with augmentation: the mean over many seeds is then equivariant for any "
            "architecture (Gerken and Kessel 2024), so that a symmetric ensemble says nothing of "
            "its members"
        )
    if 1 < models < 5:
        found.append(f"{models} seeds: the interval of 'shared' does not cover the choice of seeds")
    return tuple(found)
