"""Floor 2: matrix representations, the linear source of actions."""

from goldstone.representations.representation import (
    DeterminantRepresentation,
    DirectSum,
    RegularRepresentation,
    Representation,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)

__all__ = [
    "DeterminantRepresentation",
    "DirectSum",
    "RegularRepresentation",
    "Representation",
    "StandardRepresentation",
    "TrivialRepresentation",
    "multiple",
]
