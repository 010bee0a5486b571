"""Names of groups by their structure."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from goldstone.core import InputError
from goldstone.groups.abelian_invariants import combined_factors, invariant_factors
from goldstone.groups.commutators import is_abelian
from goldstone.groups.element_orders import element_orders, exponent
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.isomorphism import are_isomorphic
from goldstone.groups.linear_permutations import (
    general_linear_permutations,
    projective_linear_permutations,
    special_linear_permutations,
)
from goldstone.groups.normal_subgroups import normal_subgroups
from goldstone.groups.subgroup_group import subgroup_as_group
from goldstone.groups.subgroup_lattice import subgroup_lattice
from goldstone.groups.subgroups import Subgroup
from goldstone.groups.symmetric_group import AlternatingGroup, SymmetricGroup

_ABELIAN = (1, 0)  # a rank, see _rank


def isomorphism_type(group: FiniteGroup[Any]) -> str:
    """A name of the group's structure, such as ``C2×C4``, ``D4``, ``A5`` or ``C7⋊C3``.

    - abelian groups by invariant factors, ``C1`` the trivial one;
    - dihedral groups D_n of order 2n, dicyclic Dic_n of order 4n, and of order n, a power of 2,
      the quaternion Q_n, semidihedral SD_n and modular M_n; A_n and S_n for n from 4 to 6; SL(2,3),
      GL(2,3), SL(2,5), PSL(2,7);
    - direct products A×B of these;
    - else a semidirect product N⋊H: of the largest cyclic N possible; else of an abelian N, with a
      cyclic H as large as possible or else N as large as possible; else of the largest N;
    - else ``order n, unnamed``, as are groups of over 2,000 elements that only the third case
      would name.

    Isomorphic groups get the same name. Different groups get different names up to order 31, and
    in the first three cases; the name of a semidirect product does not tell the action, so larger
    groups may share one: see :func:`are_isomorphic`.
    """
    cyclic, others = _direct_factors(group)
    named = [
        f"({name})" if "⋊" in name and len(others) + len(cyclic) > 1 else name
        for _, name in sorted(others)
    ]
    return "×".join([*(f"C{d}" for d in combined_factors(cyclic)), *named]) or "C1"


def _direct_factors(group: FiniteGroup[Any]) -> tuple[list[int], list[tuple[int, str]]]:
    """The orders of cyclic factors, and the orders and names of the others."""
    if is_abelian(group):
        return list(invariant_factors(group)), []
    name = _index_two_name(group) or _known_name(group)
    if name:
        return [], [(group.order, name)]
    normal = normal_subgroups(group)
    for factors in _complementary(normal, normal, group.order):
        parts = [_direct_factors(subgroup_as_group(group, h)) for h in factors]
        return parts[0][0] + parts[1][0], parts[0][1] + parts[1][1]
    return [], [(group.order, _semidirect_name(group, normal))]


def _index_two_name(group: FiniteGroup[Any]) -> str | None:
    """The name of a group with a cyclic subgroup ⟨c⟩ of index 2, by x c x⁻¹ = cʲ and x²."""
    half = group.order // 2
    every = group.element_tensor()
    longest = (element_orders(group, every) == half).nonzero()
    if group.order % 2 or not len(longest):
        return None
    c = every[longest[0, 0]]
    powers = torch.stack([group.power(c, k) for k in range(half)])
    numbers = group.index(powers)
    outside = torch.ones(group.order, dtype=torch.bool)
    outside[numbers] = False
    x = every[outside][0]
    j = int((numbers == group.index(group.conjugate(c, by=x))).nonzero()[0, 0])
    if j == half - 1:
        if bool(group.equal(group.compose(x, x), group.identity_tensor(x))):
            return f"D{half}"
        return f"Q{group.order}" if _is_power_of_two(half) else f"Dic{group.order // 4}"
    if _is_power_of_two(half) and half >= 8:
        return {half // 2 - 1: f"SD{group.order}", half // 2 + 1: f"M{group.order}"}.get(j)
    return None


def _is_power_of_two(n: int) -> bool:
    return n & (n - 1) == 0


def _known_name(group: FiniteGroup[Any]) -> str | None:
    """The name of the group of a list that this one is isomorphic to."""
    known: dict[int, list[FiniteGroup[Any]]] = {
        12: [AlternatingGroup(4)],
        24: [SymmetricGroup(4), special_linear_permutations(3)],
        48: [general_linear_permutations(3, 2)],
        60: [AlternatingGroup(5)],
        120: [SymmetricGroup(5), special_linear_permutations(5)],
        168: [projective_linear_permutations(7)],
        360: [AlternatingGroup(6)],
        720: [SymmetricGroup(6)],
    }
    same_order = known.get(group.order, [])
    return next((other.name for other in same_order if are_isomorphic(group, other)), None)


def _semidirect_name(group: FiniteGroup[Any], normal: tuple[Subgroup[Any], ...]) -> str:
    unnamed = f"order {group.order}, unnamed"
    try:
        others = [c.representative for c in subgroup_lattice(group).classes]
    except InputError:  # too large or too many subgroups
        return unnamed
    # Conjugates of a complement are complements too, so one of each class will do.
    pairs = list(_complementary(normal, others, group.order))
    ranks = {n: _rank(subgroup_as_group(group, n)) for n in {n for n, _ in pairs}}
    best = min(ranks.values(), default=None)
    pairs = [(n, h) for n, h in pairs if ranks[n] == best]
    if best == _ABELIAN:
        cyclic = {h for h in {h for _, h in pairs} if _is_cyclic(subgroup_as_group(group, h))}
        pairs = [(n, h) for n, h in pairs if h in cyclic] or pairs
        largest = max if {h for _, h in pairs} <= cyclic else min
        order = largest(h.order for _, h in pairs)
        pairs = [(n, h) for n, h in pairs if h.order == order]
    names = {
        h: _bracketed(isomorphism_type(subgroup_as_group(group, h)))
        for h in {h for pair in pairs for h in pair}
    }
    return min((f"{names[n]}⋊{names[h]}" for n, h in pairs), default=unnamed)


def _rank(n: FiniteGroup[Any]) -> tuple[int, int]:
    """Cyclic groups come before abelian ones, these before others; large ones first."""
    if not is_abelian(n):
        return 2, -n.order
    return (0, -n.order) if _is_cyclic(n) else _ABELIAN


def _is_cyclic(group: FiniteGroup[Any]) -> bool:
    return is_abelian(group) and exponent(group) == group.order


def _complementary(
    normal: Sequence[Subgroup[Any]], others: Sequence[Subgroup[Any]], order: int
) -> Iterator[tuple[Subgroup[Any], Subgroup[Any]]]:
    """The pairs of proper subgroups N and H with N ∩ H = 1 and |N||H| = |G|, small N first."""
    for n in normal:
        for h in others:
            if 1 < n.order < order == n.order * h.order and len(n.elements & h.elements) == 1:
                yield n, h


def _bracketed(name: str) -> str:
    return f"({name})" if "×" in name or "⋊" in name or ("," in name and "(" not in name) else name
