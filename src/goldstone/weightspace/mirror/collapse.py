"""Dead units, duplicate units and lost rank: what mirror symmetries collapse a layer to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from goldstone.core import InputError

Modulo = Literal["nothing", "sign", "scale"]
"""Up to what two units count as equal: nothing, sign (odd activations), positive scale (ReLU)."""


@dataclass(frozen=True)
class LayerCollapse:
    """How far the units of one layer have collapsed.

    Attributes:
        units: how many there are.
        dead: those whose vector is zero.
        duplicates: classes of two or more equal units, dead ones left out.
        rank: the number of singular values above the tolerance times the largest.
        effective_rank: exp of the entropy of σᵢ/Σσ (O. Roy, M. Vetterli, "The effective rank",
            EUSIPCO 2007).
        stable_rank: Σσ²/σ₁².
        full_rank: the number of singular values.
    """

    units: int
    dead: tuple[int, ...]
    duplicates: tuple[tuple[int, ...], ...]
    rank: int
    effective_rank: float
    stable_rank: float
    full_rank: int

    @property
    def distinct(self) -> int:
        """The number of different units that are alive."""
        return self.units - len(self.dead) - sum(len(same) - 1 for same in self.duplicates)


@dataclass(frozen=True)
class CollapseReport:
    """The collapse of each layer of a model.

    Attributes:
        kind: of which vectors the units are told apart: ``weights`` or ``activations``.
        tolerance: relative, below which a norm, difference or singular value counts as zero.
        modulo: up to what units count as equal.
        layers: by name, in the model's order.
    """

    kind: Literal["weights", "activations"]
    tolerance: float
    modulo: Modulo
    layers: Mapping[str, LayerCollapse]

    @property
    def collapsed(self) -> tuple[str, ...]:
        """The layers with dead or duplicate units, or of less than full rank."""
        return tuple(
            name
            for name, layer in self.layers.items()
            if layer.distinct < layer.units or layer.rank < layer.full_rank
        )


def layer_collapse(
    gram: Tensor, singular_values: Tensor, tolerance: float, modulo: Modulo
) -> LayerCollapse:
    """The collapse of units with given inner products.

    A unit is dead if its norm is at most ``tolerance`` times the largest of the layer. Two that are
    alive are equal if ‖a − b‖ ≤ tolerance·max(‖a‖, ‖b‖), after division by their norms where
    ``modulo`` is ``scale``, for one of ±b where it is ``sign``; classes are what such pairs
    connect.

    Args:
        gram: (units, units), the inner products of the units' vectors, float64.
        singular_values: of the layer, any order.
        tolerance: relative, for norms, differences and singular values.
        modulo: up to what units count as equal.
    """
    squares = gram.diagonal().clamp(min=0)
    norms = squares.sqrt()
    alive = norms > tolerance * norms.max()
    scale = norms.clamp(min=torch.finfo(norms.dtype).tiny)
    if modulo == "scale":
        overlap, sizes = gram / torch.outer(scale, scale), torch.ones_like(norms)
    else:
        overlap, sizes = (gram.abs() if modulo == "sign" else gram), norms
    distance = (sizes[:, None].square() + sizes.square() - 2 * overlap).clamp(min=0).sqrt()
    equal = distance <= tolerance * torch.maximum(sizes[:, None], sizes)
    equal &= alive[:, None] & alive
    sigma = singular_values.double()
    total = float(sigma.sum())
    share = sigma / total if total else sigma
    entropy = float(torch.special.entr(share).sum())
    top = float(sigma.max())
    return LayerCollapse(
        units=len(gram),
        dead=tuple((~alive).nonzero()[:, 0].tolist()),
        duplicates=_classes(equal),
        rank=int((sigma > tolerance * top).sum()),
        effective_rank=float(torch.tensor(entropy).exp()) if total else 0.0,
        stable_rank=float(sigma.square().sum()) / top**2 if total else 0.0,
        full_rank=len(sigma),
    )


def check_collapse_settings(tolerance: float, modulo: Modulo) -> None:
    """Raise InputError unless the tolerance lies in [10⁻⁶, 1) and ``modulo`` is known.

    Differences are found from inner products in float64, which round at 10⁻⁸.
    """
    if not 1e-6 <= tolerance < 1:
        raise InputError(f"expected a tolerance of 1e-6 or more and below 1, got {tolerance}")
    if modulo not in get_args(Modulo):
        raise InputError(f"expected modulo among {', '.join(get_args(Modulo))}, got {modulo!r}")


def _classes(equal: Tensor) -> tuple[tuple[int, ...], ...]:
    """The connected components of two or more units."""
    from scipy.sparse.csgraph import connected_components

    _, labels = connected_components(equal.cpu().numpy(), directed=False)
    members: dict[int, list[int]] = {}
    for unit, label in enumerate(labels.tolist()):
        members.setdefault(label, []).append(unit)
    return tuple(tuple(found) for found in members.values() if len(found) > 1)
