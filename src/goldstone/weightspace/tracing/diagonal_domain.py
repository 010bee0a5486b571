"""Scalings and sign flips of single indices, and scalings of whole tensors."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from goldstone.weightspace.tracing.domain import (
    Domain,
    Pointwise,
    lettered,
    placed,
    reduced_place,
    transposed,
)
from goldstone.weightspace.tracing.labels import Field, Ids, Labelled


class DiagonalDomain(Domain):
    """Positive factors, or signs, of the indices of axes; for factors also those of whole tensors.

    Here an axis without label is one along which the tensor does not change. The degree of a tensor
    is a linear form in the logarithms of the parameters' factors; what the operations demand of it
    is a system of linear equations, :attr:`equations`. What a parameter must be multiplied by
    besides the labels of its own axes is in :attr:`compensating`.

    Args:
        kind: ``scale`` or ``sign``.
    """

    def __init__(self, kind: Literal["scale", "sign"]) -> None:
        super().__init__()
        self.kind = kind
        self.names: list[str] = []
        self.equations: list[dict[int, float]] = []
        self.compensating: list[tuple[str, Ids]] = []
        self.inexact_ids: list[np.ndarray] = []
        self.inexact_degrees: list[dict[int, float]] = []

    def _degree_of(self, name: str) -> dict[int, float]:
        self.names.append(name)
        return {len(self.names) - 1: 1.0}

    def fix(self, x: Labelled) -> None:
        super().fix(x)
        self.equations.append(x.degree)

    def _still(self, x: Labelled) -> Labelled:
        self.fix(x)
        return Labelled(x.shape)

    def _add(self, x: Labelled, y: Labelled) -> Labelled:
        self.equations.append(_sum(x.degree, y.degree, -1.0))
        fields = []
        for one in x.fields:
            same = [two for two in y.fields if two.axes == one.axes]
            for two in same:
                self.ties.tie(one.ids, two.ids)
            if same:
                fields.append(one)
            else:
                self.ties.fix(one.ids)
        for two in y.fields:
            if not any(two.axes == one.axes for one in fields):
                self.ties.fix(two.ids)
        return Labelled(x.shape, tuple(fields), degree=x.degree)

    def multiply(self, x: Labelled, y: Labelled, shape: Sequence[int]) -> Labelled:
        letters = list(range(len(shape)))
        return self.contract(
            self.spread(x, shape), letters, self.spread(y, shape), letters, letters
        )

    def contract(
        self,
        x: Labelled,
        x_letters: Sequence[int],
        y: Labelled,
        y_letters: Sequence[int],
        out: Sequence[int],
    ) -> Labelled:
        contracted = (set(x_letters) | set(y_letters)) - set(out)
        sizes = dict(zip([*x_letters, *y_letters], [*x.shape, *y.shape], strict=True))
        lost: set[int] = set()
        left, right = lettered(x, x_letters), lettered(y, y_letters)
        for one, a in left:
            for two, b in right:
                if a == b and a & contracted:
                    order = sorted(a)
                    first = transposed(one, x_letters, order)
                    self.ties.tie(first, transposed(two, y_letters, order) ^ np.int64(1))
                elif a & b:
                    self.ties.fix(one.ids)
                    self.ties.fix(two.ids)
                if a & b:
                    lost |= {id(one), id(two)}
        fields = []
        for pairs, letters in ((left, x_letters), (right, y_letters)):
            for one, own in pairs:
                if id(one) in lost:
                    continue
                if own & contracted:
                    self.ties.fix(one.ids)
                else:
                    fields.append(placed(one.ids, [letters[k] for k in one.axes], out, one.frame))
        shape = tuple(sizes[letter] for letter in out)
        return Labelled(shape, tuple(fields), degree=_sum(x.degree, y.degree, 1.0))

    def pointwise(self, x: Labelled, kind: Pointwise) -> Labelled:
        passes = kind == "linear" or kind == ("homogeneous" if self.kind == "scale" else "odd")
        return replace(x, parameter=None) if passes else self._still(x)

    def normalise(self, x: Labelled, axes: Sequence[int], centred: bool) -> Labelled:
        fields = []
        for one in x.fields:
            across = bool(set(one.axes) & set(axes))
            if across:
                self.ties.fix(one.ids)  # signs that pass are in the orthogonal group
            elif self.kind == "sign":
                fields.append(one)
            else:
                self.inexact_ids.append(one.ids)
        self.inexact_degrees.append(x.degree)
        return Labelled(x.shape, tuple(fields))

    def norm(self, x: Labelled, axes: Sequence[int], keep: bool, centred: bool = False) -> Labelled:
        if self.kind == "sign" and not centred:
            x = Labelled(x.shape)
        return self.reduce(x, axes, keep, linear=False)

    def running(
        self, x: Labelled, mean: Labelled, variance: Labelled, weight: Labelled | None
    ) -> Labelled:
        self.fix(variance)
        rank = len(x.shape)
        row = replace(
            mean,
            shape=(1, mean.shape[0], *([1] * (rank - 2))),
            fields=tuple(replace(one, axes=(1,)) for one in mean.fields),
        )
        out = self._add(x, self.spread(row, x.shape))
        if weight is None or weight.parameter is None:
            return out
        # What multiplies x can be divided out of the weight: nothing behind it is touched.
        before = dict(self.compensating)
        for one in out.fields:
            if weight.parameter in before:  # the norm is used twice
                self.ties.tie(before[weight.parameter], one.ids ^ 1)
            else:
                self.compensating.append((weight.parameter, one.ids ^ 1))
        return replace(out, fields=())

    def follow(self, x: Labelled, mean: Labelled, variance: Labelled) -> None:
        self.fix(mean)
        self.fix(variance)

    def softmax(self, x: Labelled, axes: Sequence[int]) -> Labelled:
        return self._still(x)

    def reduce(self, x: Labelled, axes: Sequence[int], keep: bool, linear: bool) -> Labelled:
        if not linear and self.kind == "sign":
            x = self._still(x)
        place = reduced_place(len(x.shape), axes, keep)
        fields = []
        for one in x.fields:
            if set(one.axes) & set(axes):
                self.ties.fix(one.ids)
            else:
                fields.append(Field(tuple(place[a] for a in one.axes), one.ids, one.frame))
        sizes = [
            1 if a in axes else size for a, size in enumerate(x.shape) if keep or a not in axes
        ]
        return Labelled(tuple(sizes), tuple(fields), degree=x.degree)


def _sum(x: dict[int, float], y: dict[int, float], factor: float) -> dict[int, float]:
    total = dict(x)
    for key, value in y.items():
        total[key] = total.get(key, 0.0) + factor * value
    return {key: value for key, value in total.items() if value}
