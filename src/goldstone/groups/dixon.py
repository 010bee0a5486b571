"""Irreducible characters by the algorithm of Burnside and Dixon, exact modulo a prime."""

from math import gcd, isqrt, lcm
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from goldstone.groups.conjugacy import ConjugacyClasses
from goldstone.groups.integers import divisors, is_prime
from goldstone.groups.modular import Residues, evaluate, multiply, root_of_unity, solve


def dixon_characters(classes: ConjugacyClasses[Any]) -> NDArray[np.complex128]:
    """The irreducible characters, (k, k): one row each, columns the classes.

    Class sums multiply as K_i K_j = Σ_l a_ijl K_l, so each character gives a common eigenvector
    ω_i = |C_i| χ(C_i)/χ(e) of the matrices (a_ijl)_jl. Modulo a prime p ≡ 1 mod the exponent all
    ω_i exist; a random combination of the matrices tells them apart. Degrees follow from
    Σ ω_i ω_i′/|C_i| = |G|/χ(e)², i′ the class of inverses; values are lifted to sums of roots of
    unity, whose multiplicities the finite Fourier transform over the powers of an element gives
    (Dixon, Numer. Math. 10 (1967) 446–450).
    """
    prime = _prime(classes)
    inverse_sizes = np.array([pow(size, -1, prime) for size in classes.sizes])
    central = _common_eigenvectors(classes, prime)
    inverses = np.array(classes.powers(-1))
    norms = (central * central[:, inverses] % prime * inverse_sizes % prime).sum(1) % prime
    degree_of = {d * d % prime: d for d in divisors(classes.group.order) if d <= _bound(classes)}
    degrees = [degree_of[classes.group.order * pow(int(norm), -1, prime) % prime] for norm in norms]
    residues = central * inverse_sizes % prime * np.array(degrees)[:, None] % prime
    return _lift(residues, classes, prime)


def _bound(classes: ConjugacyClasses[Any]) -> int:
    return isqrt(classes.group.order)


def _prime(classes: ConjugacyClasses[Any]) -> int:
    """The smallest suitable prime: over 2√|G| so that degrees and multiplicities are unique.

    And at least k², so that k random eigenvalues are likely to differ.
    """
    step = lcm(*classes.orders)
    least = max(2 * _bound(classes) + 1, len(classes) ** 2)
    prime = step * (least // step + 1) + 1
    while not is_prime(prime):
        prime += step
    return prime


def _common_eigenvectors(classes: ConjugacyClasses[Any], prime: int) -> Residues:
    """The vectors ω modulo p, one row each, ω of the identity's class 1."""
    count = len(classes)
    seeds = np.random.default_rng(0)
    while True:
        matrix = _class_sum_matrix(classes, seeds.integers(0, prime, count), prime)
        krylov = np.empty((count, count + 1), dtype=np.int64)
        krylov[:, 0] = seeds.integers(0, prime, count)
        for power in range(count):
            krylov[:, power + 1] = multiply(matrix, krylov[:, power], prime)
        relation = solve(krylov[:, :-1], krylov[:, -1], prime)
        if relation is None:
            continue
        # xᵏ − Σ relation_j xʲ is the characteristic polynomial; lowest degree first:
        polynomial = np.append(-relation % prime, 1)
        points = np.arange(prime)
        roots = points[evaluate(polynomial[::-1], points, prime) == 0]
        if len(roots) < count:
            continue
        # The polynomial divided by x − λ, applied to the matrix, leaves the eigenspace of λ alone.
        quotients = np.empty((count, count), dtype=np.int64)
        quotients[-1] = 1
        for j in range(count - 1, 0, -1):
            quotients[j - 1] = (polynomial[j] + roots * quotients[j]) % prime
        vectors = multiply(krylov[:, :-1], quotients, prime).T
        scale = np.array([pow(int(first), -1, prime) for first in vectors[:, 0]])
        central: Residues = vectors * scale[:, None] % prime
        return central


def _class_sum_matrix(classes: ConjugacyClasses[Any], weights: Residues, prime: int) -> Residues:
    """Σ_i weights_i (a_ijl)_jl modulo p: a_ijl counts x in C_i with x⁻¹ z_l in C_j."""
    group, count = classes.group, len(classes)
    inverses = group.inverse(group.element_tensor())
    weight_of = weights[classes.labels.numpy()].astype(np.float64)
    matrix = np.empty((count, count), dtype=np.int64)
    for column, representative in enumerate(group.tensor(classes.representatives)):
        rows = classes.number(group.compose(inverses, representative)).numpy()
        matrix[:, column] = np.bincount(rows, weight_of, count) % prime
    return matrix


def _lift(residues: Residues, classes: ConjugacyClasses[Any], prime: int) -> NDArray[np.complex128]:
    """Characters in the complex numbers from characters modulo p."""
    powers = _power_classes(classes)
    generator = root_of_unity(lcm(*classes.orders), prime)
    values = np.full(residues.shape, np.nan, dtype=np.complex128)
    for number, order in enumerate(classes.orders):
        if not np.isnan(values[0, number]):
            continue
        root = pow(generator, lcm(*classes.orders) // order, prime)
        roots = np.array([pow(root, k, prime) for k in range(order)])
        exponents = np.outer(np.arange(order), np.arange(order)) % order
        transform = roots[-exponents % order] * pow(order, -1, prime) % prime
        multiplicities = multiply(residues[:, powers[:order, number]], transform, prime)
        # The generators of one cyclic group share the multiplicities, permuted.
        for k in range(1, order + 1):
            if gcd(k, order) == 1:
                angles = 2 * np.pi / order * (np.arange(order) * k % order)
                value = multiplicities @ np.exp(1j * angles)
                values[:, powers[k % order, number]] = _whole(value)
    return values


def _power_classes(classes: ConjugacyClasses[Any]) -> NDArray[np.int64]:
    """P, (largest order, k): P[s, i] is the class of the s-th powers of class i."""
    group = classes.group
    representatives = group.tensor(classes.representatives)
    power = group.identity_tensor(representatives).expand_as(representatives)
    rows = []
    for _ in range(max(classes.orders)):
        rows.append(classes.number(power))
        power = group.compose(power, representatives)
    return torch.stack(rows).numpy()


def _whole(values: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Parts within rounding of a whole number become whole."""
    parts = values.view(np.float64)
    near = parts.round()
    result: NDArray[np.complex128] = np.where(np.abs(parts - near) < 1e-10, near + 0.0, parts).view(
        np.complex128
    )
    return result
