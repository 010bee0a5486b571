"""A part of the reproduction: some claims with their figures and tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from goldstone.core import Statistic
from goldstone.reproductions.results import Claim, Comparison, Outcome


@dataclass(frozen=True)
class Part:
    """Claims, captions and drawings of figures by name, tables by name."""

    claims: tuple[Claim, ...]
    captions: Mapping[str, str] = field(default_factory=dict)
    drawings: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)


def compared(quantity: str, published: str, measured: Statistic, words: str = "") -> Comparison:
    """A number beside the published one."""
    return Comparison(quantity, published, measured, words)


def judged(reproduced: bool, partly: bool = False) -> Outcome:
    """The outcome of two conditions, the weaker one second."""
    return "reproduced" if reproduced else "partly" if partly else "not reproduced"


def estimate(statistic: Statistic) -> float:
    """Its point estimate, NaN if there is none."""
    return float("nan") if statistic.estimate is None else statistic.estimate
