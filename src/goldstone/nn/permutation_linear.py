"""All linear maps between features on sets and on pairs that commute with permutations."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.permutation_components import (
    STANDARD,
    TRIVIAL,
    Components,
    analysed,
    assembled,
)
from goldstone.nn.ragged import check_sets, number_of_elements, without_padding


class PermutationLinear(nn.Module):
    """The most general linear map of order-k to order-l tensors that is equivariant under S_n.

    Order 0 is a feature of the whole, (batch, channel), order 1 a set, (batch, element, channel),
    order 2 features of pairs, (batch, element, element, channel), such as an adjacency matrix with
    node features on its diagonal. Weights do not depend on n: one layer serves sets of all sizes.
    Between single channels there are

    =========  ==  ==  ==
    from, to   0   1   2
    =========  ==  ==  ==
    0          1   1   2
    1          1   2   5
    2          2   5   15
    =========  ==  ==  ==

    maps (Zaheer et al. 2017, "Deep sets", lemma 3: λI + γ11ᵀ; Maron et al. 2019, "Invariant and
    equivariant graph networks", theorem 1). They are parametrised between the irreducible parts of
    both tensors (:mod:`goldstone.nn.permutation_components`), on a set

        y_i = A (x_i − x̄) + B x̄ + b,

    rather than by sums over the diagonal, rows and columns. That spans the same maps for every n,
    and the mean square over each orbit of entries (elements; diagonal and other pairs), summed over
    the orbits, is kept from input to output at initialisation, exactly in expectation, for any
    input of 3 or more elements, but for parts that the target does not have. From order 1 to 2 it
    doubles, as there are two orbits. From order 2 the cost is two products of n² features with a
    (channels × channels) matrix; nothing larger than the tensors is made.

    Sums are means: features of constant size stay so as n grows, and the layer cannot count. Where
    the number of elements matters, give it as a feature or pool with ``"sum"``.

    Any pointwise nonlinearity and normalisation over channels is equivariant on these tensors.

    Args:
        in_channels: channels of the input.
        out_channels: of the output.
        source_order: 0, 1 or 2.
        target_order: 0, 1 or 2.
        bias: one for each orbit of entries: two at order 2.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        InputError: another order, or no channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        source_order: int = 1,
        target_order: int = 1,
        bias: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if source_order not in (0, 1, 2) or target_order not in (0, 1, 2):
            raise InputError(
                f"expected orders 0 (of the whole), 1 (sets) or 2 (pairs), got {source_order} and "
                f"{target_order}; higher ones are products of these, or EquivariantLinear with "
                "TensorProduct at one fixed n"
            )
        if in_channels < 1 or out_channels < 1:
            raise InputError(f"expected channels, got {in_channels} and {out_channels}")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.source_order, self.target_order = source_order, target_order

        def weight(outs: int, ins: int) -> nn.Parameter:
            shape = (outs, out_channels, ins, in_channels)
            return nn.Parameter(torch.empty(shape, device=device, dtype=dtype))

        self.trivial = weight(TRIVIAL[target_order], TRIVIAL[source_order])
        self.standard = self.rest = self.bias = None
        if source_order and target_order:
            self.standard = weight(STANDARD[target_order], STANDARD[source_order])
        if source_order == target_order == 2:
            # The rest of the symmetric and of the antisymmetric part.
            empty = torch.empty(2, out_channels, in_channels, device=device, dtype=dtype)
            self.rest = nn.Parameter(empty)
        if bias:
            empty = torch.empty(TRIVIAL[target_order], out_channels, device=device, dtype=dtype)
            self.bias = nn.Parameter(empty)
        self.reset_parameters()

    standard: nn.Parameter | None
    rest: nn.Parameter | None
    bias: nn.Parameter | None

    @property
    def map_dimension(self) -> int:
        """The dimension of the space of equivariant maps for n ≥ 4, biases aside."""
        weights = (self.trivial, self.standard, self.rest)
        return sum(weight.numel() for weight in weights if weight is not None)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights that keep the mean square; zero the bias."""
        gain = max(1.0, TRIVIAL[self.target_order] / TRIVIAL[self.source_order])
        for weight in (self.trivial, self.standard):
            if weight is not None:
                std = sqrt(gain / (len(weight) * self.in_channels))
                nn.init.normal_(weight, std=std, generator=generator)
        if self.rest is not None:
            nn.init.normal_(self.rest, std=1 / sqrt(self.in_channels), generator=generator)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, mask: Tensor | None = None, size: int | None = None) -> Tensor:
        """Map (batch, *source order* axes, in channels) to (batch, *target order* axes, out).

        Args:
            x: features. Padded entries may hold anything.
            mask: boolean (batch, element), True where there is an element. The output is zero
                elsewhere, and at real elements what it would be without padding.
            size: number of elements, where the input is of order 0 and there is no mask.
        """
        check_sets(x, self.in_channels, self.source_order, mask)
        n = self._size(x, mask, size)
        x = without_padding(x, mask, self.source_order)
        count = number_of_elements(x, mask, n)
        parts = analysed(x, self.source_order, count)
        parts = Components(*(part.to(x.dtype) for part in parts))
        trivial = _mixed(parts.trivial, self.trivial)
        if self.bias is not None:
            trivial = trivial + self.bias
        if self.standard is not None:
            standard = _mixed(parts.standard, self.standard)
        else:
            copies = STANDARD[self.target_order]
            standard = trivial.new_zeros(len(x), n, copies, self.out_channels)
        pairs: Tensor | None = None
        if self.rest is not None:
            pairs, trivial, standard = _with_rest(x, self.rest, parts, trivial, standard)
        y = assembled(Components(trivial, standard), self.target_order, count)
        y = y.to(trivial.dtype)
        if pairs is not None:
            y = y + pairs
        return without_padding(y, mask, self.target_order)

    def _size(self, x: Tensor, mask: Tensor | None, size: int | None) -> int:
        if self.source_order:
            return x.shape[1]
        if mask is not None:
            return mask.shape[1]
        if size is None and self.target_order:
            raise InputError(
                "a feature of the whole does not say how many elements there are; give a mask or "
                "size="
            )
        return size or 1

    def extra_repr(self) -> str:
        """Shown by print."""
        return (
            f"{self.in_channels}, {self.out_channels}, order {self.source_order} → "
            f"{self.target_order}"
        )


def _mixed(part: Tensor, weight: Tensor) -> Tensor:
    """(…, copies, channel) → (…, copies out, channels out)."""
    outs, channels = weight.shape[:2]
    mixed = functional.linear(part.flatten(-2), weight.flatten(2).flatten(0, 1))
    return mixed.reshape(*part.shape[:-2], outs, channels)


def _with_rest(
    x: Tensor, weights: Tensor, parts: Components, trivial: Tensor, standard: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """W₊ and W₋ on the symmetric and antisymmetric pairs, the parts compensated.

    The two act on whole pairs, x_ij ↦ P x_ij + Q x_ji with P, Q = (W₊ ± W₋)/2, and what they do
    to β, s and a is taken back; so the rest itself is never formed. The diagonal is left zero.
    """
    both, opposite = weights
    stacked = torch.cat((both + opposite, both - opposite)) / 2
    straight, crossed = functional.linear(x, stacked).chunk(2, -1)
    pairs = straight + crossed.transpose(1, 2)
    is_diagonal = torch.eye(x.shape[1], dtype=torch.bool, device=x.device)[..., None]
    pairs = pairs.masked_fill(is_diagonal, 0)
    beta = functional.linear(parts.trivial[:, 1], both)
    s = functional.linear(parts.standard[:, :, 1], both)
    a = functional.linear(parts.standard[:, :, 2], opposite)
    nothing = torch.zeros_like(beta)
    trivial = trivial - torch.stack((nothing, beta), 1)
    standard = standard - torch.stack((torch.zeros_like(s), s, a), 2)
    return pairs, trivial, standard
