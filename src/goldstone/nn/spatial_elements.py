"""Groups of space as lists of elements, and which of them convolutions know."""

from typing import Any

from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, Group, PolyhedralGroup, SpecialOrthogonalGroup
from goldstone.nn.planar_elements import acts_orthogonally


def check_spatial(group: Group[Any]) -> None:
    """Raise unless the group acts on space by orthogonal matrices: a finite one, SO(3) or O(3).

    Raises:
        InputError: it does not.
    """
    if acts_orthogonally(group, 3):
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
