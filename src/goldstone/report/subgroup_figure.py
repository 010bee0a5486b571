"""The lattice of subgroups up to conjugacy as an SVG drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from goldstone.core import InputError
from goldstone.report.drawing import box, document, text, text_width
from goldstone.report.hasse import hasse_layout

MOST_CLASSES = 100

_STYLE = """
.label { text-anchor: middle; }
.size, .row { font-size: 11px; fill: var(--muted); }
.row { text-anchor: end; }
.cover { fill: none; stroke: var(--muted); stroke-width: 1.1; }
.node { fill: var(--paper); stroke: var(--muted); stroke-width: 1.2; }
.normal { fill: var(--tint); stroke: var(--ink); stroke-width: 1.8; }
"""
_LEVEL, _NODE, _BESIDE = 78.0, 15.0, 20.0


@dataclass(frozen=True)
class SubgroupNode:
    """A class of conjugate subgroups in the drawing.

    Attributes:
        label: what is written, such as the isomorphism type.
        description: what a pointer shows.
        order: number of elements of each.
        size: number of conjugates; 1 for a normal subgroup.
    """

    label: str
    description: str
    order: int
    size: int


def subgroup_figure(
    name: str, nodes: Sequence[SubgroupNode], coverings: Sequence[tuple[int, int]]
) -> str:
    """An SVG document: the Hasse diagram of the classes of subgroups.

    Rows are orders, the largest on top. A line joins two classes where subgroups of the lower one
    are maximal in subgroups of the upper. Normal subgroups are filled; a class of several has
    their number beside it.

    Args:
        name: the group's name.
        nodes: the classes.
        coverings: pairs (lower, upper) of positions in ``nodes``.

    Raises:
        InputError: there are no classes or more than a hundred.
    """
    if not 1 <= len(nodes) <= MOST_CLASSES:
        raise InputError(
            f"expected 1 to {MOST_CLASSES} classes of subgroups in a drawing, got {len(nodes)}"
        )
    widths = [max(36.0, text_width(node.label) + 20) for node in nodes]
    room = [width + 2 * _BESIDE for width in widths]
    drawn = hasse_layout([node.order for node in nodes], coverings, room)
    passing = [x for line in drawn.lines for x, _ in line]
    starts = [x - width / 2 for x, width in zip(drawn.x, room, strict=True)]
    margin = 12 + text_width(f"order {nodes[drawn.rows[0][0]].order}", size=11)
    shift = margin + 10 - min(*starts, *(x - 10 for x in passing), starts[0])
    heights = [34 + _LEVEL * level for level in range(len(drawn.rows))]
    body = [_line([(x + shift, heights[row]) for x, row in line]) for line in drawn.lines]
    for row, y in zip(drawn.rows, heights, strict=True):
        body.append(text(margin, y + 4, f"order {nodes[row[0]].order}", 'class="row"'))
        for i in row:
            body += _node(nodes[i], drawn.x[i] + shift, y, widths[i])
    ends = [x + width / 2 for x, width in zip(drawn.x, room, strict=True)]
    width = shift + max(*ends, *(x + 10 for x in passing), ends[0]) + 8
    title = f"Subgroups of {name} up to conjugacy"
    return document(width, heights[-1] + 34, title, _STYLE, body)


def _line(places: Sequence[tuple[float, float]]) -> str:
    """A smooth line: upright at the rows that it passes."""
    x, y = places[0]
    path = f"M{x:.1f} {y:.1f}"
    for number, (end, bottom) in enumerate(places[1:], 1):
        # Straight at the ends, where it meets a node.
        first = x if number > 1 else x + (end - x) / 3
        last = end if number < len(places) - 1 else end - (end - x) / 3
        third = (bottom - y) / 3
        path += f"C{first:.1f} {y + third:.1f} {last:.1f} {bottom - third:.1f} "
        path += f"{end:.1f} {bottom:.1f}"
        x, y = end, bottom
    return f'<path class="cover" d="{path}"/>'


def _node(node: SubgroupNode, x: float, y: float, width: float) -> list[str]:
    kind = "normal" if node.size == 1 else "node"
    frame = box(kind, complex(x, y), width / 2, _NODE, 7)
    found = ["<g>", frame, text(x, y + 4.5, node.label, 'class="label"')]
    if node.size > 1:
        found.append(text(x + width / 2 + 4, y + 4, f"×{node.size}", 'class="size"'))
    return [*found, f"<title>{escape(node.description)}</title></g>"]
