"""Floor 7: published claims, run again; claim and measurement side by side."""

from goldstone.reproductions.catalogue import REPRODUCTIONS, reproduce
from goldstone.reproductions.figures import side_by_side
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.page import markdown, write
from goldstone.reproductions.results import (
    Claim,
    Comparison,
    Outcome,
    Provenance,
    Reproduction,
    over_seeds,
)
from goldstone.reproductions.versions import versions

__all__ = [
    "REPRODUCTIONS",
    "Claim",
    "Comparison",
    "Kept",
    "Outcome",
    "Provenance",
    "Reproduction",
    "markdown",
    "over_seeds",
    "reproduce",
    "side_by_side",
    "versions",
    "write",
]
