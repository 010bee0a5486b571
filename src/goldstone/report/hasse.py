"""Hasse diagrams: rows, few crossings, and lines that pass beside the nodes between their ends.

The method of Sugiyama, Tagawa and Toda (IEEE Trans. SMC 11, 1981): a line over several rows gets a
place in each of them, rows are ordered by barycentres, and places are the least squares distances
to their neighbours that keep the order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import numpy as np

SWEEPS, STARTS = 12, 16


@dataclass(frozen=True)
class Hasse:
    """A drawn diagram.

    Attributes:
        rows: the items of each row, the largest order on top.
        x: the middle of each item.
        lines: for each cover the places (x, row) that its line goes through, from the top.
    """

    rows: tuple[tuple[int, ...], ...]
    x: tuple[float, ...]
    lines: tuple[tuple[tuple[float, int], ...], ...]


def hasse_layout(
    orders: Sequence[int],
    covers: Sequence[tuple[int, int]],
    widths: Sequence[float],
    line_width: float = 18.0,
) -> Hasse:
    """Places of items whose rows are their orders.

    Args:
        orders: the order of each item.
        covers: pairs (lower, upper), of different orders.
        widths: the room that each item takes.
        line_width: the room of a line that passes a row.
    """
    levels = sorted(set(orders), reverse=True)
    level = [levels.index(order) for order in orders]
    room = list(widths)
    rows: list[list[int]] = [[] for _ in levels]
    for i, row in enumerate(level):
        rows[row].append(i)
    above: dict[int, list[int]] = {i: [] for i in range(len(orders))}
    below: dict[int, list[int]] = {i: [] for i in range(len(orders))}
    paths = []
    for lower, upper in covers:
        path = [upper]
        for row in range(level[upper] + 1, level[lower]):
            passing = len(room)
            room.append(line_width)
            rows[row].append(passing)
            above[passing], below[passing] = [], []
            path.append(passing)
        path.append(lower)
        for one, other in pairwise(path):
            below[one].append(other)
            above[other].append(one)
        paths.append(path)
    rows = _ordered(rows, above, below)
    x = _places(rows, above, below, room)
    row_of = {i: number for number, row in enumerate(rows) for i in row}
    real = tuple(tuple(i for i in row if i < len(orders)) for row in rows)
    lines = tuple(tuple((x[i], row_of[i]) for i in path) for path in paths)
    return Hasse(real, tuple(x[i] for i in range(len(orders))), lines)


Neighbours = dict[int, list[int]]


def _ordered(rows: list[list[int]], above: Neighbours, below: Neighbours) -> list[list[int]]:
    """The order with the fewest crossings that sweeps down and up reach from several starts."""
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    shuffler = Random(0)
    for start in range(STARTS):
        if fewest == 0:
            break
        rows = [list(row) for row in rows]
        if start:
            for row in rows:
                shuffler.shuffle(row)
        for sweep in range(SWEEPS):
            down = sweep % 2 == 0
            for row in rows if down else reversed(rows):
                place = {i: k for other in rows for k, i in enumerate(other)}
                means = {i: _mean_place(i, above if down else below, place) for i in row}
                # Python's sort is stable: ties keep their order, so the drawing is deterministic.
                row.sort(key=means.__getitem__)
            count = _crossings(rows, below)
            if count < fewest:
                best, fewest = [list(row) for row in rows], count
    return best


def _mean_place(i: int, neighbours: Neighbours, place: dict[int, int]) -> float:
    found = neighbours[i]
    return sum(place[j] for j in found) / len(found) if found else place[i]


def _crossings(rows: list[list[int]], below: Neighbours) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        place = {i: k for k, i in enumerate(lower)}
        ends = [(k, place[j]) for k, i in enumerate(upper) for j in below[i]]
        top, bottom = np.array(ends, dtype=np.int64).reshape(-1, 2).T
        total += int(((top[:, None] < top) & (bottom[:, None] > bottom)).sum())
    return total


def _places(
    rows: list[list[int]], above: Neighbours, below: Neighbours, room: Sequence[float]
) -> dict[int, float]:
    x: dict[int, float] = {}
    for row in rows:
        start = -sum(room[i] for i in row) / 2
        for i in row:
            x[i] = start + room[i] / 2
            start += room[i]
    for _ in range(2 * SWEEPS):
        for row in (*rows, *reversed(rows)):
            wanted = []
            for i in row:
                found = [*above[i], *below[i]]
                wanted.append(sum(x[j] for j in found) / len(found) if found else x[i])
            x.update(zip(row, _apart(wanted, [room[i] for i in row]), strict=True))
    return x


def _apart(wanted: Sequence[float], room: Sequence[float]) -> list[float]:
    """The nearest places in least squares that are as far apart as the room demands.

    With the room taken off, they are an isotonic regression: pool adjacent violators.
    """
    offsets = [0.0]
    for one, other in pairwise(room):
        offsets.append(offsets[-1] + (one + other) / 2)
    pools: list[tuple[float, int]] = []
    for value, offset in zip(wanted, offsets, strict=True):
        mean, count = value - offset, 1
        while pools and pools[-1][0] > mean:
            other_mean, other_count = pools.pop()
            mean = (mean * count + other_mean * other_count) / (count + other_count)
            count += other_count
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]
