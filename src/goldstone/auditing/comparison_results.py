"""What a comparison of two audits finds: frozen, to JSON and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from goldstone.auditing.results import Answer, Grade, Label
from goldstone.core import InputError, Statistic, from_json, to_json

COMPARISON_SCHEMA_VERSION = 1

Change = Literal["better", "worse", "none"]
Outcome = Literal["better", "same", "worse", "undetermined"]


@dataclass(frozen=True)
class Difference:
    """One number in both audits.

    Attributes:
        first, second: as the audits have it.
        difference: second − first with its 95 % interval; n is the smaller of both.
        change: *better* or *worse* if that interval leaves out 0, else *none*; *none* too between
            numbers of outputs that are exact in both.
    """

    first: Statistic
    second: Statistic
    difference: Statistic
    change: Change


@dataclass(frozen=True)
class ElementComparison:
    """One element that both audits tested; pairs are (first, second).

    Attributes:
        log_loss_ratio: T; exp of its difference is the ratio of the loss factors.
        orbit_coherence: ρ, by the metrics that both measured.
    """

    name: str
    holds: tuple[Answer, Answer]
    transports: tuple[Answer, Answer]
    grade: tuple[Grade, Grade]
    label: tuple[Label, Label]
    log_loss_ratio: Difference
    equivariance_error: Difference
    orbit_coherence: Mapping[str, Difference]


@dataclass(frozen=True)
class AxisComparison:
    """One axis of both verdicts.

    Attributes:
        compared: whether the two answers mean the same thing; those on *transports* do if one
            metric decides both.
        answer: of both verdicts.
        residual_first, residual_second: names of the residual subgroups (``residual_low``).
        fell, rose: elements whose answer fell or rose in the order yes, undetermined, no.
    """

    compared: bool
    answer: tuple[Answer, Answer]
    residual_first: tuple[str, ...]
    residual_second: tuple[str, ...]
    fell: tuple[str, ...]
    rose: tuple[str, ...]


@dataclass(frozen=True)
class SettingChange:
    """A setting of the audits that differs; None where an audit does not have it."""

    name: str
    first: Any
    second: Any


@dataclass(frozen=True)
class ComparedAudit:
    """Which audit it was."""

    name: str
    created: str
    weights_sha256: str
    data_sha256: str
    metric: str
    has_skill: bool


@dataclass(frozen=True)
class AuditComparison:
    """What changed from the first audit to the second.

    Attributes:
        outcome: *worse* if an element's answer became no; *undetermined* if one that was yes became
            undetermined and none became no; *better* if answers only rose; else *same*.
        relative_error: of the models' predictions.
        only_first, only_second: elements that one audit tested and the other did not.
        same_samples: whether both measured on the same samples.
        caveats: what differs besides the models, and what that means for the comparison.
        intervals: how the intervals of the differences are made, in words.
    """

    outcome: Outcome
    summary: str
    symmetry: str
    first: ComparedAudit
    second: ComparedAudit
    holds: AxisComparison
    transports: AxisComparison
    relative_error: Difference
    elements: tuple[ElementComparison, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    settings: tuple[SettingChange, ...]
    same_samples: bool
    caveats: tuple[str, ...]
    intervals: str
    schema_version: int = COMPARISON_SCHEMA_VERSION

    def element(self, name: str) -> ElementComparison:
        """The comparison of the element of this name."""
        for entry in self.elements:
            if entry.name == name:
                return entry
        raise InputError(f"no element {name!r}; compared were {[e.name for e in self.elements]}")

    def to_json(self) -> dict[str, Any]:
        """Every number and word as JSON values."""
        return dict(to_json(self))

    @classmethod
    def from_json(cls, data: Any) -> "AuditComparison":
        """Read what :meth:`to_json` wrote.

        Raises:
            InputError: something is missing, of another type, or of a newer schema.
        """
        version = data.get("schema_version") if isinstance(data, Mapping) else None
        if not isinstance(version, int):
            raise InputError("expected the JSON of a comparison, with its schema_version")
        if version > COMPARISON_SCHEMA_VERSION:
            raise InputError("the comparison was written by a newer goldstone; upgrade")
        return from_json(cls, data, "comparison")
