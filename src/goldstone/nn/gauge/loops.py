"""Closed paths on the lattice as matrices."""

from itertools import combinations

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.gauge.trace import traces
from goldstone.nn.gauge.transport import lattice_axes


class Plaquettes(nn.Module):
    """The first layer: links to their plaquettes, see :func:`plaquettes`."""

    def forward(self, links: Tensor) -> Tensor:
        """One channel for each pair of axes."""
        return plaquettes(links)


def plaquettes(links: Tensor) -> Tensor:
    """P_{x,μν} = U_{x,μ} U_{x+μ,ν} U†_{x+ν,μ} U†_{x,ν}, the smallest loops from x, for μ < ν.

    Args:
        links: (batch, axis, *lattice, n, n), complex; periodic.

    Returns:
        (batch, pair of axes, *lattice, n, n), pairs in the order (0, 1), (0, 2), …, (1, 2), ….

    Raises:
        InputError: the tensor has another form, or the lattice one axis alone.
    """
    return torch.stack(
        [_rectangle(links, mu, nu, 1, 1) for mu, nu in combinations(range(_planes(links)), 2)], 1
    )


def wilson_loops(links: Tensor, sides: tuple[int, int]) -> Tensor:
    """(Re tr W)/n of all rectangles of ``sides`` (R, T), along μ and ν for μ < ν.

    Args:
        links: (batch, axis, *lattice, n, n), complex; periodic.
        sides: R along the first axis of a pair, T along the second.

    Returns:
        (batch, pair of axes, *lattice), real.

    Raises:
        InputError: the tensor has another form, the lattice one axis alone, or a side is below 1.
    """
    if min(sides) < 1:
        raise InputError(f"expected sides of at least 1, got {sides}")
    found = [_rectangle(links, mu, nu, *sides) for mu, nu in combinations(range(_planes(links)), 2)]
    return traces(torch.stack(found, 1)).real


def polyakov_loops(links: Tensor) -> Tensor:
    """L_{x,μ} = U_{x,μ} U_{x+μ,μ} … U_{x−μ,μ}: from x straight round the periodic lattice.

    They cannot be contracted, so no product of plaquettes makes them; beside plaquettes, as further
    channels of loops, they let a network see the centre symmetry and its breaking.

    Args:
        links: (batch, axis, *lattice, n, n), complex; periodic.

    Returns:
        (batch, axis, *lattice, n, n).

    Raises:
        InputError: the tensor has another form.
    """
    axes = lattice_axes(links)
    return torch.stack([_line(links, mu, links.shape[2 + mu]) for mu in range(axes)], 1)


def _planes(links: Tensor) -> int:
    axes = lattice_axes(links)
    if axes < 2:
        raise InputError("a lattice of one axis has no plaquettes; use one of two axes or more")
    return axes


def _line(links: Tensor, axis: int, length: int) -> Tensor:
    """U_{x→x+length·axis}."""
    link = links[:, axis]
    line = link
    for k in range(1, length):
        line = line @ link.roll(-k, 1 + axis)
    return line


def _rectangle(links: Tensor, mu: int, nu: int, r: int, t: int) -> Tensor:
    """Along μ, along ν, back along μ and back along ν."""
    along, up = _line(links, mu, r), _line(links, nu, t)
    return along @ up.roll(-r, 1 + mu) @ along.roll(-t, 1 + nu).mH @ up.mH
