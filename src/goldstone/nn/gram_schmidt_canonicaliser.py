"""A learned pose under rotations, reflections and motions."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.actions import Context, Symmetry
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.nn.canonicalised import Canonicaliser
from goldstone.nn.moving_each import move_each
from goldstone.nn.point_positions import (
    elements_of_bases,
    is_proper,
    moves_origin,
    space_dimension,
)
from goldstone.nn.symmetrised import Posed

_NOTHING = 1e-12
"""Vectors shorter than this share of the longest are rounding, in double precision."""


class GramSchmidtCanonicaliser(Canonicaliser):
    """h(x) = (e_1, …, e_n): vectors predicted by an equivariant network, made orthonormal.

    For SO(n) and SE(n) the network predicts n − 1 vectors, of which the last axis follows by
    orientation; for O(n) and E(n) n vectors. With shifts it predicts the origin besides. Vectors
    that turn with x make h equivariant (Kaba et al. 2023), and h is differentiable in the network
    wherever they are linearly independent. Where they are not, the missing axes are arbitrary: that
    is harmless for points on a line and invariant outputs, and nowhere else.

    Args:
        network: equivariant, from a batch of inputs (as the model takes them) to vectors
            (batch, n − 1 or n, n); under SE(n) and E(n) a tuple of these and the origin (batch, n),
            which moves as a point does. :class:`PointVectors` is one for point clouds; for images a
            network of :class:`SteerableConv2d` that ends in a mean over the grid.

    Raises:
        InputError: when called, another group, or vectors of other shapes.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tree, symmetry: Symmetry, context: Context) -> Posed:
        """h(x)⁻¹·x and the way back."""
        group = symmetry.group
        elements = self.elements(x, symmetry)
        inputs = move_each(symmetry.on_input, group, group.inverse(elements), x, context)
        after = context.at(context.step + 1)
        return Posed(inputs, lambda y: move_each(symmetry.on_output, group, elements, y, after))

    def elements(self, x: Tree, symmetry: Symmetry) -> Tensor:
        """h(x), (batch, *element_shape) in float64."""
        vectors, origin = self._predicted(x, symmetry)
        basis, _ = gram_schmidt(vectors)
        if is_proper(symmetry.group):
            basis = torch.cat((basis, _remaining_axis(basis)[..., None]), -1)
        return elements_of_bases(symmetry.group, basis, origin)

    def margin(self, x: Tree, symmetry: Symmetry, context: Context) -> Tensor:
        """The least share of a vector's length that lies across those before it, (n,).

        0 where the vectors are linearly dependent or vanish, as they must for symmetric clouds.
        Lengths are relative to that of the longest vector; vectors are taken to vanish within the
        square root of the network's rounding, and so should be of the order of 1.
        """
        vectors, _ = self._predicted(x, symmetry)
        _, lengths = gram_schmidt(vectors)
        longest = torch.linalg.vector_norm(vectors, dim=-1).amax(-1, keepdim=True)
        dtypes = [p.dtype for p in self.network.parameters()] or [torch.get_default_dtype()]
        rounding = max(torch.finfo(dtype).eps for dtype in dtypes)
        shares: Tensor = lengths / longest.clamp_min(sqrt(rounding))
        return shares.amin(-1)

    def prior_loss(self, x: Tree, symmetry: Symmetry, context: Context) -> Tensor:
        """½‖R(x) − 1‖² = n − tr R(x), averaged: −log of a matrix Fisher density at the identity.

        R is the orthogonal part of h(x), and the density exp(tr R) up to its factor; shifts are
        free.
        """
        n = space_dimension(symmetry.group)
        turn = self.elements(x, symmetry)[..., :n, :n]
        loss: Tensor = (n - turn.diagonal(dim1=-2, dim2=-1).sum(-1)).mean()
        return loss

    def _predicted(self, x: Tree, symmetry: Symmetry) -> tuple[Tensor, Tensor]:
        """Vectors (batch, m, n) and origins (batch, n) in float64."""
        group = symmetry.group
        n = space_dimension(group)
        wanted = n - 1 if is_proper(group) else n
        found = trees.call_model(self.network, x)
        batch = trees.batch_size(x)
        parts = found if isinstance(found, (tuple, list)) else (found,)
        shapes = [(batch, wanted, n)] + [(batch, n)] * moves_origin(group)
        if [tuple(part.shape) for part in parts] != shapes:
            raise InputError(
                f"under {group.name} the network predicts vectors of shape {shapes[0]}"
                f"{f' and an origin of shape {shapes[1]}' if len(shapes) > 1 else ''}, got "
                f"{trees.describe(found)}"
            )
        vectors = parts[0].double()
        return vectors, parts[1].double() if len(parts) > 1 else vectors.new_zeros(batch, n)


def gram_schmidt(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Orthonormal columns (batch, n, m) of vectors (batch, m, n), and the lengths divided by.

    The lengths (batch, m) are those of each vector less its parts along those before it. Where
    they vanish to rounding the column is some direction across those before it.
    """
    columns: list[Tensor] = []
    lengths = []
    longest = torch.linalg.vector_norm(vectors, dim=-1).amax(-1, keepdim=True)
    least = _NOTHING * longest.detach()
    for vector in vectors.unbind(1):
        rest = _across(vector, columns)
        length = torch.linalg.vector_norm(rest, dim=-1, keepdim=True)
        vanishes = length <= least
        # The axis that the columns before leave most free; never as short as the threshold.
        shares = sum((column.square() for column in columns), torch.zeros_like(vector))
        axis = functional.one_hot(shares.detach().argmin(-1), vector.shape[-1]).to(vector)
        free = _across(axis, columns)
        rest = torch.where(
            vanishes, free / torch.linalg.vector_norm(free, dim=-1, keepdim=True), rest
        )
        columns.append(rest / torch.where(vanishes, torch.ones_like(length), length))
        lengths.append(length)
    return torch.stack(columns, -1), torch.cat(lengths, -1)


def _across(vector: Tensor, columns: list[Tensor]) -> Tensor:
    """The vector less its parts along orthonormal columns."""
    # Twice, so that it is across them to rounding.
    for _ in (1, 2):
        for column in columns:
            vector = vector - (vector * column).sum(-1, keepdim=True) * column
    return vector


def _remaining_axis(basis: Tensor) -> Tensor:
    """The last axis of a positive basis, (batch, n), from the n − 1 others in columns."""
    n = basis.shape[-2]
    # Cofactors of the missing column: the generalised cross product.
    rows = []
    for k in range(n):
        minor = torch.cat((basis[..., :k, :], basis[..., k + 1 :, :]), -2)
        sign = -1.0 if (k + n - 1) % 2 else 1.0
        rows.append(sign * (torch.linalg.det(minor) if n > 1 else minor.new_ones(len(minor))))
    return torch.stack(rows, -1)
