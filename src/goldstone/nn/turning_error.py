"""How far a layer is from commuting with the turns of the grid, measured."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Pivot, move_grid
from goldstone.groups import FiniteGroup
from goldstone.nn.planar_elements import planar_elements
from goldstone.nn.spatial_elements import spatial_elements
from goldstone.representations import Representation


def grid_elements(group: Any, grid: tuple[int, ...]) -> Tensor:
    """The elements other than the identity that map the grid onto itself.

    Those that exchange axes are among them where these are of one size only; of SO(2), O(2), SO(3)
    and O(3) they are the quarter turns and their products, and reflections.
    """
    elements, matrices = _lattice_elements(group, len(grid))
    found: Tensor = elements[_keeps_sizes(matrices, grid)]
    return found


def exchanges_sizes(group: Any, grid: tuple[int, ...]) -> bool:
    """Whether an element maps the lattice onto itself but exchanges axes of different sizes."""
    return not bool(_keeps_sizes(_lattice_elements(group, len(grid))[1], grid).all())


def _lattice_elements(group: Any, axes: int) -> tuple[Tensor, Tensor]:
    """The elements whose matrices are signed permutations, but the identity, and these."""
    if axes == 3:
        elements = spatial_elements(group)
    else:
        elements = planar_elements(group, 0 if isinstance(group, FiniteGroup) else 3)
    matrices = group.matrices(elements).double()
    near = ((matrices - matrices.round()).abs() < 1e-9).flatten(1).all(1)
    moves = (matrices - torch.eye(axes)).abs().flatten(1).amax(1) > 0.5
    return elements[near & moves], matrices[near & moves]


def _keeps_sizes(matrices: Tensor, grid: tuple[int, ...]) -> Tensor:
    sizes = torch.tensor(grid)
    return (sizes[matrices.abs().argmax(-1)] == sizes).all(-1)


def grid_of(group: Any, x: Tensor) -> tuple[int, ...]:
    """The sizes of the axes that the group turns: the last two or three, after any of scales."""
    return tuple(x.shape[max(2, x.ndim - int(group.degree)) :])


def turned(fibre: Representation, element: Tensor, x: Tensor, pivot: Pivot) -> Tensor:
    """(g·f)(p) = ρ(g) f(R⁻¹p) for an element that maps the grid onto itself."""
    group: Any = fibre.group
    moved = move_grid(x, group.matrices(element).double().round(), pivot)
    matrix = fibre.matrix_unchecked(element).to(x.device, x.dtype)
    image: Tensor = torch.einsum("ij,bj...->bi...", matrix, moved)
    return image


def turning_error(
    layer: Callable[[Tensor], Tensor],
    source: Representation,
    target: Representation,
    x: Tensor,
    pivot: Pivot = "cell",
) -> float | None:
    """The largest ‖f(g·x) − g·f(x)‖/‖f(x)‖ over the elements that map the grid onto itself.

    None if there is no such element, as for C3, or the output is zero.
    """
    elements = grid_elements(source.group, grid_of(source.group, x))
    with torch.no_grad():
        output = layer(x)
        size = float(output.norm())
        if not len(elements) or not size:
            return None
        return max(
            float((layer(turned(source, g, x, pivot)) - turned(target, g, output, pivot)).norm())
            / size
            for g in elements
        )
