"""Explicit or spontaneous: why is a model asymmetric?"""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from goldstone.actions import Context, Symmetry
from goldstone.auditing.breaking_gaps import measure_gaps
from goldstone.auditing.breaking_reading import confounds, judge, since
from goldstone.auditing.breaking_results import BreakingKinds, ElementBreaking
from goldstone.auditing.data_symmetry import DataSymmetry
from goldstone.auditing.element_choice import choose_elements
from goldstone.auditing.probed_model import Model, trajectories_of
from goldstone.auditing.statistics import Bootstrap, by_trajectory, interval, mean_statistic
from goldstone.core import InputError, Statistic, trees
from goldstone.core.trees import Tree

_CONTEXT = Context()


def breaking_kind(
    models: Sequence[Model],
    inputs: Tree,
    symmetry: Symmetry,
    data: DataSymmetry,
    elements: Sequence[Any] | int | None = None,
    *,
    untrained: Sequence[Model] = (),
    augmented: bool = False,
    same_training_data: bool = True,
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
        models: of one architecture, trained from different seeds.
        inputs: n samples: a tensor, sample axis first, or a tree of tensors.
        symmetry: the group and its actions.
        data: what :func:`goldstone.auditing.data_symmetry` found, preferably with ``targets``, as
            an asymmetric task counts as explicit breaking too.
        elements: as they were given there.
        untrained: the same models before training, to tell what training did from what the
            initialisation brought.
        augmented: the models were trained with augmentation by the group.
        same_training_data: all models saw one finite data set. Its asymmetries of chance are
            shared by them and count as ``built in``; the control is a training set for each, from
            one distribution.
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
        ensemble = mean(trained.ensemble[i])
        kind, reason = judge(tested[name], single, ensemble, shared, len(models), tolerance)
        growth = Statistic(None)
        if before is not None:
            growth = mean((trained.single[i] / before.single[i]).log())
        if kind in ("spontaneous", "built in"):
            reason += since(growth)
        results.append(
            ElementBreaking(
                name=name,
                data_is_broken=tested[name],
                single=single,
                ensemble=ensemble,
                shared=shared,
                untrained=Statistic(None) if before is None else mean(before.single[i]),
                kind=kind,
                reason=reason,
                growth=growth,
            )
        )
    found = confounds(
        data,
        len(models),
        results,
        augmented=augmented,
        same_training_data=same_training_data,
        tolerance=tolerance,
    )
    return BreakingKinds(symmetry.name, len(models), tolerance, tuple(results), found)


def _ratio(top: Tensor, bottom: Tensor, of: Tensor, bootstrap: Bootstrap) -> Statistic:
    """A ratio of means over trajectories."""
    a, b = by_trajectory(top, of), by_trajectory(bottom, of)
    if not float(b.sum()) > 0:
        return Statistic(None)
    low, high = interval((bootstrap.counts @ a) / (bootstrap.counts @ b), bootstrap.n)
    return Statistic(float(a.sum() / b.sum()), low, high, bootstrap.n)
