"""Wigner matrices of rotations and the real spherical harmonics that they turn."""

from collections.abc import Iterator, Sequence
from math import pi, sqrt
from typing import Literal

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.lie.cartan_product import cartan_product
from goldstone.representations.lie.stretched_coupling import stretched_real_coupling

Normalisation = Literal["orthonormal", "component", "unit"]


def wigner_matrices(degree: int, rotations: Tensor) -> Iterator[Tensor]:
    """The Wigner matrices D^0(R), D^1(R), …, D^degree(R) in the real basis, one after another.

    The components are ordered m = −l…l about the z axis; those of l = 1 are (y, z, x). So
    Y_l(R x) = D^l(R) Y_l(x) for :func:`spherical_harmonics` Y_l. For an improper matrix,
    D^l(−R) = (−1)^l D^l(R).

    D^l is the component of highest degree in R ⊗ D^(l−1), found without Euler angles: a polynomial
    in the entries of R, differentiable everywhere, whose rounding error grows as l (the recursion
    of J. Ivanic and K. Ruedenberg, J. Phys. Chem. 100, 6342 (1996), in matrix form).

    Args:
        degree: the largest l, at least 0.
        rotations: orthogonal matrices (*batch, 3, 3), of any floating dtype.

    Yields:
        (*batch, 2l+1, 2l+1).

    Raises:
        InputError: a negative degree, or other shapes.
    """
    if degree < 0:
        raise InputError(f"expected a degree l ≥ 0, got {degree}")
    if rotations.shape[-2:] != (3, 3) or not rotations.is_floating_point():
        raise InputError(
            f"expected real rotation matrices (*batch, 3, 3), got shape "
            f"{tuple(rotations.shape)} and dtype {rotations.dtype}"
        )
    return _wigner_matrices(degree, rotations)


def _wigner_matrices(degree: int, rotations: Tensor) -> Iterator[Tensor]:
    current = rotations.new_ones((*rotations.shape[:-2], 1, 1))
    yield current
    axes = [1, 2, 0]
    vector = rotations[..., axes, :][..., axes]
    for k in range(1, degree + 1):
        step = torch.from_numpy(stretched_real_coupling(k)).to(vector)
        current = cartan_product(step, vector, current) if k > 1 else vector
        yield current


def spherical_harmonics(
    degrees: int | Sequence[int],
    vectors: Tensor,
    normalisation: Normalisation = "orthonormal",
) -> Tensor:
    """The real spherical harmonics of directions x/|x|.

    Components m = −l…l about the z axis, without the Condon–Shortley phase: Y_lm is proportional
    to P_l^|m|(cos θ) times sin |m|φ for m < 0 and cos mφ for m ≥ 0, and Y_1 to (y, z, x). They
    satisfy Y_l(R x) = D^l(R) Y_l(x) with :func:`wigner_matrices`. The zero vector has the
    harmonics of no direction: 0 for l > 0, with gradient 0.

    Args:
        degrees: one l, or several, whose components are concatenated in that order.
        vectors: (*batch, 3), of any floating dtype.
        normalisation: ``orthonormal`` on the unit sphere, ∫ Y_lm Y_lm' dΩ = δ_mm'; ``component``,
            Σ_m Y_lm² = 2l + 1; or ``unit``, Σ_m Y_lm² = 1.

    Returns:
        (*batch, Σ (2l+1)).

    Raises:
        InputError: a negative degree, other shapes or another normalisation.
    """
    _check_vectors(vectors)
    # Scaled to largest entry 1 first, lest the square of a short vector underflow. The direction
    # does not depend on the scale, which may therefore count as a constant.
    size = vectors.detach().abs().amax(-1, keepdim=True)
    is_zero = size == 0
    scaled = vectors / torch.where(is_zero, torch.ones_like(size), size)
    scaled = torch.where(is_zero, torch.ones_like(vectors), scaled)
    directions = scaled / torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
    directions = torch.where(is_zero, torch.zeros_like(vectors), directions)
    return solid_harmonics(degrees, directions, normalisation)


def solid_harmonics(
    degrees: int | Sequence[int],
    vectors: Tensor,
    normalisation: Normalisation = "orthonormal",
) -> Tensor:
    """The regular solid harmonics |x|^l Y_l(x/|x|): homogeneous polynomials, smooth everywhere.

    By the recursions that raise l at fixed m and m at l = m, which are stable (F. Bigi et al.,
    J. Chem. Phys. 159, 064802 (2023)). Arguments, result and errors are those of
    :func:`spherical_harmonics`.
    """
    _check_vectors(vectors)
    wanted = (degrees,) if isinstance(degrees, int) else tuple(degrees)
    if not wanted or min(wanted) < 0:
        raise InputError(f"expected degrees l ≥ 0, got {degrees}")
    found = {}
    for k, values in enumerate(_unit_harmonics(max(wanted), vectors)):
        if k in wanted:
            found[k] = values * _scale(k, normalisation)
    return torch.cat([found[k] for k in wanted], -1)


def _unit_harmonics(degree: int, vectors: Tensor) -> Iterator[Tensor]:
    """|x|^l Y_l with Σ_m Y_lm² = 1, for l = 0…degree."""
    x, y, z = vectors.unsqueeze(-2).unbind(-1)
    square = vectors.square().sum(-1, keepdim=True)
    before = vectors.new_zeros((*vectors.shape[:-1], 1))
    current = torch.ones_like(before)
    yield current
    for k in range(1, degree + 1):
        m = torch.arange(1 - k, k, dtype=torch.float64)
        scale = (k * k - m * m).sqrt()
        rise = ((2 * k - 1) / scale).to(vectors) * z * current
        fall = (((k - 1) ** 2 - m * m).clamp(min=0).sqrt() / scale).to(vectors) * square
        middle = rise - fall * torch.nn.functional.pad(before, (1, 1) if k > 1 else (0, 0))
        cosine = current[..., -1:]
        sine = current[..., :1] if k > 1 else torch.zeros_like(cosine)
        up = sqrt((2 * k - 1) / (2 * k)) if k > 1 else 1.0
        before, current = (
            current,
            torch.cat((up * (x * sine + y * cosine), middle, up * (x * cosine - y * sine)), -1),
        )
        yield current


def _scale(degree: int, normalisation: Normalisation) -> float:
    if normalisation == "orthonormal":
        return sqrt((2 * degree + 1) / (4 * pi))
    if normalisation == "component":
        return sqrt(2 * degree + 1)
    if normalisation == "unit":
        return 1.0
    raise InputError(
        f"expected the normalisation orthonormal, component or unit, got {normalisation!r}"
    )


def _check_vectors(vectors: Tensor) -> None:
    if vectors.dim() < 1 or vectors.shape[-1] != 3 or not vectors.is_floating_point():
        raise InputError(
            f"expected real vectors (*batch, 3), got shape {tuple(vectors.shape)} and dtype "
            f"{vectors.dtype}"
        )
