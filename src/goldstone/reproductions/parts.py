"""A reproduction put together from parts: some claims each, with their figures and tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from goldstone.core import Progress
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.results import Claim, Provenance, Reproduction

S = TypeVar("S")


@dataclass(frozen=True)
class Part:
    """Claims, captions and drawings of figures by name, tables by name.

    A drawing that is empty, because nothing was measured, is left out. ``seconds`` are those of the
    processor.
    """

    claims: tuple[Claim, ...]
    captions: Mapping[str, str] = field(default_factory=dict)
    drawings: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


def measured_parts(
    title: str,
    claims: Mapping[str, Callable[[Kept, S], Part]],
    kept: Kept,
    sizes: S,
    progress: Progress,
) -> tuple[list[Part], dict[str, float]]:
    """All parts, one after the other, and the seconds of each by name."""
    parts = []
    with progress.task(title, len(claims)) as task:
        for measure in claims.values():
            parts.append(measure(kept, sizes))
            task.advance()
    return parts, {name: part.seconds for name, part in zip(claims, parts, strict=True)}


def assembled(
    name: str, title: str, source: str, setting: str, parts: Sequence[Part], provenance: Provenance
) -> Reproduction:
    """The parts in their order as one reproduction."""
    drawings = {key: svg for part in parts for key, svg in part.drawings.items() if svg}
    captions = {key: text for part in parts for key, text in part.captions.items()}
    return Reproduction(
        name=name,
        title=title,
        source=source,
        setting=setting,
        claims=tuple(claim for part in parts for claim in part.claims),
        provenance=provenance,
        figures={key: captions[key] for key in drawings},
        tables={key: table for part in parts for key, table in part.tables.items()},
        drawings=drawings,
    )
