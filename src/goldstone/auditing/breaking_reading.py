"""From the errors of several models to the kind of their asymmetry, in words with its confounds."""

from collections.abc import Sequence

from goldstone.auditing.breaking_results import ElementBreaking, Kind
from goldstone.auditing.data_symmetry import DataSymmetry
from goldstone.core import Statistic

SHARED = 0.5


def judge(
    data_is_broken: bool,
    single: Statistic,
    ensemble: Statistic,
    shared: Statistic,
    models: int,
    tolerance: float,
) -> tuple[Kind, str]:
    """The kind, and the reason for it."""
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
            f"each model breaks the symmetry in its own way: the error of one is {_say(single)}, "
            f"of the mean of all {models} {_say(ensemble)}"
        )
    if shared.low > SHARED:
        return "built in", (
            "all models break the symmetry in the same way, which the data are not seen to do: "
            "look at padding, strides, fixed positions and normalisation, or give the data test "
            "more data"
        )
    return "undetermined", "the models share about half of their asymmetry: train more seeds"


def since(growth: Statistic) -> str:
    """What training has done to the asymmetry of the untrained models."""
    if growth.low is not None and growth.low > 0:
        return "; training has made more of it than the initialisation brought"
    if growth.high is not None and growth.high < 0:
        return "; it is what training has left of the initialisation's asymmetry"
    return ""


def _say(error: Statistic) -> str:
    return "not known" if error.estimate is None else f"{error.estimate:.2g}"


def confounds(
    data: DataSymmetry,
    models: int,
    results: Sequence[ElementBreaking],
    *,
    augmented: bool,
    same_training_data: bool,
    tolerance: float,
) -> tuple[str, ...]:
    """What could fool the reading, and whether it was controlled."""
    found = []
    if any(not r.data_is_broken for r in results):
        found.append(f"'not seen to be broken' is no proof of symmetry. {data.statement}")
    found += _of_the_start(results, tolerance)
    if models > 1 and same_training_data and any(r.kind != "symmetric" for r in results):
        found.append(
            "not controlled: all models were trained on one finite data set, whose asymmetries of "
            "chance they share: that alone made 'shared' 0.19 to 0.27 where a training set for "
            "each gave 0.00 to 0.07; train each on a set of its own and give "
            "same_training_data=False"
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


def _of_the_start(results: Sequence[ElementBreaking], tolerance: float) -> list[str]:
    """What the initialisation brought, beside what there is after training."""
    if all(r.untrained.estimate is None for r in results):
        missing = (
            "not controlled: weights drawn alike for all poses, such as learned positions, make "
            "models asymmetric each in its own way before any training; give the untrained models"
        )
        return [missing]
    already = [r for r in results if (r.untrained.estimate or 0.0) > tolerance]
    if not already:
        return []
    sizes = ", ".join(f"{r.name}: {_say(r.untrained)}, now {_say(r.single)}" for r in already)
    grown = [r.name for r in already if r.growth.low is not None and r.growth.low > 0]
    others = [r.name for r in already if r.name not in grown]
    told = (
        f"the untrained models are asymmetric under {', '.join(r.name for r in already)} already "
        f"({sizes}), each in its own way, since an initialisation favours no pose in the mean"
    )
    if grown:
        told += f"; training has made more of it under {', '.join(grown)}"
    if others:
        told += f"; under {', '.join(others)} it has not: what there is may be left of it"
    return [told]
