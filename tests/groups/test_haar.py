"""Haar measure: moments and distributions in closed form, on samples with a fixed seed.

The average of tr(g)^k is the number of invariants in V^⊗k, here from the theory of invariants; the
bounds are five standard errors or more.
"""

import numpy as np
import pytest
import scipy.stats
import torch

from goldstone.core import generator
from goldstone.groups import (
    EuclideanGroup,
    GalileiGroup,
    OrthogonalGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    SpinGroup,
    TorusGroup,
    UnitaryGroup,
)

COUNT = 40_000


def traces(matrices):
    return matrices.diagonal(dim1=-2, dim2=-1).sum(-1)


def averages_to(values, expected):
    error = 5 * float(values.std()) / len(values) ** 0.5
    assert abs(complex(values.mean()) - expected) <= error


def sample(group, seed=0, count=COUNT):
    return group.sample(generator(seed, "haar"), (count,))


@pytest.mark.parametrize(
    ("group", "moments"),
    [
        # E tr, E tr², E tr³, E tr⁴; the ε tensor adds to the pairings of SO(n) at k = n.
        (SpecialOrthogonalGroup(2), (0, 2, 0, 6)),
        (SpecialOrthogonalGroup(3), (0, 1, 1, 3)),
        (SpecialOrthogonalGroup(4), (0, 1, 0, 4)),
        (SpecialOrthogonalGroup(5), (0, 1, 0, 3)),
        (OrthogonalGroup(1), (0, 1, 0, 1)),
        (OrthogonalGroup(2), (0, 1, 0, 3)),
        (OrthogonalGroup(3), (0, 1, 0, 3)),
        (SpecialUnitaryGroup(2), (0, 1, 0, 2)),
        (SpecialUnitaryGroup(3), (0, 0, 1, 0)),
        (UnitaryGroup(2), (0, 0, 0, 0)),
        (UnitaryGroup(3), (0, 0, 0, 0)),
    ],
    ids=lambda x: getattr(x, "name", ""),
)
def test_moments_of_the_trace(group, moments):
    trace = traces(sample(group))
    for k, expected in enumerate(moments, 1):
        averages_to(trace**k, expected)


@pytest.mark.parametrize(
    ("group", "second", "fourth"),
    [(SpecialUnitaryGroup(2), 1, 2), (SpecialUnitaryGroup(3), 1, 2), (UnitaryGroup(1), 1, 1),
     (UnitaryGroup(2), 1, 2), (UnitaryGroup(3), 1, 2)],
    ids=lambda x: getattr(x, "name", ""),
)  # fmt: skip
def test_moments_of_the_absolute_trace(group, second, fourth):
    size = traces(sample(group)).abs()
    if group.n > 1:
        averages_to(size**2, second)
        averages_to(size**4, fourth)
    else:
        torch.testing.assert_close(size, torch.ones(COUNT).double())


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_spin_groups_cover_haar_measure(n):
    group = SpinGroup(n)
    g = sample(group)
    rotations = traces(group.rotations(g))
    for k, expected in enumerate({2: (0, 2), 3: (0, 1, 1), 4: (0, 1, 0, 4), 5: (0, 1, 0, 3)}[n], 1):
        averages_to(rotations**k, expected)
    # Even multivectors are a representation without invariants: each coefficient averages to 0,
    # its square to 1 over their number.
    for coefficient in g.T:
        averages_to(coefficient, 0)
        averages_to(coefficient.square(), 1 / group.degree)
        averages_to(coefficient**3, 0)


def kolmogorov(values, cumulative):
    assert scipy.stats.kstest(values.numpy(), cumulative).pvalue > 1e-3


def test_angles_of_rotations_in_space():
    group = SpecialOrthogonalGroup(3)
    angles = group.distance(group.identity_tensor(torch.zeros(1)), sample(group))
    kolmogorov(angles, lambda t: (t - np.sin(t)) / np.pi)


def test_angles_of_quaternions():
    group = SpinGroup(3)
    angles = 2 * sample(group)[:, 0].acos()
    kolmogorov(angles, lambda t: (t - np.sin(t)) / (2 * np.pi))


def test_columns_are_uniform_on_the_sphere():
    # Archimedes: a coordinate of a uniform point of the sphere in ℝ³ is uniform.
    for group in (SpecialOrthogonalGroup(3), OrthogonalGroup(3)):
        for entry in sample(group).flatten(1).T:
            kolmogorov(entry, lambda t: (t + 1) / 2)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_reflections_are_half_of_the_orthogonal_group(n):
    averages_to(torch.linalg.det(sample(OrthogonalGroup(n))), 0)


def test_translations_of_a_torus_are_uniform():
    for shift, period in zip(sample(TorusGroup((2.0, 5.0))).T, (2.0, 5.0), strict=True):
        kolmogorov(shift, lambda t, period=period: t / period)


@pytest.mark.parametrize(
    "group",
    [SpecialOrthogonalGroup(3), OrthogonalGroup(2), UnitaryGroup(2), SpecialUnitaryGroup(3)],
    ids=lambda g: g.name,
)
def test_invariance_under_translations(group):
    g, h = sample(group, 1, 2)
    for moved in (g @ sample(group), sample(group) @ h):
        one, other = moved[:, 0, 0].real.numpy(), sample(group, 2)[:, 0, 0].real.numpy()
        assert scipy.stats.ks_2samp(one, other).pvalue > 1e-3


@pytest.mark.parametrize("group", [SpecialEuclideanGroup(3), EuclideanGroup(3), GalileiGroup(3)])
def test_rotations_in_motions_are_haar(group):
    a = sample(group)
    trace = traces(a[:, :3, :3])
    averages_to(trace**2, 1)
    averages_to(trace**3, 0 if isinstance(group, EuclideanGroup) else 1)
    assert scipy.stats.kstest(a[:, 0, -1].numpy(), "norm").pvalue > 1e-3
