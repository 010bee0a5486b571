"""Sylow subgroups: of the right order, conjugate, counted as Sylow says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    AlternatingGroup,
    CyclicGroup,
    DihedralGroup,
    SymmetricGroup,
    normaliser,
    p4m,
    subgroup_as_group,
    sylow_subgroup,
)

groups = st.one_of(
    st.integers(1, 60).map(CyclicGroup),
    st.integers(1, 30).map(DihedralGroup),
    st.integers(1, 6).map(SymmetricGroup),
    st.integers(3, 6).map(AlternatingGroup),
    st.integers(1, 6).map(p4m),
)


@given(groups, st.sampled_from([2, 3, 5, 7]))
def test_order_and_number(group, prime):
    part = 1
    while group.order % (part * prime) == 0:
        part *= prime
    p = sylow_subgroup(group, prime)
    assert p.order == part
    assert subgroup_as_group(group, p).order == part
    # The number of conjugates divides the rest of the order and is 1 mod p.
    count = group.order // normaliser(group, p).order
    assert (group.order // part) % count == 0
    assert count % prime == 1


def test_what_is_not_prime_is_refused():
    with pytest.raises(InputError, match="a prime, got 6"):
        sylow_subgroup(CyclicGroup(6), 6)
