"""Gauge groups on a lattice: an element of a group at every site."""

from dataclasses import dataclass
from hashlib import sha1
from itertools import product
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.group import Group
from goldstone.groups.integers import is_count


@dataclass(frozen=True)
class GaugeGroup(Group[Any]):
    """G^Λ: fields Ω_x of elements of G on the sites of a lattice, composed site by site.

    A tensor of elements has the shape (*batch, *lattice, *element_shape of G).

    Attributes:
        local: G, such as ``SpecialUnitaryGroup(2)``, or ``UnitaryGroup(1)`` for U(1).
        lattice: sites along each axis.

    Raises:
        InputError: the lattice has no axis, or one without sites.
    """

    local: Group[Any]
    lattice: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "lattice", tuple(self.lattice))
        if not self.lattice or not all(is_count(length) for length in self.lattice):
            raise InputError(
                f"expected a lattice of one site or more along each axis, got {self.lattice}"
            )

    @property
    def name(self) -> str:
        return f"{self.local.name} on {'×'.join(map(str, self.lattice))}"

    @property
    def identity(self) -> Any:
        return self.value(self._constant(self.local.tensor((self.local.identity,))[0]))

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (*self.lattice, *self.local.element_shape)

    @property
    def element_dtype(self) -> torch.dtype:
        return self.local.element_dtype

    @property
    def tolerance(self) -> float:
        return self.local.tolerance

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return self.local._compose(a, b)

    def _inverse(self, a: Tensor) -> Tensor:
        return self.local._inverse(a)

    def member_mask(self, a: Tensor) -> Tensor:
        return self.local.member_mask(a).flatten(-len(self.lattice)).all(-1)

    def equal(self, a: Tensor, b: Tensor) -> Tensor:
        return self.local.equal(a, b).flatten(-len(self.lattice)).all(-1)

    def generators(self) -> tuple[Any, ...]:
        """Each generator of G at each site, the identity elsewhere."""
        return tuple(
            self.at(site, a)
            for site in product(*map(range, self.lattice))
            for a in self.local.generators()
        )

    def at(self, site: tuple[int, ...], a: Any) -> Any:
        """The value that is ``a`` at one site and the identity elsewhere.

        Raises:
            InputError: the site is not on the lattice.
        """
        if len(site) != len(self.lattice) or not all(
            0 <= k < length for k, length in zip(site, self.lattice, strict=True)
        ):
            raise InputError(f"expected a site of the lattice {self.lattice}, got {site}")
        field = self._constant(self.local.tensor((self.local.identity,))[0]).clone()
        field[site] = self.local.tensor((a,))[0].to(field.dtype)
        return self.value(field)

    def constant(self, a: Any) -> Any:
        """The value that is ``a`` at every site: a global transformation."""
        return self.value(self._constant(self.local.tensor((a,))[0]))

    def element_name(self, a: Any) -> str:
        """``e``, or Ω with a digest of the numbers."""
        return "e" if a == self.identity else f"Ω[{sha1(repr(a).encode()).hexdigest()[:8]}]"

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        return self.local.sample(generator, (*shape, *self.lattice))

    def _constant(self, a: Tensor) -> Tensor:
        return a.expand(self.element_shape)
