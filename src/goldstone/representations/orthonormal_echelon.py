"""The one orthonormal basis of a space that is in row echelon form."""

import torch
from torch import Tensor

from goldstone.core import InputError

_DEPENDENT = 1e-6
"""Squared length, relative to the longest, below which a vector counts as dependent."""
_NOISE = 1e-13
_WIDTH = 128


def orthonormal_echelon(rows: Tensor, *, real: bool = False) -> Tensor:
    """The orthonormal basis of a row space in echelon form with positive leading entries.

    It is Gram–Schmidt on the rows of the space's projector in order, P e_0, P e_1, …, those left
    out that depend on the ones before. It is unique, where an eigensolver may return any rotation
    of it: coefficients that are saved on one machine mean the same on every other. Entries below
    1e-13 are set to zero.

    Args:
        rows: (k, N), orthonormal, real or complex.
        real: the space has a real basis although ``rows`` are complex; return it.

    Returns:
        (k, N); row f is zero before its leading entry, which moves right with f.

    Raises:
        InputError: ``real`` is asked for but the space has no real basis.
    """
    # P e_i has the coordinates conj(rows[:, i]).
    turn = _independent_directions(rows.conj(), len(rows))
    basis = turn.mT @ rows
    if real and basis.is_complex():
        if len(basis) and float(basis.imag.abs().max()) > 1e-8:
            raise InputError("expected the complexification of a real space")
        basis = basis.real
    return _without_noise(basis)


def image_basis(projector: Tensor) -> Tensor:
    """The orthonormal echelon basis (k, N) of the image of an orthogonal projector (N, N).

    The same basis as :func:`orthonormal_echelon` of any orthonormal basis of the image.
    """
    rank = round(float(projector.diagonal().real.sum()))
    return _without_noise(_independent_directions(projector, rank).mT)


def _independent_directions(columns: Tensor, rank: int) -> Tensor:
    """Gram–Schmidt on columns (d, N) in order up to ``rank`` directions: (d, rank)."""
    columns = columns.resolve_conj()
    squares = columns.real.square().sum(0)
    if columns.is_complex():
        squares = squares + columns.imag.square().sum(0)
    longest = float(squares.max()) if rank else 0.0
    threshold = _DEPENDENT * longest
    while True:
        known = columns.new_zeros(len(columns), rank)
        found = 0
        for start in range(0, columns.shape[1], _WIDTH):
            if found == rank:
                break
            block = columns[:, start : start + _WIDTH]
            for _ in range(2):  # twice is enough
                block = block - known[:, :found] @ (known[:, :found].mH @ block)
            while found < rank:
                left = block.abs().square().sum(0)
                free = (left > threshold).nonzero()
                if not len(free):
                    break
                new = block[:, int(free[0])]
                new = new - known[:, :found] @ (known[:, :found].mH @ new)
                new = new / new.norm()
                known[:, found] = new
                found += 1
                block = block - new[:, None] * (new.conj() @ block)
        if found == rank:
            return known
        if threshold < 1e-24 * longest:
            raise InputError(f"expected a space of dimension {rank}, found {found} directions")
        threshold *= 1e-2


def _without_noise(basis: Tensor) -> Tensor:
    if not basis.is_complex():
        return torch.where(basis.abs() < _NOISE, 0.0, basis)
    return torch.complex(_without_noise(basis.real), _without_noise(basis.imag))
