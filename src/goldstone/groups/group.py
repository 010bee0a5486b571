"""The contract of a group, finite or Lie."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, Generic, Protocol, TypeVar, overload, runtime_checkable

import torch
from torch import Tensor

from goldstone.core import InputError

Element = TypeVar("Element", bound=Hashable)


class Group(ABC, Generic[Element]):
    """A group, finite or Lie.

    An element has two forms. As a *value* it is hashable and compares exactly: an integer or a
    nested tuple of numbers, for names, sets and files. In a *tensor of elements*, of shape
    (*batch, *element_shape), many are handled at once; one element as a tensor has an empty batch.
    :meth:`compose`, :meth:`inverse` and :meth:`contains` take either form and broadcast batches;
    :meth:`tensor` and :meth:`value` go from one form to the other.

    Laws that implementers must satisfy, for all elements a, b, c:
    ``compose(a, compose(b, c)) == compose(compose(a, b), c)``,
    ``compose(identity, a) == a == compose(a, identity)`` and
    ``compose(inverse(a), a) == identity``. ``compose(a, b)`` applies b first.
    Groups are frozen, compare by value and pickle; they keep no caches.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name such as ``D4``."""

    @property
    @abstractmethod
    def identity(self) -> Element:
        """The neutral element, as a value."""

    @property
    @abstractmethod
    def element_shape(self) -> tuple[int, ...]:
        """The shape of one element in a tensor of elements."""

    @property
    @abstractmethod
    def element_dtype(self) -> torch.dtype:
        """The dtype in which values become tensors: int64, float64 or complex128."""

    @property
    def tolerance(self) -> float:
        """The largest difference of a component between elements that count as equal."""
        return 0.0

    @abstractmethod
    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        """The products of tensors of elements, batches broadcast."""

    @abstractmethod
    def _inverse(self, a: Tensor) -> Tensor:
        """The inverses of a tensor of elements."""

    @abstractmethod
    def member_mask(self, a: Tensor) -> Tensor:
        """For a tensor of the right element shape, which of its elements lie in the group."""

    @abstractmethod
    def generators(self) -> tuple[Element, ...]:
        """Elements that generate the group.

        For a Lie group: exponentials of a basis of the algebra, then one element for each generator
        of the component group; they generate a dense subgroup.
        """

    @abstractmethod
    def element_name(self, a: Element) -> str:
        """A readable name, unique in the group."""

    @abstractmethod
    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        """A tensor of random elements, batch ``shape``: Haar measure where the group is compact."""

    @overload
    def compose(self, a: Tensor, b: Tensor) -> Tensor: ...
    @overload
    def compose(self, a: Element, b: Element) -> Element: ...
    def compose(self, a: Any, b: Any) -> Any:
        """The product a·b: b acts first."""
        if isinstance(a, Tensor):
            return self._compose(a, b)
        one, two = self.tensor((a, b))
        return self.value(self._compose(one, two))

    @overload
    def inverse(self, a: Tensor) -> Tensor: ...
    @overload
    def inverse(self, a: Element) -> Element: ...
    def inverse(self, a: Any) -> Any:
        """The inverse of a."""
        if isinstance(a, Tensor):
            return self._inverse(a)
        return self.value(self._inverse(self.tensor((a,))[0]))

    def conjugate(self, a: Tensor, by: Tensor) -> Tensor:
        """The conjugates g a g⁻¹ by g = ``by``, tensors of elements."""
        return self._compose(self._compose(by, a), self._inverse(by))

    def power(self, a: Tensor, n: int) -> Tensor:
        """The powers aⁿ of a tensor of elements, n any integer, by repeated squaring."""
        base = self._inverse(a) if n < 0 else a
        result = self.identity_tensor(a)
        for bit in f"{abs(n):b}":
            result = self._compose(result, result)
            if bit == "1":
                result = self._compose(result, base)
        return result

    def identity_tensor(self, like: Tensor) -> Tensor:
        """The identity as one element on the device of ``like``."""
        return self.tensor((self.identity,))[0].to(like.device)

    def equal(self, a: Tensor, b: Tensor) -> Tensor:
        """Which elements of two tensors of elements agree, to the group's tolerance."""
        difference = self._difference(a, b).abs()
        if self.element_shape:
            difference = difference.flatten(-len(self.element_shape)).amax(-1)
        return difference <= self.tolerance

    def _difference(self, a: Tensor, b: Tensor) -> Tensor:
        return a - b

    def contains(self, a: object) -> bool:
        """Whether a value, or every element of a tensor, is an element."""
        if not isinstance(a, Tensor):
            try:
                a = self.tensor((a,))  # type: ignore[arg-type]
            except InputError:
                return False
        kinds = (a.is_floating_point() or a.is_complex(), a.is_complex(), a.dtype is torch.bool)
        mine = self.element_dtype
        allowed = (mine.is_floating_point or mine.is_complex, mine.is_complex, False)
        if any(kind and not allow for kind, allow in zip(kinds, allowed, strict=True)):
            return False
        rank = len(self.element_shape)
        if a.dim() < rank or a.shape[a.dim() - rank :] != torch.Size(self.element_shape):
            return False
        return bool(self.member_mask(a).all())

    def check_contains(self, a: object) -> None:
        """Raise unless ``a``, a value or a tensor of elements, lies in the group.

        Raises:
            InputError: it does not.
        """
        if self.contains(a):
            return
        if isinstance(a, Tensor):
            raise InputError(
                f"expected a tensor of elements of {self.name}, shape (*batch, "
                f"{', '.join(map(str, self.element_shape))}) and dtype {self.element_dtype}; got "
                f"shape {tuple(a.shape)}, dtype {a.dtype}"
                + (", of the right form but with elements outside the group" if a.dim() else "")
            )
        raise InputError(f"{a!r} is not an element of {self.name}")

    def tensor(self, elements: Sequence[Element]) -> Tensor:
        """The tensor of elements, (n, *element_shape), of n values.

        Raises:
            InputError: a value has not the form of an element. Whether it lies in the group is
                for :meth:`check_contains`.
        """
        shape = (len(elements), *self.element_shape)
        if not elements:
            return torch.empty(shape, dtype=self.element_dtype)
        try:
            found = torch.tensor([self.numbers_of(a) for a in elements])
        except (TypeError, ValueError, RuntimeError, IndexError):
            found = None
        exact = self.element_dtype.is_floating_point or self.element_dtype.is_complex
        if (
            found is None
            or found.shape != torch.Size(shape)
            or found.dtype is torch.bool
            or (found.is_floating_point() and not exact)
            or (found.is_complex() and not self.element_dtype.is_complex)
        ):
            raise InputError(
                f"expected elements of {self.name} such as {self.identity!r}, got "
                f"{', '.join(repr(a) for a in list(elements)[:3])}"
            )
        if exact:
            # Read again: torch.tensor rounds Python floats to the default dtype.
            found = torch.tensor([self.numbers_of(a) for a in elements], dtype=self.element_dtype)
        return found

    def value(self, element: Tensor) -> Element:
        """The value of one element given as a tensor."""
        return self.value_of(element.detach().tolist())

    def values(self, elements: Tensor) -> tuple[Element, ...]:
        """The values of the tensor's elements, batch axes flattened."""
        rows = elements.detach().reshape(-1, *self.element_shape).tolist()
        return tuple(self.value_of(row) for row in rows)

    def numbers_of(self, a: Element) -> Any:
        """A value as nested sequences of the element's shape."""
        return a

    def value_of(self, numbers: Any) -> Element:
        """The value from nested lists of the element's shape."""
        result: Element = _nested_tuples(numbers)
        return result


@runtime_checkable
class LinearGroup(Protocol):
    """A group that comes with a linear action on ℝⁿ or ℂⁿ, its standard representation."""

    @property
    def degree(self) -> int:
        """The dimension n."""

    def matrices(self, a: Tensor) -> Tensor:
        """The matrices of a tensor of elements: (*batch, n, n), float64 or complex128."""


def _nested_tuples(numbers: Any) -> Any:
    return tuple(_nested_tuples(x) for x in numbers) if isinstance(numbers, list) else numbers
