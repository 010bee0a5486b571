"""What a summary of a group says, as plain strings and numbers."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["real", "complex", "quaternionic"]


@dataclass(frozen=True)
class ElementSummary:
    """An element and its order."""

    name: str
    order: int


@dataclass(frozen=True)
class ClassSummary:
    """A conjugacy class: its first element, its size, the order of its elements.

    The name is that of the ATLAS of Finite Groups: the order and a letter, such as ``2B``; letters
    follow the order of the classes.
    """

    name: str
    representative: str
    size: int
    order: int


@dataclass(frozen=True)
class SubgroupSummary:
    """A subgroup, or a class of ``conjugates`` subgroups by one of them.

    ``type`` is its isomorphism type, None where that was left out.
    """

    name: str
    order: int
    type: str | None
    conjugates: int = 1

    @property
    def is_normal(self) -> bool:
        """Whether it is its only conjugate."""
        return self.conjugates == 1


@dataclass(frozen=True)
class CoveringSummary:
    """Subgroups of class ``lower`` are maximal in subgroups of class ``upper``, by position.

    Each upper one has ``below`` of them; each lower one lies in ``above``.
    """

    lower: int
    upper: int
    below: int
    above: int


@dataclass(frozen=True)
class LatticeSummary:
    """The subgroups up to conjugacy, the trivial one first; ``count`` counts conjugates."""

    count: int
    classes: tuple[SubgroupSummary, ...]
    coverings: tuple[CoveringSummary, ...]


@dataclass(frozen=True)
class IrrepSummary:
    """An irrep; ``characters`` are its values on the conjugacy classes where they are listed."""

    name: str
    dimension: int
    type: Kind
    characters: tuple[str, ...] = ()


@dataclass(frozen=True)
class CayleyGraphSummary:
    """The arrows g → g·s: ``targets[s][g]`` by numbers of elements.

    ``rotation`` is h ↦ c·h for an element c of greatest order: a symmetry of the graph.
    """

    generators: tuple[str, ...]
    targets: tuple[tuple[int, ...], ...]
    rotation: tuple[int, ...]


@dataclass(frozen=True)
class FiniteSummary:
    """A finite group; parts that would take too long are None, and ``omitted`` says why.

    Attributes:
        order: number of elements.
        type: the isomorphism type, such as ``C2×A5``.
        is_abelian: whether all elements commute.
        is_solvable: whether the derived series ends at 1.
        exponent: the smallest n with gⁿ = e for all g.
        order_counts: (n, number of elements of order n).
        generators: names.
        elements: all elements, the identity first.
        classes: the conjugacy classes.
        centre: of the elements that commute with all.
        commutator_subgroup: [G, G].
        lattice: the subgroups.
        complex_irreps: with the character table.
        real_irreps: over ℝ.
        cayley_graph: by the generators.
    """

    order: int
    type: str | None
    is_abelian: bool
    is_solvable: bool | None
    exponent: int | None
    order_counts: tuple[tuple[int, int], ...] | None
    generators: tuple[str, ...]
    elements: tuple[ElementSummary, ...] | None
    classes: tuple[ClassSummary, ...] | None
    centre: SubgroupSummary | None
    commutator_subgroup: SubgroupSummary | None
    lattice: LatticeSummary | None
    complex_irreps: tuple[IrrepSummary, ...] | None
    real_irreps: tuple[IrrepSummary, ...] | None
    cayley_graph: CayleyGraphSummary | None


@dataclass(frozen=True)
class LieSummary:
    """A Lie group.

    Attributes:
        dimension: of its Lie algebra.
        is_compact: whether Haar measure is a probability.
        component_generators: names of elements whose components generate the component group;
            none if the group is connected.
        basis: names of the basis of the Lie algebra.
        brackets: those brackets of basis vectors that are not zero, such as ``[Jx, Jy] = Jz``.
        killing_signature: how many eigenvalues of the Killing form are positive, negative, zero.
        irreps_degree: the degree up to which irreps are listed.
        irreps: over ℝ for SO and O, over ℂ for SU.
    """

    dimension: int
    is_compact: bool
    component_generators: tuple[str, ...]
    basis: tuple[str, ...]
    brackets: tuple[str, ...] | None
    killing_signature: tuple[int, int, int] | None
    irreps_degree: int | None
    irreps: tuple[IrrepSummary, ...] | None


@dataclass(frozen=True)
class Omission:
    """A part that was left out, and why."""

    part: str
    reason: str


@dataclass(frozen=True)
class GroupSummary:
    """What :func:`goldstone.representations.summarise_group` says of a group.

    Plain data: it round-trips through :func:`goldstone.core.to_json`. Exactly one of ``finite``
    and ``lie`` is there.
    """

    name: str
    finite: FiniteSummary | None
    lie: LieSummary | None
    omitted: tuple[Omission, ...]
