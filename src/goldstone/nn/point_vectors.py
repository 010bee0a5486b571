"""Equivariant vectors of a point cloud."""

from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Symmetry
from goldstone.nn.full_precision import full_precision
from goldstone.nn.point_positions import (
    is_proper,
    moves_origin,
    positions_of,
    space_dimension,
)

_CENTRES = (0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8)
"""Of Gaussians in |x_i − c|² over its mean: a number alone would make all φ_k nearly the same
function, and the vectors nearly dependent."""


class PointVectors(nn.Module):
    """v_k = Σ_i φ_k(|x_i − c|², q_i) (x_i − c)/σ with a small network φ: vectors that turn with x.

    For :class:`GramSchmidtCanonicaliser`. Invariant to the order of points. c is the centroid under
    SE(n) and E(n), else the origin; |x_i − c|² is relative to σ², its mean over the cloud. The
    vectors vanish or are dependent for clouds in which the weights cannot tell points apart, such
    as regular polyhedra without features.

    Args:
        symmetry: of point clouds, under SO(n), O(n), SE(n) or E(n).
        scalars: numbers of other channels that are invariant, the last ones of a point, which φ
            sees too.
        hidden: width of φ.
        entry: which of the inputs is the cloud, where they are a tuple; keywords are not taken.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        InputError: inputs that are no point clouds of these groups.
    """

    def __init__(
        self,
        symmetry: Symmetry,
        scalars: int = 0,
        hidden: int = 16,
        *,
        entry: int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.positions = positions_of(symmetry, entry)
        self.scalars = scalars
        n = space_dimension(symmetry.group)
        self.moves_origin = moves_origin(symmetry.group)
        vectors = max(n - 1 if is_proper(symmetry.group) else n, 1)
        self.network = nn.Sequential(
            nn.Linear(len(_CENTRES) + scalars, hidden, device=device, dtype=dtype),
            nn.Tanh(),
            # About the centroid a bias would add up to nothing.
            nn.Linear(hidden, vectors, not self.moves_origin, device=device, dtype=dtype),
        )

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Uniform weights and biases up to one over the root of the inputs, as those of torch."""
        for layer in self.network.children():
            if isinstance(layer, nn.Linear):
                bound = layer.in_features**-0.5
                for parameter in layer.parameters():
                    nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def forward(self, *inputs: Any) -> Tensor | tuple[Tensor, Tensor]:
        """Vectors (batch, m, n), and under SE(n) and E(n) the centroid (batch, n), in float64."""
        x: Any = inputs[0] if len(inputs) == 1 else inputs
        points, centre = self.positions(x)
        squares = points.square().sum(-1, keepdim=True)
        mean = squares.mean(1, keepdim=True).clamp_min(torch.finfo(squares.dtype).tiny)
        places = (squares / mean - squares.new_tensor(_CENTRES)) / _CENTRES[1]
        features = places.square().neg().exp()
        if self.scalars:
            cloud = x if self.positions.entry is None else x[self.positions.entry]
            features = torch.cat((features, cloud[..., -self.scalars :].double()), -1)
        with full_precision(points):
            weights = self.network(features.to(next(self.network.parameters()).dtype)).double()
            # In units of the cloud's size, so that vectors are small where they cancel only.
        vectors = weights.mT @ (points / mean.sqrt())
        return (vectors, centre) if self.moves_origin else vectors
