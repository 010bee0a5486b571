"""Band-limited filters on voxels: Gaussian shells times spherical harmonics."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.nn.ring_profiles import orthonormal_rings, ring_cutoffs
from goldstone.representations import spherical_harmonics, wigner_matrices


@dataclass(frozen=True)
class SphericalFilters:
    """The filters B(p) = R_{jl}(|p|) Y_lm(p/|p|) on the taps of a cubic kernel.

    Shells are Gaussians of width 0.6 at the radii 0, 1, 2, … with the degrees l up to 2r, and one
    less on the outermost beyond radius 1 (Weiler et al. 2018, "3D steerable CNNs"; the limit
    is that of :class:`CircularHarmonics`). Where l > 0 the central tap is zero. The cube takes
    degree l for those from |l − 4| on; profiles are shifted until their response to the lowest of
    these, |p|^|l−4| times the cubic harmonic x⁴ + y⁴ + z⁴ − 3/5, is zero. Then the shells of one
    degree are made orthonormal in the inner product averaged over all rotations.

    Attributes:
        size: taps along an axis.
        max_degree: a further limit to l, or None.

    Raises:
        InputError: a limit that is no whole number of 0 or more.
    """

    size: int
    max_degree: int | None = None

    def __post_init__(self) -> None:
        if self.max_degree is not None and not is_count(self.max_degree, 0):
            raise InputError(f"expected a max_degree of 0 or more, got {self.max_degree}")

    @property
    def cutoffs(self) -> tuple[tuple[float, int], ...]:
        """Of each shell its radius and highest degree."""
        return ring_cutoffs(self.size, self.max_degree)

    @property
    def degrees(self) -> range:
        """0, …, the highest degree."""
        return range(max(limit for _, limit in self.cutoffs) + 1)

    @property
    def taps(self) -> Tensor:
        """Places of the taps about the kernel's centre, (size, size, size, 3) in float64."""
        axis = torch.arange(self.size, dtype=torch.float64) - (self.size - 1) / 2
        return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1)

    def shells(self, degree: int) -> Tensor:
        """The orthonormal radial profiles at the taps, (shells, size, size, size)."""
        taps = self.taps
        radius = taps.norm(dim=-1)
        centres = torch.tensor([r for r, most in self.cutoffs if most >= degree]).double()
        directions = taps / radius.clamp(min=0.5)[..., None]
        cubic = directions.pow(4).sum(-1) - 0.6
        moment = radius ** abs(degree - 4) * cubic
        return orthonormal_rings(centres, radius, moment, 1.0, hole=degree > 0)

    def angular(self, degree: int) -> Tensor:
        """Y_lm at the taps with Σ_m Y_lm² = 2l + 1, (2l + 1, size, size, size)."""
        return spherical_harmonics(degree, self.taps, "component").movedim(-1, 0)

    def turned(self, matrices: Tensor) -> Tensor:
        """All filters turned, B(g⁻¹p), (elements, filters, size, size, size)."""
        actions = wigner_matrices(self.degrees[-1], matrices.mT)
        found = [
            torch.einsum("gab,jbxyz->gjaxyz", action, filters).flatten(1, 2)
            for action, filters in zip(actions, self.filters, strict=True)
        ]
        return torch.cat(found, 1)

    @cached_property
    def filters(self) -> tuple[Tensor, ...]:
        """Of each degree B at the taps, (shells, 2l + 1, size, size, size)."""
        return tuple(self.shells(degree)[:, None] * self.angular(degree) for degree in self.degrees)
