"""Orders of elements and the exponent."""

from math import lcm
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from goldstone.groups.integers import prime_factors

if TYPE_CHECKING:
    from goldstone.groups.finite import FiniteGroup


def element_orders(group: "FiniteGroup[Any]", elements: Tensor) -> Tensor:
    """The order, the smallest n ≥ 1 with aⁿ = e, of each in a tensor of elements: int64 (*batch).

    For each prime power pᵏ that divides the group's order exactly, the part of n that is a power
    of p is read from the powers of a^(order/pᵏ).
    """
    identity = group.identity_tensor(elements)
    orders = torch.ones(group.index(elements).shape, dtype=torch.int64, device=elements.device)
    for prime, exponent in prime_factors(group.order).items():
        power = group.power(elements, group.order // prime**exponent)
        for _ in range(exponent):
            orders = torch.where(group.equal(power, identity), orders, orders * prime)
            power = group.power(power, prime)
    return orders


def exponent(group: "FiniteGroup[Any]") -> int:
    """The smallest n ≥ 1 with aⁿ = e for all elements a."""
    orders = element_orders(group, group.element_tensor())
    return lcm(*torch.unique(orders).tolist())
