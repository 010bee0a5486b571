"""Finite groups from their Cayley tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.cayley_table import MOST_TABULATED
from goldstone.groups.finite import FiniteGroup


@dataclass(frozen=True, eq=False)
class CayleyGroup(FiniteGroup[int]):
    """The group with a given Cayley table T: the product of the elements a and b is T[a][b].

    Elements are the numbers of rows. The identity may be any of them: it then trades its place in
    the order of elements with row 0. Construction verifies the axioms of a group, associativity by
    Light's test: if (x·g)·y = x·(g·y) for all x, y and all g of a set that generates the group,
    then the product is associative.

    Args:
        table: n rows of n row numbers, or an integer tensor (n, n), n ≤ 2,000.
        names: the elements' names in the order of rows; by default ``e`` and ``g1``, ``g2``, ….
        label: the group's name; by default ``Cayley group of order n``.

    Raises:
        InputError: the table is not square, too large or breaks a law; the message names the law
            and elements that break it.
    """

    table: Tensor = field(repr=False)
    """T, (n, n) in int16."""
    names: tuple[str, ...]
    label: str
    _identity: int = field(repr=False)
    _inverses: Tensor = field(repr=False)
    _generators: tuple[int, ...] = field(repr=False)

    def __init__(
        self,
        table: Tensor | Sequence[Sequence[int]],
        names: Sequence[str] = (),
        label: str = "",
    ) -> None:
        checked = _square_table(table)
        n = len(checked)
        if names and (len(names) != n or len(set(names)) != n):
            raise InputError(f"expected {n} different names, got {', '.join(names[:8])}")
        called = tuple(names) or tuple(f"g{a}" for a in range(n))
        _check_closure(checked, called)
        identity = _identity_of(checked, called)
        if not names:
            called = (*called[:identity], "e", *called[identity + 1 :])
        inverses = _inverses_of(checked, identity, called)
        _check_cancellation(checked, identity, called)
        generators = _generators_of(checked, identity)
        _check_associativity(checked, generators, called)
        object.__setattr__(self, "table", checked.to(torch.int16))
        object.__setattr__(self, "names", called)
        object.__setattr__(self, "label", label)
        object.__setattr__(self, "_identity", identity)
        object.__setattr__(self, "_inverses", inverses)
        object.__setattr__(self, "_generators", generators)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CayleyGroup)
            and (self.names, self.label) == (other.names, other.label)
            and torch.equal(self.table, other.table)
        )

    def __hash__(self) -> int:
        return hash((self.names, self.label, self.table.numpy().tobytes()))

    @property
    def name(self) -> str:
        return self.label or f"Cayley group of order {self.order}"

    @property
    def order(self) -> int:
        return len(self.table)

    @property
    def identity(self) -> int:
        return self._identity

    @property
    def element_shape(self) -> tuple[int, ...]:
        return ()

    def index(self, a: Tensor) -> Tensor:
        swapped = torch.where(a == 0, self._identity, a)
        return torch.where(a == self._identity, 0, swapped)

    def from_index(self, index: Tensor) -> Tensor:
        # The exchange of two numbers undoes itself.
        return self.index(index)

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return self.table.to(a.device)[a, b].long()

    def _inverse(self, a: Tensor) -> Tensor:
        return self._inverses.to(a.device)[a]

    def member_mask(self, a: Tensor) -> Tensor:
        return (a >= 0) & (a < self.order)

    def generators(self) -> tuple[int, ...]:
        return self._generators

    def element_name(self, a: int) -> str:
        return self.names[a]


def _square_table(table: Tensor | Sequence[Sequence[int]]) -> Tensor:
    try:
        found = torch.as_tensor(table).cpu().clone()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"expected n rows of n numbers as a Cayley table: {error}") from error
    if found.dim() != 2 or found.shape[0] != found.shape[1] or not len(found):
        raise InputError(f"expected a square Cayley table, got shape {tuple(found.shape)}")
    if found.is_floating_point() or found.is_complex() or found.dtype is torch.bool:
        raise InputError(f"expected row numbers in a Cayley table, got dtype {found.dtype}")
    if len(found) > MOST_TABULATED:
        raise InputError(
            f"expected a Cayley table of at most {MOST_TABULATED} elements, got {len(found)}; use "
            "a PermutationGroup"
        )
    return found.long()


def _check_closure(table: Tensor, names: Sequence[str]) -> None:
    outside = ((table < 0) | (table >= len(table))).nonzero()
    if len(outside):
        a, b = outside[0].tolist()
        raise InputError(
            f"closure fails: {names[a]}·{names[b]} = {int(table[a, b])} is no row number 0 … "
            f"{len(table) - 1}"
        )


def _identity_of(table: Tensor, names: Sequence[str]) -> int:
    own = torch.arange(len(table))
    left, right = (table == own).all(1), (table == own[:, None]).all(0)
    both = (left & right).nonzero()
    if len(both):
        return int(both[0, 0])
    message = "identity fails: no element e has e·a = a = a·e for all a"
    if left.any():
        e = int(left.nonzero()[0, 0])
        a = int((table[:, e] != own).nonzero()[0, 0])
        message += f"; {names[e]} has e·a = a, but {names[a]}·{names[e]} is not {names[a]}"
    elif right.any():
        e = int(right.nonzero()[0, 0])
        a = int((table[e] != own).nonzero()[0, 0])
        message += f"; {names[e]} has a·e = a, but {names[e]}·{names[a]} is not {names[a]}"
    raise InputError(message)


def _inverses_of(table: Tensor, identity: int, names: Sequence[str]) -> Tensor:
    unit = table == identity
    for side, found in (("a·b", unit.any(1)), ("b·a", unit.any(0))):
        if not bool(found.all()):
            a = int((~found).nonzero()[0, 0])
            raise InputError(
                f"inverses fail: no element b has {side} = {names[identity]} for a = {names[a]}"
            )
    return unit.int().argmax(1)


def _check_cancellation(table: Tensor, identity: int, names: Sequence[str]) -> None:
    """Raise if a·b = a·c or b·a = c·a for b ≠ c: then some product is not associative."""
    for view, flipped in ((table, False), (table.T, True)):
        ordered, order = view.sort(1)
        twice = (ordered[:, 1:] == ordered[:, :-1]).nonzero()
        if not len(twice):
            continue
        a, place = twice[0].tolist()
        pair = order[a, place : place + 2].tolist()
        # From a′·a = e: a′·(a·b) = a′·(a·c), yet (a′·a)·b = b and (a′·a)·c = c differ.
        inverse = int((view[:, a] == identity).nonzero()[0, 0])
        for b in pair:
            if int(view[inverse, view[a, b]]) != b:
                raise _not_associative(
                    table, (b, a, inverse) if flipped else (inverse, a, b), names
                )


def _generators_of(table: Tensor, identity: int) -> tuple[int, ...]:
    """The first elements that enlarge what those before them generate."""
    generators: list[int] = []
    reached = torch.zeros(len(table), dtype=torch.bool)
    reached[identity] = True
    while not bool(reached.all()):
        generators.append(int((~reached).nonzero()[0, 0]))
        reached[generators[-1]] = True
        size = 0
        while size != int(reached.sum()):
            size = int(reached.sum())
            members = reached.nonzero()[:, 0]
            reached[table[members[:, None], members]] = True
    return tuple(generators)


def _check_associativity(table: Tensor, generators: Sequence[int], names: Sequence[str]) -> None:
    for g in generators:
        broken = (table[table[:, g]] != table[:, table[g]]).nonzero()
        if len(broken):
            x, y = broken[0].tolist()
            raise _not_associative(table, (x, g, y), names)


def _not_associative(
    table: Tensor, triple: tuple[int, int, int], names: Sequence[str]
) -> InputError:
    a, b, c = triple
    left, right = int(table[table[a, b], c]), int(table[a, table[b, c]])
    return InputError(
        f"associativity fails: ({names[a]}·{names[b]})·{names[c]} = {names[left]}, but "
        f"{names[a]}·({names[b]}·{names[c]}) = {names[right]}"
    )
