"""ATen operations on space: convolutions, pooling, resampling, padding."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from goldstone.weightspace.tracing import labels
from goldstone.weightspace.tracing.handlers import Handlers, Shape, biased
from goldstone.weightspace.tracing.labels import Labelled


class SpatialOperations(Handlers):
    """Convolutions, pooling, resampling, padding; what is labelled in space moves as a whole."""

    def find(self, name: str) -> Callable[..., Any] | None:
        """The handler of an operation, or None."""
        if name in POOLS:
            linear, spatial = "max" not in name, next(int(c) for c in name if c.isdigit())
            return lambda shape, x, *_, **__: self._pooled(shape, x, linear, spatial)
        return super().find(CONVOLUTIONS.get(name, name))

    def _convolve(
        self, shape: Shape, x: Labelled, w: Labelled, b: Labelled | None, groups: int, flipped: bool
    ) -> Labelled:
        if len(x.shape) < len(w.shape):
            single = self._convolve(
                (1, *shape), self.domain.reshape(x, (1, *x.shape)), w, b, groups, flipped
            )
            return self.domain.reshape(single, shape)
        spatial = range(2, len(shape))
        x, w = self.domain.rigid(x, spatial), self.domain.rigid(w, spatial)
        x = self.domain.reshape(x, (x.shape[0], groups, x.shape[1] // groups, prod(x.shape[2:])))
        w = self.domain.reshape(w, (groups, w.shape[0] // groups, w.shape[1], prod(w.shape[2:])))
        # Positions and offsets meet in no index: each has a letter of its own, one is kept.
        out = self.domain.contract(x, [0, 1, 2, 4], w, _letters(flipped), [0, 1, 3, 4])
        out = labels.map_axes(out, (*out.shape[:3], prod(shape[2:])), lambda axis: axis == 3)
        return biased(self.domain, self.domain.reshape(out, shape), b, axis=1)

    def _conv(
        self,
        shape: Shape,
        x: Labelled,
        w: Labelled,
        b: Labelled | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Labelled:
        return self._convolve(shape, x, w, b, groups, flipped=False)

    def _conv_transpose(
        self,
        shape: Shape,
        x: Labelled,
        w: Labelled,
        b: Labelled | None = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Labelled:
        return self._convolve(shape, x, w, b, groups, flipped=True)

    def _pooled(self, shape: Any, x: Labelled, linear: bool, spatial: int) -> Any:
        if isinstance(shape, list):
            return [self._pooled(shape[0], x, linear, spatial), Labelled(shape[1])]
        lead = len(shape) - spatial
        x = self.domain.rigid(x, range(lead, len(shape)))
        out = x if linear else self.domain.pointwise(x, "homogeneous")
        return labels.map_axes(out, shape, lambda axis: axis >= lead)

    def _pad(self, shape: Shape, x: Labelled, pad: Sequence[int], *rest: Any, **_: Any) -> Any:
        touched = {len(shape) - 1 - i // 2 for i, size in enumerate(pad) if size}
        if any(x.covered(axis) or axis in x.uniform for axis in touched):
            return None
        if any(
            item not in (0, 0.0, None, "constant", "reflect", "replicate", "circular")
            for item in rest
        ):
            return None
        return labels.map_axes(x, shape, lambda axis: axis in touched)


def _letters(flipped: bool) -> list[int]:
    """Letters of (group, out, in, offset): a transposed convolution has in before out."""
    return [1, 2, 3, 5] if flipped else [1, 3, 2, 5]


CONVOLUTIONS = {
    f"{name}{spatial}d": name for name in ("conv", "conv_transpose") for spatial in (1, 2, 3)
}

POOLS = frozenset(
    {
        *(f"{name}_pool{n}d" for name in ("avg", "adaptive_avg", "max") for n in (1, 2, 3)),
        *(f"max_pool{n}d_with_indices" for n in (2, 3)),
        *(f"adaptive_max_pool{n}d" for n in (1, 2, 3)),
        *("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d"),
        *("upsample_linear1d", "upsample_bilinear2d", "upsample_bicubic2d"),
    }
)
"""Averages, maxima and interpolations of neighbours."""
