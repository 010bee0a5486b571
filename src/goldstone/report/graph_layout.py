"""Places of the vertices of a Cayley graph in the plane.

A symmetry of the graph that moves every vertex along cycles of one length n (multiplication from
the left by an element of order n) is drawn as the turn by 2π/n: only one vertex of each cycle is
placed, and the others follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.complex128]
"""Places in the plane as complex numbers."""

_ANGLES = 72
_SWEEPS = 6


@dataclass(frozen=True)
class Rotation:
    """The cycles of a symmetry: vertex v is the ``step[v]``-th image of ``start[cycle[v]]``."""

    order: int
    cycle: NDArray[np.int64]
    step: NDArray[np.int64]

    @classmethod
    def of(cls, images: Sequence[int]) -> "Rotation":
        """The cycles of v ↦ images[v], all of one length, in order of first vertices."""
        n = len(images)
        cycle, step = np.full(n, -1), np.zeros(n, dtype=np.int64)
        count = length = 0
        for first in range(n):
            here, length_here = first, 0
            while cycle[here] < 0:
                cycle[here], step[here] = count, length_here
                here, length_here = images[here], length_here + 1
            if length_here:
                count, length = count + 1, length_here
        return cls(length, cycle, step)

    @property
    def count(self) -> int:
        """Number of cycles."""
        return int(self.cycle.max()) + 1

    def spread(self, places: Points) -> Points:
        """All places from one for each cycle."""
        spread: Points = places[self.cycle] * np.exp(2j * pi * self.step / self.order)
        return spread


def cayley_layout(targets: Sequence[Sequence[int]], images: Sequence[int]) -> Points:
    """Places of the vertices, (n,), within the unit disc.

    Two layouts are tried, and the one with fewer crossings of edges is taken: concentric rings by
    distance from the first cycle, and stress majorisation (Gansner, Koren and North, Graph Drawing
    2004), which keeps the graph's distances.

    Args:
        targets: for each generator the vertex that each vertex's arrow leads to.
        images: a symmetry of the graph whose cycles are of one length; see :class:`Rotation`.
    """
    n = len(images)
    if n == 1:
        return np.zeros(1, dtype=np.complex128)
    edges = _edges(targets)
    distances = _distances(edges, n)
    rotation = Rotation.of(images)
    rings = _rings(edges, distances, rotation)
    layouts = [rings, _stress(rings, distances), _stress(_circle(rotation), distances)]
    return min(layouts, key=lambda places: _badness(places, edges))


def _edges(targets: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """The different pairs of joined vertices, (m, 2)."""
    pairs = [(min(v, w), max(v, w)) for column in targets for v, w in enumerate(column)]
    return np.array(sorted(set(pairs)), dtype=np.int64).reshape(-1, 2)


def _distances(edges: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """Numbers of edges between vertices, (n, n); n where there is no path."""
    neighbours: list[list[int]] = [[] for _ in range(n)]
    for v, w in edges.tolist():
        neighbours[v].append(w)
        neighbours[w].append(v)
    found = np.full((n, n), float(n))
    for source in range(n):
        found[source, source] = 0.0
        frontier, depth = [source], 0
        while frontier:
            depth += 1
            reached = [w for v in frontier for w in neighbours[v] if found[source, w] == n]
            frontier = list(dict.fromkeys(reached))
            found[source, frontier] = depth
    return found


def _rings(edges: NDArray[np.int64], distances: NDArray[np.float64], rotation: Rotation) -> Points:
    """Cycles on rings by their distance from the first cycle, turned so that edges are short."""
    first = rotation.cycle == 0
    layer = distances[:, first].min(1)
    radii = np.array([layer[rotation.cycle == c][0] for c in range(rotation.count)]) + 1.0
    angles = np.exp(2j * pi * np.arange(_ANGLES) / _ANGLES)
    places = radii.astype(np.complex128)
    placed = np.zeros(rotation.count, dtype=bool)
    placed[0] = True
    for _ in range(_SWEEPS):
        for c in np.argsort(radii, kind="stable")[1:]:
            placed[c] = True
            known = placed[rotation.cycle]
            choices = []
            for angle in angles:
                places[c] = radii[c] * angle
                choices.append(_energy(rotation.spread(places), edges, known))
            places[c] = radii[c] * angles[int(np.argmin(np.round(choices, 9)))]
    return np.asarray(rotation.spread(places) / radii.max())


def _energy(places: Points, edges: NDArray[np.int64], known: NDArray[np.bool_]) -> float:
    """The edges' squared lengths, with a repulsion of vertices."""
    drawn = known[edges].all(1)
    lengths = np.abs(places[edges[drawn, 0]] - places[edges[drawn, 1]]) ** 2
    points = places[known]
    apart = np.abs(points[:, None] - points[None]) ** 2 + 1e-3
    repulsion = (1.0 / apart).sum() - len(points) * 1e3
    return float(lengths.sum() + 0.5 * repulsion)


def _circle(rotation: Rotation) -> Points:
    """All vertices on one circle, the cycles interleaved."""
    phases = np.exp(2j * pi * np.arange(rotation.count) / (rotation.order * rotation.count))
    return rotation.spread(phases)


def _stress(start: Points, distances: NDArray[np.float64], steps: int = 300) -> Points:
    """The minimum of Σ (|z_i − z_j| / d_ij − 1)² near ``start``, scaled to the unit disc.

    Each step solves the majorising quadratic problem; it keeps the symmetry of ``start``.
    """
    n = len(start)
    weights = np.where(distances > 0, 1.0 / np.maximum(distances, 1.0) ** 2, 0.0)
    laplacian = np.diag(weights.sum(1)) - weights + 1.0 / n
    inverse = np.linalg.inv(laplacian)
    places = start * distances.max() / 2
    for _ in range(steps):
        lengths = np.abs(places[:, None] - places[None])
        ratio = weights * distances / np.maximum(lengths, 1e-9)
        np.fill_diagonal(ratio, 0.0)
        pull = ratio.sum(1) * places - ratio @ places
        places = inverse @ pull
    largest = float(np.abs(places).max())
    return np.asarray(places / (largest or 1.0))


def _badness(places: Points, edges: NDArray[np.int64]) -> float:
    """Crossings of edges, with much added for vertices that nearly cover one another."""
    n = len(places)
    apart = np.abs(places[:, None] - places[None]) + 10 * np.eye(n)
    close = float(np.maximum(0.0, 1.0 / n**0.5 - apart).sum()) * n
    a, b = places[edges[:, 0]], places[edges[:, 1]]
    touching = (edges[:, None, :, None] == edges[None, :, None, :]).any((2, 3))
    crossing = _separated(a, b) & _separated(a, b).T & ~touching
    # A vertex on an edge that it does not belong to.
    along = (b - a)[:, None]
    t = np.clip(((places - a[:, None]) / along).real, 0.0, 1.0)
    gap = np.abs(places - a[:, None] - t * along)
    gap[np.arange(len(edges))[:, None], edges] = 1.0
    covered = float((gap < 0.02).sum())
    return float(crossing.sum()) / 2 + close + 3 * covered


def _separated(a: Points, b: Points) -> NDArray[np.bool_]:
    """Whether the line through the first edge has the ends of the second on either side."""
    along = (b - a)[:, None].conj()
    one, other = ((end[None] - a[:, None]) * along for end in (a, b))
    separated: NDArray[np.bool_] = one.imag * other.imag < -1e-12
    return separated
