"""The equivariant linear layer for any group and any representations."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.block_weights import BlockWeights
from goldstone.nn.constants import computed_on_cpu
from goldstone.nn.linear_basis import linear_basis
from goldstone.nn.parts import Types, check_components, grouped_channels, ordered, part_name
from goldstone.representations import Irrep, Representation

_LARGE = 2**13
"""Entries of a weight, below which multiplying all of them is as fast."""


class EquivariantLinear(BlockWeights):
    """y = W x + b with W ρ_in(g) = ρ_out(g) W and ρ_out(g) b = b for all g, the most general such.

    W is a learned combination of a basis of Hom_G(source, target) and b of the invariant vectors
    (Finzi, Welling & Wilson 2021, "A practical method for constructing equivariant multilayer
    perceptrons"). The group is that of the representations: finite, or any Lie group, compact or
    not. Features are plain tensors whose last axis holds the components of the representation.

    The weight is assembled at every call; :meth:`to_plain` folds it into an ordinary layer. Between
    many irreps most of it is zero and the rest multiples of one (Schur's lemma): there copies are
    mixed kind by kind, with as many products as that needs.

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

    _grouped: Tensor | None

    @computed_on_cpu
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
        self.register_constant("_grouped", grouped_channels(self._source_types))
        self.cast(device, self.coefficients[0].dtype)
        self._ins, self._outs = _sizes(self._source_types), _sizes(self._target_types)
        self._partners = _partners(self._source_types, self._target_types)
        self._by_kind = bool(self._partners) and self._is_sparse()

    def _is_sparse(self) -> bool:
        """Whether a dense weight would be large and mostly zero."""
        dense = self.in_channels * self.out_channels
        products = sum(
            c.numel() * self._outs[k // len(self._ins)][1] for k, c in enumerate(self.coefficients)
        )
        return dense > _LARGE and products < dense / 2

    def forward(self, x: Tensor) -> Tensor:
        """Map (*batch, source dimension) → (*batch, target dimension)."""
        check_components(x, self.source, size=self.in_channels)
        if not self._by_kind or x.is_complex() != self.coefficients[0].is_complex():
            return affine(x, self.weight(), self.bias())
        bias, y = self.bias(), self._mixed(ordered(x, -1, self._grouped))
        return y if bias is None else y + bias

    def _mixed(self, x: Tensor) -> Tensor:
        """W x, where each kind of part has one partner at most, of grouped channels."""
        runs = torch.split(x, [copies * size for copies, size in self._ins], -1)
        found = []
        for t, (copies, size) in enumerate(self._outs):
            s = self._partners[t]
            if s is None:
                found.append(x.new_zeros(*x.shape[:-1], copies * size))
                continue
            weight = self.coefficients[t * len(self._ins) + s][..., 0] / sqrt(size)
            parts = runs[s].reshape(*x.shape[:-1], -1, size).transpose(-1, -2)
            found.append(functional.linear(parts, weight).transpose(-1, -2).flatten(-2))
        return ordered(torch.cat(found, -1), -1, self._rows)

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


def _sizes(types: Types) -> list[tuple[int, int]]:
    """Of each kind of part the number of copies and the dimension."""
    return [(len(starts), part.dimension) for part, starts in types]


def _partners(sources: Types, targets: Types) -> list[int | None]:
    """For each kind of the target the number of the same kind in the source.

    Empty where Schur's lemma does not say that there are multiples of one between these alone.
    """
    kinds = [part for part, _ in sources]
    for part in (*kinds, *(part for part, _ in targets)):
        is_irrep = isinstance(part, Irrep) and part.endomorphism_dimension == 1
        if not is_irrep or part.dtype != kinds[0].dtype:
            return []
    return [kinds.index(part) if part in kinds else None for part, _ in targets]


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
