"""Tensors whose axes carry labels: which parameter indices would move an index of the axis."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Field:
    """Labels of the positions along some axes of a tensor.

    Attributes:
        axes: ascending; more than one where the label of an index depends on another index, as
            that of a head's inner dimension depends on the head.
        ids: labels, of the shape of these axes. A label is 2·node, plus 1 where the index
            transforms inversely (by g⁻ᵀ where the node's own index transforms by g).
        frame: number of the frame in which the index transforms: see ``Ties``.
    """

    axes: tuple[int, ...]
    ids: Ids
    frame: int = 0


@dataclass(frozen=True, eq=False)
class Labelled:
    """The shape of a tensor and the labels of its axes.

    An axis that no field covers has indices that stay where they are (batch, time, space, classes),
    unless it is ``uniform``: there the tensor repeats itself, as after ``expand``.

    Attributes:
        shape: of the tensor.
        fields: the labels.
        uniform: the axes along which the tensor is constant.
        degree: exponents: the tensor scales by Π λ_k^degree[k] when parameter k scales by λ_k.
        parameter: the name, where the tensor is a parameter itself.
    """

    shape: tuple[int, ...]
    fields: tuple[Field, ...] = ()
    uniform: frozenset[int] = frozenset()
    degree: dict[int, float] = field(default_factory=dict)
    parameter: str | None = None

    def covered(self, axis: int) -> bool:
        """Whether a field labels the axis."""
        return any(axis in one.axes for one in self.fields)


def _moved(
    x: Labelled, shape: Sequence[int], fields: Iterable[Field], uniform: Iterable[int]
) -> Labelled:
    return replace(
        x, shape=tuple(shape), fields=tuple(fields), uniform=frozenset(uniform), parameter=None
    )


def permute(x: Labelled, order: Sequence[int]) -> Labelled:
    """Axis i of the result is axis ``order[i]`` of x."""
    order = [axis % len(x.shape) for axis in order]
    place = {axis: new for new, axis in enumerate(order)}
    fields = []
    for one in x.fields:
        axes = [place[axis] for axis in one.axes]
        by = np.argsort(axes)
        fields.append(Field(tuple(sorted(axes)), one.ids.transpose(by), one.frame))
    moved = _moved(x, [x.shape[a] for a in order], fields, (place[a] for a in x.uniform))
    return replace(moved, parameter=x.parameter) if len(x.shape) < 2 else moved


def take(x: Labelled, axis: int, indices: Ids) -> Labelled:
    """``x.index_select(axis, indices)``: slices, flips, rolls, repetitions."""
    axis %= len(x.shape)
    shape = [*x.shape[:axis], len(indices), *x.shape[axis + 1 :]]
    fields = [
        replace(one, ids=one.ids.take(indices, one.axes.index(axis))) if axis in one.axes else one
        for one in x.fields
    ]
    return _moved(x, shape, fields, x.uniform)


def renumber(x: Labelled, shape: Sequence[int], place: dict[int, int]) -> Labelled:
    """Axes of size one come or go: axis a becomes ``place[a]``; those not named are dropped.

    A field that lies on a dropped axis alone keeps no axis: one index was singled out.
    """
    fields = []
    for one in x.fields:
        kept = [axis for axis in one.axes if axis in place]
        ids = one.ids.reshape([x.shape[axis] for axis in kept])
        fields.append(Field(tuple(place[axis] for axis in kept), ids, one.frame))
    return _moved(x, shape, fields, (place[a] for a in x.uniform if a in place))


def expand(x: Labelled, shape: Sequence[int]) -> Labelled:
    """Broadcast to ``shape``; what is repeated becomes uniform."""
    lead = len(shape) - len(x.shape)
    if lead == 0 and tuple(shape) == x.shape:
        return x
    uniform = {a + lead for a in x.uniform} | {a for a in range(lead) if shape[a] > 1}
    fields = []
    for one in x.fields:
        kept = [a for a in one.axes if x.shape[a] == shape[a + lead]]
        ids = one.ids.reshape([x.shape[a] for a in kept])
        fields.append(Field(tuple(a + lead for a in kept), ids, one.frame))
    uniform |= {a + lead for a, size in enumerate(x.shape) if size == 1 and shape[a + lead] > 1}
    moved = _moved(x, shape, fields, uniform)
    return replace(moved, parameter=x.parameter)


def reshape(x: Labelled, shape: Sequence[int]) -> Labelled:
    """Row-major reshape: axes merge and split, labels along with them."""
    if tuple(shape) == x.shape:
        return x
    groups = _groups(x.shape, shape)
    fields = []
    for one in x.fields:
        touched = [g for g in groups if set(g[0]) & set(one.axes)]
        full = [axis for old, _ in touched for axis in old]
        target = [axis for _, new in touched for axis in new]
        where = [slice(None) if axis in one.axes else None for axis in full]
        ids = np.broadcast_to(one.ids[tuple(where)], [x.shape[axis] for axis in full])
        fields.append(squeezed(target, ids.reshape([shape[axis] for axis in target]), one.frame))
    labelled = {axis for one in fields for axis in one.axes}
    uniform = {
        axis
        for old, new in groups
        if all(x.shape[a] == 1 or a in x.uniform for a in old)
        for axis in new
        if shape[axis] > 1 and axis not in labelled
    }
    return _moved(x, shape, fields, uniform)


def merged(old: Sequence[int], new: Sequence[int]) -> list[set[int]]:
    """The sets of old axes that a reshape makes one run of."""
    return [set(axes) for axes, _ in _groups(old, new) if len(axes) > 1]


def squeezed(axes: Sequence[int], ids: Ids, frame: int) -> Field:
    """The field without the axes along which the labels do not change."""
    kept = list(axes)
    for axis in axes:
        place = kept.index(axis)
        first = ids.take([0], place)
        if bool((ids == first).all()):
            ids = first.squeeze(place)
            kept.remove(axis)
    return Field(tuple(kept), np.ascontiguousarray(ids), frame)


def concatenate(parts: Sequence[Labelled], axis: int, shape: Sequence[int]) -> Labelled:
    """Join along an axis; a part whose indices stay where they are gets the label 0 there.

    Fields that do not lie on the axis are those of the first part: the caller ties the others.
    """
    axis %= len(shape)
    patterns = {one.axes for part in parts for one in part.fields if axis in one.axes}
    fields = [one for one in parts[0].fields if axis not in one.axes]
    for axes in sorted(patterns):
        pieces, frame = [], 0
        for part in parts:
            size = [part.shape[a] for a in axes]
            found = [one for one in part.fields if one.axes == axes]
            pieces.append(found[0].ids if found else np.zeros(size, dtype=np.int64))
            frame = found[0].frame if found else frame
        fields.append(Field(axes, np.concatenate(pieces, axes.index(axis)), frame))
    uniform = frozenset.intersection(*(part.uniform for part in parts)) - {axis}
    return Labelled(tuple(shape), tuple(fields), uniform, dict(parts[0].degree))


def map_axes(x: Labelled, shape: Sequence[int], change: Callable[[int], bool]) -> Labelled:
    """Keep labels of the axes for which ``change`` is false; the others lose theirs."""
    fields = [one for one in x.fields if not any(change(axis) for axis in one.axes)]
    return _moved(x, shape, fields, (a for a in x.uniform if not change(a)))


def _groups(old: Sequence[int], new: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """The smallest runs of old and new axes of equal size."""
    groups, i, j = [], 0, 0
    while i < len(old) or j < len(new):
        a, b = [i] if i < len(old) else [], [j] if j < len(new) else []
        while prod(old[k] for k in a) != prod(new[k] for k in b):
            if prod(old[k] for k in a) < prod(new[k] for k in b):
                a.append(a[-1] + 1 if a else i)
            else:
                b.append(b[-1] + 1 if b else j)
        groups.append((a, b))
        i, j = i + len(a), j + len(b)
    return groups
