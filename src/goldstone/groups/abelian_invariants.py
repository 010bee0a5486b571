"""The invariant factors of an abelian group."""

from collections.abc import Iterable
from itertools import pairwise, zip_longest
from math import prod
from typing import Any

from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.commutators import is_abelian
from goldstone.groups.element_orders import element_orders
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.integers import prime_factors


def invariant_factors(group: FiniteGroup[Any]) -> tuple[int, ...]:
    """The d_1 | d_2 | … > 1 with the group isomorphic to C_d1 × C_d2 × …; none if trivial.

    For a prime p the number of cyclic factors of order at least pᵏ is log_p of the ratio of how
    many elements have order dividing pᵏ and pᵏ⁻¹.

    Raises:
        InputError: the group is not abelian.
    """
    if not is_abelian(group):
        raise InputError(f"expected an abelian group, got {group.name}")
    orders = element_orders(group, group.element_tensor())
    return combined_factors(
        prime**k
        for prime, exponent in prime_factors(group.order).items()
        for k, count in _cyclic_factors(orders, prime, exponent).items()
        for _ in range(count)
    )


def combined_factors(orders: Iterable[int]) -> tuple[int, ...]:
    """The invariant factors of a product of cyclic groups of these orders."""
    powers: dict[int, list[int]] = {}
    for order in orders:
        for prime, exponent in prime_factors(order).items():
            powers.setdefault(prime, []).append(prime**exponent)
    columns = [sorted(column, reverse=True) for column in powers.values()]
    return tuple(reversed([prod(row) for row in zip_longest(*columns, fillvalue=1)]))


def _cyclic_factors(orders: Tensor, prime: int, exponent: int) -> dict[int, int]:
    """How many cyclic factors have order exactly pᵏ, by k."""
    sizes = [int((prime**k % orders == 0).sum()) for k in range(exponent + 2)]
    at_least = [_logarithm(b // a, prime) for a, b in pairwise(sizes)]
    return {k + 1: a - b for k, (a, b) in enumerate(pairwise(at_least))}


def _logarithm(power: int, base: int) -> int:
    return 0 if power == 1 else 1 + _logarithm(power // base, base)
