"""Floor 2: matrix representations, the linear source of actions."""

from goldstone.representations.direct_sum import DirectSum, multiple
from goldstone.representations.elementary import (
    DeterminantRepresentation,
    RegularRepresentation,
    StandardRepresentation,
    TrivialRepresentation,
)
from goldstone.representations.representation import Representation

__all__ = [
    "DeterminantRepresentation",
    "DirectSum",
    "RegularRepresentation",
    "Representation",
    "StandardRepresentation",
    "TrivialRepresentation",
    "multiple",
]
