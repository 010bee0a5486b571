"""The first of the smallest generating sets of a group, from its maximal subgroups."""

import numpy as np

from goldstone.groups.subgroup_search import Mask


def smallest_generators(mask: Mask, maximal: Mask) -> tuple[int, ...]:
    """Of the smallest generating sets of a subgroup, the first in lexicographic order.

    Elements generate a group exactly if no maximal subgroup holds them all; so each element stands
    for the set of maximal subgroups that hold it, and sets with empty intersection are sought.

    Args:
        mask: which elements lie in the subgroup, (n,).
        maximal: the same of its maximal subgroups, (count, n).
    """
    members = mask.nonzero()[0].tolist()
    rows = np.packbits(maximal[:, members], axis=0).T
    holders = [int.from_bytes(row.tobytes(), "big") for row in rows]
    distinct = sorted(set(holders), key=int.bit_count)
    failed: set[tuple[int, int]] = set()

    def can_empty(held: int, count: int) -> bool:
        """Whether ``count`` more elements leave none of the maximal subgroups in ``held``."""
        if held == 0 or count == 0:
            return held == 0
        if count == 1:
            return any(held & holder == 0 for holder in distinct)
        if (held, count) in failed:
            return False
        smaller = {held & holder for holder in distinct} - {held}
        possible = any(can_empty(rest, count - 1) for rest in smaller)
        if not possible:
            failed.add((held, count))
        return possible

    held = holders[0]  # the identity lies in all of them
    needed = 0
    while not can_empty(held, needed):
        needed += 1
    chosen = []
    for element, holder in zip(members, holders, strict=True):
        if held & holder != held and can_empty(held & holder, needed - 1):
            chosen.append(element)
            held, needed = held & holder, needed - 1
    return tuple(chosen)
