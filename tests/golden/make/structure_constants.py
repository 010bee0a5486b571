"""Structure constants and Killing forms of small Lie algebras, by sympy from explicit matrices."""

from itertools import combinations
from typing import Any

import sympy
from sympy import I, Matrix, Rational, eye, sqrt, zeros
from writing import write

Basis = list[Matrix]


def unit(n: int, i: int, j: int) -> Matrix:
    matrix = zeros(n, n)
    matrix[i, j] = 1
    return matrix


def rotations(n: int, axes: list[tuple[int, int]]) -> Basis:
    """E_ba - E_ab for each plane (a, b): turns axis a towards axis b."""
    return [unit(n, b, a) - unit(n, a, b) for a, b in axes]


CYCLIC = [(1, 2), (2, 0), (0, 1)]  # planes of the turns about x, y, z


def shifted(axes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(a + 1, b + 1) for a, b in axes]


def gell_mann() -> Basis:
    found = []
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        found += [unit(3, i, j) + unit(3, j, i), -I * unit(3, i, j) + I * unit(3, j, i)]
    third, eighth = sympy.diag(1, -1, 0), sympy.diag(1, 1, -2) / sqrt(3)
    return [*found[:2], third, *found[2:], eighth]


def pauli() -> Basis:
    return [Matrix([[0, 1], [1, 0]]), Matrix([[0, -I], [I, 0]]), Matrix([[1, 0], [0, -1]])]


def symplectic(n: int) -> Basis:
    """[[A, B], [C, -A^T]] with B, C symmetric."""
    found = [unit(2 * n, i, j) - unit(2 * n, n + j, n + i) for i in range(n) for j in range(n)]
    for first, second in ((0, n), (n, 0)):
        for i in range(n):
            for j in range(i + 1):
                entry = unit(2 * n, first + i, second + j)
                if i != j:
                    entry += unit(2 * n, first + j, second + i)
                found.append(entry)
    return found


ALGEBRAS: dict[str, tuple[str, Basis]] = {
    "so(3)": ("L_x, L_y, L_z: [L_i, L_j] = ε_ijk L_k", rotations(3, CYCLIC)),
    "su(2)": ("-iσ_k/2: [X_i, X_j] = ε_ijk X_k", [-I * s / 2 for s in pauli()]),
    "su(3)": (
        "-iλ_a/2, λ_a of Gell-Mann: [X_a, X_b] = f_abc X_c, [λ_a, λ_b] = 2i f_abc λ_c",
        [-I * m / 2 for m in gell_mann()],
    ),
    "so(4)": ("E_ba - E_ab for planes a < b in order", rotations(4, [*combinations(range(4), 2)])),
    "so(1,3)": (
        "J_x, J_y, J_z, K_x, K_y, K_z on (t, x, y, z): [J, J] = J, [J, K] = K, [K, K] = -J",
        rotations(4, shifted(CYCLIC)) + [unit(4, 0, i) + unit(4, i, 0) for i in (1, 2, 3)],
    ),
    "sl(2,R)": (
        "H, E, F: [H, E] = 2E, [H, F] = -2F, [E, F] = H",
        [sympy.diag(1, -1), unit(2, 0, 1), unit(2, 1, 0)],
    ),
    "sp(4,R)": (
        "[[A, B], [C, -A^T]], B and C symmetric: the A_ij row by row, B_ij, C_ij for j <= i",
        symplectic(2),
    ),
    "heisenberg(3)": (
        "X, Y, Z: [X, Y] = Z",
        [unit(3, 0, 1), unit(3, 1, 2), unit(3, 0, 2)],
    ),
    "se(2)": (
        "turn, shift along x, y, on (x, y, 1)",
        [*rotations(3, [(0, 1)]), unit(3, 0, 2), unit(3, 1, 2)],
    ),
    "se(3)": (
        "L_x, L_y, L_z, P_x, P_y, P_z on (x, y, z, 1)",
        rotations(4, CYCLIC) + [unit(4, i, 3) for i in range(3)],
    ),
    "galilei(3)": (
        "L_i, boosts G_i, shifts P_i (i = x, y, z), time shift H on (x, y, z, t, 1): [G, H] = P",
        rotations(5, CYCLIC)
        + [unit(5, i, 3) for i in range(3)]
        + [unit(5, i, 4) for i in range(3)]
        + [unit(5, 3, 4)],
    ),
}  # fmt: skip


def coordinates(basis: Basis) -> Matrix:
    """Left inverse of the matrix whose columns are the basis elements, as real vectors."""
    columns = Matrix.hstack(*[realified(x) for x in basis])
    gram = columns.T * columns
    return gram.inv() * columns.T


def realified(x: Matrix) -> Matrix:
    return Matrix([*x.applyfunc(sympy.re), *x.applyfunc(sympy.im)])


def number(x: Any) -> int | float:
    x = sympy.nsimplify(sympy.simplify(x))
    return int(x) if x.is_integer else float(x.evalf(30))


def array(x: Matrix) -> list[list[int | float]]:
    return [[number(x[i, j]) for j in range(x.cols)] for i in range(x.rows)]


def algebra(convention: str, basis: Basis) -> dict[str, Any]:
    inverse, size = coordinates(basis), len(basis)
    adjoint = [zeros(size, size) for _ in basis]
    for i, j in combinations(range(size), 2):
        bracket = basis[i] * basis[j] - basis[j] * basis[i]
        c = (inverse * realified(bracket)).applyfunc(sympy.nsimplify)
        back = sum((c[k] * basis[k] for k in range(size)), zeros(*bracket.shape))
        assert (bracket - back).applyfunc(sympy.simplify).is_zero_matrix, "not closed"
        adjoint[i][:, j], adjoint[j][:, i] = c, -c
    killing = Matrix(size, size, lambda i, j: (adjoint[i] * adjoint[j]).trace())
    signs = []
    for value, multiplicity in killing.applyfunc(sympy.simplify).eigenvals().items():
        signs += [sympy.sign(value)] * multiplicity
    entries = [
        [i, j, k, number(adjoint[i][k, j])]
        for i in range(size)
        for j in range(size)
        for k in range(size)
        if adjoint[i][k, j] != 0
    ]
    return {
        "convention": convention,
        "dimension": size,
        "basis_real": [array(x.applyfunc(sympy.re)) for x in basis],
        "basis_imaginary": [array(x.applyfunc(sympy.im)) for x in basis],
        "structure_constants": entries,
        "killing_form": array(killing),
        "killing_signature": [signs.count(1), signs.count(-1), signs.count(0)],
    }


def symmetric_constants() -> list[list[Any]]:
    """d_abc of su(3): {λ_a, λ_b} = 4/3 δ_ab + 2 d_abc λ_c."""
    matrices, found = gell_mann(), []
    for a in range(8):
        for b in range(8):
            anti = matrices[a] * matrices[b] + matrices[b] * matrices[a]
            anti -= Rational(4, 3) * int(a == b) * eye(3)
            for c in range(8):
                d = sympy.simplify((anti * matrices[c]).trace() / 4)
                if d != 0:
                    found.append([a, b, c, number(d)])
    return found


def main() -> None:
    about = {
        "source": f"sympy {sympy.__version__}, exact arithmetic",
        "structure_constants": "nonzero entries [i, j, k, c] of [X_i, X_j] = Σ_k c X_k, zero-based",
        "basis": "matrices X_i, real and imaginary parts; exp(X_i) lies in the group: no factor i",
        "killing_form": "B_ij = tr(ad X_i ad X_j)",
        "killing_signature": "numbers of [positive, negative, zero] eigenvalues",
        "su3_d": "nonzero entries [a, b, c, d_abc] of {λ_a, λ_b} = 4/3 δ_ab + 2 d_abc λ_c",
    }
    algebras = {name: algebra(*of) for name, of in ALGEBRAS.items()}
    write("structure_constants.json", about, algebras=algebras, su3_d=symmetric_constants())


if __name__ == "__main__":
    main()
