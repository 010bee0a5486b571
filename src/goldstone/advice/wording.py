"""Price tags in words."""

from collections.abc import Mapping

from goldstone.advice.price_tag_results import ElementPrice
from goldstone.auditing import FineTuning
from goldstone.core import Statistic


def optimiser_in_words(tuning: FineTuning) -> str:
    """Such as ``AdamW, learning rate 0.001, batches of 16``."""
    kind = {"adamw": "AdamW", "adam": "Adam", "sgd": "SGD"}[tuning.optimiser]
    if tuning.optimiser == "sgd" and tuning.momentum:
        kind += f" with momentum {tuning.momentum:g}"
    return f"{kind}, learning rate {tuning.learning_rate:g}, batches of {tuning.batch}"


def statement(
    prices: Mapping[str, ElementPrice], words: str, within: int, tolerance: float, pool: int | None
) -> str:
    """All elements in a few sentences."""
    source = "fresh samples" if pool is None else f"{pool} distinct samples"
    first = (
        f"To hold within {tolerance:.0%}, by a linearised forecast of training on {source}, half "
        f"of them transformed ({words}):"
    )
    lines = [f"{name}: {_price(price, within)}." for name, price in prices.items()]
    return "\n".join([first, *lines])


def _price(price: ElementPrice, within: int) -> str:
    if price.status == "holds":
        return "holds already"
    if price.status == "unstable":
        return "no forecast, the learning rate is too large for the linearised model"
    if price.status == "not within":
        last = price.curve.log_ratio[-1]
        return f"not within {within} steps (log ratio {last:.2f} by then)"
    said = f"not within {within} steps"
    if price.steps.estimate is not None:
        said = f"{_between(price.steps)} steps"
    if price.samples.estimate is not None:
        said += f", {_between(price.samples)} distinct samples"
    change = price.held_pose.estimate or 0.0
    said += f"; the loss in the held pose changes by {change:+.0%}"
    if price.status == "free":
        return f"free, training as before brings it along; with transformed samples {said}"
    return said


def _between(value: Statistic) -> str:
    low = "?" if value.low is None else f"{value.low:.0f}"
    high = "more" if value.high is None else f"{value.high:.0f}"
    return f"{value.estimate:.0f} ({low} to {high})"
