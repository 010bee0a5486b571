"""All normal subgroups."""

from math import gcd

import numpy as np
import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.commutators import normal_closure
from goldstone.groups.conjugacy import conjugacy_classes
from goldstone.groups.connected import connected_labels
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.subgroups import (
    Subgroup,
    greedy_generators,
    subgroup_from_mask,
    subgroup_mask,
)


def normal_subgroups(
    group: FiniteGroup[Element], limit: int = 10_000
) -> tuple[Subgroup[Element], ...]:
    """The normal subgroups, by order, then by first elements.

    They are the products of the normal closures of single elements, one element of each conjugacy
    class; no Cayley table is built.

    Raises:
        InputError: there are more than ``limit``.
    """
    closures = _closures(group)
    trivial = torch.zeros(group.order, dtype=torch.bool)
    trivial[0] = True
    found = {_key(trivial): trivial}
    waiting = [trivial]
    while waiting:
        mask = waiting.pop()
        generators = greedy_generators(group, group.from_index(mask.nonzero()[:, 0]))
        every = group.element_tensor()
        cosets = connected_labels(
            group.order, [group.index(group.compose(every, s)) for s in generators]
        )
        for closure in closures:
            # The product NM is the union of the cosets of N that meet M.
            met = torch.zeros(int(cosets.max()) + 1, dtype=torch.bool)
            met[cosets[closure]] = True
            product = met[cosets]
            if _key(product) not in found:
                found[_key(product)] = product
                waiting.append(product)
        if len(found) > limit:
            raise InputError(
                f"{group.name} has more than {limit} normal subgroups; expected fewer, or a "
                "larger limit"
            )
    ordered = sorted(found, key=lambda key: (int(found[key].sum()), [-byte for byte in key]))
    return tuple(subgroup_from_mask(group, found[key]) for key in ordered)


def _closures(group: FiniteGroup[Element]) -> list[Tensor]:
    """The normal closures of single elements, as masks without repetition."""
    classes = conjugacy_classes(group)
    seen: set[int] = set()
    closures = {}
    for number, (a, order) in enumerate(zip(classes.representatives, classes.orders, strict=True)):
        if number in seen:
            continue
        # The generators of the cyclic group of a have the same closure.
        powers = [k for k in range(1, order + 1) if gcd(k, order) == 1]
        one = group.tensor((a,))
        cyclic = torch.cat([group.power(one, k) for k in powers])
        seen.update(classes.number(cyclic).tolist())
        mask = subgroup_mask(group, normal_closure(group, one))
        closures[_key(mask)] = mask
    return list(closures.values())


def _key(mask: Tensor) -> bytes:
    return np.packbits(mask.numpy()).tobytes()
