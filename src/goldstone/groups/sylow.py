"""Sylow subgroups."""

import torch

from goldstone.core import InputError
from goldstone.groups.conjugacy import normaliser_mask
from goldstone.groups.element_orders import element_orders
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.integers import is_prime, prime_factors
from goldstone.groups.subgroups import Subgroup, subgroup_from_mask


def sylow_subgroup(group: FiniteGroup[Element], prime: int) -> Subgroup[Element]:
    """A subgroup whose order is the largest power of ``prime`` that divides the group's order.

    All such are conjugate. It grows from the trivial subgroup P: while P is too small its
    normaliser holds an element outside P of order a power of p, which is adjoined.

    Raises:
        InputError: ``prime`` is not prime.
    """
    if not is_prime(prime):
        raise InputError(f"expected a prime, got {prime}")
    wanted = prime ** prime_factors(group.order).get(prime, 0)
    every = group.element_tensor()
    orders = element_orders(group, every)
    powers = torch.tensor([prime**k for k in range(wanted.bit_length())])
    of_prime_power = torch.isin(orders, powers)
    mask = group.generated_mask(every[:0])
    generators = every[:0]
    while int(mask.sum()) < wanted:
        free = of_prime_power & normaliser_mask(group, mask) & ~mask
        generators = torch.cat((generators, every[free][:1]))
        mask = group.generated_mask(generators)
    return subgroup_from_mask(group, mask)
