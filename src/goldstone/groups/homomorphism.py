"""Homomorphisms between groups."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast, overload

import numpy as np
import torch
from torch import Tensor

from goldstone.core import InputError, generator
from goldstone.groups.finite import LONG_STEPS, MOST_LISTED, FiniteGroup, order_text
from goldstone.groups.group import Element, Group
from goldstone.groups.subgroups import Subgroup, subgroup_from_mask

RANDOM_ELEMENTS = 4

Image = TypeVar("Image", bound=Hashable)


@dataclass(frozen=True)
class Homomorphism(Generic[Element, Image]):
    """A map φ: G → H with φ(ab) = φ(a)φ(b), finite groups or Lie groups on either side.

    Construction verifies the law: for a finite G of up to a million elements entirely, on all
    products of an element with a generator; else on the products of generators, a few
    random elements and their inverses (:meth:`check` tries others).

    Attributes:
        source: G.
        target: H.
        map: takes tensors of elements of G to tensors of elements of H, batches kept. Homomorphisms
            compare by their maps; use a module-level function or a frozen dataclass with
            ``__call__`` to have them pickle.

    Raises:
        InputError: the map leaves H or breaks the law; the message names the elements.
    """

    source: Group[Any]
    target: Group[Any]
    map: Callable[[Tensor], Tensor]

    def __post_init__(self) -> None:
        steps = self.source.tensor(self.source.generators())
        if isinstance(self.source, FiniteGroup) and self.source.order <= MOST_LISTED:
            self.check(self.source.element_tensor(), steps)
        else:
            # Generators alone may tell nothing: that of a circle can be a full turn.
            some = self.source.sample(generator(0, "homomorphism"), (RANDOM_ELEMENTS,))
            some = torch.cat((steps, some, self.source.inverse(some)))
            self.check(some, some)

    @overload
    def __call__(self, a: Tensor) -> Tensor: ...
    @overload
    def __call__(self, a: Element) -> Image: ...
    def __call__(self, a: Any) -> Any:
        """φ(a), of a value or a tensor of elements."""
        if isinstance(a, Tensor):
            return self.map(a)
        self.source.check_contains(a)
        return self.target.value(self.map(self.source.tensor((a,))[0]))

    def check(self, a: Tensor, b: Tensor) -> None:
        """Raise unless φ(ab) = φ(a)φ(b) for all elements of the tensors a (n, …) and b (m, …).

        Raises:
            InputError: the map leaves the target or breaks the law; the message names elements.
        """
        if not len(b):
            return
        images, steps = self.map(a), self.map(b)
        self.target.check_form(images)
        for elements, found in ((a, images), (b, steps)):
            inside = self.target.member_mask(found)
            if not inside.all():
                lost = self.source.value(elements[~inside][0])
                raise InputError(
                    f"expected a map {self.source.name} → {self.target.name}, but the image of "
                    f"{self.source.element_name(lost)} lies outside {self.target.name}"
                )
        for step, image in zip(b, steps, strict=True):
            left = self.map(self.source.compose(a, step))
            right = self.target.compose(images, image)
            broken = ~self.target.equal(left, right)
            if broken.any():
                at = int(broken.nonzero()[0, 0])
                pair = [self.source.element_name(self.source.value(x)) for x in (a[at], step)]
                name = self.target.element_name
                raise InputError(
                    f"no homomorphism {self.source.name} → {self.target.name}: the image of "
                    f"{pair[0]}·{pair[1]} is {name(self.target.value(left[at]))}, the product of "
                    f"the images {name(self.target.value(right[at]))}"
                )

    def then(self, after: "Homomorphism[Any, Any]") -> "Homomorphism[Element, Any]":
        """The composite ``after`` ∘ φ.

        Raises:
            InputError: ``after`` does not start where φ ends.
        """
        if after.source != self.target:
            raise InputError(
                f"expected a homomorphism from {self.target.name}, got one from {after.source.name}"
            )
        return Homomorphism(self.source, after.target, _Composite(self.map, after.map))

    def kernel(self) -> Subgroup[Element]:
        """The elements whose image is the identity, a normal subgroup of G.

        Raises:
            InputError: G is no finite group.
        """
        source = self._finite_source()
        images = self.map(source.element_tensor())
        identity = self.target.identity_tensor(images)
        return subgroup_from_mask(source, self.target.equal(images, identity))

    def image(self) -> Subgroup[Image]:
        """The subgroup φ(G) of H.

        Raises:
            InputError: H is no finite group.
        """
        if not isinstance(self.target, FiniteGroup):
            raise InputError(
                f"expected a finite target for the image as a subgroup, got {self.target.name}; "
                "map the elements instead"
            )
        generators = self.source.tensor(self.source.generators())
        images = self.map(generators) if len(generators) else self.target.tensor(())
        return cast(
            Subgroup[Image],
            subgroup_from_mask(self.target, self.target.generated_mask(images)),
        )

    @property
    def is_injective(self) -> bool:
        """Whether the kernel is trivial."""
        return self.kernel().order == 1

    @property
    def is_surjective(self) -> bool:
        """Whether the image is all of the target."""
        return isinstance(self.target, FiniteGroup) and self.image().order == self.target.order

    @property
    def is_isomorphism(self) -> bool:
        """Whether it is one to one and onto."""
        return self.is_injective and self.is_surjective

    def preimages(self, b: Image) -> tuple[Element, ...]:
        """The elements that φ takes to ``b``: a coset of the kernel, or none.

        Raises:
            InputError: G is no finite group, or ``b`` does not lie in H.
        """
        source = self._finite_source()
        self.target.check_contains(b)
        elements = source.element_tensor()
        return source.values(
            elements[self.target.equal(self.map(elements), self.target.tensor((b,))[0])]
        )

    def _finite_source(self) -> FiniteGroup[Any]:
        if not isinstance(self.source, FiniteGroup):
            raise InputError(
                f"expected a finite source to list elements of, got {self.source.name}"
            )
        return self.source


def homomorphism_from_generators(
    source: FiniteGroup[Element], target: Group[Any], images: Sequence[Any]
) -> Homomorphism[Element, Any]:
    """The homomorphism that takes ``source.generators()`` to ``images``, values of the target.

    Raises:
        InputError: there are not as many images as generators, one lies outside the target, a
            relation of the generators does not hold among the images, or the source has more than
            a million elements.
    """
    return Homomorphism(source, target, GeneratorImages(source, target, tuple(images)))


@dataclass(frozen=True)
class GeneratorImages:
    """The map of a finite group that generators' images determine, as a table."""

    source: FiniteGroup[Any]
    target: Group[Any]
    images: tuple[Any, ...]
    table: Tensor = field(init=False, compare=False, repr=False)
    """The images of all elements in order, (order, …)."""

    def __post_init__(self) -> None:
        if self.source.order > MOST_LISTED:
            raise InputError(
                f"the order {order_text(self.source.order)} of {self.source.name} is too large to "
                "tabulate a homomorphism; give it by a function of tensors of elements"
            )
        generators = self.source.generators()
        if len(generators) != len(self.images):
            names = ", ".join(map(self.source.element_name, generators)) or "none"
            raise InputError(
                f"expected an image for each generator of {self.source.name} ({names}), got "
                f"{len(self.images)} images"
            )
        for image in self.images:
            self.target.check_contains(image)
        object.__setattr__(self, "table", self._spread())

    def __call__(self, a: Tensor) -> Tensor:
        return self.table.to(a.device)[self.source.index(a)]

    def _spread(self) -> Tensor:
        """Images along the first words in the generators that reach each element."""
        source, target = self.source, self.target
        steps, images = source.tensor(source.generators()), target.tensor(self.images)
        identity = target.tensor((target.identity,))[0]
        table = identity.expand(source.order, *target.element_shape).clone()
        reached = torch.zeros(source.order, dtype=torch.bool)
        reached[0] = True
        frontier = torch.zeros(1, dtype=torch.int64)
        while len(frontier):
            products = source.compose(source.from_index(frontier)[:, None], steps[None])
            number, first = np.unique(source.index(products).numpy(), return_index=True)
            fresh = ~reached.numpy()[number]
            at, by = np.divmod(first[fresh], max(len(steps), 1))
            start, frontier = frontier[at], torch.from_numpy(number[fresh])
            table[frontier] = target.compose(table[start], images[by])
            reached[frontier] = True
            # A few longer steps: a cyclic group would be walked one element at a time.
            more = frontier[: max(LONG_STEPS - len(steps), 0)]
            steps = torch.cat((steps, source.from_index(more)))
            images = torch.cat((images, table[more]))
        return table


@dataclass(frozen=True)
class _Composite:
    first: Callable[[Tensor], Tensor]
    after: Callable[[Tensor], Tensor]

    def __call__(self, a: Tensor) -> Tensor:
        return self.after(self.first(a))
