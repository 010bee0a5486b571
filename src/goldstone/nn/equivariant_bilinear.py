"""The equivariant bilinear layer: products of two features with values in a third."""

from itertools import product

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.block_weights import BlockWeights
from goldstone.nn.constants import computed_on_cpu
from goldstone.nn.equivariant_linear import affine
from goldstone.nn.linear_basis import linear_basis
from goldstone.nn.parts import check_components, check_representation, parts_by_type
from goldstone.representations import DirectSum, Representation, TensorProduct


class EquivariantBilinear(BlockWeights):
    """z_k = Σ_ij T_kij x_i y_j + b_k, the most general such map that is equivariant.

    T is a learned combination of a basis of Hom_G(left ⊗ right, target): for each pair of parts and
    each part of the target the Clebsch–Gordan products ("paths"), each with one weight for every
    triple of copies. The products are orthonormal, so that independent inputs of unit variance
    give outputs of unit variance at initialisation.

    There are (copies of left) × (of right) × (of target) weights for each path; with many copies
    :class:`TensorProductActivation` after a linear layer does with fewer.

    Args:
        left: representation of x's last axis.
        right: that of y's; it may be the same.
        target: that of z's.
        bias: whether there is a bias.
        device: of the parameters.
        dtype: of the parameters, float32 by default (complex64 if a representation is complex).

    Raises:
        InputError: representations of different groups, or no product but zero.
    """

    @computed_on_cpu
    def __init__(
        self,
        left: Representation,
        right: Representation,
        target: Representation,
        bias: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        for representation in (left, right, target):
            check_representation(representation)
        if left.group != right.group:
            raise InputError(
                "both factors must be representations of one group, got "
                f"{left.group.name} and {right.group.name}"
            )
        group = left.group
        left_types, right_types = parts_by_type(left), parts_by_type(right)
        products = tuple(
            TensorProduct(group, (a, b))
            for a, a_starts in left_types
            for b, b_starts in right_types
            for _ in range(len(a_starts) * len(b_starts))
        )
        super().__init__(
            DirectSum(group, products), target, linear_basis, bias, device=device, dtype=dtype
        )
        if not self.map_dimension:
            raise InputError(
                f"the only equivariant product of these representations of {group.name} is zero; "
                "give the target a part that the tensor product contains"
            )
        self.left, self.right = left, right
        self.left_channels, self.right_channels = left.dimension, right.dimension
        # The weight's columns in the order of the entries x_i y_j.
        del self._columns
        self.register_constant("_columns", _order_of_products(left, right))
        self.cast(device, self.coefficients[0].dtype)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Map (*batch, left dimension) and (*batch, right dimension) to (*batch, target)."""
        check_components(x, self.left, size=self.left_channels)
        check_components(y, self.right, size=self.right_channels)
        products = (x[..., :, None] * y[..., None, :]).flatten(-2)
        return affine(products, self.weight(), self.bias())

    def tensor(self) -> Tensor:
        """The dense T, (target dimension, left dimension, right dimension)."""
        return self.weight().reshape(-1, self.left_channels, self.right_channels)

    def to_plain(self) -> nn.Bilinear:
        """An ordinary bilinear layer with this one's present weights."""
        weight, bias = self.tensor().detach(), self.bias()
        rows, left, right = weight.shape
        plain = nn.Bilinear(
            left, right, rows, bias is not None, device=weight.device, dtype=weight.dtype
        )
        with torch.no_grad():
            plain.weight.copy_(weight)
            if bias is not None:
                plain.bias.copy_(bias)
        return plain

    def extra_repr(self) -> str:
        """Shown by print."""
        return (
            f"{self.target.group.name}, {self.left.dimension} × {self.right.dimension} → "
            f"{self.target.dimension}"
        )


def _order_of_products(left: Representation, right: Representation) -> Tensor:
    """Where the product x_i y_j lies among those of parts, type by type and copy by copy."""
    order = torch.empty(left.dimension, right.dimension, dtype=torch.int64)
    first = 0
    for a, a_starts in parts_by_type(left):
        for b, b_starts in parts_by_type(right):
            for i, j in product(a_starts, b_starts):
                block = torch.arange(first, first + a.dimension * b.dimension)
                order[i : i + a.dimension, j : j + b.dimension] = block.view(a.dimension, -1)
                first += len(block)
    return order.flatten()
