"""ATen operations that normalise."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from goldstone.weightspace.tracing.handlers import Handlers, Shape, biased, gained
from goldstone.weightspace.tracing.labels import Labelled


class NormOperations(Handlers):
    """Layer, root-mean-square, group, instance, batch and weight normalisation, and norms."""

    renamed: ClassVar = {
        "_native_batch_norm_legit_functional": "batch_norm_train",
        "_native_batch_norm_legit": "batch_norm_without_statistics",
        "_native_batch_norm_legit_no_training": "batch_norm_eval",
        "_weight_norm": "weight_norm",
        "var": "deviation",
        "std": "deviation",
    }

    def _layer_norm(
        self, shape: Shape, x: Labelled, over: Sequence[int], w: Any = None, b: Any = None, *_: Any
    ) -> Labelled:
        return self._over_last(x, over, w, b, centred=True)

    def _rms_norm(
        self, shape: Shape, x: Labelled, over: Sequence[int], w: Any = None, *_: Any
    ) -> Labelled:
        return self._over_last(x, over, w, None, centred=False)

    def _over_last(
        self, x: Labelled, over: Sequence[int], w: Any, b: Any, *, centred: bool
    ) -> Labelled:
        axes = range(len(x.shape) - len(over), len(x.shape))
        out = gained(self.domain, self.domain.normalise(x, axes, centred), w, 0)
        return out if b is None else self.domain.add([out, b], x.shape)

    def _group_norm(
        self, shape: Shape, x: Labelled, groups: int, w: Any = None, b: Any = None, *_: Any
    ) -> Labelled:
        split = self.domain.reshape(x, (shape[0], groups, shape[1] // groups, *shape[2:]))
        normal = self.domain.normalise(split, range(2, len(split.shape)), centred=True)
        return self._by_channel(self.domain.reshape(normal, shape), w, b)

    def _instance_norm(
        self,
        shape: Shape,
        x: Labelled,
        w: Any,
        b: Any,
        mean: Any,
        variance: Any,
        *_: Any,
    ) -> Labelled | None:
        if mean is not None or variance is not None:
            return None
        normal = self.domain.normalise(x, range(2, len(shape)), centred=True)
        return self._by_channel(normal, w, b)

    def _batch_norm_train(
        self, shapes: Any, x: Labelled, w: Any, b: Any, mean: Labelled, variance: Labelled, *_: Any
    ) -> list[Any]:
        normal = self._over_batch(x)
        # Running statistics follow the channels, although this mode does not read them.
        self.domain.follow(normal, mean, variance)
        return self._with_statistics(shapes, self._by_channel(normal, w, b))

    def _batch_norm_without_statistics(
        self, shapes: Any, x: Labelled, w: Any, b: Any, *_: Any
    ) -> list[Any]:
        return self._with_statistics(shapes, self._by_channel(self._over_batch(x), w, b))

    def _batch_norm_eval(
        self, shapes: Any, x: Labelled, w: Any, b: Any, mean: Labelled, variance: Labelled, *_: Any
    ) -> list[Any]:
        normal = self.domain.running(x, mean, variance, w)
        return self._with_statistics(shapes, self._by_channel(normal, w, b))

    def _over_batch(self, x: Labelled) -> Labelled:
        axes = [axis for axis in range(len(x.shape)) if axis != 1]
        return self.domain.normalise(x, axes, centred=True)

    def _by_channel(self, x: Labelled, w: Any, b: Any) -> Labelled:
        return biased(self.domain, gained(self.domain, x, w, len(x.shape) - 2), b, axis=1)

    def _with_statistics(self, shapes: Any, out: Labelled) -> list[Any]:
        return [out, *(Labelled(shape) for shape in shapes[1:])]

    def _weight_norm(self, shape: Shape, v: Labelled, g: Labelled, axis: int = 0) -> Labelled:
        others = [a for a in range(len(shape)) if a != axis % len(shape)]
        return self.domain.multiply(self.domain.normalise(v, others, centred=False), g, shape)

    def _deviation(
        self, shape: Shape, x: Labelled, axes: Any = None, *_: Any, **__: Any
    ) -> Labelled | None:
        if axes is None or isinstance(axes, bool):
            return None
        rank = len(x.shape)
        chosen = [axis % rank for axis in np.atleast_1d(axes).tolist()]
        norm = self.domain.norm(x, chosen, len(shape) == rank, centred=True)
        return self.domain.pointwise(norm, "generic")

    def _linalg_vector_norm(
        self,
        shape: Shape,
        x: Labelled,
        order: float = 2,
        axes: Any = None,
        keep: bool = False,
        **_: Any,
    ) -> Labelled | None:
        if order != 2:
            return None
        rank = len(x.shape)
        chosen = range(rank) if axes is None else np.atleast_1d(axes).tolist()
        return self.domain.norm(x, [axis % rank for axis in chosen], keep)
