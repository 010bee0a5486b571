"""Band-limited filters on a grid: Gaussian rings times circular harmonics."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.nn.ring_profiles import orthonormal_rings, ring_cutoffs


@dataclass(frozen=True)
class CircularHarmonics:
    """The filters B(p) = R_{jf}(|p|) (cos fφ, sin fφ) on the taps of a square kernel.

    Rings are Gaussians of width 0.6 at the radii 0, 1, 2, … (½, 1½, … for even sizes), each with
    the frequencies f up to 2r, and one less on the outermost ring beyond radius 1, part of which
    the square cuts off: what a ring of so few taps samples (Weiler & Cesa 2019, "General
    E(2)-equivariant steerable CNNs", appendix F). Where f > 0 the central tap is zero.

    A square lattice takes frequency f for f − 4 too. The profiles are therefore shifted, by a
    function of the radius, until their response to the lowest aliased moment is zero,
    Σ_p R(p) |p|^|f−4| cos 4φ = 0, which leaves the smooth fields' turns right to a higher order;
    so it is unless there are too few distinct radii. Then the rings of one frequency are made
    orthonormal (symmetrically, so that they stay rings) in the inner product averaged over all
    rotations.

    Attributes:
        size: taps along an axis.
        max_frequency: a further limit to f, or None.

    Raises:
        InputError: a limit that is no whole number of 0 or more.
    """

    size: int
    max_frequency: int | None = None

    def __post_init__(self) -> None:
        if self.max_frequency is not None and not is_count(self.max_frequency, 0):
            raise InputError(f"expected a max_frequency of 0 or more, got {self.max_frequency}")

    @property
    def cutoffs(self) -> tuple[tuple[float, int], ...]:
        """Of each ring its radius and highest frequency."""
        return ring_cutoffs(self.size, self.max_frequency)

    @property
    def frequencies(self) -> range:
        """0, …, the highest frequency."""
        return range(max(limit for _, limit in self.cutoffs) + 1)

    def rings(self, frequency: int) -> Tensor:
        """The orthonormal radial profiles at the taps, (rings, size, size) in float64."""
        taps = _taps(self.size)
        radius, angle = taps.norm(dim=0), torch.atan2(taps[1], taps[0])
        centres = torch.tensor([r for r, f in self.cutoffs if f >= frequency], dtype=torch.float64)
        moment = radius ** abs(frequency - 4) * (4 * angle).cos()
        # The mean of cos² over rotations is 1/2.
        mean_square = 0.5 if frequency else 1.0
        return orthonormal_rings(centres, radius, moment, mean_square, hole=frequency > 0)

    def angular(self, frequency: int) -> Tensor:
        """(cos fφ, sin fφ) at the taps, (2, size, size), or (1, size, size) of ones for f = 0."""
        x, y = _taps(self.size)
        phase = torch.polar(torch.ones_like(x), frequency * torch.atan2(y, x))
        return torch.stack((phase.real, phase.imag)) if frequency else phase.real[None]

    def turned(self, matrices: Tensor) -> Tensor:
        """All filters turned, B(g⁻¹p), (elements, filters, size, size) for matrices (·, 2, 2)."""
        found = []
        for f in self.frequencies:
            action = harmonic_action(torch.linalg.inv(matrices), f)
            angular = torch.einsum("gab,bxy->gaxy", action, self.angular(f))
            filters = torch.einsum("jxy,gaxy->gjaxy", self.rings(f), angular)
            found.append(filters.flatten(1, 2))
        return torch.cat(found, 1)


def harmonic_action(matrices: Tensor, frequency: int) -> Tensor:
    """H(A) with Y(Ap) = H(A) Y(p) for Y = (cos fφ, sin fφ), or 1 for f = 0.

    Args:
        matrices: orthogonal, (*batch, 2, 2).
        frequency: f ≥ 0.

    Returns:
        (*batch, 2, 2), or (*batch, 1, 1) for f = 0.
    """
    if not frequency:
        return torch.ones_like(matrices[..., :1, :1])
    sign = torch.linalg.det(matrices).sign()
    # A turns φ into θ ± φ, θ the angle of its first column.
    turn = torch.complex(matrices[..., 0, 0], matrices[..., 1, 0]) ** frequency
    c, s = turn.real, turn.imag
    rows = torch.stack((c, -sign * s), -1), torch.stack((s, sign * c), -1)
    return torch.stack(rows, -2)


def _taps(size: int) -> Tensor:
    """Places of the taps about the kernel's centre, (2, size, size)."""
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    return torch.stack(torch.meshgrid(axis, axis, indexing="ij"))
