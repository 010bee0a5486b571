"""Groups of space as lists of elements, and which of them convolutions know."""

from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import (
    FiniteGroup,
    Group,
    LinearGroup,
    OrthogonalGroup,
    PolyhedralGroup,
    SpecialOrthogonalGroup,
)

_TOLERANCE = 1e-9


def check_spatial(group: Group[Any]) -> None:
    """Raise unless the group acts on space by orthogonal matrices: a finite one, SO(3) or O(3).

    Raises:
        InputError: it does not.
    """
    known = isinstance(group, FiniteGroup | OrthogonalGroup | SpecialOrthogonalGroup)
    if known and isinstance(group, LinearGroup) and group.degree == 3:
        generators = group.matrices(group.tensor(group.generators()))
        if not generators.is_complex():
            products = generators.double() @ generators.double().mT
            if float((products - torch.eye(3)).abs().max() if len(products) else 0) < _TOLERANCE:
                return
    raise InputError(
        "expected a representation of a group of rotations and reflections of space, such as "
        f'PolyhedralGroup("O"), SO(3) or O(3), got one of {group.name}; restrict it or pull it '
        "back to one, or use SteerableConv2d for groups of the plane"
    )


def spatial_elements(group: Any) -> Tensor:
    """All elements of a finite group; of SO(3) and O(3) those that map the cube onto itself."""
    if isinstance(group, FiniteGroup):
        return group.element_tensor()
    cube = PolyhedralGroup("O" if isinstance(group, SpecialOrthogonalGroup) else "Oh")
    return cube.matrices(cube.element_tensor())
