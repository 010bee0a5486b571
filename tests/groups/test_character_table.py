"""Character tables: against GAP's, in closed form, and by the orthogonality relations."""

import json
import pickle
from cmath import exp, pi
from math import cos
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    AlternatingGroup,
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    PermutationGroup,
    SymmetricGroup,
    character_table,
    normal_subgroups,
    p4m,
    quotient_group,
)
from goldstone.groups.modular import evaluate, root_of_unity, solve

golden = json.loads((Path(__file__).parents[1] / "golden" / "character_tables.json").read_text())

groups = st.one_of(
    st.integers(1, 40).map(CyclicGroup),
    st.integers(1, 30).map(DihedralGroup),
    st.tuples(st.integers(1, 6), st.integers(1, 6)).map(GridTranslations),
    st.integers(1, 5).map(SymmetricGroup),
    st.integers(3, 6).map(AlternatingGroup),
    st.integers(1, 5).map(p4m),
)


@pytest.mark.parametrize("name", golden["groups"])
def test_against_gap(name):
    entry = golden["groups"][name]
    group = PermutationGroup(entry["generators"])
    table = character_table(group)
    representatives = torch.tensor(entry["class_representatives"]).reshape(-1, group.points)
    columns = table.classes.number(representatives)
    assert sorted(columns.tolist()) == list(range(len(table.classes)))
    assert [table.classes.sizes[c] for c in columns] == entry["class_sizes"]
    expected = torch.view_as_complex(torch.tensor(entry["values"], dtype=torch.float64))
    found = table.values[:, columns]
    # The order of rows means nothing: each found row is one of the expected, all different.
    distance = (found[:, None] - expected[None]).abs().amax(-1)
    match = distance.argmin(1)
    assert sorted(match.tolist()) == list(range(len(match)))
    assert float(distance.amin(1).max()) < 1e-12
    assert list(table.indicators) == [entry["frobenius_schur"][i] for i in match]


@given(groups)
@settings(max_examples=40)
def test_orthogonality(group):
    table = character_table(group)
    count = len(table.classes)
    sizes = torch.tensor(table.classes.sizes, dtype=torch.complex128)
    rows = table.inner(table.values[:, None], table.values[None])
    torch.testing.assert_close(rows, torch.eye(count).to(rows), rtol=0, atol=1e-12)
    # Σ_i conj χ_i(C) χ_i(C') = |G|/|C| if C = C', else 0.
    columns = table.values.mH @ table.values * sizes / group.order
    torch.testing.assert_close(columns, torch.eye(count).to(rows), rtol=0, atol=1e-11)
    assert sum(d * d for d in table.degrees) == group.order
    assert table.degrees == tuple(sorted(table.degrees))
    assert set(table.values[0].tolist()) == {1 + 0j}


@given(groups)
@settings(max_examples=30)
def test_the_indicators_count_square_roots(group):
    table = character_table(group)
    squares = group.power(group.element_tensor(), 2)
    roots = torch.bincount(group.index(squares), minlength=group.order)
    # The number of square roots of g is Σ_i ν_i χ_i(g) (Frobenius and Schur 1906).
    by_class = torch.tensor(table.indicators, dtype=torch.complex128) @ table.values
    torch.testing.assert_close(
        by_class[table.classes.labels], roots.to(torch.complex128), rtol=0, atol=1e-11
    )


@given(st.integers(1, 60))
@settings(max_examples=20)
def test_cyclic_groups_in_closed_form(n):
    table = character_table(CyclicGroup(n))
    assert table.classes.representatives == tuple(range(n))
    found = {tuple(np.round(row, 9)) for row in table.values.numpy()}
    expected = {
        tuple(np.round([exp(2j * pi * j * k / n) for k in range(n)], 9) + 0.0) for j in range(n)
    }
    assert found == expected


@given(st.integers(3, 40))
@settings(max_examples=20)
def test_dihedral_groups_in_closed_form(n):
    group = DihedralGroup(n)
    table = character_table(group)
    planes = table.values[torch.tensor(table.degrees) == 2]
    assert len(planes) == (n - 1) // 2
    turns = torch.tensor([[0, k] for k in range(n)])
    found = planes[:, table.classes.number(turns)].real
    expected = [[2 * cos(2 * pi * j * k / n) for k in range(n)] for j in range(1, (n + 1) // 2)]
    found = sorted(np.round(found.numpy(), 9).tolist())
    np.testing.assert_allclose(found, sorted(np.round(expected, 9).tolist()), atol=1e-8)
    assert set(table.indicators) == {1}


def test_values_that_are_whole_are_exact():
    for group in (SymmetricGroup(6), p4m(4), DihedralGroup(4)):
        values = character_table(group).values
        assert torch.equal(values, values.real.round().to(values))


def test_multiplicities():
    group = SymmetricGroup(4)
    table = character_table(group)
    fixed_points = torch.tensor([4.0, 2, 1, 0, 0])
    assert [table.classes.orders[i] for i in range(5)] == [1, 2, 3, 2, 4]
    assert sum(table.multiplicities(fixed_points)) == 2
    assert table.multiplicities(fixed_points)[0] == 1
    regular = torch.tensor([24.0, 0, 0, 0, 0])
    assert table.multiplicities(regular) == table.degrees


def test_equal_whatever_the_order_of_making():
    one, two = character_table(DihedralGroup(7)), character_table(DihedralGroup(7))
    assert one == two == pickle.loads(pickle.dumps(one))
    assert torch.equal(one.values, two.values)


def test_it_reads_as_a_table():
    assert str(character_table(DihedralGroup(3))).splitlines() == [
        "D3, order 6",
        "class  e   r   s",
        " size  1   2   3  type",
        "   χ1  1   1   1  real",
        "   χ2  1   1  -1  real",
        "   χ3  2  -1   0  real",
    ]
    lines = str(character_table(CyclicGroup(4))).splitlines()
    assert lines[-1].split() == ["χ4", "1", "-i", "-1", "i", "complex"]


def test_of_a_quotient():
    group = SymmetricGroup(4)
    four = normal_subgroups(group)[1]
    table = character_table(quotient_group(group, four))
    assert table.degrees == (1, 1, 2)


def test_too_many_classes_are_refused():
    with pytest.raises(InputError, match="at most 1250 conjugacy classes"):
        character_table(DihedralGroup(3000))


def test_modular_algebra():
    prime = 101
    matrix = np.array([[0, 2, 1], [3, 0, 5], [1, 1, 1]])
    x = np.array([7, 50, 99])
    np.testing.assert_array_equal(solve(matrix, matrix @ x % prime, prime), x)
    assert solve(np.array([[1, 2], [2, 4]]), np.array([1, 1]), prime) is None
    points = np.arange(prime)
    np.testing.assert_array_equal(
        evaluate(np.array([2, 0, 5]), points, prime), (2 * points**2 + 5) % prime
    )
    root = root_of_unity(25, prime)
    assert [pow(root, k, prime) == 1 for k in range(1, 26)] == [False] * 24 + [True]
