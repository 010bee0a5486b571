"""Groups of the plane as the finite lists of elements that averages over them need."""

from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import (
    FiniteGroup,
    Group,
    LieGroup,
    LinearGroup,
    OrthogonalGroup,
    SpecialOrthogonalGroup,
)
from goldstone.representations import Representation

_TOLERANCE = 1e-9


def check_planar(group: Group[Any]) -> None:
    """Raise unless the group acts on the plane by orthogonal matrices and can be averaged over.

    Raises:
        InputError: it is neither finite nor SO(2) or O(2), or its matrices are not orthogonal 2×2.
    """
    if not acts_orthogonally(group, 2):
        raise InputError(
            "expected a representation of a group of rotations and reflections of the plane "
            f"(CyclicGroup, DihedralGroup, SO(2) or O(2)), got one of {group.name}; restrict it or "
            "pull it back to one"
        )


def acts_orthogonally(group: Group[Any], degree: int) -> bool:
    """Whether a group, finite or all of O(n) or SO(n), acts on ℝⁿ by orthogonal matrices."""
    known = isinstance(group, FiniteGroup | OrthogonalGroup | SpecialOrthogonalGroup)
    if not (known and isinstance(group, LinearGroup) and group.degree == degree):
        return False
    generators = group.matrices(group.tensor(group.generators()))
    if generators.is_complex():
        return False
    products = generators.double() @ generators.double().mT
    return bool(((products - torch.eye(degree)).abs() < _TOLERANCE).all())


def planar_elements(group: Any, bandwidth: int = 0) -> Tensor:
    """Elements whose mean is the group's: all of a finite one.

    Of SO(2) and O(2) they are N equal rotations (and as many reflections), which average exactly
    what turns with frequencies below N > ``bandwidth``.
    """
    if isinstance(group, FiniteGroup):
        return group.element_tensor()
    n = bandwidth + 1
    angle = 2 * torch.pi * torch.arange(n, dtype=torch.float64) / n
    c, s = angle.cos(), angle.sin()
    rotations = torch.stack((torch.stack((c, -s), -1), torch.stack((s, c), -1)), -2)
    if isinstance(group, SpecialOrthogonalGroup):
        return rotations
    flip = torch.tensor([[-1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    return torch.cat((rotations, flip @ rotations))


def is_on_grid(group: Any) -> bool:
    """Whether all its elements map the square grid onto itself: quarter turns and reflections."""
    if not isinstance(group, FiniteGroup) or not isinstance(group, LinearGroup):
        return False
    matrices = group.matrices(group.tensor(group.generators()))
    return bool(((matrices - matrices.round()).abs() < _TOLERANCE).all())


def frequency_bound(representation: Representation) -> int:
    """The highest frequency of a representation of SO(2) or O(2); 0 for finite groups."""
    if not isinstance(representation.group, LieGroup):
        return 0
    turning = representation.derivative(torch.ones(1, dtype=torch.float64))
    return round(float(torch.linalg.eigvals(turning).imag.abs().max()))


def reversed_axes(group: Any) -> tuple[bool, ...]:
    """Which of the axes of the grid an element moves, so that its centre must be kept."""
    n: int = group.degree
    if not isinstance(group, FiniteGroup) or not isinstance(group, LinearGroup):
        return (True,) * n
    matrices = group.matrices(group.tensor(group.generators()))
    if not len(matrices):
        return (False,) * n
    moved = ((matrices - torch.eye(n)).abs() > _TOLERANCE).any(-1).any(0)
    return tuple(bool(each) for each in moved)
