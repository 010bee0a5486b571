"""The frame of principal axes of a point cloud."""

from itertools import product

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


class PCAFrame:
    """F(x) = {(±u_1, …, ±u_n) and the centre}: principal axes u_k with all signs.

    u_k are the eigenvectors of Σ_i (x_i − c)(x_i − c)ᵀ; c is the centroid under SE(n) and E(n), and
    the origin under SO(n) and O(n). 2ⁿ elements, or the 2ⁿ⁻¹ proper ones without reflections (Puny
    et al. 2022).

    Where two eigenvalues coincide the axes are not determined:

    - Both zero (points on a line in space, or all in one place) is harmless for bare positions and
      invariant outputs or vectors: all choices of axes pose the cloud alike, and the signs cancel
      what is not along the line. Outputs of rank 2 and more are not exact there.
    - Both zero, where the points carry more than positions and scalars, and any two equal ones
      that are not zero (regular polygons and polyhedra, four points of a square): the frame is
      refused; :class:`PointPairFrame` has one. Near such clouds the average is exact but jumps.

    A planar cloud in space is no such case: the axis across the plane is determined up to its sign.

    Args:
        symmetry: of point clouds, under SO(n), O(n), SE(n) or E(n).
        entry: which of the inputs is the cloud, where they are a dict or tuple.
        tolerance: the least gap between eigenvalues, relative to the largest.
        check: refuse degenerate clouds. Without, their axes are arbitrary, and the frame can be
            compiled and exported in one graph.

    Raises:
        InputError: inputs that are no point clouds of these groups.
    """

    def __init__(
        self,
        symmetry: Symmetry,
        *,
        entry: str | int | None = None,
        tolerance: float = 1e-6,
        check: bool = True,
    ) -> None:
        self.group = symmetry.group
        self.positions = positions_of(symmetry, entry)
        self.tolerance = tolerance
        self.check = check
        n = space_dimension(self.group)
        signs = list(product((1.0, -1.0), repeat=n))
        # Up to a common factor that makes the determinant 1.
        signs = [s for s in signs if s[-1] > 0] if is_proper(self.group) else signs
        self._signs = torch.tensor(signs, dtype=torch.float64, device="cpu")

    def __call__(self, x: Tree) -> tuple[Tensor, Tensor]:
        """Elements (batch, k, *element_shape) in float64 and equal weights (batch, k).

        Raises:
            InputError: two axes of a cloud are not determined, or positions are not finite.
        """
        points, centre = self.positions(x)
        if self.check:
            check_finite(points, "clouds")
        values, axes = torch.linalg.eigh(points.mT @ points)
        if self.check:
            self._check(self._gaps(values))
        signs = self._signs.to(axes.device)
        bases = axes[:, None] * signs[:, None, :]
        if is_proper(self.group):
            turned = torch.linalg.det(bases.detach()).sign()[..., None, None]
            bases = torch.cat((bases[..., :-1], bases[..., -1:] * turned), -1)
        elements = elements_of_bases(self.group, bases, centre[:, None])
        weights = elements.new_full(elements.shape[:2], 1 / len(signs))
        return elements, weights

    def gaps(self, x: Tree) -> Tensor:
        """The least gap between two eigenvalues of each cloud, over the largest one, (batch,).

        Infinite where nothing can tie; gaps between zeros count only where they do harm.
        """
        points, _ = self.positions(x)
        return self._gaps(torch.linalg.eigvalsh(points.mT @ points))

    def _gaps(self, values: Tensor) -> Tensor:
        largest = values[:, -1:].clamp_min(torch.finfo(values.dtype).tiny)
        relative = values / largest
        gaps = relative.diff(dim=-1)
        if self.positions.bare:
            # Both of the pair vanish: moments are squares of lengths.
            gaps = gaps.masked_fill(relative[:, 1:] <= self.tolerance**2, torch.inf)
        # A space of one dimension has no gap.
        return torch.cat((gaps, torch.full_like(largest, torch.inf)), -1).amin(-1)

    def _check(self, gaps: Tensor) -> None:
        tied = (gaps <= self.tolerance).nonzero()[:, 0]
        if len(tied):
            first = int(tied[0])
            raise InputError(
                f"{len(tied)} of {len(gaps)} clouds, sample {first} the first, have equal "
                f"principal moments (relative gap {float(gaps[first]):.1e}), so that their axes "
                "are not determined; use PointPairFrame, which has a frame for them"
            )
