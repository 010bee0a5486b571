"""The characters of an abelian group."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from goldstone.groups.conjugacy import ConjugacyClasses
from goldstone.groups.subgroups import greedy_generators


def abelian_characters(classes: ConjugacyClasses[Any]) -> NDArray[np.complex128]:
    """The homomorphisms to the unit circle, (order, order): one row each.

    They are extended from a subgroup H to ⟨H, g⟩ one generator at a time: if gᵐ is the first power
    in H, χ(g) is any of the m roots of χ(gᵐ). Values are kept as exponents of exp(2πi/e), e the
    exponent of the group, and so are exact.
    """
    group = classes.group
    exponent = int(np.lcm.reduce(classes.orders))
    reached = group.element_tensor()[:1]
    values = np.zeros((1, 1), dtype=np.int64)  # of each character on each reached element
    for g in greedy_generators(group, group.element_tensor()):
        position = {int(a): i for i, a in enumerate(group.index(reached))}
        powers = [group.identity_tensor(g), g]
        while int(group.index(powers[-1])) not in position:
            powers.append(group.compose(powers[-1], g))
        m = len(powers) - 1
        at_power = values[:, position[int(group.index(powers[-1]))]]
        roots = (at_power[:, None] // m + exponent // m * np.arange(m)).reshape(-1)
        steps = np.arange(m)[None, :, None] * roots[:, None, None]
        values = (np.repeat(values, m, 0)[:, None, :] + steps) % exponent
        values = values.reshape(len(roots), -1)
        reached = group.compose(torch.stack(powers[:-1])[:, None], reached[None]).flatten(0, 1)
    by_class = np.empty_like(values)
    by_class[:, classes.number(reached).numpy()] = values
    table: NDArray[np.complex128] = _roots_of_unity(exponent)[by_class]
    return table


def _roots_of_unity(order: int) -> NDArray[np.complex128]:
    """exp(2πi k/n) for k = 0 … n − 1, exact at the quarter turns."""
    k = np.arange(order)
    roots: NDArray[np.complex128] = np.exp(2j * np.pi / order * k)
    for quarter, exact in enumerate((1, 1j, -1, -1j)):
        roots[4 * k == quarter * order] = exact
    return roots
