"""Products of a feature's own parts: the nonlinearity in which directions interact."""

from collections import defaultdict
from itertools import combinations_with_replacement, product
from math import sqrt

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.block_weights import parameter_dtype
from goldstone.nn.linear_basis import linear_basis
from goldstone.nn.parts import SplitByType, check_components, grouped_channels, parts_by_type
from goldstone.representations import ConjugateRepresentation, Representation, TensorProduct


class TensorProductActivation(nn.Module):
    """y = (x + q(x)) / √2, with q in the same representation and of second degree in x.

    Copy w of a part c receives Σ_paths v[w, path] (x_{a,w} ⊗ x_{b,w+1})_{path → c}: for each pair
    of kinds of parts a, b and each equivariant product of theirs with values in c, one weight
    (copies are counted modulo their number). That is the bilinear layer of Finzi, Welling & Wilson
    (2021) with few weights; a linear layer before and after makes it general. In complex
    representations the second factor is conjugated, so that norms are among the products.

    Products grow as squares: normalise large inputs.

    Args:
        representation: of the last axis.
        device: of the parameters.
        dtype: of the parameters, float32 by default (complex64 for a complex representation).

    Raises:
        InputError: no part of the representation is a product of two.
    """

    _places: Tensor | None

    def __init__(
        self,
        representation: Representation,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.representation = representation
        dtype = parameter_dtype((representation,), dtype)
        types = parts_by_type(representation)
        self._copies = [len(starts) for _, starts in types]
        self.weights = nn.ParameterList()
        # (left, right, target) of each path, numbers of types.
        self._paths: list[tuple[int, int, int]] = []
        for (a, b), c in product(_pairs(representation), range(len(types))):
            left, right, target = types[a][0], types[b][0], types[c][0]
            if dtype.is_complex:
                right = ConjugateRepresentation(right)
            basis = linear_basis(TensorProduct(left.group, (left, right)), target).dense()
            if not len(basis):
                continue
            n = len(self._paths)
            # Σ_ij K[k, ij]² is 1/dim c for orthonormal K: √dim c keeps unit variance.
            basis = (basis * sqrt(target.dimension)).to(device, dtype)
            self.register_buffer(f"basis_{n}", basis, persistent=False)
            copy = torch.arange(self._copies[c], device=device)
            self.register_buffer(f"left_{n}", copy % self._copies[a], persistent=False)
            self.register_buffer(f"right_{n}", (copy + 1) % self._copies[b], persistent=False)
            empty = torch.empty(self._copies[c], len(basis), device=device, dtype=dtype)
            self.weights.append(nn.Parameter(empty))
            self._paths.append((a, b, c))
        if not self._paths:
            raise InputError(
                f"no part of this representation of {representation.group.name} is a product of "
                "two; add trivial parts"
            )
        self._split = SplitByType(representation, device)
        channels = grouped_channels(types, device)
        places = None if channels is None else channels.argsort()
        self.register_buffer("_places", places, persistent=False)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights that keep unit variance for independent copies."""
        reaching: dict[int, int] = defaultdict(int)
        for (_, _, c), weight in zip(self._paths, self.weights, strict=True):
            reaching[c] += weight.shape[1]
        for (_, _, c), weight in zip(self._paths, self.weights, strict=True):
            nn.init.normal_(weight, std=1 / sqrt(reaching[c]), generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map (*batch, dimension) to the same shape."""
        check_components(x, self.representation)
        flat = x.reshape(-1, x.shape[-1])
        parts = self._split(flat)
        rights = [part.conj() for part in parts] if self.weights[0].is_complex() else parts
        products: list[Tensor | None] = [None] * len(parts)
        for n, (a, b, c) in enumerate(self._paths):
            left = parts[a].index_select(1, getattr(self, f"left_{n}"))
            right = rights[b].index_select(1, getattr(self, f"right_{n}"))
            outer = (left[..., :, None] * right[..., None, :]).flatten(-2)
            basis = getattr(self, f"basis_{n}")
            mapped = outer @ basis.flatten(0, 1).mT
            mapped = mapped.reshape(*outer.shape[:2], *basis.shape[:2])
            found = (mapped * self.weights[n][..., None]).sum(-2)
            total = products[c]
            products[c] = found if total is None else total + found
        sums = [
            part if found is None else (part + found) * sqrt(0.5)
            for part, found in zip(parts, products, strict=True)
        ]
        joined = torch.cat([part.flatten(1) for part in sums], -1)
        if self._places is not None:
            joined = joined.index_select(-1, self._places)
        return joined.reshape(x.shape)

    def extra_repr(self) -> str:
        """Shown by print."""
        return (
            f"{self.representation.group.name}, {self.representation.dimension}, "
            f"{sum(weight.shape[1] for weight in self.weights)} paths"
        )


def _pairs(representation: Representation) -> list[tuple[int, int]]:
    """Pairs of types; over ℝ a ⊗ b gives what b ⊗ a gives."""
    numbers = range(len(parts_by_type(representation)))
    if representation.dtype.is_complex:
        return [(a, b) for a in numbers for b in numbers]
    return list(combinations_with_replacement(numbers, 2))
