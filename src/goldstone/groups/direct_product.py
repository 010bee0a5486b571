"""Direct products of finite groups, of Lie groups and of both."""

from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Group
from goldstone.groups.lie import LieGroup
from goldstone.groups.product_elements import (
    ProductElement,
    ProductElements,
    bracketed,
    mixed_radix,
    mixed_radix_digits,
)


class _FactorByFactor(ProductElements):
    """Composition in each factor for itself."""

    @property
    def name(self) -> str:
        return "×".join(bracketed(group.name) for group in self.factors)

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        parts = zip(self.factors, self.parts(a), self.parts(b), strict=True)
        return self.join([group._compose(one, two) for group, one, two in parts])

    def _inverse(self, a: Tensor) -> Tensor:
        parts = zip(self.factors, self.parts(a), strict=True)
        return self.join([group._inverse(part) for group, part in parts])

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        return self.join([group.sample(generator, shape) for group in self.factors])


@dataclass(frozen=True)
class DirectProduct(_FactorByFactor, FiniteGroup[ProductElement]):
    """The direct product of finite groups: tuples of elements, composed part by part.

    Elements are ordered as ``itertools.product`` orders those of the factors. See
    :func:`direct_product`.
    """

    groups: tuple[FiniteGroup[Any], ...]

    def __post_init__(self) -> None:
        _check_factors(self.groups, FiniteGroup, "finite groups")

    @property
    def factors(self) -> tuple[FiniteGroup[Any], ...]:
        return self.groups

    @property
    def order(self) -> int:
        return prod(group.order for group in self.factors)

    def index(self, a: Tensor) -> Tensor:
        self._check_numbered()
        parts = zip(self.factors, self.parts(a), strict=True)
        return mixed_radix([group.index(part) for group, part in parts], self._orders)

    def from_index(self, index: Tensor) -> Tensor:
        self._check_numbered()
        digits = zip(self.factors, mixed_radix_digits(index, self._orders), strict=True)
        return self.join([group.from_index(digit) for group, digit in digits])

    @property
    def _orders(self) -> tuple[int, ...]:
        return tuple(group.order for group in self.factors)


@dataclass(frozen=True)
class LieDirectProduct(_FactorByFactor, LieGroup[ProductElement]):
    """The direct product of groups of which at least one is a Lie group, the others finite.

    The Lie algebra is the direct sum of those of the Lie groups, in their order. The domain of log
    is the product of theirs, with the identity in every finite factor. See
    :func:`direct_product`.
    """

    groups: tuple[FiniteGroup[Any] | LieGroup[Any], ...]

    def __post_init__(self) -> None:
        _check_factors(self.groups, (FiniteGroup, LieGroup), "finite and Lie groups")
        if all(isinstance(group, FiniteGroup) for group in self.groups):
            raise InputError("expected a Lie group among the factors, got finite groups alone")

    @property
    def factors(self) -> tuple[FiniteGroup[Any] | LieGroup[Any], ...]:
        return self.groups

    @property
    def dimension(self) -> int:
        return sum(self._dimensions)

    @property
    def basis_names(self) -> tuple[str, ...]:
        """Those of the factors, with the number of the factor where there are several."""
        named = [(i, f) for i, f in enumerate(self.factors, 1) if isinstance(f, LieGroup)]
        if len(named) == 1:
            return named[0][1].basis_names
        return tuple(f"{name}({i})" for i, group in named for name in group.basis_names)

    @property
    def is_compact(self) -> bool:
        return all(not isinstance(group, LieGroup) or group.is_compact for group in self.factors)

    def _exp(self, x: Tensor) -> Tensor:
        parts = []
        for group, coordinates in zip(
            self.factors, torch.split(x, self._dimensions, -1), strict=True
        ):
            if isinstance(group, LieGroup):
                parts.append(group.exp(coordinates))
            else:
                parts.append(group.identity_tensor(x))
        return self.join(parts)

    def _log(self, a: Tensor) -> Tensor:
        logarithms = []
        for group, part in zip(self.factors, self.parts(a), strict=True):
            if isinstance(group, LieGroup):
                logarithms.append(group.log(part))
            elif not bool(group.equal(part, group.identity_tensor(part)).all()):
                raise InputError(
                    f"the logarithm in {self.name} is defined where the part in the finite group "
                    f"{group.name} is the identity; got other elements"
                )
        return torch.cat(logarithms, -1)

    def adjoint(self, a: Tensor) -> Tensor:
        parts = zip(self.factors, self.parts(a), strict=True)
        return self._blocks([g.adjoint(p) for g, p in parts if isinstance(g, LieGroup)], 2)

    def structure_constants(self) -> Tensor:
        return self._blocks(
            [group.structure_constants() for group in self.factors if isinstance(group, LieGroup)],
            3,
        )

    def component_generators(self) -> tuple[ProductElement, ...]:
        return tuple(
            self.embed(i, a)
            for i, group in enumerate(self.factors)
            for a in (
                group.component_generators() if isinstance(group, LieGroup) else group.generators()
            )
        )

    def generators(self) -> tuple[ProductElement, ...]:
        return LieGroup.generators(self)

    @property
    def _dimensions(self) -> list[int]:
        return [group.dimension if isinstance(group, LieGroup) else 0 for group in self.factors]

    def _blocks(self, blocks: list[Tensor], axes: int) -> Tensor:
        """The blocks along the diagonal of the last axes, zeros elsewhere."""
        before = 0
        padded = []
        for block in blocks:
            after = self.dimension - before - block.shape[-1]
            padded.append(pad(block, (before, after) * axes))
            before += block.shape[-1]
        return reduce(torch.add, padded)


def direct_product(*groups: Group[Any]) -> DirectProduct | LieDirectProduct:
    """The direct product: a finite group of finite ones, a Lie group if there is one among them.

    Elements are tuples of the groups' elements. A finite group counts as a Lie group of dimension
    zero: its generators become :meth:`component_generators` of the product.

    Raises:
        InputError: there are no groups, or one is neither finite nor a Lie group.
    """
    finite = tuple(group for group in groups if isinstance(group, FiniteGroup))
    if len(finite) == len(groups):
        return DirectProduct(finite)
    # What is neither is refused there.
    factors: tuple[Any, ...] = groups
    return LieDirectProduct(factors)


def _check_factors(factors: object, kinds: Any, expected: str) -> None:
    if not isinstance(factors, tuple) or not factors:
        raise InputError(f"expected a tuple of {expected} as factors, got {factors!r}")
    for group in factors:
        if not isinstance(group, kinds):
            raise InputError(f"expected {expected} as factors, got {group!r}")
