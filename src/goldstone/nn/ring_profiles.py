"""Radial profiles of band-limited filters: Gaussian rings, or shells in space, made orthonormal."""

from math import floor

import torch
from torch import Tensor

RING_WIDTH = 0.6
"""Standard deviation of the Gaussian rings, in taps."""


def ring_cutoffs(size: int, most: int | None = None) -> tuple[tuple[float, int], ...]:
    """Of each ring its radius and highest frequency.

    Radii are 0, 1, 2, … (½, 1½, … for even sizes); the frequencies go up to 2r, and one less on the
    outermost ring beyond radius 1, part of which the square or cube cuts off: what a ring of so few
    taps samples (Weiler & Cesa 2019, "General E(2)-equivariant steerable CNNs", appendix F).

    Args:
        size: taps along an axis.
        most: a further limit to the frequencies.
    """
    first, last = (1 - size % 2) / 2, (size - 1) / 2
    radii = [first + j for j in range(int(last - first) + 1)]
    limits = [floor(2 * r) - (r == last and r > 1) for r in radii]
    return tuple(
        (r, limit if most is None else min(limit, most))
        for r, limit in zip(radii, limits, strict=True)
    )


def orthonormal_rings(
    centres: Tensor, radius: Tensor, moment: Tensor, mean_square: float, *, hole: bool
) -> Tensor:
    """The profiles exp(−(|p| − r)²/2·0.6²) at the taps, one for each centre r, (rings, *grid).

    They are shifted, by a function of the radius, until Σ_p R(p) m(p) = 0 for a moment m that the
    lattice would take for another frequency, unless there are too few distinct radii; then made
    orthonormal symmetrically, so that they stay rings.

    Args:
        centres: the radii r.
        radius: |p| at the taps, (*grid).
        moment: m.
        mean_square: that of the angular functions they will be multiplied with, over all turns.
        hole: whether the profiles vanish at the central tap.
    """
    shape = (-1, *[1] * radius.ndim)
    profiles = torch.exp(-((radius - centres.reshape(shape)) / RING_WIDTH).square() / 2)
    if hole:
        profiles = profiles * (radius > 0)
    profiles = _without_moment(profiles, radius, moment, hole)
    flat = profiles.flatten(1)
    gram = torch.einsum("jp,kp->jk", flat, flat) * mean_square
    values, vectors = torch.linalg.eigh(gram)
    whitening = (vectors * values.rsqrt()) @ vectors.T
    return torch.einsum("jk,kp->jp", whitening, flat).reshape(profiles.shape)


def _without_moment(profiles: Tensor, radius: Tensor, moment: Tensor, hole: bool) -> Tensor:
    """The nearest radial profiles with Σ_p R(p) m(p) = 0."""
    shell = (4 * radius.square()).round().long()
    if hole:
        moment = moment * (shell > 0)
    supported: Tensor = torch.unique(shell[moment != 0] if hole else shell)
    if len(supported) <= len(profiles):
        return profiles
    # As a function of the radius: the mean over the taps of one radius.
    size = int(shell.max()) + 1
    count = torch.bincount(shell.flatten(), minlength=size).clamp(min=1)
    mean = torch.bincount(shell.flatten(), moment.flatten(), minlength=size) / count
    direction = mean[shell]
    along = torch.einsum("jp,p->j", profiles.flatten(1), direction.flatten())
    along = along / direction.square().sum()
    return profiles - along.reshape(-1, *[1] * radius.ndim) * direction
