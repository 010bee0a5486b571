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
        """The product a·b: b acts first.

        The form of elements is checked; whether they lie in the group is for
        :meth:`check_contains`.

        Raises:
            InputError: a or b has not the form of elements, or one is a value and one a tensor.
        """
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            self.check_form(a)
            self.check_form(b)
            return self._compose(a, b)
        if isinstance(a, Tensor) or isinstance(b, Tensor):
            raise InputError(
                f"expected two values or two tensors of elements of {self.name}, got one of each; "
                "tensor() and values() go from one form to the other"
            )
        one, two = self.tensor((a, b)).unbind()
        return self.value(self._compose(one, two))

    @overload
    def inverse(self, a: Tensor) -> Tensor: ...
    @overload
    def inverse(self, a: Element) -> Element: ...
    def inverse(self, a: Any) -> Any:
        """The inverse of a; its form is checked as in :meth:`compose`."""
        if isinstance(a, Tensor):
            self.check_form(a)
            return self._inverse(a)
        return self.value(self._inverse(self.tensor((a,))[0]))

    def conjugate(self, a: Tensor, by: Tensor) -> Tensor:
        """The conjugates g a g⁻¹ by g = ``by``, tensors of elements."""
        self.check_form(a)
        self.check_form(by)
        return self._compose(self._compose(by, a), self._inverse(by))

    def power(self, a: Tensor, n: int) -> Tensor:
        """The powers aⁿ of a tensor of elements, n any integer, by repeated squaring."""
        self.check_form(a)
        base = self._inverse(a) if n < 0 else a
        result = self.identity_tensor(a).expand_as(a)
        for bit in f"{abs(n):b}":
            result = self._compose(result, result)
            if bit == "1":
                result = self._compose(result, base)
        return result

    def identity_tensor(self, like: Tensor) -> Tensor:
        """The identity as one element, on the device of ``like``.

        Where that is a tensor of elements in single precision, so is the identity.
        """
        identity = self.tensor((self.identity,))[0]
        dtype = like.dtype if self._has_form(like) else identity.dtype
        return identity.to(like.device, dtype)

    def equal(self, a: Tensor, b: Tensor) -> Tensor:
        """Which elements of two tensors of elements agree.

        They do to the group's tolerance, and to that of rounding in single precision.
        """
        difference = self._difference(a, b).abs()
        if self.element_shape:
            difference = difference.flatten(-len(self.element_shape)).amax(-1)
        if not difference.is_floating_point():
            return difference <= self.tolerance
        return difference <= max(self.tolerance, 64 * torch.finfo(difference.dtype).eps)

    def _difference(self, a: Tensor, b: Tensor) -> Tensor:
        return a - b

    def contains(self, a: object) -> bool:
        """Whether a value, or every element of a tensor, is an element."""
        if not isinstance(a, Tensor):
            try:
                a = self.tensor((a,))  # type: ignore[arg-type]
            except InputError:
                return False
        return self._has_form(a) and bool(self.member_mask(a).all())

    def _has_form(self, a: Tensor) -> bool:
        start = a.dim() - len(self.element_shape)
        return (
            start >= 0
            and a.shape[start:] == self.element_shape
            and _kind(a.dtype) == _kind(self.element_dtype)
        )

    def check_form(self, a: object) -> None:
        """Raise unless ``a`` is a tensor of the right shape and kind of dtype for elements.

        Raises:
            InputError: it is not.
        """
        if isinstance(a, Tensor) and self._has_form(a):
            return
        got = f"shape {tuple(a.shape)}, dtype {a.dtype}" if isinstance(a, Tensor) else repr(a)
        shape = ", ".join(["*batch", *map(str, self.element_shape)])
        raise InputError(
            f"expected a tensor of elements of {self.name}, shape ({shape}) and dtype "
            f"{self.element_dtype}; got {got}"
        )

    def check_contains(self, a: object) -> None:
        """Raise unless ``a``, a value or a tensor of elements, lies in the group.

        Raises:
            InputError: it does not.
        """
        if self.contains(a):
            return
        if isinstance(a, Tensor):
            self.check_form(a)
            outside = self.value(a[~self.member_mask(a)][0])
            raise InputError(
                f"expected elements of {self.name}, got elements outside the group: {outside!r}"
            )
        raise InputError(f"{a!r} is not an element of {self.name}")

    def tensor(self, elements: Sequence[Element]) -> Tensor:
        """The tensor of elements, (n, *element_shape), of n values.

        Raises:
            InputError: a value has not the form of an element. Whether it lies in the group is
                for :meth:`check_contains`.
        """
        try:
            numbers = [self.numbers_of(a) for a in elements]
            # Python floats would be rounded to the default dtype, integers converted silently.
            exact = _kind(self.element_dtype) > 0
            found = torch.tensor(numbers, dtype=self.element_dtype if exact else None)
            if not numbers:
                return torch.empty((0, *self.element_shape), dtype=self.element_dtype)
        except (TypeError, ValueError, RuntimeError, IndexError, OverflowError):
            found = None
        if found is None or found.dim() != 1 + len(self.element_shape) or not self._has_form(found):
            raise InputError(
                f"expected a sequence of elements of {self.name} such as {self.identity!r}, got "
                f"{elements!r:.200}"
            )
        return found

    def value(self, element: Tensor) -> Element:
        """The value of one element given as a tensor.

        Raises:
            InputError: it is no tensor, or has a batch.
        """
        self.check_form(element)
        if element.dim() > len(self.element_shape):
            raise InputError(
                f"expected one element of {self.name}, got a batch of shape {tuple(element.shape)};"
                " values() gives them all"
            )
        return self.value_of(element.detach().tolist())

    def values(self, elements: Tensor) -> tuple[Element, ...]:
        """The values of the tensor's elements, batch axes flattened."""
        self.check_form(elements)
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


def _kind(dtype: torch.dtype) -> int:
    """0 for integers, 1 for real and 2 for complex numbers, −1 for truth values."""
    if dtype is torch.bool:
        return -1
    return 2 if dtype.is_complex else int(dtype.is_floating_point)


def _nested_tuples(numbers: Any) -> Any:
    return tuple(_nested_tuples(x) for x in numbers) if isinstance(numbers, list) else numbers
