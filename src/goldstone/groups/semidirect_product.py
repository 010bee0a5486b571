"""Semidirect products of finite groups, and wreath products."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.direct_product import DirectProduct
from goldstone.groups.finite import FiniteGroup, order_text
from goldstone.groups.homomorphism import GeneratorImages, homomorphism_from_generators
from goldstone.groups.permutations import Permutations
from goldstone.groups.product_elements import ProductElement, ProductElements, bracketed
from goldstone.groups.symmetric_group import SymmetricGroup

MOST_TABULATED = 10_000_000


class SplitExtension(ProductElements, FiniteGroup[ProductElement]):
    """N ⋊ H for finite groups: (n, h)·(n′, h′) = (n φ_h(n′), h h′).

    Implementers give the action φ of H on N by automorphisms.
    """

    @property
    @abstractmethod
    def factors(self) -> tuple[FiniteGroup[Any], FiniteGroup[Any]]:
        """The normal subgroup N and the acting group H."""

    @abstractmethod
    def _act(self, h: Tensor, n: Tensor) -> Tensor:
        """φ_h(n), tensors of elements of H and N, batches broadcast."""

    @property
    def order(self) -> int:
        normal, acting = self.factors
        return normal.order * acting.order

    def index(self, a: Tensor) -> Tensor:
        normal, acting = self.factors
        n, h = self.parts(a)
        return acting.index(h) * normal.order + normal.index(n)

    def from_index(self, index: Tensor) -> Tensor:
        normal, acting = self.factors
        return self.join(
            (normal.from_index(index % normal.order), acting.from_index(index // normal.order))
        )

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        normal, acting = self.factors
        (n, h), (other, first) = self.parts(a), self.parts(b)
        return self.join((normal._compose(n, self._act(h, other)), acting._compose(h, first)))

    def _inverse(self, a: Tensor) -> Tensor:
        normal, acting = self.factors
        n, h = self.parts(a)
        back = acting._inverse(h)
        return self.join((self._act(back, normal._inverse(n)), back))


@dataclass(frozen=True)
class SemidirectProduct(SplitExtension):
    """N ⋊_φ H of finite groups: (n, h)·(n′, h′) = (n φ_h(n′), h h′).

    Attributes:
        normal: N.
        acting: H.
        action: for each generator h of H, in the order of ``acting.generators()``, the images
            φ_h(n) of the generators n of N, in the order of ``normal.generators()``, as values.

    Construction tabulates φ for all elements and verifies that each φ_h is an automorphism of N and
    that h ↦ φ_h is a homomorphism.

    Raises:
        InputError: it is not, with elements that show it; or |N| |H| exceeds ten millions.
    """

    normal: FiniteGroup[Any]
    acting: FiniteGroup[Any]
    action: tuple[tuple[Any, ...], ...]
    _table: Tensor = field(init=False, compare=False, repr=False)
    """The number of φ_h(n) by the numbers of h and n, (|H|, |N|)."""

    def __post_init__(self) -> None:
        for group in (self.normal, self.acting):
            if not isinstance(group, FiniteGroup):
                raise InputError(f"expected finite groups, got {group!r}")
        if not isinstance(self.action, tuple) or not all(isinstance(a, tuple) for a in self.action):
            raise InputError(f"expected the action as a tuple of tuples, got {self.action!r}")
        if self.normal.order * self.acting.order > MOST_TABULATED:
            raise InputError(
                f"expected groups with |N|·|H| ≤ {MOST_TABULATED}, got {self.normal.name} of order "
                f"{order_text(self.normal.order)} and {self.acting.name} of order "
                f"{order_text(self.acting.order)}"
            )
        steps = self.acting.generators()
        if len(self.action) != len(steps):
            raise InputError(
                f"expected the action of each generator of {self.acting.name} "
                f"({', '.join(map(self.acting.element_name, steps)) or 'none'}), got "
                f"{len(self.action)}"
            )
        automorphisms = [
            self._automorphism(h, images) for h, images in zip(steps, self.action, strict=True)
        ]
        # The φ_h are permutations of the numbers of N's elements.
        permutations = SymmetricGroup(self.normal.order)
        images = tuple(tuple(automorphism.tolist()) for automorphism in automorphisms)
        table = GeneratorImages(self.acting, permutations, images).table
        object.__setattr__(self, "_table", table)
        self._check_homomorphism(automorphisms)

    @property
    def name(self) -> str:
        return f"{bracketed(self.normal.name)}⋊{bracketed(self.acting.name)}"

    @property
    def factors(self) -> tuple[FiniteGroup[Any], FiniteGroup[Any]]:
        return (self.normal, self.acting)

    def _act(self, h: Tensor, n: Tensor) -> Tensor:
        table = self._table.to(n.device)
        return self.normal.from_index(table[self.acting.index(h), self.normal.index(n)])

    def _automorphism(self, h: Any, images: Sequence[Any]) -> Tensor:
        """The numbers of φ_h(n) by those of n, from the images of N's generators."""
        name = self.acting.element_name(h)
        try:
            extended = homomorphism_from_generators(self.normal, self.normal, images)
        except InputError as error:
            raise InputError(
                f"the action of {name} on {self.normal.name} is no automorphism: {error}"
            ) from error
        table = self.normal.index(extended(self.normal.element_tensor()))
        kernel = (table == 0).nonzero()[:, 0]
        if len(kernel) > 1:
            lost = self.normal.value(self.normal.from_index(kernel[1]))
            raise InputError(
                f"the action of {name} on {self.normal.name} is no automorphism: it takes "
                f"{self.normal.element_name(lost)} to the identity"
            )
        return table

    def _check_homomorphism(self, automorphisms: Sequence[Tensor]) -> None:
        """Raise unless φ_hg = φ_h φ_g for all h and every generator g of H."""
        every = self.acting.element_tensor()
        for g, automorphism in zip(self.acting.generators(), automorphisms, strict=True):
            products = self.acting.index(self.acting.compose(every, self.acting.tensor((g,))))
            broken = (self._table[products] != self._table[:, automorphism]).nonzero()
            if len(broken):
                h = int(broken[0, 0])
                first = self.acting.element_name(self.acting.value(every[h]))
                moved = self.normal.element_name(
                    self.normal.value(self.normal.from_index(broken[0, 1]))
                )
                raise InputError(
                    f"the action of {self.acting.name} on {self.normal.name} is no homomorphism: "
                    f"{first}·{self.acting.element_name(g)} and {first} after "
                    f"{self.acting.element_name(g)} take {moved} to different elements"
                )


def wreath_product(base: FiniteGroup[Any], top: Permutations) -> SemidirectProduct:
    """The wreath product base ≀ top: a copy of ``base`` for each point that ``top`` permutes.

    The semidirect product baseⁿ ⋊ top in which the permutation σ takes the copy i to the copy σ(i).

    Raises:
        InputError: |base|ⁿ |top| exceeds ten millions.
    """
    copies = DirectProduct((base,) * top.points)

    def moved(a: ProductElement, permutation: Sequence[int]) -> ProductElement:
        parts = list(a)
        for i, image in enumerate(permutation):
            parts[image] = a[i]
        return tuple(parts)

    action = tuple(
        tuple(moved(a, permutation) for a in copies.generators())
        for permutation in top.generators()
    )
    return SemidirectProduct(copies, top, action)
