"""The equivariant linear layer for any group and any representations."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.block_weights import BlockWeights
from goldstone.nn.linear_basis import linear_basis
from goldstone.nn.parts import check_components, part_name
from goldstone.representations import Representation


class EquivariantLinear(BlockWeights):
    """y = W x + b with W ρ_in(g) = ρ_out(g) W and ρ_out(g) b = b for all g, the most general such.

    W is a learned combination of a basis of Hom_G(source, target) and b of the invariant vectors
    (Finzi, Welling & Wilson 2021, "A practical method for constructing equivariant multilayer
    perceptrons"). The group is that of the representations: finite, or any Lie group, compact or
    not. Features are plain tensors whose last axis holds the components of the representation.

    The weight is assembled at every call; :meth:`to_plain` folds it into an ordinary layer.

    Args:
        source: representation of the input's last axis.
        target: that of the output's; complex representations have complex parameters and outputs,
            and complex features have complex outputs.
        bias: whether there is a bias.
        device: of the parameters.
        dtype: of the parameters, float32 by default (complex64 if a representation is complex).

    Raises:
        InputError: representations of different groups, or no linear map but zero between them.
    """

    def __init__(
        self,
        source: Representation,
        target: Representation,
        bias: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(source, target, linear_basis, bias, device=device, dtype=dtype)
        if not self.map_dimension:
            raise InputError(
                "the only equivariant linear map between these representations of "
                f"{source.group.name} is zero; give the target a part that the source contains, "
                "or use EquivariantBilinear, which reaches products"
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (*batch, source dimension) → (*batch, target dimension)."""
        check_components(x, self.source, size=self.in_channels)
        return affine(x, self.weight(), self.bias())

    @property
    def unreached(self) -> tuple[Representation, ...]:
        """The kinds of parts of the target to which every equivariant linear map is zero."""
        columns = len(self._source_types)
        return tuple(
            part
            for t, (part, _) in enumerate(self._target_types)
            if not any(self._basis(t * columns + s).count for s in range(columns))
        )

    def to_plain(self) -> nn.Linear:
        """An ordinary linear layer with this one's present weights, for inference."""
        return plain_linear(self.weight().detach(), self.bias())

    def extra_repr(self) -> str:
        """Shown by print, with the parts of the target that no map reaches."""
        unreached = ", ".join(part_name(part) for part in self.unreached)
        return super().extra_repr() + (f", zero in {unreached}" if unreached else "")


def affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The affine map x Wᵀ + b, complex if the features or the weights are."""
    if x.is_complex() != weight.is_complex():
        dtype = torch.promote_types(x.dtype, weight.dtype)
        x, weight = x.to(dtype), weight.to(dtype)
        bias = None if bias is None else bias.to(dtype)
    return functional.linear(x, weight, bias)


def plain_linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """``nn.Linear`` with given weights."""
    rows, columns = weight.shape
    plain = nn.Linear(columns, rows, bias is not None, device=weight.device, dtype=weight.dtype)
    with torch.no_grad():
        plain.weight.copy_(weight)
        if bias is not None:
            plain.bias.copy_(bias)
    return plain
