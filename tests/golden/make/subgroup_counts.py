"""Subgroup lattices in numbers, and all groups up to order 15, by GAP."""

from typing import Any

import gap
from catalogue import GROUPS, PREPARE
from writing import write

PROGRAM = """
Invariants := function(G)
  local classes;
  classes := ConjugacyClassesSubgroups(G);
  return [Size(G), PointCount(G), List(GeneratorsOfGroup(G), g -> FromZero(g, PointCount(G))),
    StructureDescription(G), Sum(classes, Size), Length(classes), Length(NormalSubgroups(G)),
    Length(MaximalSubgroups(G)), Size(Centre(G)), Size(DerivedSubgroup(G)), NrConjugacyClasses(G),
    Exponent(G), AbelianInvariants(G), Size(FrattiniSubgroup(G)), Size(AutomorphismGroup(G)),
    List(DerivedSeries(G), Size),
    Collected(List(AsList(G), Order)),
    IsAbelian(G), IsNilpotentGroup(G), IsSolvableGroup(G), IsSimpleGroup(G),
    List(classes, c -> [Size(Representative(c)), Size(c),
      StructureDescription(Representative(c))])];
end;;
"""

KEYS = (
    "order",
    "degree",
    "generators",
    "structure",
    "subgroups",
    "subgroup_classes",
    "normal_subgroups",
    "maximal_subgroups",
    "centre_order",
    "commutator_order",
    "conjugacy_classes",
    "exponent",
    "abelian_invariants",
    "frattini_order",
    "automorphisms",
    "derived_series_orders",
    "element_orders",
    "is_abelian",
    "is_nilpotent",
    "is_solvable",
    "is_simple",
    "classes",
)


def entry(values: list[Any]) -> dict[str, Any]:
    found = dict(zip(KEYS, values, strict=True))
    found["generators"] = found["generators"] or [list(range(found["degree"]))]
    found["classes"] = sorted(found["classes"])
    assert sum(row[1] for row in found["classes"]) == found["subgroups"]
    return found


def main() -> None:
    shows = "".join(f'Print("@", Json(Invariants({GROUPS[name]})), "\\n");\n' for name in GROUPS)
    small = """
    for order in [1..15] do for G in AllSmallGroups(order) do
      Print("@", Json([IdGroup(G), Invariants(SmallerDegree(G))]), "\\n");
    od; od;
    """
    rows = gap.run(PREPARE + PROGRAM + shows + small)
    groups = {name: entry(row) for name, row in zip(GROUPS, rows, strict=False)}
    up_to_15 = [{"id": row[0], **entry(row[1])} for row in rows[len(GROUPS) :]]
    assert (groups["D4"]["subgroups"], groups["S4"]["subgroups"]) == (10, 30)
    assert (groups["A5"]["subgroups"], groups["A5"]["subgroup_classes"]) == (59, 9)
    assert len(up_to_15) == 28
    about = {
        "source": gap.version(),
        "generators": "permutations as lists of images, zero-based: point i goes to list[i]",
        "structure": "GAP's StructureDescription; ':' is a semidirect product; GAP's D8 is the "
        "dihedral group of order 8 (here D4); different groups may share a description",
        "subgroups": "all subgroups, the trivial one and the whole group among them",
        "subgroup_classes": "number of conjugacy classes of subgroups",
        "maximal_subgroups": "maximal subgroups, not up to conjugacy",
        "abelian_invariants": "prime powers: the orders of cyclic factors of G/[G,G]",
        "derived_series_orders": "orders of G, [G,G], … until it stays",
        "element_orders": "pairs [order, number of elements of that order]",
        "classes": "[order, number of conjugates, structure] for each conjugacy class of subgroups",
        "up_to_15": "every group of order up to 15 once, by GAP's id [order, number]",
        "names": "Dn has order 2n; V4 is C2×C2; Oh, Th, Ih are the polyhedral groups with "
        "reflections; B4 the signed permutations of 4 axes; p4(N), p4m(N) are the shifts of an N×N "
        "periodic grid extended by C4, D4",
    }
    write("subgroup_counts.json", about, groups=groups, up_to_15=up_to_15)


if __name__ == "__main__":
    main()
