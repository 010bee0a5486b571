"""Constraints by symmetry: what is wanted of a weight, made a symmetry of the loss."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from goldstone.core import InputError, check_finite
from goldstone.weightspace.mirror.coordinates import (
    ColumnCoordinates,
    EntryCoordinates,
    contrasts,
)
from goldstone.weightspace.mirror.parametrisations import (
    CumulativeParametrisation,
    FactorisedParametrisation,
    GatedParametrisation,
    RedundantParametrisation,
)


class Constraint(ABC):
    """Something that is wanted of a weight."""

    @abstractmethod
    def parametrisation(self, weight: Tensor) -> RedundantParametrisation:
        """The parametrisation of such a weight that has it as a symmetry's fixed set."""


@dataclass(frozen=True)
class Sparsity(Constraint):
    """Zero entries, or zero slices: the lasso, or the group lasso.

    Attributes:
        axes: slices along these axes share a gate, ``(0,)`` whole output units, ``(1,)`` whole
            inputs; None: each entry its own.
        gate: the gates at the start.
    """

    axes: tuple[int, ...] | None = None
    gate: float = 1.0

    def parametrisation(self, weight: Tensor) -> RedundantParametrisation:
        if self.axes is not None and not all(-weight.ndim <= a < weight.ndim for a in self.axes):
            raise InputError(
                f"expected axes of a weight of shape {tuple(weight.shape)}, got {self.axes}"
            )
        return GatedParametrisation(EntryCoordinates(self.axes), self.gate)


@dataclass(frozen=True)
class TiedUnits(Constraint):
    """Equal units: the slices of a weight along an axis agree within each group.

    Attributes:
        groups: of units, each of two or more; they get one gate each.
        axis: of the units; 0 is that of a layer's outputs.
        gate: the gates at the start.
    """

    groups: tuple[tuple[int, ...], ...]
    axis: int = 0
    gate: float = 1.0

    def parametrisation(self, weight: Tensor) -> RedundantParametrisation:
        if not -weight.ndim <= self.axis < weight.ndim:
            raise InputError(
                f"expected an axis of a weight of shape {tuple(weight.shape)}, got {self.axis}"
            )
        columns, numbers = contrasts(self.groups, weight.shape[self.axis])
        columns = columns.to(weight.device, weight.dtype)
        coordinates = ColumnCoordinates(columns, weight.shape, numbers, self.axis)
        return GatedParametrisation(coordinates, self.gate)


@dataclass(frozen=True)
class LowRank(Constraint):
    """Low rank: the nuclear norm.

    Attributes:
        rank: at most this; by default as large as the weight allows. A smaller rank starts at the
            best approximation of the weight.
    """

    rank: int | None = None

    def parametrisation(self, weight: Tensor) -> RedundantParametrisation:
        return FactorisedParametrisation(weight.shape, self.rank)


@dataclass(frozen=True)
class PiecewiseConstant(Constraint):
    """Equal neighbours along an axis: the penalty of total variation.

    Attributes:
        axis: of two or more entries.
        gate: the gates at the start.
    """

    axis: int = -1
    gate: float = 1.0

    def parametrisation(self, weight: Tensor) -> RedundantParametrisation:
        if not -weight.ndim <= self.axis < weight.ndim or weight.shape[self.axis] < 2:
            raise InputError(
                f"expected an axis of two or more entries, got axis {self.axis} of a weight of "
                f"shape {tuple(weight.shape)}"
            )
        return CumulativeParametrisation(self.axis, self.gate)


@dataclass(frozen=True)
class Vanishing(Constraint):
    """Oᵀθ = 0 for any orthonormal columns O of the flattened weight.

    Attributes:
        columns: O, (numel, k).
        together: whether all coordinates share one gate (all vanish or none), or have one each.
        gate: the gates at the start.
    """

    columns: Tensor = field(repr=False)
    together: bool = False
    gate: float = 1.0

    def parametrisation(self, weight: Tensor) -> RedundantParametrisation:
        columns = self.columns.to(weight.device, weight.dtype)
        groups = [0] * columns.shape[-1] if self.together else None
        coordinates = ColumnCoordinates(columns, weight.shape, groups)
        return GatedParametrisation(coordinates, self.gate)


def constrain_by_symmetry(module: nn.Module, name: str, constraint: Constraint) -> nn.Module:
    """Parametrise ``module``'s parameter ``name`` so that a constraint is a symmetry of the loss.

    The constrained set becomes the fixed set of a mirror symmetry of *any* loss: it is stationary,
    and weight decay of the factors draws the weight onto it exactly, without thresholds. The module
    computes what it did (``LowRank`` of a smaller rank apart). Give the optimiser
    :func:`decay_groups`, or add :func:`redundancy_penalty` to the loss;
    ``torch.nn.utils.parametrize.remove_parametrizations(module, name)`` leaves the weight found.

    Args:
        module: changed in place and returned. The parameter's object is replaced by its factors:
            make the optimiser afterwards.
        name: of one of its own parameters, such as ``"weight"``. Other modules that share it keep
            the old one.
        constraint: :class:`Sparsity`, :class:`TiedUnits`, :class:`LowRank`,
            :class:`PiecewiseConstant` or :class:`Vanishing`.

    Raises:
        InputError: there is no such parameter, it is parametrised already, not floating-point or
            not finite, or the constraint does not fit it.
    """
    if parametrize.is_parametrized(module, name):
        raise InputError(
            f"{name!r} of {type(module).__name__} has a parametrisation already; remove it with "
            "torch.nn.utils.parametrize.remove_parametrizations"
        )
    weight = module._parameters.get(name)
    if weight is None:
        own = [key for key, value in module._parameters.items() if value is not None]
        raise InputError(
            f"{type(module).__name__} has no parameter {name!r} of its own; it has {own}"
        )
    if not weight.dtype.is_floating_point:
        raise InputError(f"expected a floating-point parameter, got {name!r} of {weight.dtype}")
    check_finite(weight, f"the parameter {name!r}")
    with torch.no_grad():
        parametrisation = constraint.parametrisation(weight)
    parametrisation.to(weight.device)
    parametrize.register_parametrization(module, name, parametrisation)
    return module


def redundant_parametrisations(
    model: nn.Module,
) -> Iterator[tuple[str, RedundantParametrisation, tuple[Tensor, ...], Tensor]]:
    """The model's constrained weights: full name, parametrisation, factors, weight.

    A module that stands in several places comes once.
    """
    for prefix, module in model.named_modules():
        if not parametrize.is_parametrized(module):
            continue
        lists: Any = module.parametrizations
        for name, entry in lists.items():
            first = entry[0]
            if isinstance(first, RedundantParametrisation):
                factors = tuple(getattr(entry, f"original{i}") for i in range(first.factors))
                weight = getattr(module, name)
                yield f"{prefix}.{name}" if prefix else name, first, factors, weight
