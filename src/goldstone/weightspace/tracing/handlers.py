"""What sets of ATen operations have in common."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from goldstone.weightspace.tracing.domain import Domain
from goldstone.weightspace.tracing.labels import Labelled, expand

Shape = tuple[int, ...]


class Handlers:
    """Operations by name: ``_name`` handles one. A handler takes the shape of the result first.

    It returns None for a case that it does not understand.
    """

    renamed: ClassVar[Mapping[str, str]] = {}
    """Operations that are handled like another."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def find(self, name: str) -> Callable[..., Any] | None:
        """The handler of an operation, or None."""
        return getattr(self, f"_{self.renamed.get(name, name)}", None)


def biased(domain: Domain, x: Labelled, b: Labelled | None, axis: int = -1) -> Labelled:
    """Add b along an axis of x."""
    if b is None:
        return x
    return domain.add([x, column(b, len(x.shape) - 1 - axis % len(x.shape))], x.shape)


def gained(domain: Domain, x: Labelled, w: Labelled | None, after: int) -> Labelled:
    """Multiply by w, which lies along the axes of x but for the last ``after``."""
    return x if w is None else domain.multiply(x, expand(column(w, after), x.shape), x.shape)


def column(x: Labelled, after: int) -> Labelled:
    """A parameter with ``after`` more axes of size one behind its own."""
    return replace(x, shape=(*x.shape, *([1] * after)))
