"""Clebsch–Gordan coefficients and Wigner D matrices of SO(3), by e3nn; those of SU(2) by sympy."""

from importlib.metadata import version
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy
import torch
from e3nn import o3
from mpmath import mp, mpf
from sympy.physics.quantum.cg import CG
from writing import write

LARGEST = 4  # degree l
REAL_BASIS = (
    "real basis of irrep l, index 0…2l for m = -l…l (m < 0 sine, m > 0 cosine combinations), in "
    "e3nn's axes: l = 1 is the vector (x, y, z) with y the axis of m = 0, so its three components "
    "m = -1, 0, 1 are x, y, z; D(1, R) = R. e3nn's x, y, z are the usual y, z, x (usual: z is the "
    "axis of m = 0, the l = 1 components m = -1, 0, 1 are y, z, x), so with R in the usual axes "
    "e3nn's is P R P^T, P = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]; the D and the invariant tensors in "
    "the order m = -l…l are then those of the usual real harmonics"
)


def sparse(array: np.ndarray) -> list[list[Any]]:
    """Nonzero entries as [indices…, value]."""
    return [[*map(int, at), float(array[tuple(at)])] for at in np.argwhere(np.abs(array) > 1e-13)]


def wigner_3j() -> list[dict[str, Any]]:
    found = []
    for l1, l2, l3 in product(range(LARGEST + 1), repeat=3):
        if abs(l1 - l2) <= l3 <= l1 + l2:
            entries = sparse(o3.wigner_3j(l1, l2, l3, dtype=torch.float64).numpy())
            found.append({"l": [l1, l2, l3], "entries": entries})
    return found


def halves() -> list[dict[str, Any]]:
    """⟨j1 m1 j2 m2 | J M⟩ for j1, j2 up to 2, all angular momenta doubled."""
    found = []
    for a, b in product(range(5), repeat=2):
        for c in range(abs(a - b), a + b + 1, 2):
            entries = []
            for m, n in product(range(-a, a + 1, 2), range(-b, b + 1, 2)):
                if abs(m + n) <= c:
                    arguments = [sympy.Rational(x, 2) for x in (a, m, b, n, c, m + n)]
                    exact = CG(*arguments).doit()
                    if exact != 0:
                        signed_square = sympy.nsimplify(sympy.sign(exact) * exact**2)
                        entries.append([m, n, float(exact.evalf(30)), str(signed_square)])
            found.append({"twice_j": [a, b, c], "entries": entries})
    return found


def wigner_d_matrices() -> list[dict[str, Any]]:
    generator = torch.Generator().manual_seed(20)
    scale = torch.tensor([6.0, 3.0, 6.0], dtype=torch.float64)
    found = []
    for _ in range(3):
        angles = torch.rand(3, generator=generator, dtype=torch.float64) * scale
        rotation = o3.angles_to_matrix(*angles)
        matrices = [o3.wigner_D(degree, *angles) for degree in range(LARGEST + 1)]
        assert torch.allclose(matrices[1], rotation, atol=1e-13, rtol=0)
        for degree, D in enumerate(matrices):
            identity = torch.eye(2 * degree + 1, dtype=torch.float64)
            assert torch.allclose(D @ D.T, identity, atol=1e-13, rtol=0)
        check_invariance(matrices)
        found.append(
            {
                "rotation": rotation.tolist(),
                "D": {str(degree): D.tolist() for degree, D in enumerate(matrices)},
            }
        )
    return found


def check_invariance(matrices: list[torch.Tensor]) -> None:
    for l1, l2, l3 in product(range(LARGEST + 1), repeat=3):
        if abs(l1 - l2) <= l3 <= l1 + l2:
            C = o3.wigner_3j(l1, l2, l3, dtype=torch.float64)
            turned = torch.einsum("abc,ia,jb,kc->ijk", C, matrices[l1], matrices[l2], matrices[l3])
            assert torch.allclose(turned, C, atol=1e-13, rtol=0)


def characters() -> list[dict[str, Any]]:
    found = []
    for angle in ("1e-8", "0.001", "0.5", "1.0", "2.0", "3.0", "3.1415"):
        theta = mpf(angle)
        values = [
            float(mp.sin((degree + mpf(1) / 2) * theta) / mp.sin(theta / 2)) for degree in range(21)
        ]
        found.append({"angle": float(angle), "characters": values})
    return found


def small_d(twice: tuple[int, int, int], beta: mpf) -> mpf:
    """d^j_{m n}(β) by Wigner's sum (Edmonds, 4.1.15; Sakurai, 3.9.33), at the precision of mp."""
    j2, m2, n2 = twice
    jm, jn, j_m, j_n = (j2 + m2) // 2, (j2 + n2) // 2, (j2 - m2) // 2, (j2 - n2) // 2
    shift = (m2 - n2) // 2
    cosine, sine = mp.cos(beta / 2), mp.sin(beta / 2)
    f = mp.factorial
    scale = mp.sqrt(f(jm) * f(j_m) * f(jn) * f(j_n))
    total = mpf(0)
    for k in range(max(0, -shift), min(jn, j_m) + 1):
        below = f(jn - k) * f(k) * f(shift + k) * f(j_m - k)
        total += (
            (-1) ** (shift + k) * cosine ** (j2 - 2 * k - shift) * sine ** (2 * k + shift) / below
        )
    return scale * total


def small_d_entries() -> list[list[Any]]:
    found = []
    chosen = [
        (40, 0, 0), (40, 40, 40), (40, 40, -40), (40, 10, -6), (40, 2, 0), (40, 38, 4),
        (40, -14, 22), (40, 20, 20), (20, 4, -8), (8, 2, -4), (2, 0, 2), (1, 1, -1), (3, 3, 1),
    ]  # fmt: skip
    for twice in chosen:
        for beta in ("0.01", "0.7", "1.5", "2.5", "3.14"):
            value = small_d(twice, mpf(beta))
            found.append([list(twice), float(beta), float(value)])
    return found


def main() -> None:
    mp.dps = 60
    torch.set_default_dtype(
        torch.float64
    )  # e3nn computes in the default type, whatever is asked for
    e3nn = f"e3nn {version('e3nn')} on torch {version('torch')}"
    exact = f"sympy {sympy.__version__}"
    about = {
        "source": f"{e3nn} (wigner_3j); {exact} (clebsch_gordan)",
        "wigner_3j": "nonzero entries [i1, i2, i3, value] of the invariant tensor of l1⊗l2⊗l3, of "
        "Frobenius norm 1 (|entry| < 1e-13 left out); its overall sign is e3nn's choice",
        "basis": REAL_BASIS,
        "clebsch_gordan": "⟨j1 m1 j2 m2 | J M⟩ in the Condon–Shortley phase, complex SU(2) basis; "
        "twice_j = [2 j1, 2 j2, 2 J]; entries [2 m1, 2 m2, value, sign·value² as a fraction], "
        "M = m1 + m2; entries that vanish left out",
    }
    write("clebsch_gordan_so3.json", about, wigner_3j=wigner_3j(), clebsch_gordan=halves())
    about = {
        "source": f"{e3nn} (wigner_d); mpmath {mpmath.__version__} with {mp.dps} digits (rest)",
        "wigner_d": "D[l] as rows for the rotation matrix, which acts on columns (x, y, z)",
        "basis": REAL_BASIS,
        "characters": "sin((l + 1/2) θ) / sin(θ/2) for l = 0…20 at the angle θ of the rotation",
        "small_d": "[[2l, 2m, 2n], β, d^l_{mn}(β)], d^l_{mn}(β) = ⟨l m| exp(-i β J_y) |l n⟩ in the "
        "Condon–Shortley phase",
    }
    write(
        "wigner_d.json",
        about,
        wigner_d=wigner_d_matrices(),
        characters=characters(),
        small_d=small_d_entries(),
    )


if __name__ == "__main__":
    main()
