"""Which parts a representation consists of, and where their channels are."""

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import Group
from goldstone.representations import (
    DirectSum,
    Irrep,
    Representation,
    invariant_vectors,
    is_unitary,
)

Types = list[tuple[Representation, list[int]]]
"""The distinct parts of a representation, each with the first channels of its copies."""


def flat_parts(representation: Representation) -> tuple[Representation, ...]:
    """The parts of a representation in order, direct sums inside direct sums flattened.

    Raises:
        InputError: it is no representation.
    """
    check_representation(representation)
    if not isinstance(representation, DirectSum):
        return (representation,)
    return tuple(leaf for part in representation.parts for leaf in flat_parts(part))


def parts_by_type(representation: Representation) -> Types:
    """The distinct parts of nested direct sums, each with the first channels of its copies."""
    types: dict[Representation, list[int]] = {}
    start = 0
    for part in flat_parts(representation):
        types.setdefault(part, []).append(start)
        start += part.dimension
    return list(types.items())


def is_trivial(part: Representation) -> bool:
    """Whether it is one-dimensional and the group leaves it as it is, whatever its class."""
    return part.dimension == 1 and len(invariant_vectors(part)) == 1


def grouped_channels(types: Types) -> Tensor | None:
    """The channels once equal parts are grouped together; None if they are in that order."""
    channels = [
        start + k for part, starts in types for start in starts for k in range(part.dimension)
    ]
    if channels == list(range(len(channels))):
        return None
    return torch.tensor(channels)


def ordered(x: Tensor, axis: int, order: Tensor | None) -> Tensor:
    """Take the entries of an axis in another order; in their own for None."""
    return x if order is None else x.index_select(axis, order)


def part_name(part: Representation) -> str:
    """The name of an irrep, else the kind of representation."""
    if isinstance(part, Irrep):
        return f"the irrep {part.name}"
    return f"a {type(part).__name__} of dimension {part.dimension}"


def part_of_channel(representation: Representation) -> Tensor:
    """The number of the part that each channel belongs to, int64 (dimension,)."""
    sizes = [part.dimension for part in flat_parts(representation)]
    return torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))


def along(vector: Tensor, x: Tensor, axis: int) -> Tensor:
    """A vector shaped to broadcast along an axis of x."""
    shape = [1] * x.ndim
    shape[axis] = -1
    return vector.reshape(shape)


def check_representation(representation: object) -> None:
    """Raise unless it is a representation, with the mend for a group or a number of channels.

    Raises:
        InputError: it is not.
    """
    if isinstance(representation, Representation):
        return
    found = representation.name if isinstance(representation, Group) else repr(representation)
    raise InputError(
        "expected a representation that says what the channels are, such as "
        f"multiple(RegularRepresentation(CyclicGroup(8)), 16), got {found}"
    )


def check_unitary(representation: Representation, layer: str) -> None:
    """Raise unless every part is unitary, so that norms are invariant.

    Raises:
        InputError: one is not.
    """
    for part, _ in parts_by_type(representation):
        if not is_unitary(part):
            raise InputError(
                f"{layer} needs norms, which {part_name(part)} of {part.group.name} does not "
                "keep: it is not unitary; use its unitary_form() if the group is compact or "
                "finite, else GatedActivation, which needs no norm"
            )


def check_components(
    x: Tensor, representation: Representation, axis: int = -1, *, size: int | None = None
) -> None:
    """Raise unless an axis of x holds the components of the representation.

    Its dimension may be given as ``size``: graph capture cannot follow how it is computed.

    Raises:
        InputError: it has another size.
    """
    expected = representation.dimension if size is None else size
    if not -x.ndim <= axis < x.ndim or x.shape[axis] != expected:
        raise InputError(
            f"expected {expected} components along axis {axis}, as the representation of "
            f"{representation.group.name} has, got shape {tuple(x.shape)}"
        )


def check_grid(
    x: Tensor, representation: Representation, axes: int, *, size: int | None = None
) -> None:
    """Raise unless x is (batch, channel, *grid) with so many axes of the grid.

    ``size`` is as for :func:`check_components`.

    Raises:
        InputError: it is not.
    """
    if x.ndim != 2 + axes:
        raise InputError(
            f"expected fields (batch, channel) on a grid of {axes} axes, got shape "
            f"{tuple(x.shape)}; add the axis of the batch, or take the layer for "
            f"{x.ndim - 2} axes"
        )
    check_components(x, representation, 1, size=size)
