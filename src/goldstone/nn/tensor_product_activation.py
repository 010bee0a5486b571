"""Products of a feature's own parts: the nonlinearity in which directions interact."""

from itertools import accumulate, combinations_with_replacement
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.block_weights import parameter_dtype
from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.invariant_size import InvariantSize
from goldstone.nn.linear_basis import linear_basis
from goldstone.nn.parts import Types, check_components, parts_by_type
from goldstone.representations import ConjugateRepresentation, Representation, TensorProduct


class TensorProductActivation(Constants):
    """y = (x + q(x)) / √2, with q in the same representation and of second degree in x.

    Copy w of a part c receives Σ_paths v[w, path] (x_{a,w} ⊗ x_{b,w+1})_{path → c}: for each pair
    of kinds of parts a, b and each equivariant product of theirs with values in c, one weight.
    Copies are counted modulo their number, w first modulo that of the most frequent kind of more
    than one dimension, so that of many scalars only the first are factors. That is the bilinear
    layer of Finzi, Welling & Wilson (2021) with few weights; a linear layer before and after makes
    it general. In complex representations the second factor is conjugated, so that norms are among
    the products.

    Products grow as squares: normalise large inputs, or have them ``bounded``,

        y = (x + q(x) / ⁴√((1 + I(x)²)/2)) / √2,

    with I² the :class:`InvariantSize` of x. It is the same at small and at usual x, up to a factor,
    and grows as x does for large ones, where the representation is unitary; so layers can follow
    one another. Without a norm the bound is as good as the invariant forms.

    Args:
        representation: of the last axis.
        bounded: see above.
        device: of the parameters.
        dtype: of the parameters, float32 by default (complex64 for a complex representation).

    Raises:
        InputError: no part of the representation is a product of two.
    """

    _left: Tensor
    _right: Tensor
    _channels: Tensor
    _kept: Tensor
    _entries: Tensor
    _paths: Tensor
    _values: Tensor

    @computed_on_cpu
    def __init__(
        self,
        representation: Representation,
        *,
        bounded: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.representation = representation
        dtype = parameter_dtype((representation,), dtype)
        self.size = InvariantSize(representation, device=device, dtype=dtype) if bounded else None
        types = parts_by_type(representation)
        copies = [len(starts) for _, starts in types]
        first = [0, *accumulate(part.dimension for part, _ in types)]
        # Factors are laid out as (row, component), a row having one copy of each kind of part.
        # Products too, but with as many copies of a kind as must be for all to find room.
        larger = [n for n, (part, _) in zip(copies, types, strict=True) if part.dimension > 1]
        self.rows, self.width = max(larger or copies), first[-1]
        slots = [-(-n // self.rows) for n in copies]
        sizes = [n * part.dimension for n, (part, _) in zip(slots, types, strict=True)]
        places = [0, *accumulate(sizes)]
        self.product_width = places[-1]
        bases = _bases(representation)
        if not any(len(basis) for of_target in bases for _, _, basis in of_target):
            raise InputError(
                f"no part of this representation of {representation.group.name} is a product of "
                "two; add trivial parts"
            )
        self.weights = nn.ParameterList()
        entries, paths, values, path = [], [], [], 0
        for c, of_target in enumerate(bases):
            count = sum(len(basis) for _, _, basis in of_target)
            self.weights.append(
                nn.Parameter(torch.empty(copies[c], count, device=device, dtype=dtype))
            )
            for a, b, basis in of_target:
                n, k, i, j = basis.nonzero().unbind(1)
                factors = (first[a] + i) * self.width + first[b] + j
                for slot in range(slots[c]):
                    place = places[c] + slot * types[c][0].dimension + k
                    entries.append(factors * self.product_width + place)
                    paths.append(path + slot * count + n)
                    values.append(basis[n, k, i, j])
                path += len(basis)
            path += (slots[c] - 1) * count
        left, right = (_channels_of_rows(types, self.rows, shift) for shift in (0, 1))
        channels = torch.empty(representation.dimension, dtype=torch.int64)
        kept = torch.empty(representation.dimension, dtype=torch.float64)
        for c, (part, starts) in enumerate(types):
            for w, start in enumerate(starts):
                copy, row = divmod(w, self.rows)
                origin = row * self.product_width + places[c] + copy * part.dimension
                channels[start : start + part.dimension] = origin + torch.arange(part.dimension)
                kept[start : start + part.dimension] = sqrt(0.5) if self.weights[c].numel() else 1.0
        for name, constant in {
            "_left": left,
            "_right": right,
            "_channels": channels,
            "_kept": kept,
            "_entries": torch.cat(entries),
            "_paths": torch.cat(paths),
            "_values": torch.cat(values) * sqrt(0.5),
        }.items():
            self.register_constant(name, constant)
        self.cast(device, dtype)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights that keep unit variance for independent copies."""
        for weight in self.weights:
            nn.init.normal_(weight, std=1 / sqrt(max(1, weight.shape[1])), generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map (*batch, dimension) to the same shape."""
        products = self.products(x)
        return x * self._kept + products

    def products(self, x: Tensor) -> Tensor:
        """The part q(x)/√2 of the output, bounded if asked for."""
        check_components(x, self.representation, size=len(self._channels))
        flat = x.reshape(-1, x.shape[-1])
        # (row, batch, component), as a batched product of matrices wants it.
        left, right = (
            flat.index_select(1, channels).reshape(-1, self.rows, self.width).transpose(0, 1)
            for channels in (self._left, self._right)
        )
        right = right.conj() if flat.is_complex() else right
        outer = (left[..., :, None] * right[..., None, :]).flatten(2)
        tensors = self._tensors()
        tensors = tensors.to(outer.dtype) if outer.is_complex() else tensors
        products = torch.bmm(outer, tensors).transpose(0, 1).flatten(1)
        products = products.index_select(1, self._channels)
        if self.size is not None:
            factor = ((1 + self.size(flat)) / 2).pow(-0.25)
            products = products * factor.to(products.real.dtype)
        return products.reshape(x.shape)

    def _tensors(self) -> Tensor:
        """The products of each row as a matrix, (rows, width², product width)."""
        columns = []
        for weight in self.weights:
            # (copies, paths) → (rows, slots · paths), copy = slot · rows + row.
            padded = functional.pad(weight, (0, 0, 0, -len(weight) % self.rows))
            by_row = padded.reshape(-1, self.rows, weight.shape[1]).transpose(0, 1)
            columns.append(by_row.flatten(1))
        weights = torch.cat(columns, 1)
        terms = weights.mT.index_select(0, self._paths) * self._values[:, None]
        tensors = terms.new_zeros(self.width**2 * self.product_width, self.rows)
        tensors = tensors.index_add(0, self._entries, terms)
        return tensors.reshape(self.width**2, self.product_width, self.rows).permute(2, 0, 1)

    def extra_repr(self) -> str:
        """Shown by print."""
        return (
            f"{self.representation.group.name}, {self.representation.dimension}, "
            f"{sum(weight.shape[1] for weight in self.weights)} paths"
            f"{'' if self.size is None else ', bounded'}"
        )


def _bases(representation: Representation) -> list[list[tuple[int, int, Tensor]]]:
    """For each type the products (paths, dim c, dim a, dim b) of types a, b with values in it.

    Of unit variance: Σ_ij K[k, ij]² is 1/dim c for orthonormal products, so they are multiplied by
    √dim c.
    """
    types = [part for part, _ in parts_by_type(representation)]
    result = []
    for target in types:
        found = []
        for a, b in _pairs(representation):
            left, right = types[a], types[b]
            shape = (target.dimension, left.dimension, right.dimension)
            if representation.dtype.is_complex:
                right = ConjugateRepresentation(right)
            basis = linear_basis(TensorProduct(left.group, (left, right)), target).dense()
            found.append((a, b, basis.reshape(-1, *shape) * sqrt(target.dimension)))
        result.append(found)
    return result


def _channels_of_rows(types: Types, rows: int, shift: int) -> Tensor:
    """The channels of a row's copies, for all rows; copies are counted modulo their number."""
    return torch.tensor(
        [
            starts[(w + shift) % len(starts)] + k
            for w in range(rows)
            for part, starts in types
            for k in range(part.dimension)
        ]
    )


def _pairs(representation: Representation) -> list[tuple[int, int]]:
    """Pairs of types; over ℝ a ⊗ b gives what b ⊗ a gives."""
    numbers = range(len(parts_by_type(representation)))
    if representation.dtype.is_complex:
        return [(a, b) for a in numbers for b in numbers]
    return list(combinations_with_replacement(numbers, 2))
