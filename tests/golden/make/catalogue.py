"""The finite groups of the golden files, as GAP expressions of permutation groups."""

GROUPS = {
    "C1": "Group(())",
    "C2": "CyclicGroup(IsPermGroup, 2)",
    "C3": "CyclicGroup(IsPermGroup, 3)",
    "C4": "CyclicGroup(IsPermGroup, 4)",
    "C5": "CyclicGroup(IsPermGroup, 5)",
    "C6": "Group((1,2,3,4,5,6))",
    "C8": "Group((1,2,3,4,5,6,7,8))",
    "C12": "Group(CycleFromList([1..12]))",
    "V4": "Group((1,2), (3,4))",
    "C2xC4": "Group((1,2), (3,4,5,6))",
    "C2^3": "Group((1,2), (3,4), (5,6))",
    "C2^4": "Group((1,2), (3,4), (5,6), (7,8))",
    "C3xC3": "Group((1,2,3), (4,5,6))",
    "D3": "Group((1,2,3), (2,3))",
    "D4": "Group((1,2,3,4), (2,4))",
    "D5": "Group((1,2,3,4,5), (2,5)(3,4))",
    "D6": "Group((1,2,3,4,5,6), (2,6)(3,5))",
    "D8": "Group((1,2,3,4,5,6,7,8), (2,8)(3,7)(4,6))",
    "D12": "Group(CycleFromList([1..12]), (2,12)(3,11)(4,10)(5,9)(6,8))",
    "Q8": "QuaternionGroup(IsPermGroup, 8)",
    "Q16": "QuaternionGroup(IsPermGroup, 16)",
    "Dic3": "SmallerDegree(SmallGroup(12, 1))",
    "A4": "AlternatingGroup(4)",
    "S4": "SymmetricGroup(4)",
    "A5": "AlternatingGroup(5)",
    "S5": "SymmetricGroup(5)",
    "A6": "AlternatingGroup(6)",
    "S6": "SymmetricGroup(6)",
    "A7": "AlternatingGroup(7)",
    # Point groups with reflections: the signed permutations of three axes, and A5 × C2.
    "Th": "Group((1,3,5)(2,4,6), (1,2), (1,2)(3,4))",
    "Oh": "Group((1,3,5)(2,4,6), (1,3)(2,4), (1,2))",
    "Ih": "Group((1,2,3,4,5), (1,2,3), (6,7))",
    "B4": "Group((1,3,5,7)(2,4,6,8), (1,3)(2,4), (1,2))",
    "SL(2,3)": "SmallerDegree(SL(2,3))",
    "GL(2,3)": "SmallerDegree(GL(2,3))",
    "SL(2,5)": "SmallerDegree(SL(2,5))",
    "PSL(2,7)": "PSL(2,7)",
    "Heisenberg(3)": "SmallerDegree(ExtraspecialGroup(27, 3))",
    "C7:C3": "Group((1,2,3,4,5,6,7), (2,3,5)(4,7,6))",
    "C5:C4": "Group((1,2,3,4,5), (2,3,5,4))",
    # Shifts of the periodic grid {0,1}² or {0,1,2}² (points 1… in row-major order) and turns about
    # its origin; the half turn fixes the points of the 2×2 grid, so four directions follow them.
    "p4(2)": "Group((1,3)(2,4), (2,3)(5,6,7,8))",
    "p4m(2)": "Group((1,3)(2,4), (2,3)(5,6,7,8), (5,7))",
    "p4(3)": "Group((1,4,7)(2,5,8)(3,6,9), (2,4,3,7)(5,6,9,8))",
    "p4m(3)": "Group((1,4,7)(2,5,8)(3,6,9), (2,4,3,7)(5,6,9,8), (4,7)(5,8)(6,9))",
}

PREPARE = """
SmallerDegree := function(G)
  local P;
  P := Image(IsomorphismPermGroup(G), G);
  P := Image(SmallerDegreePermutationRepresentation(P), P);
  return Group(SmallGeneratingSet(P), ());
end;;
PointCount := G -> Maximum(1, LargestMovedPoint(G));;
"""
