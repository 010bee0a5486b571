"""The whole result of an audit: written as audit.json and audit.npz, and read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from goldstone.auditing.probe_results import ProbeResults
from goldstone.auditing.result_files import read_arrays, read_numbers, write_result
from goldstone.auditing.results import (
    Control,
    ElementResult,
    HistoryEntry,
    MetricDetails,
    ModelSummary,
    Precheck,
    Provenance,
    ShiftProfile,
    SymmetrySummary,
    Verdict,
)
from goldstone.core import InputError, from_json, to_json

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class AuditResult:
    """Everything an audit found; ``arrays`` go to audit.npz, the rest to audit.json."""

    provenance: Provenance
    model: ModelSummary
    symmetry: SymmetrySummary
    precheck: Precheck
    elements: tuple[ElementResult, ...]
    controls: tuple[Control, ...]
    verdict: Verdict
    history: tuple[HistoryEntry, ...] = ()
    shifts: ShiftProfile | None = None
    metrics: Mapping[str, MetricDetails] = field(default_factory=dict)
    probes: ProbeResults = field(default_factory=ProbeResults)
    schema_version: int = SCHEMA_VERSION
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict, compare=False, repr=False)

    def element(self, name: str) -> ElementResult:
        """The result of the element of this name."""
        for entry in self.elements:
            if entry.name == name:
                return entry
        raise InputError(f"no element {name!r}; tested were {[e.name for e in self.elements]}")

    def to_json(self) -> dict[str, Any]:
        """Every number as JSON values."""
        names = [f.name for f in fields(self) if f.name not in ("arrays", "schema_version")]
        head = {"schema_version": self.schema_version}
        return head | {name: to_json(getattr(self, name)) for name in names}

    def save(self, directory: str | Path) -> None:
        """Write ``audit.json`` and ``audit.npz`` into ``directory``, each atomically."""
        write_result(Path(directory), self.to_json(), self.arrays)

    @classmethod
    def load(cls, directory: str | Path) -> "AuditResult":
        """Read what :meth:`save` wrote.

        Raises:
            InputError: a file is missing, truncated, or of a newer major schema.
        """
        folder = Path(directory)
        data = read_numbers(folder / "audit.json", SCHEMA_VERSION)
        arrays = read_arrays(folder / "audit.npz")
        result = from_json(cls, data, "audit.json")
        object.__setattr__(result, "arrays", arrays)
        return result

    @classmethod
    def load_numbers(cls, path: str | Path) -> "AuditResult":
        """Read audit.json alone, without the arrays.

        Args:
            path: a folder that :meth:`save` wrote, or an audit.json of any name.

        Raises:
            InputError: the file is missing, truncated, or of a newer major schema.
        """
        place = Path(path)
        place = place / "audit.json" if place.is_dir() or not place.suffix else place
        return from_json(cls, read_numbers(place, SCHEMA_VERSION), place.name)
