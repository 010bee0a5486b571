"""Exponentials in matrix groups with 60 digits, by mpmath; log goes the other way."""

from typing import Any

import mpmath
from mpmath import matrix, mp, mpc, mpf
from writing import write

Rows = list[list[float]]
NEAR_PI = [float(mp.pi) - 1e-3, float(mp.pi) - 1e-6]
ANGLES = [0.0, 1e-12, 1e-8, 1e-4, 0.1, 1.0, 2.5, *NEAR_PI]
AXES = [(1.0, 0.0, 0.0), (0.36, 0.48, -0.8), (-0.6, 0.0, 0.8)]


def cross(v: tuple[float, ...]) -> Rows:
    x, y, z = v
    return [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]


def scaled(v: tuple[float, ...], factor: float) -> tuple[float, ...]:
    return tuple(factor * x for x in v)


def plane(n: int, turns: list[tuple[int, int, float]]) -> Rows:
    """Skew matrix that turns axis i towards axis j with each given speed."""
    X = [[0.0] * n for _ in range(n)]
    for i, j, angle in turns:
        X[j][i] += angle
        X[i][j] -= angle
    return X


def affine(block: Rows, shift: tuple[float, ...]) -> Rows:
    return [[*row, x] for row, x in zip(block, shift, strict=True)] + [[0.0] * (len(block) + 1)]


def lorentz(rotation: tuple[float, ...], boost: tuple[float, ...]) -> Rows:
    turn = cross(rotation)
    return [[0.0, *boost], *([x, *row] for x, row in zip(boost, turn, strict=True))]


def special_unitary(a: float, b: float, c: float) -> list[list[complex]]:
    """-i (a σ_x + b σ_y + c σ_z) / 2."""
    return [[-0.5j * c, -0.5j * a - 0.5 * b], [-0.5j * a + 0.5 * b, 0.5j * c]]


SU3 = [
    [0.3j, 0.4 + 0.2j, -0.7 + 0.1j],
    [-0.4 + 0.2j, -0.9j, 0.25 - 0.6j],
    [0.7 + 0.1j, -0.25 - 0.6j, 0.6000000000000001j],
]
SHIFT = (0.7, -1.2, 2.0)

CASES: dict[str, list[Any]] = {
    "SO(2)": [plane(2, [(0, 1, a)]) for a in ANGLES],
    "SO(3)": [cross(scaled(axis, a)) for a in [*ANGLES, 4.0] for axis in AXES],
    "SO(4)": [
        plane(4, [(0, 1, 0.3), (2, 3, 2.9)]),
        plane(4, [(0, 1, 1.0), (2, 3, 1.0)]),
        plane(4, [(0, 1, 0.4), (0, 2, -0.8), (1, 3, 0.5), (2, 3, 0.9)]),
        plane(4, [(0, 1, 1e-8), (2, 3, 3.0)]),
    ],
    "SO(5)": [plane(5, [(0, 1, 0.4), (1, 2, -0.8), (2, 3, 0.5), (3, 4, 1.1), (0, 4, 0.2)])],
    "SE(2)": [affine(plane(2, [(0, 1, a)]), (0.7, -1.2)) for a in ANGLES],
    "SE(3)": [affine(cross(scaled(axis, a)), SHIFT) for a in ANGLES for axis in AXES[1:]],
    "SO+(1,3)": [
        lorentz((0.0, 0.0, 0.0), (0.5, 0.0, 0.0)),
        lorentz((0.0, 0.0, 0.0), (1e-8, 0.0, 0.0)),
        lorentz((0.0, 0.0, 0.0), (0.0, 1.2, -2.5)),
        lorentz((0.0, 0.0, 0.0), (0.0, 0.0, 5.0)),
        lorentz((0.3, -0.2, 0.9), (0.0, 0.0, 0.0)),
        lorentz((0.0, 0.0, 2.0), (0.0, 0.0, 1.5)),
        lorentz((0.3, -0.2, 0.9), (0.5, 1.1, -0.4)),
        lorentz((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),  # a null rotation: X³ = 0
    ],
    "SL(2,R)": [
        [[0.0, 0.0], [0.0, 0.0]],
        [[0.8, 0.0], [0.0, -0.8]],
        [[0.0, -1.0], [1.0, 0.0]],
        [[0.0, -3.0], [3.0, 0.0]],
        [[0.0, -3.5], [3.5, 0.0]],
        [[0.0, 1.5], [0.0, 0.0]],
        [[1.0, 1.0], [-1.0, -1.0]],  # nilpotent
        [[0.3, -2.0], [0.7, -0.3]],
        [[0.3, 2.0], [0.7, -0.3]],
        [[1e-8, 2e-8], [-3e-8, -1e-8]],
    ],
    "Sp(2,R)": [[[0.2, 0.5], [-1.3, -0.2]], [[-0.4, 1.1], [0.6, 0.4]]],
    "Sp(4,R)": [
        [
            [0.2, -0.5, 0.3, 0.1],
            [0.4, 0.1, 0.1, -0.6],
            [-0.7, 0.2, -0.2, -0.4],
            [0.2, 0.5, 0.5, -0.1],
        ],
        [
            [0.0, 0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0, 2.0],
            [-1.0, 0.0, 0.0, 0.0],
            [0.0, -2.0, 0.0, 0.0],
        ],
    ],
    "SU(2)": [special_unitary(*scaled(axis, a)) for a in [*ANGLES, 5.0, 7.0] for axis in AXES[1:2]],
    "SU(3)": [SU3],
    "Heisenberg(3)": [[[0.0, 1.5, -0.4], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]]],
    "Galilei(3)": [
        [
            [0.0, -0.9, -0.2, 1.0, 0.5],
            [0.9, 0.0, -0.3, -2.0, 0.1],
            [0.2, 0.3, 0.0, 0.4, -0.7],
            [0.0, 0.0, 0.0, 0.0, 1.5],
            [0.0, 0.0, 0.0, 0.0, 0.0],
        ]
    ],
}

OUTSIDE = [
    ("SO(3)", [[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]], "half turn: two logarithms"),
    ("SO(3)", [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], "a reflection"),
    ("SO(2)", [[-1.0, 0.0], [0.0, -1.0]], "half turn: two logarithms"),
    ("SL(2,R)", [[-1.0, 0.0], [0.0, -1.0]], "-1: many logarithms"),
    ("SL(2,R)", [[-2.0, 0.0], [0.0, -0.5]], "trace < -2: no real logarithm"),
    ("SL(2,R)", [[-1.0, 1.0], [0.0, -1.0]], "trace -2, not -1: no real logarithm"),
    ("SU(2)", [[-1.0, 0.0], [0.0, -1.0]], "-1: many logarithms"),
    (
        "SO(1,3)",
        [[-float(i == j) for j in range(4)] for i in range(4)],
        "not connected to the identity",
    ),
]


def rounded(M: matrix) -> dict[str, Rows]:
    """The nearest doubles, real parts and (where any) imaginary parts."""
    M = M.apply(lambda x: mp.chop(mpc(x), tol=mpf(10) ** -45))
    parts = {"re": [[float(x.real) for x in row] for row in M.tolist()]}
    if any(x.imag for x in M):
        parts["im"] = [[float(x.imag) for x in row] for row in M.tolist()]
    return parts


def spread(X: matrix) -> float:
    """Largest imaginary part among the eigenvalues: π bounds the principal logarithm."""
    eigenvalues = mp.eig(X, left=False, right=False)
    return max(abs(mpc(x).imag) for x in eigenvalues)


def case(rows: Any) -> dict[str, Any]:
    X = matrix([[mpc(x) for x in row] for row in rows])
    g = mp.expm(X, method="taylor")
    assert mp.norm(g * mp.expm(-X, method="taylor") - mp.eye(X.rows)) < mpf(10) ** -40
    angle = spread(X)
    return {
        "X": rounded(X),
        "exp": rounded(g),
        "largest_angle": float(angle) if angle > mpf(10) ** -25 else 0.0,
        "principal": bool(angle < mp.pi),
    }


def main() -> None:
    mp.dps = 60
    about = {
        "source": f"mpmath {mpmath.__version__} with {mp.dps} digits, rounded once to doubles",
        "X": "element of the Lie algebra, a matrix with exactly these doubles: re and, where it is "
        "complex, im",
        "exp": "exp(X), each entry the nearest double",
        "largest_angle": "largest |imaginary part| of the eigenvalues of X",
        "principal": "true where it is below π: then X is the principal logarithm of exp(X). "
        "As exp is rounded, a logarithm recovers X to about 1e-15·max(1, |exp|·|exp⁻¹|) away from "
        "the cut, and to about 1e-15/(π - angle) near it where its formula divides by the sine",
        "lorentz": "coordinates (t, x, y, z), metric diag(-1, 1, 1, 1) or its negative",
        "symplectic": "form [[0, 1], [-1, 0]] in blocks; X = [[A, B], [C, -A^T]], B = B^T, C = C^T",
        "affine": "SE(n): [[turn, shift], [0, 0]]; Galilei: [[turn, boost, shift], [0, 0, time "
        "shift], [0, 0, 0]] on (x, t, 1)",
        "outside": "elements (or matrices) that the principal logarithm must refuse, and why",
    }
    groups = {name: [case(X) for X in matrices] for name, matrices in CASES.items()}
    outside = [{"group": name, "g": g, "reason": reason} for name, g, reason in OUTSIDE]
    write("lie_exp_log.json", about, groups=groups, outside=outside)


if __name__ == "__main__":
    main()
