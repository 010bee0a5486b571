"""From matrices of generators to matrices of the whole group, along its Cayley graph."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup


def extend_from_generators(group: FiniteGroup[Any], generators: Tensor, matrices: Tensor) -> Tensor:
    """ρ(g) for every g of a finite group, from ρ of generators: a product along a shortest word.

    It costs one matrix product for each element, and rounding errors grow with the length of the
    words only. Whether the matrices obey the group's relations is not checked.

    Args:
        group: the group.
        generators: the tensor of elements, (k, *element_shape), of k generators.
        matrices: theirs, (*batch, k, d, d).

    Returns:
        (*batch, order, d, d), in the order of ``group.element_tensor()``.

    Raises:
        InputError: the elements do not generate the group.
    """
    one = torch.eye(matrices.shape[-1], dtype=matrices.dtype)
    table = one.repeat(*matrices.shape[:-3], group.order, 1, 1)
    for new, step, known in cayley_walk(group, generators):
        table[..., new, :, :] = matrices[..., step, :, :] @ table[..., known, :, :]
    return table


def cayley_walk(
    group: FiniteGroup[Any], generators: Tensor
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Reach every element from the identity, breadth first, by products with generators.

    Yields, sphere by sphere, the numbers of the elements that are new, and for each the place of a
    generator s and the number of an element g reached before with new = s·g.

    Raises:
        InputError: the elements do not generate the group.
    """
    reached = torch.zeros(group.order, dtype=torch.bool)
    frontier = group.index(group.tensor((group.identity,)))
    reached[frontier] = True
    while len(frontier) and len(generators):
        products = group.compose(generators[:, None], group.from_index(frontier)[None])
        numbers = group.index(products).flatten()
        fresh = (~reached[numbers]).nonzero()[:, 0]
        new, which = torch.unique(numbers[fresh], return_inverse=True)
        first = torch.full_like(new, len(numbers)).scatter_reduce(0, which, fresh, "amin")
        if len(new):
            yield new, first // len(frontier), frontier[first % len(frontier)]
        reached[new] = True
        frontier = new
    if not bool(reached.all()):
        raise InputError(
            f"the elements {', '.join(map(group.element_name, group.values(generators)))} generate "
            f"only {int(reached.sum())} of the {group.order} elements of {group.name}"
        )
