"""The Cayley graph of a group as an SVG drawing."""

from collections.abc import Sequence
from html import escape

import numpy as np

from goldstone.core import InputError
from goldstone.report.drawing import PALETTE, box, document, text, text_width
from goldstone.report.graph_layout import Points, cayley_layout

MOST_VERTICES = 120
MOST_LABELS = 24

_STYLE = """
.label { text-anchor: middle; }
.node { fill: var(--paper); stroke: var(--muted); stroke-width: 1.2; }
.identity { fill: var(--tint); stroke: var(--ink); stroke-width: 1.8; }
.arrow { fill: none; stroke-width: 1.6; }
"""


def cayley_figure(
    name: str,
    elements: Sequence[str],
    generators: Sequence[str],
    targets: Sequence[Sequence[int]],
    rotation: Sequence[int],
) -> str:
    """An SVG document: a vertex for each element g, an arrow g → g·s for each generator s.

    A generator of order 2 has lines in place of pairs of arrows. The identity is filled; up to 24
    vertices carry their names, and all show them to a pointer.

    Args:
        name: the group's name.
        elements: the elements' names, the identity first.
        generators: the generators' names.
        targets: for each generator s the number of g·s for each element g.
        rotation: c·g for each g, for an element c: the drawing is symmetric under the turn by
            2π/(order of c).

    Raises:
        InputError: there are more than 120 elements, or the numbers do not fit together.
    """
    n = len(elements)
    if not 1 <= n <= MOST_VERTICES:
        raise InputError(f"expected 1 to {MOST_VERTICES} elements in a Cayley graph, got {n}")
    maps = (*targets, rotation)
    if len(targets) != len(generators) or any(sorted(m) != list(range(n)) for m in maps):
        raise InputError(
            f"expected for each of {len(generators)} generators, and as the rotation, a "
            f"permutation of {n} elements"
        )
    labelled = n <= MOST_LABELS
    points = _upright(cayley_layout(targets, rotation)) * _radius(n, labelled)
    while labelled and _overlap(points, elements):
        points = points * 1.05
    margin = 24 + (max(map(text_width, elements)) / 2 if labelled else 0)
    points = points - (points.real.min() + 1j * points.imag.min()) + (margin + 1j * 26)
    legend_width = sum(62 + text_width(s) for s in generators)
    width = max(float(points.real.max()) + margin, legend_width + 24)
    points = points + (width - float(points.real.max()) - margin) / 2
    bottom = float(points.imag.max()) + 26
    body = [_markers()]
    for number, column in enumerate(targets):
        body += _arrows(points, column, number, elements, labelled)
    for number, (element, place) in enumerate(zip(elements, points.tolist(), strict=True)):
        body += _vertex(element, place, labelled, number == 0)
    body += _legend(generators, targets, width, bottom + 22, legend_width)
    title = f"Cayley graph of {name} by {', '.join(generators) or 'no generators'}"
    return document(width, bottom + (42 if generators else 0), title, _STYLE, body)


def _upright(points: Points) -> Points:
    """Turned so that an outermost vertex, that nearest to the identity, is on top."""
    sizes = np.abs(points)
    if sizes.max() < 1e-9:
        return points
    outermost = points[sizes > sizes.max() - 1e-6]
    nearest = outermost[int(np.argmin(np.abs(outermost - points[0]).round(6)))]
    turned: Points = points * (-1j * abs(nearest) / nearest)
    return turned


def _radius(n: int, labelled: bool) -> float:
    size = float(n**0.5)
    return max(90.0, 34.0 * size) if labelled else max(240.0, 30.0 * size)


def _overlap(points: Points, elements: Sequence[str]) -> bool:
    """Whether labels touch, with room for a short arrow; vertices at one place never part."""
    half = np.array([_half_size(element) for element in elements])
    apart = points[:, None] - points[None]
    room = half[:, None] + half[None] + 9.0
    touching = (np.abs(apart.real) < room[..., 0]) & (np.abs(apart.imag) < room[..., 1])
    return bool((touching & (np.abs(apart) > 2.0)).any())


def _markers() -> str:
    heads = "".join(
        f'<marker id="head{i}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto" markerUnits="userSpaceOnUse">'
        f'<path d="M0 0.8L7.5 4L0 7.2Z" fill="{colour}"/></marker>'
        for i, colour in enumerate(PALETTE)
    )
    return f"<defs>{heads}</defs>"


def _is_involution(column: Sequence[int]) -> bool:
    return all(column[column[v]] == v for v in range(len(column)))


def _arrows(
    points: Points,
    column: Sequence[int],
    number: int,
    elements: Sequence[str],
    labelled: bool,
) -> list[str]:
    colour = PALETTE[number % len(PALETTE)]
    both_ways = _is_involution(column)
    head = "" if both_ways else f' marker-end="url(#head{number % len(PALETTE)})"'
    lines = []
    for v, w in enumerate(column):
        if both_ways and w < v:
            continue
        start, end = complex(points[v]), complex(points[w])
        along = (end - start) / abs(end - start)
        if not both_ways:
            end -= along * _reach(elements[w], along, labelled)
        lines.append(f"M{start.real:.1f} {start.imag:.1f}L{end.real:.1f} {end.imag:.1f}")
    # One path for each arrow: an arrow head is drawn at the end of a path only.
    return [f'<path class="arrow" stroke="{colour}" d="{line}"{head}/>' for line in lines]


def _reach(element: str, along: complex, labelled: bool) -> float:
    """How far from its middle the outline of a vertex lies in a direction."""
    if not labelled:
        return 6.0
    half_width, half_height = _half_size(element)
    horizontal = half_width / max(abs(along.real), 1e-9)
    return float(min(horizontal, half_height / max(abs(along.imag), 1e-9))) + 1.5


def _half_size(element: str) -> tuple[float, float]:
    return max(12.0, text_width(element) / 2 + 6), 11.0


def _vertex(element: str, place: complex, labelled: bool, is_identity: bool) -> list[str]:
    kind = "identity" if is_identity else "node"
    x, y = place.real, place.imag
    if not labelled:
        circle = f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5">'
        return [f"{circle}<title>{escape(element)}</title></circle>"]
    half_width, half_height = _half_size(element)
    pill = box(kind, place, half_width, half_height, 11)
    return [pill, text(x, y + 4.5, element, 'class="label"')]


def _legend(
    generators: Sequence[str],
    targets: Sequence[Sequence[int]],
    width: float,
    y: float,
    legend_width: float,
) -> list[str]:
    body = []
    x = (width - legend_width) / 2 + 12
    for number, (name, column) in enumerate(zip(generators, targets, strict=True)):
        colour = PALETTE[number % len(PALETTE)]
        two_ways = _is_involution(column)
        head = "" if two_ways else f' marker-end="url(#head{number % len(PALETTE)})"'
        body.append(f'<path class="arrow" stroke="{colour}" d="M{x:.1f} {y - 4:.1f}h30"{head}/>')
        body.append(text(x + 38, y, name))
        x += 62 + text_width(name)
    return body
