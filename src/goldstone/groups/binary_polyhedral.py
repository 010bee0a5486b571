"""The binary polyhedral groups, which cover the rotations of the Platonic solids twice."""

import torch

from goldstone.core import InputError
from goldstone.groups.matrix.unit_quaternion import left_multiplication, quaternion_from_rotation
from goldstone.groups.matrix_group import MatrixGroup
from goldstone.groups.polyhedral import PolyhedralGroup


def binary_polyhedral_group(symbol: str) -> MatrixGroup:
    """2T (order 24), 2O (48) or 2I (120): the unit quaternions over the rotations in T, O or I.

    Their matrices are left multiplication on the quaternions (1, i, j, k), 4×4; the first column
    is the quaternion. :func:`goldstone.groups.embedding` puts them into SU(2), over T, O and I in
    SO(3). 2T ≅ SL(2, 3), 2I ≅ SL(2, 5). Coxeter and Moser, Generators and Relations (1980), ch. 6.

    Raises:
        InputError: the symbol is none of ``T``, ``O`` and ``I``.
    """
    if symbol not in ("T", "O", "I"):
        raise InputError(f"expected T, O or I for a binary polyhedral group, got {symbol!r}")
    solid = PolyhedralGroup(symbol)
    rotations = solid.matrices(solid.tensor(solid.generators()))
    # One of each pair ±q, and −1.
    generators = left_multiplication(quaternion_from_rotation(rotations))
    minus_one = -torch.eye(4, dtype=torch.float64)
    return MatrixGroup(torch.cat((generators, minus_one[None])), f"2{symbol}")
