"""The patches that a convolution's kernel sees, as rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

_NUMBERS = 1 << 22
"""Numbers in one part: patches repeat each site as often as the kernel has taps."""


@dataclass(frozen=True)
class Geometry:
    """A convolution in one, two or three dimensions; ``before`` and ``after`` are its padding."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    dilation: tuple[int, ...]

    @classmethod
    def of(
        cls,
        weight: Tensor,
        stride: int | Sequence[int],
        padding: int | str | Sequence[int],
        dilation: int | Sequence[int],
    ) -> "Geometry":
        """From the arguments of ``torch.conv2d`` and its kin."""
        kernel = tuple(weight.shape[2:])
        n = len(kernel)
        spacing = _each(dilation, n)
        if padding == "same":
            # As torch: the odd point goes behind.
            totals = [d * (k - 1) for d, k in zip(spacing, kernel, strict=True)]
            before = tuple(total // 2 for total in totals)
            after = tuple(t - b for t, b in zip(totals, before, strict=True))
        else:
            before = after = (0,) * n if isinstance(padding, str) else _each(padding, n)
        return cls(kernel, _each(stride, n), before, after, spacing)

    @property
    def dimensions(self) -> int:
        """Number of spatial axes."""
        return len(self.kernel)


def patches(x: Tensor, geometry: Geometry) -> Iterator[Tensor]:
    """Rows (positions, channel · kernel) of ``x`` (batch, channel, sites…), a part at a time.

    Their order within a row is that of a convolution's weight (out, channel, kernel…), flattened.
    """
    n = geometry.dimensions
    if x.ndim == n + 1:
        x = x[None]
    margins = [
        m for pair in zip(geometry.before[::-1], geometry.after[::-1], strict=True) for m in pair
    ]
    # Negative margins cut: so that transposed convolutions can use this too.
    return _windows(functional.pad(x, margins) if any(margins) else x, geometry)


def transposed_patches(g: Tensor, geometry: Geometry, sites: Sequence[int]) -> Iterator[Tensor]:
    """The outputs (positions of the input, channel · kernel) that each input site adds to.

    Args:
        g: on the output of a transposed convolution, (batch, channel, sites…).
        geometry: of that convolution.
        sites: spatial shape of its input.
    """
    n = geometry.dimensions
    after = tuple(
        (t - 1) * s + d * (k - 1) + 1 - size - b
        for t, s, d, k, size, b in zip(
            sites,
            geometry.stride,
            geometry.dilation,
            geometry.kernel,
            g.shape[g.ndim - n :],
            geometry.before,
            strict=True,
        )
    )
    padded = Geometry(geometry.kernel, geometry.stride, geometry.before, after, geometry.dilation)
    return patches(g, padded)


def _windows(x: Tensor, geometry: Geometry) -> Iterator[Tensor]:
    n = geometry.dimensions
    view = x
    for axis in range(n):
        k, d = geometry.kernel[axis], geometry.dilation[axis]
        view = view.unfold(2 + axis, d * (k - 1) + 1, geometry.stride[axis])[..., ::d]
    # (batch, channel, positions…, kernel…) → (batch, positions…, channel, kernel…)
    view = view.movedim(1, 1 + n)
    length = view.shape[1 + n :].numel()
    per_slice = max(1, view[:, :1].numel())
    step = max(1, _NUMBERS // per_slice)
    for start in range(0, view.shape[1], step):
        yield view[:, start : start + step].reshape(-1, length)


def _each(value: int | Sequence[int], n: int) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * n
    values = tuple(int(v) for v in value)
    return values * n if len(values) == 1 else values
