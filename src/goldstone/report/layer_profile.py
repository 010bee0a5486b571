"""The equivariance error from layer to layer, in words: where it begins, where it grows."""

from goldstone.auditing import AuditResult, EquivarianceErrors
from goldstone.report.equivariance_tables import layer_names
from goldstone.report.numbers import number
from goldstone.report.words import counted, layer_title, mean, nouns

FIT_BOUND = 1e-3
"""A fit through finitely many samples is not more exact than this."""
_Known = list[tuple[str, float]]


def layer_lead(result: AuditResult, errors: EquivarianceErrors) -> str:
    """The first layer that is not equivariant, and where the error is largest."""
    found = [(layer, _mean_of(errors, layer)) for layer in layer_names(errors)]
    known = [(layer, value) for layer, value in found if value is not None]
    if len(known) < 2:
        return ""
    fitted = any(errors.layer_actions.get(layer) == "fitted" for layer, _ in known)
    first = next(
        (i for i, (layer, e) in enumerate(known) if e > _bound(result, errors, layer)), None
    )
    if first is None:
        if fitted:
            return (
                f" All {len(known)} layers measured are equivariant up to the best linear map of "
                f"their channels (error at most {number(max(e for _, e in known))})."
            )
        return f" All {len(known)} layers measured are exact to rounding."
    begin = _begin(errors, known, first, fitted)
    top, most = max(known, key=lambda entry: entry[1])
    if top == known[first][0]:
        return f" {begin}, where the error is also largest."
    rise = _rise(known, first) if fitted and first == 0 else ""
    return f" {begin}; the error{rise} is largest at {layer_title(top)} ({number(most)})."


def _begin(errors: EquivarianceErrors, known: _Known, first: int, fitted: bool) -> str:
    layer, error = known[first]
    size = f"({number(error)} in the mean over elements)"
    if first == 0:
        if errors.layer_actions.get(layer) == "fitted":
            return (
                "Up to the best linear map of channels, equivariance fails from the first layer "
                f"measured, {layer_title(layer)} {size}"
            )
        return f"There is an error from the first layer measured, {layer_title(layer)} {size}"
    how = "equivariant up to the best linear map of channels" if fitted else "exact to rounding"
    return (
        f"Inside, all is {how} up to {layer_title(known[first - 1][0])} "
        f"({counted(first, 'layer')}), and {layer_title(layer)} is the first to break it {size}"
    )


def _rise(known: _Known, first: int) -> str:
    """The layer that adds most to the largest error before it."""
    steps, before = [], known[first][1]
    for layer, error in known[first + 1 :]:
        steps.append((error - before, before, layer, error))
        before = max(before, error)
    _, low, layer, high = max(steps)
    return f" rises most at {layer_title(layer)} (from {number(low)} to {number(high)}) and"


def _bound(result: AuditResult, errors: EquivarianceErrors, layer: str) -> float:
    rounding = 10 * result.model.numerical_floor
    return max(rounding, FIT_BOUND) if errors.layer_actions.get(layer) == "fitted" else rounding


def _mean_of(errors: EquivarianceErrors, layer: str) -> float | None:
    return mean(e.layers[layer].estimate for e in errors.elements if layer in e.layers)


def action_notes(result: AuditResult, errors: EquivarianceErrors) -> str:
    """What the inferred and the fitted actions are, and what their errors mean."""
    sources = list(errors.layer_actions.values())
    inferred, fitted = sources.count("inferred"), sources.count("fitted")
    notes = ""
    if inferred:
        notes += (
            f" The action on {counted(inferred, 'layer')} of {len(sources)} is inferred (feature "
            "maps moved as scalars on their grid), so an error there also counts features that "
            "transform in some other way; only the output must come out right."
        )
    if fitted:
        nulls = [s.estimate for s in errors.layer_nulls.values() if s.estimate is not None]
        control = (
            f" (the same fit to wrong pairs leaves {_span(min(nulls), max(nulls))})"
            if nulls
            else ""
        )
        notes += (
            f" The action on {counted(fitted, 'layer')} of {len(sources)} is fitted: points move "
            "with the grid, and channels by the linear map that fits best, judged on other "
            f"{nouns(result).units} than it was fitted on. Its error is what is left of the "
            "layer's variation about its mean: 0 where channels turn into one another in whatever "
            f"way, about 1 where the features of x say nothing of those of g·x{control}."
        )
    return notes


def _span(low: float, high: float) -> str:
    ends = number(low), number(high)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
