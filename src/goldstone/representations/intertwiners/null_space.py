"""The null space of intertwiner constraints by a singular value decomposition."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.intertwiners.constraints import IntertwinerConstraints

ZERO = 1e-9
"""Singular values up to this, relative to the largest, count as zero."""
CLEAR = 1e-6
"""The least relative singular value that may count as different from zero."""

_SMALLEST_SCALE = 1e-3


@dataclass(frozen=True)
class NullSpace:
    """A null space and the numbers by which its dimension was decided.

    Attributes:
        rows: (k, m·n), orthonormal.
        largest_zero: the largest number that counted as zero, relative to the scale.
        smallest_nonzero: the smallest that did not, or None if there was none.
        completeness: how it is known that no map is missing.
    """

    rows: Tensor = field(repr=False)
    largest_zero: float
    smallest_nonzero: float | None
    completeness: str


def direct_null_space(constraints: IntertwinerConstraints) -> NullSpace:
    """The null space by QR and a singular value decomposition of the dense equations.

    Costs (m·n)³; for some thousand unknowns at most.

    Raises:
        InputError: singular values between 1e-9 and 1e-6 of the largest leave the rank unclear.
    """
    return null_space_of_matrix(constraints.dense(), constraints.scale)


def null_space_of_matrix(matrix: Tensor, scale: float) -> NullSpace:
    """The null space of a matrix (equations, unknowns) whose entries are of size ``scale``.

    Raises:
        InputError: as :func:`direct_null_space`.
    """
    if len(matrix) > matrix.shape[1]:
        matrix = torch.linalg.qr(matrix, mode="r").R
    _, values, right = torch.linalg.svd(matrix, full_matrices=True)
    # Where all equations hold of themselves, the largest value is a rounding error.
    scale = max(float(values[0]) if len(values) else 0.0, _SMALLEST_SCALE * scale)
    values = torch.cat((values, values.new_zeros(len(right) - len(values)))) / scale
    zero = values <= ZERO
    smallest = float(values[~zero].min()) if not bool(zero.all()) else None
    check_gap(smallest)
    return NullSpace(
        right[zero].conj().resolve_conj(),
        float(values[zero].max()) if bool(zero.any()) else 0.0,
        smallest,
        "all singular values of the equations are known",
    )


def check_gap(smallest_nonzero: float | None) -> None:
    """Raise where a singular value, relative to the largest, is too small to count as nonzero.

    Raises:
        InputError: it is below 1e-6.
    """
    if smallest_nonzero is not None and smallest_nonzero < CLEAR:
        raise InputError(
            f"the equations of the intertwiners have a relative singular value "
            f"{smallest_nonzero:.1e}, between zero (≤ {ZERO:g}) and clearly not (≥ {CLEAR:g}): "
            "are the matrices a representation to full precision, and well conditioned?"
        )
