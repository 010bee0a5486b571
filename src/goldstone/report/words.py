"""Numbers and names inside sentences, and what a sample of the data is called."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from goldstone.auditing import AuditResult
from goldstone.core import Statistic
from goldstone.report.numbers import interval, number

UNDEFINED = "Not defined for these samples."


@dataclass(frozen=True)
class Nouns:
    """What the page calls a sample x and the independent unit of the intervals."""

    sample: str
    samples: str
    unit: str
    units: str
    target: str
    other: str
    constant: str
    probe: str


_FLOWS = Nouns(
    sample="flow",
    samples="flows",
    unit="trajectory",
    units="trajectories",
    target="the true next state",
    other="another trajectory's transformed flow",
    constant="climatology",
    probe="smooth random field",
)
_PAIRS = Nouns(
    sample="sample",
    samples="samples",
    unit="sample",
    units="samples",
    target="its target",
    other="another sample, transformed",
    constant="the best constant prediction",
    probe="random vector",
)


def nouns(result: AuditResult) -> Nouns:
    """Flows and trajectories, or samples for data that were given as pairs."""
    return _PAIRS if "pairs" in result.provenance.data else _FLOWS


def baselines(result: AuditResult) -> str:
    """The predictions that the model was compared with."""
    model = result.model
    constant = nouns(result).constant
    compared = (
        ("persistence", model.log_loss_over_persistence),
        (constant, model.log_loss_over_climatology),
    )
    found = [name for name, statistic in compared if statistic.estimate is not None]
    return " and ".join(found) or f"persistence and {constant}"


def measured(statistic: Statistic | None) -> str:
    """An estimate with its interval in brackets: 0.0213 (0.0187 … 0.0240)."""
    if statistic is None:
        return number(None)
    ends = interval(statistic)
    return number(statistic.estimate) + (f" ({ends})" if ends else "")


def listed(names: Iterable[str], most: int = 4) -> str:
    """Names in a sentence: a, b and c; the fifth and later ones are counted."""
    found = list(names)
    shown, rest = found[:most], len(found) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def counted(count: int, noun: str, plural: str = "") -> str:
    """1 layer, 2 layers."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def layer_title(name: str) -> str:
    """A layer in a sentence; parameters of the model itself have no layer's name."""
    return f"layer {name}" if name else "the model itself"


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of those that are defined; None if none is."""
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None


def largest(statistics: Sequence[tuple[str, Statistic]]) -> tuple[str, Statistic] | None:
    """The entry of the largest estimate among those that are defined."""
    defined = [entry for entry in statistics if entry[1].estimate is not None]
    return max(defined, key=lambda entry: entry[1].estimate or 0.0, default=None)
