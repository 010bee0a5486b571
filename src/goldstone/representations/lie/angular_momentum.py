"""Angular momentum: the operators J, the coupling of two momenta, and the real basis.

Complex states |j m⟩ run through m = j, j − 1, …, −j in the phases of Condon and Shortley. Spins
come as twice their value, an integer.
"""

from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]


def angular_momentum(twice_j: int) -> Complex:
    """J_x, J_y, J_z of spin j, (3, 2j+1, 2j+1): J_±|j m⟩ = √(j(j+1) − m(m±1)) |j m±1⟩."""
    j = twice_j / 2
    m = j - np.arange(twice_j + 1)
    raising = np.diag(np.sqrt((j - m[1:]) * (j + m[1:] + 1)), 1)
    return np.stack([(raising + raising.T) / 2, (raising - raising.T) / 2j, np.diag(m) + 0j])


def coupling(twice_a: int, twice_b: int, twice_c: int) -> Real:
    """Clebsch–Gordan coefficients ⟨a α b β | c γ⟩ of SU(2), (2a+1, 2b+1, 2c+1).

    From Racah's formula in binomial coefficients (Varshalovich et al., *Quantum Theory of Angular
    Momentum*, 8.2.1), summed in exact integers and rounded once, so that every entry is right to
    the last digit but one for any spins. Zero where c is not in a ⊗ b.
    """
    result = np.zeros((twice_a + 1, twice_b + 1, twice_c + 1))
    rest = twice_a + twice_b - twice_c
    if rest % 2 or not abs(twice_a - twice_b) <= twice_c <= twice_a + twice_b:
        return result
    t, only_a, only_b = rest // 2, twice_a - rest // 2, twice_b - rest // 2
    scale = comb(twice_a, t) * comb(twice_b, t)
    total = comb(t + twice_c + 1, t)
    # States by their number of steps below the highest: p, q and r = p + q − t.
    for p in range(twice_a + 1):
        for q in range(max(0, t - p), min(twice_b, twice_c + t - p) + 1):
            r = p + q - t
            value = sum(
                (-1) ** z * comb(t, z) * comb(only_a, p - z) * comb(only_b, twice_b - q - z)
                for z in range(max(0, p - only_a, twice_b - q - only_b), min(t, p, twice_b - q) + 1)
            )
            weight = total * comb(twice_a, p) * comb(twice_b, q) * comb(twice_c, r)
            size = sqrt(value * value * scale / weight)
            result[p, q, r] = size if value >= 0 else -size
    return result


def real_basis(degree: int) -> Complex:
    """The unitary U of the real basis of SO(3), (2l+1, 2l+1): real state n = Σ_m U[n, m] |l m⟩.

    Rows are ordered n = −l…l: those of the real spherical harmonics without the Condon–Shortley
    phase (n < 0 with sin |n|φ, n > 0 with cos nφ), times the phase (−i)^l, which makes the coupling
    coefficients real.
    """
    states = np.zeros((2 * degree + 1, 2 * degree + 1), dtype=np.complex128)
    states[degree, degree] = 1
    m = np.arange(1, degree + 1)
    signs = (-1.0) ** m / sqrt(2)
    # Column l − m holds |l m⟩.
    states[degree + m, degree - m] = signs
    states[degree + m, degree + m] = 1 / sqrt(2)
    states[degree - m, degree - m] = -1j * signs
    states[degree - m, degree + m] = 1j / sqrt(2)
    result: Complex = (-1j) ** degree * states
    return result


def real_coupling(degree_a: int, degree_b: int, degree_c: int) -> Real:
    """The coupling of two degrees in the real basis, (2a+1, 2b+1, 2c+1).

    z_k = Σ_ij C[i, j, k] x_i y_j is equivariant and Σ_ij C[i, j, k] C[i, j, k'] = δ_kk'.
    """
    c = coupling(2 * degree_a, 2 * degree_b, 2 * degree_c)
    a, b = real_basis(degree_a), real_basis(degree_b)
    # One factor after another: einsum with all at once sums over every index together.
    turned = np.tensordot(a, np.tensordot(b, c, (1, 1)), (1, 1)) @ real_basis(degree_c).conj().T
    return np.ascontiguousarray(turned.real)
