"""Representations are orthogonal homomorphisms."""

import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup
from goldstone.representations import (
    DeterminantRepresentation,
    DirectSum,
    RegularRepresentation,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)

KINDS = (
    TrivialRepresentation,
    DeterminantRepresentation,
    StandardRepresentation,
    RegularRepresentation,
)
groups = st.one_of(
    st.integers(1, 12).map(CyclicGroup),
    st.integers(1, 8).map(DihedralGroup),
)


@st.composite
def representations(draw):
    group = draw(groups)
    parts = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    return parts[0](group) if len(parts) == 1 else DirectSum(group, tuple(k(group) for k in parts))


@given(representations(), st.data())
def test_laws(representation, data):
    group = representation.group
    a, b = (data.draw(st.sampled_from(group.elements())) for _ in range(2))
    one = torch.eye(representation.dimension, dtype=torch.float64)
    matrix = representation.matrix
    assert torch.equal(matrix(group.identity), one)
    torch.testing.assert_close(matrix(a) @ matrix(b), matrix(group.compose(a, b)))
    torch.testing.assert_close(matrix(a).T @ matrix(a), one)


@given(representations())
def test_values(representation):
    copy = pickle.loads(pickle.dumps(representation))
    assert copy == representation
    assert hash(copy) == hash(representation)


@given(representations(), st.data())
def test_a_pointwise_function_commutes_where_declared(representation, data):
    a = data.draw(st.sampled_from(representation.group.elements()))
    matrix = representation.matrix(a)
    x = torch.linspace(-1.7, 2.3, representation.dimension, dtype=torch.float64)
    if representation.allows_pointwise:
        assert torch.equal((matrix @ x).exp(), matrix @ x.exp())


@pytest.mark.parametrize("kind", [StandardRepresentation, DeterminantRepresentation])
def test_signed_representations_allow_no_pointwise_function(kind):
    assert not kind(DihedralGroup(4)).allows_pointwise


@pytest.mark.parametrize(
    ("kind", "characters"),
    [
        # Of e, r, r², r³, s, sr, sr², sr³, from the character table of D4.
        (TrivialRepresentation, [1, 1, 1, 1, 1, 1, 1, 1]),
        (DeterminantRepresentation, [1, 1, 1, 1, -1, -1, -1, -1]),
        (StandardRepresentation, [2, 0, -2, 0, 0, 0, 0, 0]),
        (RegularRepresentation, [8, 0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_characters_of_d4(kind, characters):
    group = DihedralGroup(4)
    assert [float(kind(group).matrix(g).trace()) for g in group.elements()] == characters


def test_the_regular_representation_permutes_the_elements():
    group = DihedralGroup(3)
    elements = group.elements()
    for g in elements:
        matrix = RegularRepresentation(group).matrix(g)
        for column, h in enumerate(elements):
            assert matrix[elements.index(group.compose(g, h)), column] == 1


def test_direct_sums_are_block_diagonal():
    group = DihedralGroup(4)
    vector, sign = StandardRepresentation(group), DeterminantRepresentation(group)
    both = DirectSum(group, (vector, sign, vector))
    for g in group.elements():
        expected = torch.block_diag(vector.matrix(g), sign.matrix(g), vector.matrix(g))
        assert torch.equal(both.matrix(g), expected)
    assert multiple(vector, 3) == DirectSum(group, (vector, vector, vector))
    assert multiple(vector, 3).dimension == 6


def test_errors():
    d4, c4 = DihedralGroup(4), CyclicGroup(4)
    with pytest.raises(InputError, match=r"same group \(D4\), got \['D4', 'C4'\]"):
        DirectSum(d4, (TrivialRepresentation(d4), TrivialRepresentation(c4)))
    with pytest.raises(InputError, match=r"got \[\]"):
        multiple(TrivialRepresentation(d4), 0)
    for kind in KINDS:
        with pytest.raises(InputError, match="9 is not an element of C4"):
            kind(c4).matrix(9)
