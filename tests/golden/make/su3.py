"""Irreps of SU(3) in numbers, by GAP's highest-weight modules."""

from fractions import Fraction
from typing import Any

import gap
from writing import write

LARGEST = 4  # p + q

PROGRAM = """
L := SimpleLieAlgebra("A", 2, Rationals);;
R := RootSystem(L);;
ShowDimension := function(p, q)
  Print("@", Json(["dimension", p, q, DimensionOfHighestWeightModule(L, [p, q]),
    DominantCharacter(R, [p, q])]), "\\n");
end;;
ShowProduct := function(a, b)
  Print("@", Json(["product", a, b, DecomposeTensorProduct(L, a, b)]), "\\n");
end;;
"""


def irrep(p: int, q: int, dimension: int, dominant: list[list[Any]]) -> dict[str, Any]:
    casimir = Fraction(p * p + q * q + p * q + 3 * p + 3 * q, 3)
    assert dimension == (p + 1) * (q + 1) * (p + q + 2) // 2
    return {
        "weight": [p, q],
        "dimension": dimension,
        "casimir": float(casimir),
        "dominant_weights": [[*w, m] for w, m in zip(*dominant, strict=True)],
        "dual": [q, p],
        "triality": (p - q) % 3,
    }


def main() -> None:
    weights = [(p, total - p) for total in range(LARGEST + 1) for p in range(total, -1, -1)]
    small = [w for w in weights if 0 < sum(w) <= 2]
    shows = [f"ShowDimension({p}, {q});" for p, q in weights]
    shows += [
        f"ShowProduct({list(a)}, {list(b)});" for i, a in enumerate(small) for b in small[: i + 1]
    ]
    rows = gap.run(PROGRAM + "\n".join(shows))
    irreps = [irrep(*row[1:]) for row in rows if row[0] == "dimension"]
    dimension = {tuple(entry["weight"]): entry["dimension"] for entry in irreps}
    products = []
    for kind, *rest in rows:
        if kind == "product":
            a, b, (factors, multiplicities) = rest
            terms = sorted([*w, m] for w, m in zip(factors, multiplicities, strict=True))
            total = sum(m * dimension[p, q] for p, q, m in terms)
            assert total == dimension[tuple(a)] * dimension[tuple(b)]
            products.append({"factors": [a, b], "terms": terms})
    about = {
        "source": gap.version(),
        "weight": "(p, q): highest weight in the basis of fundamental weights; (1, 0) is C^3, "
        "(0, 1) its dual, (1, 1) the adjoint representation",
        "casimir": "Σ_a T_a T_a for T_a = λ_a/2: (p² + q² + pq + 3p + 3q)/3, a closed form",
        "dominant_weights": "[p, q, multiplicity] for each dominant weight of the irrep",
        "triality": "(p - q) mod 3",
        "terms": "[p, q, multiplicity] for each irrep in the tensor product of the two factors",
    }
    write("su3.json", about, irreps=irreps, products=products)


if __name__ == "__main__":
    main()
