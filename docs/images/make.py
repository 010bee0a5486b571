"""Make the pictures of docs/groups.md again: ``python docs/images/make.py`` from a clone."""

from pathlib import Path

from goldstone.cli.app import app
from goldstone.groups import CyclicGroup, DihedralGroup
from goldstone.report.drawing import document, text
from goldstone.representations import (
    PermutationRepresentation,
    RegularRepresentation,
    Representation,
    intertwiner_basis,
)

HERE = Path(__file__).parent
CELL, GAP, TOP = 30, 60, 40
COLOURS = (
    *("#8fb8e8", "#f3b49a", "#9bd3b0", "#cdb3e6"),
    *("#ecd58a", "#9fd0d8", "#e8a7c4", "#c3c9d2"),
)
STYLE = ".number { fill: #1d2430; text-anchor: middle; } .title { text-anchor: middle; }"


def matrix(representation: Representation, title: str, left: float) -> list[str]:
    """A square for each entry, coloured and numbered by the weight that it shares."""
    labels = intertwiner_basis(representation, representation).orbits().tolist()
    body = [text(left + CELL * len(labels) / 2, TOP - 14, title, 'class="title"')]
    for i, row in enumerate(labels):
        for j, label in enumerate(row):
            x, y = left + CELL * j, TOP + CELL * i
            size = f'width="{CELL - 2}" height="{CELL - 2}"'
            body.append(f'<rect x="{x}" y="{y}" {size} rx="4" fill="{COLOURS[label]}"/>')
            body.append(text(x + CELL / 2 - 1, y + 19, str(label), 'class="number"'))
    return body


def weight_sharing() -> str:
    """Entries of an intertwiner of eight samples on a circle, by shared weight."""
    shifts, circle = CyclicGroup(8), DihedralGroup(8)
    turn, flip = tuple((i + 1) % 8 for i in range(8)), tuple(-i % 8 for i in range(8))
    second = 20 + 8 * CELL + GAP
    body = [
        *matrix(RegularRepresentation(shifts), "shifts: 8 weights", 20),
        *matrix(
            PermutationRepresentation(circle, (turn, flip)),
            "shifts and reflections: 5 weights",
            second,
        ),
    ]
    title = "Entries of an equivariant layer that share a weight"
    return document(second + 8 * CELL + 20, TOP + 8 * CELL + 16, title, STYLE, body)


if __name__ == "__main__":
    (HERE / "weight-sharing.svg").write_text(weight_sharing(), encoding="utf-8")
    app(["groups", "show", "D4", "--quiet", "--plot", str(HERE)])
