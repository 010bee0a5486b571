"""Losses of outputs that moved along given directions."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.advice.output_directions import loss_covectors
from goldstone.auditing.subject import Loss
from goldstone.core import generator, trees
from goldstone.core.trees import Tree

_QUADRATIC = 1e-3


@dataclass(frozen=True, eq=False)
class OutputLosses:
    """ℓ_i(s) = ℓ(z_i + Σ_k s_ik b_ik, y_i), in float64.

    Attributes:
        loss: per sample.
        outputs: z, the samples along the first axis.
        targets: y.
        directions: b, (n, q, numbers).
    """

    loss: Loss
    outputs: Tensor
    targets: Tree
    directions: Tensor

    def values(self, moves: Tensor) -> Tensor:
        """(n,) at s (n, q)."""
        return self.loss(self._moved(moves), self.targets).double()

    def slopes(self, moves: Tensor) -> Tensor:
        """∂ℓ_i/∂s_ik, (n, q)."""
        covectors = loss_covectors(self.loss, self._moved(moves), self.targets)
        return torch.einsum("nqj,nj->nq", self.directions, covectors).double()

    def _moved(self, moves: Tensor) -> Tensor:
        shift = torch.einsum("nq,nqj->nj", moves.to(self.outputs.dtype), self.directions)
        return self.outputs + shift.reshape(self.outputs.shape)


@dataclass(frozen=True, eq=False)
class QuadraticLosses:
    """ℓ_i(s) = ℓ_i + v_i·s + s·H_i s/2: what a squared error is, without the outputs.

    Attributes:
        constant: (n,).
        linear: v, (n, q).
        curvature: H, (n, q, q).
    """

    constant: Tensor
    linear: Tensor
    curvature: Tensor

    def values(self, moves: Tensor) -> Tensor:
        """(n,) at s (n, q)."""
        half = (self.linear + self.slopes(moves)) / 2
        return (self.constant + (half * moves).sum(1)).clamp_min(0)

    def slopes(self, moves: Tensor) -> Tensor:
        """The slopes v + H s, (n, q)."""
        return self.linear + torch.einsum("nqk,nk->nq", self.curvature, moves)


Losses = OutputLosses | QuadraticLosses


def output_losses(loss: Loss, outputs: Tensor, targets: Tree, directions: Tensor) -> Losses:
    """The losses along the directions; as quadratic forms where that is what they are.

    They are taken for quadratic if the slopes at a random move as large as the errors are what the
    curvature says, to one part in a thousand.
    """
    # Curvatures, and the logarithms of losses near zero, are lost in single precision.
    outputs, directions = outputs.double(), directions.double()
    targets = trees.map_leaves(lambda t: t.double() if t.is_floating_point() else t, targets)
    general = OutputLosses(loss, outputs, targets, directions)
    n, q = directions.shape[:2]
    still = torch.zeros(n, q, dtype=torch.float64)
    constant, linear = general.values(still), general.slopes(still)
    if not trees.same_shapes(outputs, targets):
        return general
    size = (outputs - targets).flatten(1).double().norm(dim=1).clamp_min(1e-12)
    columns = []
    for k in range(q):
        move = still.clone()
        move[:, k] = size
        columns.append((general.slopes(move) - linear) / size[:, None])
    curvature = torch.stack(columns, 2)
    quadratic = QuadraticLosses(constant, linear, (curvature + curvature.mT) / 2)
    move = torch.randn(n, q, generator=generator(0, "quadratic"), dtype=torch.float64)
    move *= size[:, None] / q**0.5
    found, expected = general.slopes(move), quadratic.slopes(move)
    apart = float((found - expected).norm())
    return quadratic if apart <= _QUADRATIC * float(found.norm()) else general
