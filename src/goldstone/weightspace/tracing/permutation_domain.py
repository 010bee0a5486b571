"""Permutations of axes, and which of them extend to orthogonal or general linear maps."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

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


class PermutationDomain(Domain):
    """Permutations pass every operation that treats all indices of an axis alike.

    Along the way each operation says whether a matrix could act in place of the permutation: any
    invertible one through a contraction, an orthogonal one through a root mean square, one that
    also keeps (1, …, 1) through a centred norm, none through a pointwise function.
    """

    def _use(self, *parts: Labelled) -> None:
        """Note which labels take part in this operation, by role."""
        roles = count(1000 * self.operations)
        self.operations += 1
        for part in parts:
            for one in part.fields:
                self.ties.cell(next(roles), one.ids)

    def _no_matrix(self, one: Field) -> None:
        self.ties.not_matrix.append(one.ids)

    def _keeps_ones(self, one: Field) -> None:
        self.ties.not_general.append(one.ids)
        self.ties.keeps_ones.append(one.ids)
        self.ties.root_frame(one.frame, one.ids)

    def _product(self, fields: Sequence[Field]) -> list[Field]:
        if len(fields) != 2 or any(len(one.axes) > 1 for one in fields):
            return super()._product(fields)
        first, second = sorted(fields, key=lambda one: one.axes)
        pairs = self.ties.pairs(first.ids, second.ids)
        return [Field((*first.axes, *second.axes), pairs, self.ties.fresh_frame())]

    def _rows(self, one: Field, letters: Sequence[int], kept: Sequence[int]) -> Ids:
        """Labels over the kept letters, of blocks of what lies along the others."""
        rest = [letter for letter in letters if letter not in kept]
        order = [*kept, *rest]
        own = list(letters)
        ids = one.ids.transpose([own.index(letter) for letter in order])
        shape = ids.shape[: len(kept)]
        return self.ties.blocks(ids.reshape(int(np.prod(shape)), -1)).reshape(shape)

    def _grounded(
        self, x: Labelled, x_letters: Sequence[int], y: Labelled, y_letters: Sequence[int]
    ) -> Labelled:
        """x, rigid along the axes whose indices stay where they are in y."""
        still = {
            letter
            for axis, letter in enumerate(y_letters)
            if y.shape[axis] > 1 and axis not in y.uniform and not y.covered(axis)
        }
        return self.rigid(x, [axis for axis, letter in enumerate(x_letters) if letter in still])

    def _meet(
        self,
        x: Labelled,
        x_letters: Sequence[int],
        y: Labelled,
        y_letters: Sequence[int],
        contracted: frozenset[int] = frozenset(),
    ) -> None:
        """Tie the labels of two operands on the letters that they share."""
        for one, a in lettered(x, x_letters):
            for two, b in lettered(y, y_letters):
                if not a & b:
                    continue
                dual = np.int64(1 if a & b & contracted else 0)
                common = sorted(a & b)
                left = self._over(one, x_letters, common)
                right = self._over(two, y_letters, common)
                self.ties.tie(left, right ^ dual)
                if a == b:
                    self.ties.same_frame(one.frame, two.frame, left)

    def _over(self, one: Field, letters: Sequence[int], common: list[int]) -> Ids:
        """Labels of a field over some letters: its own, or those of blocks."""
        own = [letters[axis] for axis in one.axes]
        if len(own) == len(common):
            return transposed(one, letters, common)
        return self._rows(one, own, common)

    def _grounded_pair(
        self, x: Labelled, x_letters: Sequence[int], y: Labelled, y_letters: Sequence[int]
    ) -> tuple[Labelled, Labelled]:
        while True:
            new_x = self._grounded(x, x_letters, y, y_letters)
            new_y = self._grounded(y, y_letters, new_x, x_letters)
            if new_x.fields == x.fields and new_y.fields == y.fields:
                return x, y
            x, y = new_x, new_y

    def _add(self, x: Labelled, y: Labelled) -> Labelled:
        self._use(x, y)
        letters = range(len(x.shape))
        uniform = x.uniform & y.uniform
        for one, other in ((x, y), (y, x)):
            for item in one.fields:
                if any(item.axes == two.axes for two in other.fields):
                    continue
                if other.uniform >= set(item.axes):  # adds a multiple of (1, …, 1)
                    self._keeps_ones(item)
                else:
                    self._no_matrix(item)
        x, y = self._grounded_pair(x, letters, y, letters)
        self._meet(x, letters, y, letters)
        return Labelled(x.shape, _largest([*x.fields, *y.fields]), uniform)

    def multiply(self, x: Labelled, y: Labelled, shape: Sequence[int]) -> Labelled:
        x, y = self.spread(x, shape), self.spread(y, shape)
        self._use(x, y)
        if x.parameter is not None and y.parameter is None:
            x, y = y, x
        letters = range(len(shape))
        scaled = self._scaled(x, y)
        if scaled is not None:
            return scaled
        for one in x.fields:
            for two in y.fields:
                if set(one.axes) & set(two.axes):
                    for item, other in ((one, two), (two, one)):
                        if not set(item.axes) > set(other.axes):
                            self._no_matrix(item)
        x, y = self._grounded_pair(x, letters, y, letters)
        self._meet(x, letters, y, letters)
        return Labelled(tuple(shape), _largest([*x.fields, *y.fields]), x.uniform & y.uniform)

    def _scaled(self, x: Labelled, y: Labelled) -> Labelled | None:
        """Product with a parameter of one labelled axis: a change of frame behind it."""
        if y.parameter is None or len(y.fields) != 1:
            return None
        (two,) = y.fields
        same = [one for one in x.fields if one.axes == two.axes]
        others = {axis for axis, size in enumerate(y.shape) if size > 1} - set(two.axes)
        if len(two.axes) != 1 or len(same) != 1 or y.uniform != others:
            return None
        (one,) = same
        self.ties.tie(one.ids, two.ids)
        self.ties.root_frame(one.frame, one.ids)
        self.ties.diagonals.append((one.ids, two.ids))
        turned = replace(one, frame=self.ties.fresh_frame(y.parameter))
        fields = tuple(turned if item is one else item for item in x.fields)
        return Labelled(x.shape, fields, x.uniform & y.uniform)

    def contract(
        self,
        x: Labelled,
        x_letters: Sequence[int],
        y: Labelled,
        y_letters: Sequence[int],
        out: Sequence[int],
    ) -> Labelled:
        self._use(x, y)
        shared = set(x_letters) & set(y_letters)
        contracted = frozenset(shared - set(out))
        sizes = dict(zip([*x_letters, *y_letters], [*x.shape, *y.shape], strict=True))
        x, y = self._grounded_pair(x, x_letters, y, y_letters)
        for part, letters, other, others in (
            (x, x_letters, y, y_letters),
            (y, y_letters, x, x_letters),
        ):
            for one, own in lettered(part, letters):
                partners = [b for _, b in lettered(other, others) if own & b]
                if own & contracted and own - shared:
                    self.ties.fix(one.ids)
                if any(own <= b for b in partners) and not own & contracted:
                    self._no_matrix(one)
                if own & contracted and not partners:
                    self._no_matrix(one)
        self._meet(x, x_letters, y, y_letters, contracted)
        fields = []
        for part, letters in ((x, x_letters), (y, y_letters)):
            for one in part.fields:
                order = [letters[axis] for axis in one.axes]
                kept = [letter for letter in order if letter in out]
                if len(kept) == len(order):
                    fields.append(placed(one.ids, order, out, one.frame))
                elif kept:
                    rows = self._rows(one, order, kept)
                    fields.append(placed(rows, kept, out, self.ties.fresh_frame()))
        uniform = {
            place
            for place, letter in enumerate(out)
            if sizes[letter] > 1
            and all(
                list(letters).index(letter) in part.uniform
                for part, letters in ((x, x_letters), (y, y_letters))
                if letter in letters
            )
        }
        return Labelled(
            tuple(sizes[letter] for letter in out), _largest(fields), frozenset(uniform)
        )

    def pointwise(self, x: Labelled, kind: Pointwise) -> Labelled:
        self._use(x)
        if kind != "linear":
            for one in x.fields:
                self._no_matrix(one)
        return replace(x, parameter=None)

    def normalise(self, x: Labelled, axes: Sequence[int], centred: bool) -> Labelled:
        self._use(x)
        for one in x.fields:
            inside = set(one.axes) & set(axes)
            if not inside:
                self._no_matrix(one)
                continue
            if centred:
                self._keeps_ones(one)
            self.ties.not_general.append(one.ids)
            self.ties.root_frame(one.frame, one.ids)
            if inside != set(one.axes):
                self._rows(one, one.axes, [axis for axis in one.axes if axis not in inside])
        return replace(x, parameter=None)

    def norm(self, x: Labelled, axes: Sequence[int], keep: bool, centred: bool = False) -> Labelled:
        return self._reduced(self.normalise(x, axes, centred), axes, keep)

    def running(
        self, x: Labelled, mean: Labelled, variance: Labelled, weight: Labelled | None
    ) -> Labelled:
        self._use(x, mean, variance)
        for part in (x, mean, variance):
            for one in part.fields:
                self._no_matrix(one)
        self.follow(x, mean, variance)
        return x

    def follow(self, x: Labelled, mean: Labelled, variance: Labelled) -> None:
        letters = range(len(x.shape))
        for part in (mean, variance):
            row = self.spread(_lifted(part, len(x.shape)), x.shape)
            x, row = self._grounded_pair(x, letters, row, letters)
            self._meet(x, letters, row, letters)

    def softmax(self, x: Labelled, axes: Sequence[int]) -> Labelled:
        self._use(x)
        for one in x.fields:
            self._no_matrix(one)
            kept = [axis for axis in one.axes if axis not in axes]
            if kept and len(kept) < len(one.axes):
                self._rows(one, one.axes, kept)
        return replace(x, parameter=None)

    def reduce(self, x: Labelled, axes: Sequence[int], keep: bool, linear: bool) -> Labelled:
        self._use(x)
        for one in x.fields:
            if linear and set(one.axes) <= set(axes):
                self._keeps_ones(one)
            elif set(one.axes) & set(axes) or not linear:
                self._no_matrix(one)
        return self._reduced(x, axes, keep)

    def _reduced(self, x: Labelled, axes: Sequence[int], keep: bool) -> Labelled:
        place = reduced_place(len(x.shape), axes, keep)
        fields = []
        for one in x.fields:
            kept = [axis for axis in one.axes if axis not in axes]
            if len(kept) == len(one.axes):
                fields.append(Field(tuple(place[a] for a in kept), one.ids, one.frame))
            elif kept:
                rows = self._rows(one, one.axes, kept)
                fields.append(Field(tuple(place[a] for a in kept), rows, self.ties.fresh_frame()))
        sizes = [
            1 if a in axes else size for a, size in enumerate(x.shape) if keep or a not in axes
        ]
        uniform = frozenset(place[a] for a in x.uniform if a in place)
        return Labelled(tuple(sizes), tuple(fields), uniform)


def _lifted(x: Labelled, rank: int) -> Labelled:
    """A vector as (1, n, 1, …)."""
    fields = tuple(replace(one, axes=(1,)) for one in x.fields)
    return replace(x, shape=(1, x.shape[0], *([1] * (rank - 2))), fields=fields)


def _largest(fields: Sequence[Field]) -> tuple[Field, ...]:
    """One field for each set of axes, without those that lie inside another's."""
    kept: list[Field] = []
    for one in sorted(fields, key=lambda item: -len(item.axes)):
        if not any(set(one.axes) <= set(other.axes) for other in kept):
            kept.append(one)
    return tuple(kept)
