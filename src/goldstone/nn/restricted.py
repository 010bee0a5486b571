"""Features of a group as features of a subgroup."""

from typing import Any

import torch
from torch import Tensor

from goldstone.groups import FiniteGroup, Group, Homomorphism
from goldstone.groups.subgroups import subgroup_from_mask
from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.memory_format import in_format_of
from goldstone.nn.parts import (
    check_components,
    flat_parts,
    grouped_channels,
    ordered,
    parts_by_type,
)
from goldstone.nn.subgroup_inclusion import subgroup_inclusion
from goldstone.representations import (
    DirectSum,
    Pullback,
    QuotientRepresentation,
    RegularRepresentation,
    Representation,
    TrivialRepresentation,
    decompose,
)
from goldstone.representations.intertwiners import permutation_images


class Restricted(Constants):
    """y = Q⁻¹x with Q⁻¹ρ(h)Q = :attr:`target` (h) for all h of a subgroup H.

    Nothing is lost; the layers that follow need commute with H alone, as where the symmetry of an
    image is that of its small parts and not of the whole (Weiler & Cesa 2019, "General
    E(2)-equivariant steerable CNNs", §2.6).

    Parts that G permutes are put in order: a field on G becomes |G|/|H| fields on H, one for each
    coset, F_t(h) = F(h t), so that pointwise functions, group convolutions and pooling go on; a
    quotient field becomes regular, quotient and trivial ones. Other parts are decomposed into
    irreps of H.

    (batch, channels, …) → the same shape, the parts in the order of those they come from.

    Args:
        source: ρ, a representation of G.
        group: H, such as C8 in D8, in SO(2) or in O(2): see :func:`subgroup_inclusion`.

    Attributes:
        target: of the output, a representation of H.
        inclusion: H → G.

    Raises:
        InputError: H is no subgroup of G, or its irreps are not known where they are needed.
    """

    _order: Tensor | None
    _places: Tensor | None

    @computed_on_cpu
    def __init__(
        self,
        source: Representation,
        group: Group[Any],
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.source = source
        self.inclusion = subgroup_inclusion(group, source.group)
        found: dict[Representation, Representation] = {}
        orders: list[Tensor] = []
        self.channels = source.dimension
        self._sizes: list[tuple[int, int]] = []
        self._turned, start = False, 0
        types = parts_by_type(source)
        for t, (part, starts) in enumerate(types):
            copies, n = len(starts), part.dimension
            permuted = _orbits(part, self.inclusion)
            if permuted is None:
                parts = decompose(Pullback(self.inclusion, part))
                found[part], order = parts.direct_sum, torch.arange(n)
                self.register_constant(f"_map_{t}", parts.inverse_basis)
                self._turned = True
            else:
                found[part], order = permuted
                self.register_constant(f"_map_{t}", None)
            self._sizes.append((copies, n))
            orders.append(start + (order + n * torch.arange(copies)[:, None]).flatten())
            start += copies * n
        self.target: Representation = DirectSum(
            group, tuple(leaf for part in flat_parts(source) for leaf in flat_parts(found[part]))
        )
        grouped = grouped_channels(types)
        order, places = torch.cat(orders), None
        if grouped is not None:
            order, places = grouped[order], grouped.argsort()
        if places is not None and not self._turned:
            order, places = order[places], None
        unchanged = torch.equal(order, torch.arange(len(order)))
        self.register_constant("_order", None if unchanged else order)
        self.register_constant("_places", places)
        complexity = torch.promote_types(source.dtype, self.target.dtype).is_complex
        dtype = dtype or torch.get_default_dtype()
        self.cast(device, dtype.to_complex() if complexity else dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Restrict features along axis 1."""
        check_components(x, self.source, 1, size=self.channels)
        y = ordered(x, 1, self._order)
        if self._turned:
            pieces = list(torch.split(y, [copies * n for copies, n in self._sizes], 1))
            for t, (copies, n) in enumerate(self._sizes):
                turn = getattr(self, f"_map_{t}")
                if turn is not None:
                    parts = pieces[t].reshape(x.shape[0], copies, n, *x.shape[2:])
                    turned = torch.einsum("ij,bcj...->bci...", turn.to(x.dtype), parts)
                    pieces[t] = turned.flatten(1, 2)
            y = ordered(torch.cat(pieces, 1), 1, self._places)
        return in_format_of(x, y)

    def extra_repr(self) -> str:
        """Shown by print."""
        groups = f"{self.source.group.name} → {self.target.group.name}"
        return f"{groups}, {self.source.dimension} channels"


def _orbits(
    part: Representation, inclusion: Homomorphism[Any, Any]
) -> tuple[Representation, Tensor] | None:
    """What G permutes as fields on the orbits of H, and the component that each of theirs is."""
    group: Any = inclusion.source
    if isinstance(part, TrivialRepresentation):
        return TrivialRepresentation(group), torch.zeros(1, dtype=torch.int64)
    if not isinstance(group, FiniteGroup) or not isinstance(inclusion.target, FiniteGroup):
        return None
    elements = group.element_tensor()
    images = permutation_images(part, inclusion(elements))
    if images is None:
        return None
    fields: list[Representation] = []
    order: list[Tensor] = []
    seen = torch.zeros(part.dimension, dtype=torch.bool)
    while not bool(seen.all()):
        point = int(seen.logical_not().nonzero()[0])
        orbit = images[:, point]
        seen[orbit] = True
        stays = orbit == point
        if bool(stays.all()):
            fields.append(TrivialRepresentation(group))
            order.append(orbit[:1])
        elif int(stays.sum()) == 1:
            fields.append(RegularRepresentation(group))
            order.append(orbit)
        else:
            quotient = QuotientRepresentation(group, subgroup_from_mask(group, stays))
            fields.append(quotient)
            order.append(orbit[group.index(quotient.representatives)])
    return DirectSum(group, tuple(fields)), torch.cat(order)
