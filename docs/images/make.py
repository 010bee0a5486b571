"""Make the pictures of docs/groups.md again: ``python docs/images/make.py`` from a clone."""

from itertools import product
from pathlib import Path

import torch

from goldstone.cli.app import app
from goldstone.groups import CyclicGroup, DihedralGroup, data_orbits
from goldstone.report.drawing import box, document, text
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


def orbits() -> str:
    """The sixteen black and white pictures of 2×2 pixels, an orbit under D4 in each frame."""
    pictures = torch.tensor(list(product([0, 1], repeat=4))).reshape(16, 2, 2)

    def act(element: tuple[int, int], data: torch.Tensor) -> torch.Tensor:
        turned = torch.rot90(data, element[1], dims=(-2, -1))
        return turned.flip(-2) if element[0] else turned

    labels = data_orbits(DihedralGroup(4), pictures, act).tolist()
    body, left = [], 12.0
    for orbit in range(max(labels) + 1):
        members = [
            picture.tolist() for picture, k in zip(pictures, labels, strict=True) if k == orbit
        ]
        columns = 2 if len(members) > 1 else 1
        rows = -(-len(members) // columns)
        width, height = 10 + 44 * columns, 10 + 44 * rows
        top = 12 + (98 - height) / 2
        frame = complex(left + width / 2, top + height / 2)
        body.append(box("frame", frame, width / 2, height / 2, 8))
        for number, picture in enumerate(members):
            x, y = left + 9 + 44 * (number % columns), top + 9 + 44 * (number // columns)
            for i, j in product(range(2), repeat=2):
                kind = "full" if picture[i][j] else "empty"
                middle = complex(x + 18 * j + 9, y + 18 * i + 9)
                body.append(box(kind, middle, 9, 9, 0))
        left += width + 14
    style = """
.frame { fill: none; stroke: var(--muted); }
.full { fill: var(--ink); stroke: var(--muted); }
.empty { fill: var(--paper); stroke: var(--muted); }
"""
    return document(left - 2, 122, "The orbits of 2×2 pictures under D4", style, body)


if __name__ == "__main__":
    (HERE / "weight-sharing.svg").write_text(weight_sharing(), encoding="utf-8")
    (HERE / "orbits.svg").write_text(orbits(), encoding="utf-8")
    app(["groups", "show", "D4", "--quiet", "--plot", str(HERE)])
