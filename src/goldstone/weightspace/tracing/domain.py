"""What the operations of a network ask of the transformations of its axes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from goldstone.weightspace.tracing import labels
from goldstone.weightspace.tracing.labels import Field, Ids, Labelled, expand
from goldstone.weightspace.tracing.ties import Ties

Pointwise = Literal["linear", "homogeneous", "odd", "generic"]


class Domain(ABC):
    """One kind of transformation (permutations, scalings, signs) followed through a graph.

    Every operation of a network is told in a few words: these methods. Each records in
    :attr:`ties` what it demands of its operands and returns the labels of its result.
    """

    def __init__(self) -> None:
        self.ties = Ties()
        self.operations = 0

    def parameter(self, name: str, shape: tuple[int, ...]) -> Labelled:
        """A parameter: every axis is free."""
        fields = tuple(
            Field((axis,), self.ties.fresh((size,)), self.ties.fresh_frame())
            for axis, size in enumerate(shape)
            if size > 1
        )
        return Labelled(shape, fields, degree=self._degree_of(name), parameter=name)

    def _degree_of(self, name: str) -> dict[int, float]:
        return {}

    def fix(self, x: Labelled) -> None:
        """Let x not transform."""
        for one in x.fields:
            self.ties.fix(one.ids)

    def settle(self, x: Labelled) -> Labelled:
        """Fix the indices that a shape operation has singled out."""
        for one in x.fields:
            if not one.axes:
                self.ties.fix(one.ids)
        return replace(x, fields=tuple(one for one in x.fields if one.axes))

    def rigid(self, x: Labelled, axes: Sequence[int]) -> Labelled:
        """The axes matter by position: what is labelled along them moves as a whole."""
        fields = []
        for one in x.fields:
            kept = one
            for axis in axes:
                if axis in kept.axes:
                    kept = self._collapsed(kept, axis)
            if kept.axes:
                fields.append(kept)
        return replace(x, fields=tuple(fields))

    def _collapsed(self, one: Field, axis: int) -> Field:
        place = one.axes.index(axis)
        first = one.ids.take([0], place)
        if len(one.axes) == 1:
            self.ties.fix(one.ids)
        else:
            self.ties.tie(one.ids, first)
        axes = tuple(a for a in one.axes if a != axis)
        return Field(axes, first.squeeze(place), one.frame)

    def reshape(self, x: Labelled, shape: Sequence[int]) -> Labelled:
        """Row-major reshape; axes that become one and have labels of their own need a product."""
        for axes in labels.merged(x.shape, shape):
            inside = [one for one in x.fields if set(one.axes) & axes]
            if len({frozenset(axes & set(one.axes)) for one in inside}) > 1:
                others = tuple(one for one in x.fields if not set(one.axes) & axes)
                x = replace(x, fields=(*others, *self._product(inside)))
        return labels.reshape(x, shape)

    def _product(self, fields: Sequence[Field]) -> list[Field]:
        """Labels of pairs of indices; by default they do not move."""
        for one in fields:
            self.ties.fix(one.ids)
        return []

    def add(self, parts: Sequence[Labelled], shape: Sequence[int]) -> Labelled:
        """A sum, or anything that is linear in all parts together (where, lerp)."""
        total = self.spread(parts[0], shape)
        for part in parts[1:]:
            total = self._add(total, self.spread(part, shape))
        return total

    def spread(self, x: Labelled, shape: Sequence[int]) -> Labelled:
        """Broadcast x to a shape."""
        return self.settle(expand(x, shape))

    @abstractmethod
    def _add(self, x: Labelled, y: Labelled) -> Labelled: ...

    @abstractmethod
    def multiply(self, x: Labelled, y: Labelled, shape: Sequence[int]) -> Labelled:
        """The product, index by index."""

    @abstractmethod
    def contract(
        self,
        x: Labelled,
        x_letters: Sequence[int],
        y: Labelled,
        y_letters: Sequence[int],
        out: Sequence[int],
    ) -> Labelled:
        """The einsum of two tensors, their axes lettered by integers, distinct in each."""

    @abstractmethod
    def pointwise(self, x: Labelled, kind: Pointwise) -> Labelled:
        """A function applied to every entry: linear, positively homogeneous, odd or neither."""

    @abstractmethod
    def normalise(self, x: Labelled, axes: Sequence[int], centred: bool) -> Labelled:
        """Divide x by its standard deviation (or root mean square) over the axes."""

    @abstractmethod
    def norm(self, x: Labelled, axes: Sequence[int], keep: bool, centred: bool = False) -> Labelled:
        """√Σx² over the axes, or of x less its mean."""

    @abstractmethod
    def running(
        self, x: Labelled, mean: Labelled, variance: Labelled, weight: Labelled | None
    ) -> Labelled:
        """(x − mean)/√variance along axis 1 (BatchNorm in eval mode), before the weight."""

    @abstractmethod
    def follow(self, x: Labelled, mean: Labelled, variance: Labelled) -> None:
        """Running statistics go with axis 1 of x, although nothing reads them."""

    @abstractmethod
    def softmax(self, x: Labelled, axes: Sequence[int]) -> Labelled:
        """A nonlinear function of all entries along the axes: softmax, or the like."""

    @abstractmethod
    def reduce(self, x: Labelled, axes: Sequence[int], keep: bool, linear: bool) -> Labelled:
        """A symmetric function of the entries along the axes: a sum or mean, or a maximum."""

    def unsupported(self, parts: Sequence[Labelled], shape: Sequence[int]) -> Labelled:
        """Anything else: what enters must not transform."""
        for part in parts:
            self.fix(part)
        return Labelled(tuple(shape))


def lettered(x: Labelled, letters: Sequence[int]) -> list[tuple[Field, frozenset[int]]]:
    """The fields, each with the letters of its axes."""
    return [(one, frozenset(letters[axis] for axis in one.axes)) for one in x.fields]


def transposed(one: Field, letters: Sequence[int], order: Sequence[int]) -> Ids:
    """The labels of a field with its axes in the given order of letters."""
    own = [letters[axis] for axis in one.axes]
    return one.ids.transpose([own.index(letter) for letter in order])


def placed(ids: Ids, letters: Sequence[int], out: Sequence[int], frame: int) -> Field:
    """A field over the axes of a result whose letters are ``out``."""
    axes = [list(out).index(letter) for letter in letters]
    return Field(tuple(sorted(axes)), ids.transpose(np.argsort(axes)), frame)


def reduced_place(rank: int, axes: Sequence[int], keep: bool) -> dict[int, int]:
    """Where the axes that are not reduced go."""
    kept = [axis for axis in range(rank) if axis not in axes]
    return {axis: axis if keep else new for new, axis in enumerate(kept)}
