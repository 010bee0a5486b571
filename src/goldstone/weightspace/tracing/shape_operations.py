"""ATen operations that move entries and compute nothing."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from goldstone.weightspace.tracing import labels
from goldstone.weightspace.tracing.handlers import Handlers, Shape
from goldstone.weightspace.tracing.labels import Labelled


class ShapeOperations(Handlers):
    """Reshapes, transposes, slices and joins."""

    renamed: ClassVar = {
        "view": "reshape",
        "_unsafe_view": "reshape",
        "view_copy": "reshape",
        "flatten": "reshape",
        "unflatten": "reshape",
        "squeeze": "reshape",
        "swapaxes": "transpose",
        "slice_copy": "slice",
        "split_with_sizes": "split",
        "unsafe_split": "split",
        "broadcast_to": "expand",
        "concat": "cat",
        **dict.fromkeys(
            (
                "clone",
                "contiguous",
                "alias",
                "detach",
                "to",
                "_to_copy",
                "lift_fresh_copy",
                "dropout",
                "feature_dropout",
                "native_dropout",
                "identity",
                "type_as",
                "positive",
            ),
            "same",
        ),
    }

    def _same(self, shape: Any, x: Labelled, *_: Any, **__: Any) -> Any:
        # A dropout's mask, like the random numbers that it is made of, does not move.
        return [x, *(Labelled(one) for one in shape[1:])] if isinstance(shape, list) else x

    def _reshape(self, shape: Shape, x: Labelled, *_: Any, **__: Any) -> Labelled:
        return self.domain.reshape(x, shape)

    def _permute(self, shape: Shape, x: Labelled, order: Sequence[int]) -> Labelled:
        return labels.permute(x, order)

    def _transpose(self, shape: Shape, x: Labelled, a: int, b: int) -> Labelled:
        order = list(range(len(x.shape)))
        order[a], order[b] = order[b], order[a]
        return labels.permute(x, order)

    def _t(self, shape: Shape, x: Labelled) -> Labelled:
        return labels.permute(x, range(len(x.shape))[::-1])

    def _expand(self, shape: Shape, x: Labelled, *_: Any, **__: Any) -> Labelled:
        return labels.expand(x, shape)

    def _expand_as(self, shape: Shape, x: Labelled, *_: Any) -> Labelled:
        return labels.expand(x, shape)

    def _select(self, shape: Shape, x: Labelled, axis: int, index: int) -> Labelled:
        axis %= len(x.shape)
        one = labels.take(x, axis, np.array([index % x.shape[axis]]))
        kept = [a for a in range(len(x.shape)) if a != axis]
        return labels.renumber(one, shape, {a: new for new, a in enumerate(kept)})

    def _slice(
        self,
        shape: Shape,
        x: Labelled,
        axis: int = 0,
        start: int | None = None,
        end: int | None = None,
        step: int = 1,
    ) -> Labelled:
        size = x.shape[axis % len(x.shape)]
        return labels.take(x, axis, np.arange(size)[slice(start, end, step)])

    def _narrow(self, shape: Shape, x: Labelled, axis: int, start: int, length: int) -> Labelled:
        return labels.take(x, axis, np.arange(start, start + length))

    def _pieces(self, shapes: Sequence[Shape], x: Labelled, axis: int) -> list[Labelled]:
        pieces, start = [], 0
        for shape in shapes:
            size = shape[axis % len(x.shape)]
            pieces.append(labels.take(x, axis, np.arange(start, start + size)))
            start += size
        return pieces

    def _split(self, shapes: Any, x: Labelled, size: Any, axis: int = 0) -> list[Labelled]:
        return self._pieces(shapes, x, axis)

    def _chunk(self, shapes: Any, x: Labelled, chunks: int, axis: int = 0) -> list[Labelled]:
        return self._pieces(shapes, x, axis)

    def _unbind(self, shapes: Any, x: Labelled, axis: int = 0) -> list[Labelled]:
        return [self._select(shape, x, axis, index) for index, shape in enumerate(shapes)]

    def _flip(self, shape: Shape, x: Labelled, axes: Sequence[int]) -> Labelled:
        for axis in axes:
            x = labels.take(x, axis, np.arange(x.shape[axis])[::-1])
        return x

    def _roll(self, shape: Shape, x: Labelled, shifts: Any, axes: Any = ()) -> Labelled | None:
        shifts, axes = np.atleast_1d(shifts), np.atleast_1d(axes)
        if not len(axes):
            return None
        for shift, axis in zip(shifts, axes, strict=True):
            x = labels.take(x, int(axis), np.roll(np.arange(x.shape[axis]), shift))
        return x

    def _cat(self, shape: Shape, parts: Sequence[Labelled], axis: int = 0) -> Labelled:
        parts = [part for part in parts if len(part.shape) == len(shape)]
        axis %= len(shape)
        # Where nothing moves along the axis of joining, the parts must agree on the others.
        across = [
            replace(
                part,
                shape=tuple(1 if a == axis else n for a, n in enumerate(part.shape)),
                fields=tuple(one for one in part.fields if axis not in one.axes),
                uniform=part.uniform - {axis},
            )
            for part in parts
        ]
        total = self.domain.add(across, across[0].shape)
        self._one_frame(parts, axis)
        joined = labels.concatenate(parts, axis, shape)
        kept = tuple(one for one in joined.fields if axis in one.axes)
        lost = [a for a in range(len(shape)) if any(part.covered(a) for part in parts)]
        fields = (*total.fields, *kept)
        for a in lost:
            if not any(a in one.axes for one in fields):
                for part in parts:
                    self.domain.fix(
                        replace(part, fields=tuple(one for one in part.fields if a in one.axes))
                    )
        return Labelled(shape, fields, joined.uniform, total.degree)

    def _one_frame(self, parts: Sequence[Labelled], axis: int) -> None:
        """What is joined along an axis is read by one tensor, in one frame."""
        joined = [one for part in parts for one in part.fields if axis in one.axes]
        for one, two in pairwise(joined):
            self.domain.ties.same_frame(one.frame, two.frame, one.ids)

    def _stack(self, shape: Shape, parts: Sequence[Labelled], axis: int = 0) -> Labelled:
        axis %= len(shape)
        lifted = [
            self._unsqueeze((*shape[:axis], 1, *shape[axis + 1 :]), part, axis) for part in parts
        ]
        patterns = [sorted(one.axes for one in part.fields) for part in lifted]
        if any(pattern != patterns[0] for pattern in patterns):
            return self._cat(shape, lifted, axis)
        fields = []
        for axes in patterns[0]:
            found = [next(one for one in part.fields if one.axes == axes) for part in lifted]
            over = tuple(sorted((*axes, axis)))
            ids = np.stack([one.ids for one in found], over.index(axis))
            for one in found[1:]:
                self.domain.ties.same_frame(found[0].frame, one.frame, one.ids)
            fields.append(labels.squeezed(over, ids, found[0].frame))
        for part in lifted[1:]:
            bare = [replace(one, fields=()) for one in (lifted[0], part)]
            self.domain.add(bare, bare[0].shape)
        uniform = frozenset.intersection(*(part.uniform for part in lifted)) - {axis}
        return Labelled(shape, tuple(fields), uniform, lifted[0].degree)

    def _unsqueeze(self, shape: Shape, x: Labelled, axis: int) -> Labelled:
        axis %= len(shape)
        place = {a: a + (a >= axis) for a in range(len(x.shape))}
        return labels.renumber(x, shape, place)

    def _pixel_shuffle(self, shape: Shape, x: Labelled, factor: int) -> Labelled:
        *lead, _, height, width = x.shape
        n = len(lead)
        split = self.domain.reshape(x, (*lead, shape[-3], factor, factor, height, width))
        order = [*range(n), n, n + 3, n + 1, n + 4, n + 2]
        return self.domain.reshape(labels.permute(split, order), shape)

    def _repeat(self, shape: Shape, x: Labelled, times: Sequence[int]) -> Labelled:
        x = self.domain.reshape(x, (*([1] * (len(shape) - len(x.shape))), *x.shape))
        for axis, count in enumerate(times):
            if count == 1:
                continue
            if x.shape[axis] == 1:
                x = labels.expand(x, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
            else:
                x = labels.take(x, axis, np.tile(np.arange(x.shape[axis]), count))
        return x

    def _repeat_interleave(
        self, shape: Shape, x: Labelled, count: Any, axis: int | None = None, **_: Any
    ) -> Labelled | None:
        if not isinstance(count, int) or axis is None:
            return None
        return labels.take(x, axis, np.repeat(np.arange(x.shape[axis]), count))
