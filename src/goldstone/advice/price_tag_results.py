"""What it costs to make broken elements hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from goldstone.core import Statistic

PriceStatus = Literal["holds", "free", "priced", "not within", "unstable"]


@dataclass(frozen=True)
class PriceCurve:
    """A forecast along the steps, or along the number of samples.

    Attributes:
        at: steps made, from 0; or numbers of distinct samples.
        log_ratio: T_g there, mean log ℓ(gx)/ℓ(x); of numbers of samples the least on the way.
        held_pose: growth of mean log ℓ(x) there, below 0 where the model gets better.
    """

    at: tuple[float, ...]
    log_ratio: tuple[float, ...]
    held_pose: tuple[float, ...]


@dataclass(frozen=True)
class ElementPrice:
    """The forecast for one element g.

    Attributes:
        status: *holds* already; *free*: more training without transformed samples brings it along;
            *priced*: transformed samples do; *not within* the steps asked for; *unstable*: the
            learning rate is too large for the linearised model, which says nothing then.
        log_ratio: T_g now.
        steps: of the optimiser, half of the batch transformed, until T_g < log(1 + δ); without an
            estimate if that is not within the steps asked for, without ``high`` if that may be.
        samples: distinct samples, each in both poses, that suffice within the steps asked for;
            without an estimate if no number does.
        held_pose: growth of mean log ℓ(x) when g holds, or at the end.
        held_pose_worst: the most it grows on the way.
        without: T_g after as many steps as were asked for on fresh samples as they are, or where
            that diverges.
        curve: along the steps.
        learning_curve: along the number of distinct samples.
    """

    status: PriceStatus
    log_ratio: Statistic
    steps: Statistic
    samples: Statistic
    held_pose: Statistic
    held_pose_worst: float
    without: float
    curve: PriceCurve
    learning_curve: PriceCurve


@dataclass(frozen=True)
class PriceTag:
    """Forecasts for some elements, from one orbit Gram.

    Attributes:
        tolerance: δ.
        optimiser: in words, with learning rate and batch.
        within: the steps asked for.
        pool: distinct samples that the steps are forecast for, None for fresh ones at every step.
        n: samples that the forecast is made from.
        directions: of every output that were followed.
        complete: they are all that an output has; if not, steps are rather too few.
        elements: by name.
        statement: all of it in words.
    """

    tolerance: float
    optimiser: str
    within: int
    pool: int | None
    n: int
    directions: int
    complete: bool
    elements: Mapping[str, ElementPrice]
    statement: str
