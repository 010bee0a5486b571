"""Which sizes, strides and paddings of a moving window keep the fixed point of the grid."""

from dataclasses import dataclass

from goldstone.actions import Pivot
from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.nn.padding import PaddingMode, check_padding_mode


@dataclass(frozen=True)
class Window:
    """A window that moves over a grid of N points in strides s, padded by P points on each side.

    With its extent E = dilation·(size − 1) + 1 it stops at the points i·s + (E − 1)/2 − P. A turn
    about the fixed point must carry these stops into each other, else the layer is not equivariant
    whatever its weights. That is so

    - about the cell (the middle of the grid) if N + 2P − E is a multiple of s: the first and last
      stop are then equally far from the edges;
    - about the cell of a periodic field if moreover 2P = E − s, so that N/s stops cover a period;
    - about the node (point 0) of a periodic field if P = (E − 1)/2 and N is a multiple of s.

    Attributes:
        size: taps along an axis.
        stride: s.
        dilation: distance of taps.
        padding: P.
        mode: how the field goes on, see :data:`PaddingMode`.
        pivot: the declared fixed point, see :data:`goldstone.actions.Pivot`.
    """

    size: int
    stride: int
    dilation: int
    padding: int
    mode: PaddingMode
    pivot: Pivot

    def __post_init__(self) -> None:
        check_padding_mode(self.mode)
        if self.pivot not in ("cell", "node"):
            raise InputError(f"expected the pivot 'cell' or 'node', got {self.pivot!r}")
        _check_numbers(self.size, self.stride, self.dilation)
        if not is_count(self.padding, 0):
            raise InputError(
                f"expected a padding of 0, 1, 2, … points on each side, got {self.padding!r}; "
                "leave it out for half the kernel's extent at stride 1"
            )

    @property
    def extent(self) -> int:
        """E: the points from the first tap to the last."""
        return self.dilation * (self.size - 1) + 1

    @property
    def description(self) -> str:
        """For messages."""
        return (
            f"kernel {self.size} with stride {self.stride}, dilation {self.dilation} and "
            f"{self.mode} padding {self.padding}"
        )

    @property
    def flaw(self) -> str | None:
        """Why it keeps the fixed point on no grid, with the mend; None if on some it does."""
        spare = self.extent - self.stride
        if self.mode != "circular":
            if self.pivot == "cell":
                return None
            return (
                f"{self.mode} padding has no fixed point at a node; use pivot='cell', which on a "
                "grid of odd size is its middle point, or circular padding"
            )
        if self.pivot == "node":
            if self.extent % 2 and self.padding == self.extent // 2:
                return None
            mend = "an odd kernel with padding (extent − 1)/2"
        elif 2 * self.padding == spare:
            return None
        elif spare >= 0 and spare % 2 == 0:
            mend = f"padding={spare // 2}, or an odd kernel with stride 1"
        else:
            mend = (
                "an odd kernel with stride 1, a stride equal to the kernel size, a kernel of the "
                "stride's parity with padding (extent − stride)/2, or pivot='node' for an odd "
                "kernel with stride"
            )
        return (
            f"{self.description} does not keep the period and the centre ({self.pivot}) of a "
            f"periodic grid; use {mend}; for fields that are not periodic padding_mode='zeros'"
        )

    def check_fits(self, grid: tuple[int, ...]) -> None:
        """Raise where the window or the continuation is larger than a grid.

        Raises:
            InputError: it is.
        """
        least = max(1, self.extent - 2 * self.padding)
        if self.padding and self.mode in ("circular", "reflect"):
            least = max(least, self.padding + (self.mode == "reflect"))
        if any(n < least for n in grid):
            raise InputError(
                f"{self.description} needs a grid of {least} points or more along each axis, got "
                f"{grid}; use a smaller kernel or dilation, or fewer layers that thin out the grid"
            )

    def flaw_on(self, grid: tuple[int, ...], axes: tuple[bool, ...]) -> str | None:
        """Why it does not keep the fixed point of this grid, with the mend, or None.

        Args:
            grid: the sizes of the input.
            axes: which axes the group moves.
        """
        for n, moved in zip(grid, axes, strict=True):
            if self.mode == "circular" and n % self.stride:
                return (
                    f"the grid {grid} is not a multiple of the stride {self.stride}; crop or "
                    "resample the fields"
                )
            rest = (n + 2 * self.padding - self.extent) % self.stride
            if moved and self.mode != "circular" and rest:
                better = [m for m in (n - rest, n - rest + self.stride) if m > 0]
                return (
                    f"on the grid {grid} {self.description} leaves out {rest} points at one edge, "
                    f"so the centre is lost; use a grid of size {' or '.join(map(str, better))}, a "
                    f"padding or kernel so that {n} + 2·padding − extent is a multiple of "
                    f"{self.stride}, or stride 1 followed by BlurPool{len(grid)}d"
                )
        return None


def convolution_window(
    size: int, stride: int, dilation: int, padding: int | None, mode: PaddingMode, pivot: Pivot
) -> Window:
    """A window; for None the padding is half the extent at stride 1, and none else.

    Raises:
        InputError: as :class:`Window`.
    """
    if padding is None:
        _check_numbers(size, stride, dilation)
        padding = dilation * (size - 1) // 2 if stride == 1 else 0
    return Window(size, stride, dilation, padding, mode, pivot)


def _check_numbers(size: int, stride: int, dilation: int) -> None:
    if not all(is_count(n) for n in (size, stride, dilation)):
        raise InputError(
            "expected a positive size, stride and dilation, one number for all axes, got "
            f"{size}, {stride} and {dilation}; an odd kernel with stride 1 needs no thought"
        )
