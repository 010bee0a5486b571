"""Sequences of tokens: shifts and local reorderings."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_tensor
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, YoungSubgroup


@dataclass(frozen=True)
class CyclicShift:
    """(k·x)_i = x_{i−k mod T} along an axis of T entries of any dtype.

    Attributes:
        group: ``CyclicGroup(T)``.
        axis: the axis of the sequence.
    """

    group: CyclicGroup
    axis: int = 1

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Roll the axis.

        Raises:
            InputError: the element lies outside the group or the axis has another size.
        """
        k = int(element_as_tensor(self.group, element, x.device))
        check_length(x, self.axis, self.group.n)
        return x.roll(k, self.axis)


@dataclass(frozen=True)
class PaddedShift:
    """Later or earlier by k places in a window of T, padding moving in where tokens leave room.

    A shift that does not wrap around is an action on unbounded sequences only: in a window it is
    defined where nothing but padding leaves at the end. There it agrees with a cyclic shift, so the
    group is C_T: k moves by k places later or by T − k earlier, whichever pushes out padding alone.
    Elsewhere it raises rather than lose tokens.

    Attributes:
        group: ``CyclicGroup(T)``.
        padding: the padding token; for embeddings the value of a padded entry, usually 0.
        axis: the axis of the sequence.
    """

    group: CyclicGroup
    padding: float
    axis: int = 1

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Shift padded sequences.

        Raises:
            InputError: a token would be pushed out of the window, in one direction and in the
                other.
        """
        k = int(element_as_tensor(self.group, element, x.device))
        length = self.group.n
        check_length(x, self.axis, length)
        if k == 0:
            return x
        if not (self._is_padding(x, length - k, k) or self._is_padding(x, 0, length - k)):
            raise InputError(
                f"shifting a sequence of {length} by {k} later or {length - k} earlier would push "
                f"tokens out of the window; leave that many padding tokens ({self.padding:g}) at "
                "the end or at the start, or use the cyclic shift"
            )
        return x.roll(k, self.axis)

    def _is_padding(self, x: Tensor, start: int, size: int) -> bool:
        return bool((x.narrow(self.axis, start, size) == self.padding).all())


def window_reorderings(length: int, window: int) -> YoungSubgroup:
    """Reorderings within consecutive windows: S_w × S_w × … inside S_T, the last window shorter.

    A subgroup of the symmetric group on positions; it acts by
    :class:`goldstone.actions.AxisPermutation`.

    Raises:
        InputError: the window holds fewer than two places or more than the sequence.
    """
    if not 2 <= window <= length:
        raise InputError(
            f"expected a window of 2 … {length} places in a sequence of {length}, got {window}"
        )
    blocks = [place // window for place in range(length)]
    return YoungSubgroup(blocks, f"reorderings within {window} of {length}")


def check_length(x: Tensor, axis: int, length: int) -> None:
    """Raise unless the axis of x has this length.

    Raises:
        InputError: it has not.
    """
    if not -x.ndim <= axis < x.ndim or x.shape[axis] != length:
        raise InputError(
            f"expected sequences of {length} entries along axis {axis}, got a tensor of shape "
            f"{tuple(x.shape)}"
        )
