"""What a reproduction found: claims of a publication beside measurements of the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, sqrt
from pathlib import Path
from typing import Any, Literal

import torch

from goldstone.core import InputError, Statistic, from_json, replacing, to_json

SCHEMA_VERSION = 1
Outcome = Literal["reproduced", "partly", "not reproduced", "not tested"]


@dataclass(frozen=True)
class Comparison:
    """One quantity, as published and as measured.

    Attributes:
        quantity: what it is, such as ``mean influence over shifts, NS U-Net``.
        published: the number or words of the publication; empty if it says nothing of it.
        measured: the estimate with its interval, if it is a number.
        words: what was measured, if it is not, or a remark on the number.
    """

    quantity: str
    published: str = ""
    measured: Statistic | None = None
    words: str = ""


@dataclass(frozen=True)
class Claim:
    """A statement of a publication, what was measured of it, and whether it stands.

    Attributes:
        statement: what is claimed, in one sentence.
        source: the publication with its equation, figure or section.
        comparisons: published and measured, quantity by quantity.
        outcome: *not tested* where the experiment was left out, as the diagnosis then says.
        diagnosis: why the outcome is what it is; needed unless all is reproduced.
        figures: names of the figures that show it.
    """

    statement: str
    source: str
    comparisons: tuple[Comparison, ...]
    outcome: Outcome
    diagnosis: str = ""
    figures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.outcome != "reproduced" and not self.diagnosis:
            raise InputError(
                f"claim {self.statement!r}: expected a diagnosis beside the outcome "
                f"{self.outcome!r}; say what differs and why"
            )


@dataclass(frozen=True)
class Provenance:
    """What the numbers come from: versions, seeds, sizes, and the seconds each part took.

    ``seconds`` are of this machine's processor, summed over every run that took part.
    """

    versions: Mapping[str, str]
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    seconds: Mapping[str, float]
    quick: bool = False


@dataclass(frozen=True)
class Reproduction:
    """Everything a reproduction found.

    Attributes:
        name: as in ``python -m goldstone.reproductions NAME``.
        title: what is reproduced.
        source: the publication.
        setting: what was done, and how it differs from the publication, in a paragraph.
        claims: one by one.
        provenance: where the numbers come from.
        figures: by name, a caption; each is a file ``<reproduction>-<name>.svg``.
        tables: further numbers, by name, as plain JSON values.
        drawings: the figures themselves, by name; not part of the JSON.
    """

    name: str
    title: str
    source: str
    setting: str
    claims: tuple[Claim, ...]
    provenance: Provenance
    figures: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION
    drawings: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Every number as JSON values; read back by :meth:`from_json`."""
        values: dict[str, Any] = to_json(self)
        del values["drawings"]
        return values

    @classmethod
    def from_json(cls, values: Any) -> "Reproduction":
        """Read what :meth:`to_json` wrote.

        Raises:
            InputError: a key is missing or of another type.
        """
        return from_json(cls, values, "reproduction")

    @classmethod
    def load(cls, path: str | Path) -> "Reproduction":
        """Read a NAME.json.

        Raises:
            InputError: the file is missing, or it is no reproduction.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file") from None
        except ValueError as error:
            raise InputError(f"{path}: not JSON ({error}); write it anew") from error
        return cls.from_json(values)

    def save_json(self, path: str | Path) -> None:
        """Write NAME.json, atomically."""
        with replacing(path) as temporary:
            text = json.dumps(self.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
            temporary.write_text(text + "\n", encoding="utf-8")


def over_seeds(values: Sequence[float]) -> Statistic:
    """Mean over independently trained models, with Student's 95 % interval of the mean.

    Values that are not finite make it undefined; of a single seed there is no interval.
    """
    n = len(values)
    if n == 0 or not all(isfinite(v) for v in values):
        return Statistic(None, n=n)
    found = torch.tensor(values, dtype=torch.float64)
    mean = float(found.mean())
    if n < 2:
        return Statistic(mean, n=n)
    # Here, because scipy.special takes long to import.
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, 0.975)) * float(found.std()) / sqrt(n)
    q1, median, q3 = (float(q) for q in found.quantile(torch.tensor([0.25, 0.5, 0.75]).double()))
    return Statistic(mean, mean - half, mean + half, n, median, q1, q3)
