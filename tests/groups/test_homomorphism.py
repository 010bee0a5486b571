"""Homomorphisms, quotients and the first isomorphism theorem."""

import pickle
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    AdditiveGroup,
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    Homomorphism,
    SymmetricGroup,
    homomorphism_from_generators,
    left_cosets,
    normal_subgroups,
    p4m,
    quotient_group,
    subgroup,
    subgroup_as_group,
)
from goldstone.testing import check_group_laws

groups = st.one_of(
    st.integers(1, 20).map(CyclicGroup),
    st.integers(1, 8).map(DihedralGroup),
    st.tuples(st.integers(1, 4), st.integers(1, 4)).map(GridTranslations),
    st.integers(1, 4).map(SymmetricGroup),
    st.just(p4m(2)),
)


@given(groups, st.data())
@settings(max_examples=25)
def test_a_quotient_is_a_group_of_cosets(group, data):
    normal = data.draw(st.sampled_from(normal_subgroups(group)))
    quotient = quotient_group(group, normal)
    check_group_laws(quotient, quotient.elements()[:5])
    assert quotient.order * normal.order == group.order
    cosets = left_cosets(group, normal)
    assert quotient.elements() == tuple(coset[0] for coset in cosets)
    assert torch.equal(quotient.index(quotient.element_tensor()), torch.arange(quotient.order))
    assert quotient.generated_by(quotient.generators()) == frozenset(quotient.elements())
    assert pickle.loads(pickle.dumps(quotient)) == quotient
    projection = quotient.projection
    assert projection == pickle.loads(pickle.dumps(quotient)).projection
    assert projection.kernel().elements == normal.elements
    assert projection.is_surjective
    assert projection.is_injective == (normal.order == 1)
    for coset in cosets:
        assert {projection(a) for a in coset} == {coset[0]}
        assert set(projection.preimages(coset[0])) == set(coset)


def test_a_subgroup_that_is_not_normal_is_named():
    group = DihedralGroup(4)
    with pytest.raises(InputError, match=r"⟨s⟩ is not normal in D4: with g = r and a = s"):
        quotient_group(group, subgroup(group, [group.parse("s")]))


def test_the_order_of_a_quotient_and_its_names():
    group = DihedralGroup(4)
    quotient = quotient_group(group, subgroup(group, [group.parse("r2")]))
    assert quotient.name == "D4/⟨r²⟩"
    assert [quotient.element_name(a) for a in quotient.elements()] == ["N", "rN", "sN", "srN"]
    assert not quotient.contains(group.parse("r2"))


def test_from_generators():
    group = DihedralGroup(4)
    sign = homomorphism_from_generators(group, CyclicGroup(2), [0, 1])
    assert [sign(a) for a in group.elements()] == [a[0] for a in group.elements()]
    assert sign.kernel().elements == subgroup(group, [(0, 1)]).elements
    assert sign.image().order == 2
    assert sign.is_surjective
    assert not sign.is_injective
    assert sign == homomorphism_from_generators(group, CyclicGroup(2), [0, 1])
    assert sign != homomorphism_from_generators(group, CyclicGroup(2), [1, 0])
    assert hash(sign) == hash(pickle.loads(pickle.dumps(sign)))
    assert sign(group.element_tensor()).shape == (8,)


def test_a_broken_relation_is_named():
    # r has order 4, so its image cannot have order 3.
    with pytest.raises(InputError, match=r"no homomorphism C4 → C3: the image of r³·r is e, the"):
        homomorphism_from_generators(CyclicGroup(4), CyclicGroup(3), [1])
    with pytest.raises(InputError, match="an image for each generator of D4"):
        homomorphism_from_generators(DihedralGroup(4), CyclicGroup(2), [1])
    with pytest.raises(InputError, match="too large to tabulate"):
        homomorphism_from_generators(SymmetricGroup(12), CyclicGroup(2), [1, 1])
    with pytest.raises(InputError, match="not an element of C2"):
        homomorphism_from_generators(CyclicGroup(4), CyclicGroup(2), [3])


@given(st.integers(1, 24), st.integers(1, 24), st.data())
def test_between_cyclic_groups(m, n, data):
    image = data.draw(st.integers(0, n - 1))
    if m == 1:
        return
    if (m * image) % n:
        with pytest.raises(InputError, match="no homomorphism"):
            homomorphism_from_generators(CyclicGroup(m), CyclicGroup(n), [image])
        return
    phi = homomorphism_from_generators(CyclicGroup(m), CyclicGroup(n), [image])
    assert [phi(k) for k in range(m)] == [k * image % n for k in range(m)]
    assert phi.kernel().order * phi.image().order == m


@dataclass(frozen=True)
class Scale:
    factor: float

    def __call__(self, x):
        return x * self.factor


def square(x):
    return x.square()


def test_between_lie_groups():
    line = AdditiveGroup("shift", 1)
    double = Homomorphism(line, line, Scale(2.0))
    assert double((1.5,)) == (3.0,)
    assert double.then(double)((1.5,)) == (6.0,)
    assert pickle.loads(pickle.dumps(double)) == double
    with pytest.raises(InputError, match="no homomorphism"):
        Homomorphism(line, line, square)
    with pytest.raises(InputError, match="finite source"):
        double.kernel()
    with pytest.raises(InputError, match="finite target"):
        double.image()
    with pytest.raises(InputError, match="homomorphism from shifts ℝ"):
        double.then(homomorphism_from_generators(CyclicGroup(2), CyclicGroup(2), [1]))


def test_a_map_that_leaves_the_target_is_refused():
    with pytest.raises(InputError, match=r"the image of r lies outside C2"):
        Homomorphism(CyclicGroup(4), CyclicGroup(2), Scale(3))


def test_an_inclusion():
    group = SymmetricGroup(4)
    h = normal_subgroups(group)[1]
    inclusion = Homomorphism(subgroup_as_group(group, h), group, Scale(1))
    assert inclusion.is_injective
    assert not inclusion.is_isomorphism
    assert inclusion.image().elements == h.elements
