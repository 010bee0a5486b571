"""Fixed-point spaces: the matrices that a subgroup leaves as they are."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.connected import connected_labels
from goldstone.weightspace.tensor_decomposition.isotropy import IsotropySubgroup


@dataclass(frozen=True)
class FixedPointSpace:
    """The matrices W (k, d) that are constant on each orbit of a subgroup on entries.

    By the principle of symmetric criticality (R. Palais, 1979) a critical point of an invariant
    loss *within* this space is one in all of ℝ^{k×d}; minima here may be saddles there.

    Attributes:
        shape: (k, d).
        labels: for each entry, row by row, the number of its orbit.
        name: of the subgroup.
    """

    shape: tuple[int, int]
    labels: tuple[int, ...] = field(repr=False)
    name: str

    @property
    def dimension(self) -> int:
        """The number of orbits of entries, p."""
        return max(self.labels) + 1

    def embed(self, coordinates: Tensor) -> Tensor:
        """The matrices (*batch, k, d) with these values (*batch, p) on the orbits."""
        if coordinates.shape[-1:] != (self.dimension,):
            raise InputError(
                f"expected coordinates (*batch, {self.dimension}), got {tuple(coordinates.shape)}"
            )
        labels = torch.tensor(self.labels, device=coordinates.device)
        return coordinates[..., labels].reshape(*coordinates.shape[:-1], *self.shape)

    def project(self, weights: Tensor) -> Tensor:
        """The means (*batch, p) over the orbits of matrices (*batch, k, d): what embeds nearest."""
        labels = torch.tensor(self.labels, device=weights.device)
        sums = weights.new_zeros((*weights.shape[:-2], self.dimension))
        sums = sums.index_add(-1, labels, weights.flatten(-2))
        return sums / self.sizes.to(sums)

    @property
    def sizes(self) -> Tensor:
        """The number of entries in each orbit, int64."""
        return torch.bincount(torch.tensor(self.labels), minlength=self.dimension)


def fixed_point_space(subgroup: IsotropySubgroup) -> FixedPointSpace:
    """The fixed-point space of a subgroup of S_k × S_d, such as ``diagonal_subgroup((6,), 6, 6)``.

    For ΔS_d it holds the matrices aI + b(J − I).
    """
    k = subgroup.components
    d = len(subgroup.generators[0]) - k
    entries = torch.arange(k * d)
    maps = []
    for images in subgroup.generators:
        moved = torch.tensor(images)
        maps.append(moved[:k][entries // d] * d + moved[k:][entries % d] - k)
    labels = connected_labels(k * d, maps)
    return FixedPointSpace((k, d), tuple(labels.tolist()), subgroup.name)


def whole_space(k: int, d: int) -> FixedPointSpace:
    """All of ℝ^{k×d}, the fixed-point space of the trivial group."""
    return FixedPointSpace((k, d), tuple(range(k * d)), "1")
