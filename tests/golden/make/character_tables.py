"""Character tables of finite groups, by GAP."""

from typing import Any

import gap
from catalogue import GROUPS, PREPARE
from mpmath import mp, mpc, mpf
from writing import write

PROGRAM = """
Show := function(G)
  local T, n;
  T := CharacterTable(G);
  n := PointCount(G);
  Print("@", Json([Size(G), n, List(GeneratorsOfGroup(G), g -> FromZero(g, n)),
    List(ConjugacyClasses(T), c -> FromZero(Representative(c), n)),
    SizesConjugacyClasses(T), OrdersClassRepresentatives(T),
    List(Irr(T), c -> List(ValuesOfClassFunction(c), Expansion)),
    Indicator(T, Irr(T), 2)]), "\\n");
end;;
"""


def number(expansion: tuple[int, list[int]]) -> complex:
    """Σ_k c_k exp(2πi k/N), summed with 40 digits and rounded once."""
    conductor, coefficients = expansion
    total = mpc(0)
    for k, c in enumerate(coefficients):
        if c:
            angle = mpf(2 * k) / conductor
            total += c * mpc(mp.cospi(angle), mp.sinpi(angle))
    return complex(mp.chop(total, tol=mpf(10) ** -35))


def as_pair(value: complex) -> list[float | int]:
    return [int(x) if x.is_integer() else x for x in (value.real, value.imag)]


def table(row: list[Any]) -> dict[str, Any]:
    order, degree, generators, representatives, sizes, orders, irreps, indicators = row
    values = [[number(x) for x in irrep] for irrep in irreps]
    check(order, sizes, values)
    return {
        "order": order,
        "degree": degree,
        "generators": generators or [list(range(degree))],
        "class_representatives": representatives,
        "class_sizes": sizes,
        "class_element_orders": orders,
        "frobenius_schur": indicators,
        "values": [[as_pair(x) for x in row] for row in values],
    }


def check(order: int, sizes: list[int], values: list[list[complex]]) -> None:
    """Rows orthogonal, columns orthogonal, dimensions square-sum to the order."""
    for i, a in enumerate(values):
        for j, b in enumerate(values):
            total = sum(s * x * y.conjugate() for s, x, y in zip(sizes, a, b, strict=True))
            assert abs(total - order * (i == j)) < 1e-9
    for i, size in enumerate(sizes):
        for j in range(len(sizes)):
            total = sum(row[i] * row[j].conjugate() for row in values)
            assert abs(total - order / size * (i == j)) < 1e-9


def main() -> None:
    mp.dps = 40
    shows = "\n".join(f"Show({group});" for group in GROUPS.values())
    rows = gap.run(PREPARE + PROGRAM + shows)
    about = {
        "source": gap.version(),
        "generators": "permutations as lists of images, zero-based: point i goes to list[i]",
        "class_representatives": "one element of each class, in the order of the other class lists",
        "values": "values[irrep][class] as [real part, imaginary part]; integers are exact; "
        "the order of irreps and of classes is GAP's and means nothing",
        "frobenius_schur": "per irrep: 1 real, 0 complex, -1 quaternionic",
        "composition": "a permutation composition in either order gives the same table",
        "names": "Dn has order 2n; V4 is C2×C2; Oh, Th, Ih are the polyhedral groups with "
        "reflections; B4 the signed permutations of 4 axes; C7:C3 and C5:C4 are Frobenius groups; "
        "p4(N), p4m(N) are the shifts of an N×N periodic grid extended by C4, D4",
    }
    write("character_tables.json", about, groups=dict(zip(GROUPS, map(table, rows), strict=True)))


if __name__ == "__main__":
    main()
