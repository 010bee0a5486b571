"""A frame from pairs of outermost points, for clouds without principal axes too."""

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.core import InputError, check_finite
from goldstone.core.trees import Tree
from goldstone.nn.point_positions import (
    elements_of_bases,
    is_proper,
    positions_of,
    space_dimension,
)


class PointPairFrame:
    """F(x): bases made of the outermost points, all that tie with equal weight.

    In space: of the points x_i farthest from the centre and the points x_j farthest from the line
    through it, the pairs (i, j) with the largest such distance; u_1 along x_i, u_2 across it
    towards x_j, and u_3 = u_1 × u_2, under O(3) and E(3) both signs of it. In the plane: u_1 along
    the farthest points. A symmetric cloud has as many pairs as its symmetry makes it, all in the
    frame, so that the average is exact for regular polyhedra, where :class:`PCAFrame` has no axes.
    It is invariant to the order of points. As every choice of finitely many poses it jumps, here
    where another point becomes the farthest (Dym, Lawrence & Siegel 2024, "Equivariant frames and
    the impossibility of continuous canonicalization").

    Args:
        symmetry: of point clouds, under SO(n), O(n), SE(n) or E(n), n = 2 or 3.
        entry: which of the inputs is the cloud, where they are a dict or tuple.
        tolerance: distances that agree to this, relative, tie.

    Raises:
        InputError: inputs that are no point clouds of these groups.
    """

    def __init__(
        self, symmetry: Symmetry, *, entry: str | int | None = None, tolerance: float = 1e-6
    ) -> None:
        self.group = symmetry.group
        if space_dimension(self.group) not in (2, 3):
            raise InputError(f"point pairs frame the plane and space, got {self.group.name}")
        self.positions = positions_of(symmetry, entry)
        self.tolerance = tolerance

    def __call__(self, x: Tree) -> tuple[Tensor, Tensor]:
        """Elements (batch, k, *element_shape) in float64 and weights (batch, k).

        k is the most ties of a sample; others are filled up with weights 0.

        Raises:
            InputError: all points of a cloud lie on a line through its centre, or at it, or a
                position is not finite.
        """
        points, centre = self.positions(x)
        check_finite(points, "clouds")
        radius = torch.linalg.vector_norm(points, dim=-1)
        farthest = radius.amax(1, keepdim=True)
        self._check(farthest > 0)
        tied = radius >= (1 - self.tolerance) * farthest
        # Chosen points are never at the centre.
        first = points / radius.clamp_min(torch.finfo(points.dtype).tiny)[..., None]
        if points.shape[-1] == 2:
            index, weights = _ties(tied)
            one = _at(first, index)
            bases = torch.stack((one, torch.stack((-one[..., 1], one[..., 0]), -1)), -1)
        else:
            n = points.shape[1]
            along = first @ points.mT
            across = points[:, None] - along[..., None] * first[:, :, None]
            distance = torch.linalg.vector_norm(across, dim=-1)
            distance = distance.masked_fill(~tied[..., None], -1.0).flatten(1)
            widest = distance.amax(1, keepdim=True)
            self._check(widest > self.tolerance * farthest)
            index, weights = _ties(distance >= (1 - self.tolerance) * widest)
            one = _at(first, index // n)
            two = torch.nn.functional.normalize(_at(across.flatten(1, 2), index), dim=-1)
            bases = torch.stack((one, two, torch.linalg.cross(one, two)), -1)
        if not is_proper(self.group):
            mirrored = torch.cat((bases[..., :-1], -bases[..., -1:]), -1)
            bases, weights = torch.cat((bases, mirrored), 1), torch.cat((weights, weights), 1) / 2
        return elements_of_bases(self.group, bases, centre[:, None]), weights

    def _check(self, determined: Tensor) -> None:
        bad = (~determined).nonzero()[:, 0]
        if len(bad):
            raise InputError(
                f"{len(bad)} of {len(determined)} clouds, sample {int(bad[0])} the first, lie on a "
                "line through their centre, so that no frame is determined; PCAFrame is exact for "
                "bare points on a line"
            )


def _ties(tied: Tensor) -> tuple[Tensor, Tensor]:
    """The places (batch, k) of the true entries of each row, filled up, and equal weights."""
    count = tied.sum(1, keepdim=True)
    order = tied.long().argsort(dim=1, descending=True, stable=True)[:, : int(count.max())]
    found = tied.gather(1, order)
    return torch.where(found, order, order[:, :1]), found / count.double()


def _at(vectors: Tensor, index: Tensor) -> Tensor:
    """The vectors (batch, m, n) at places (batch, k)."""
    return vectors.gather(1, index[..., None].expand(-1, -1, vectors.shape[-1]))
