"""The pairs of a row and a column permutation that leave a matrix of classes as it is."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor


def value_classes(weights: Tensor, tolerance: float) -> tuple[list[list[int]], float, float | None]:
    """A number for each value, the widest class, and the smallest difference between two."""
    ordered, order = weights.flatten().sort()
    steps = ordered.diff()
    labels = torch.zeros(len(ordered), dtype=torch.int64)
    labels[1:] = (steps > tolerance).cumsum(0)
    numbers = torch.empty_like(labels)
    numbers[order] = labels
    count = int(labels[-1]) + 1
    low = ordered.new_full((count,), float("inf")).scatter_reduce(0, labels, ordered, "amin")
    high = ordered.new_full((count,), -float("inf")).scatter_reduce(0, labels, ordered, "amax")
    gap = float((low[1:] - high[:-1]).min()) if count > 1 else None
    return numbers.reshape(weights.shape).tolist(), float((high - low).max()), gap


def matrix_automorphisms(values: list[list[int]]) -> list[tuple[int, ...]]:
    """Generators of the stabiliser of a matrix (k, d) in S_k × S_d, permutations of k + d points.

    Column permutations are sought depth first, with the rows' values in the columns placed so far
    as the test (a partition backtrack): strong generators of each stabiliser along the columns come
    out, and no element is listed. Rows follow from columns, up to exchanges of equal rows.
    """
    k, columns = len(values), list(zip(*values, strict=True))
    generators = [(*rows, *(k + j for j in moved)) for moved, rows in _strong_generators(columns)]
    return generators + _equal_rows(values, len(columns))


def _strong_generators(
    columns: list[tuple[int, ...]],
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Pairs of a column and a row permutation: for each level of the chain of column stabilisers.

    From the last column to the first; a column whose image some product of generators already
    reaches is not tried.
    """
    d = len(columns)
    alike = [sorted(column) for column in columns]
    found: list[tuple[int, ...]] = []
    for level in reversed(range(d)):
        orbit = {level}
        for image in range(level + 1, d):
            if image in orbit or alike[image] != alike[level]:
                continue
            moved = _completed(columns, alike, (*range(level), image))
            if moved is None:
                continue
            found.append(moved)
            orbit = _reached(level, found)
            yield moved, _rows(columns, moved)


def _completed(
    columns: list[tuple[int, ...]], alike: list[list[int]], images: tuple[int, ...]
) -> tuple[int, ...] | None:
    """A column permutation with these first images that some row permutation makes good."""
    sources = [columns[j] for j in range(len(images))]
    targets = [columns[j] for j in images]
    if Counter(zip(*sources, strict=True)) != Counter(zip(*targets, strict=True)):
        return None
    if len(images) == len(columns):
        return images
    used = set(images)
    for image in range(len(columns)):
        if image not in used and alike[image] == alike[len(images)]:
            moved = _completed(columns, alike, (*images, image))
            if moved is not None:
                return moved
    return None


def _rows(columns: list[tuple[int, ...]], moved: tuple[int, ...]) -> tuple[int, ...]:
    """A row permutation r with W[r(i), moved(j)] = W[i, j]."""
    places: dict[tuple[int, ...], list[int]] = {}
    for row, values in enumerate(zip(*(columns[j] for j in moved), strict=True)):
        places.setdefault(values, []).append(row)
    return tuple(places[values].pop(0) for values in zip(*columns, strict=True))


def _reached(start: int, maps: Sequence[tuple[int, ...]]) -> set[int]:
    orbit, frontier = {start}, [start]
    while frontier:
        frontier = list({a[i] for a in maps for i in frontier} - orbit)
        orbit.update(frontier)
    return orbit


def _equal_rows(values: list[list[int]], d: int) -> list[tuple[int, ...]]:
    """Exchanges of neighbouring equal rows, which move no column."""
    places: dict[tuple[int, ...], list[int]] = {}
    for row, entries in enumerate(values):
        places.setdefault(tuple(entries), []).append(row)
    found = []
    for same in places.values():
        for i, j in pairwise(same):
            images = list(range(len(values) + d))
            images[i], images[j] = j, i
            found.append(tuple(images))
    return found
