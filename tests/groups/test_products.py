"""Direct, semidirect and wreath products."""

import pickle
from collections import Counter
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    AdditiveGroup,
    CyclicGroup,
    DihedralGroup,
    DirectProduct,
    FiniteGroup,
    LieDirectProduct,
    LieGroup,
    SemidirectProduct,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    SymmetricGroup,
    direct_product,
    p4m,
    wreath_product,
)

C2, C3, C4 = CyclicGroup(2), CyclicGroup(3), CyclicGroup(4)
ROTATIONS = SpecialOrthogonalGroup(3)
MIXED = [
    direct_product(ROTATIONS, C2),
    direct_product(SymmetricGroup(3), AdditiveGroup("boost"), ROTATIONS),
    direct_product(SpecialUnitaryGroup(2), C3),
    direct_product(direct_product(C2, C3), direct_product(AdditiveGroup("shift", 1), C2)),
]


def order_statistics(group):
    return Counter(group.element_order(a) for a in group.elements())


@given(
    st.lists(
        st.sampled_from([C2, C3, DihedralGroup(3), SymmetricGroup(3)]), min_size=1, max_size=3
    ),
    st.data(),
)
@settings(deadline=None, max_examples=40)
def test_a_direct_product_works_part_by_part(factors, data):
    group = direct_product(*factors)
    assert isinstance(group, DirectProduct)
    assert list(group.elements()) == list(product(*(f.elements() for f in factors)))
    a, b = (data.draw(st.sampled_from(group.elements())) for _ in "ab")
    parts = zip(factors, a, b, strict=True)
    assert group.compose(a, b) == tuple(f.compose(x, y) for f, x, y in parts)
    assert group.name == "×".join(f.name for f in factors)


def test_coprime_cyclic_groups_make_a_cyclic_one():
    assert order_statistics(direct_product(C3, C4)) == order_statistics(CyclicGroup(12))
    assert direct_product(C2, direct_product(C3, C4)).name == "C2×(C3×C4)"
    assert direct_product(C2, C3).element_name((1, 2)) == "(r, r²)"


@pytest.mark.parametrize("group", MIXED, ids=lambda g: g.name)
def test_laws_of_mixed_products(group):
    assert isinstance(group, LieGroup)
    assert not isinstance(group, FiniteGroup)
    generator = torch.Generator().manual_seed(7)
    a, b, c = group.sample(generator, (3, 6))
    e = group.identity_tensor(a)
    left = group.compose(group.compose(a, b), c)
    assert group.contains(left)
    assert group.equal(left, group.compose(a, group.compose(b, c))).all()
    assert group.equal(group.compose(a, group.inverse(a)), e).all()
    assert group.equal(group.compose(e, a), a).all()
    assert not group.equal(a, b).any()
    values = group.values(a)
    assert group.equal(group.tensor(values), a).all()
    assert group.contains(values[0])
    assert pickle.loads(pickle.dumps(group)) == group
    assert all(group.contains(g) for g in group.generators())
    assert len(group.generators()) == group.dimension + len(group.component_generators())


@pytest.mark.parametrize("group", MIXED, ids=lambda g: g.name)
def test_algebra_of_mixed_products(group):
    generator = torch.Generator().manual_seed(8)
    g = group.sample(generator, (5,))
    x, y = 0.3 * torch.randn((2, 5, group.dimension), generator=generator, dtype=torch.float64)
    torch.testing.assert_close(group.log(group.exp(x)), x)
    adjoint = group.adjoint(g)
    moved = (adjoint @ x[..., None])[..., 0]
    assert group.equal(group.conjugate(group.exp(x), g), group.exp(moved)).all()
    bracket = (adjoint @ group.bracket(x, y)[..., None])[..., 0]
    also = group.bracket(moved, (adjoint @ y[..., None])[..., 0])
    torch.testing.assert_close(bracket, also)


def test_what_a_mixed_product_is():
    rotations, boosts = MIXED[0], MIXED[1]
    assert (rotations.dimension, rotations.is_compact) == (3, True)
    assert (boosts.dimension, boosts.is_compact) == (5, False)
    assert boosts.name == "S3×(boosts ℝ²)×SO(3)"
    assert rotations.component_generators() == ((ROTATIONS.identity, 1),)
    # Integers that travel as floats must stay integers.
    element = rotations.identity_tensor(torch.zeros(1))
    element[-1] = 0.4
    assert not rotations.contains(element)
    element[-1] = 2.0
    assert not rotations.contains(element)
    element[-1] = 1.0
    assert rotations.contains(element)
    with pytest.raises(InputError, match="part in the finite group C2 is the identity"):
        rotations.log(element)


def test_semidirect_products_of_known_type():
    # C_n ⋊ C2 by inversion is dihedral.
    for n in (3, 4, 5, 8):
        inversion = SemidirectProduct(CyclicGroup(n), C2, ((n - 1,),))
        assert order_statistics(inversion) == order_statistics(DihedralGroup(n))
    # The Frobenius group of order 21: 1, 14 elements of order 3 and 6 of order 7.
    frobenius = SemidirectProduct(CyclicGroup(7), C3, ((2,),))
    assert order_statistics(frobenius) == {1: 1, 3: 14, 7: 6}
    assert frobenius.name == "C7⋊C3"
    # h n h⁻¹ = φ_h(n) = n².
    n, h = (1, 0), (0, 1)
    assert frobenius.compose(frobenius.compose(h, n), frobenius.inverse(h)) == (2, 0)
    # The trivial action gives the direct product.
    trivial = SemidirectProduct(C3, C4, ((1,),))
    assert order_statistics(trivial) == order_statistics(CyclicGroup(12))


def test_p4m_is_the_semidirect_product_of_its_parts():
    wallpaper = p4m(3)
    shifts, point = wallpaper.translations, wallpaper.point
    # r takes the first axis to the second and that to minus the first; s reverses the first.
    action = (((0, 1), (2, 0)), ((2, 0), (0, 1)))
    general = SemidirectProduct(shifts, point, action)
    assert general.elements() == wallpaper.elements()
    elements = wallpaper.element_tensor()
    a, b = elements[:, None], elements[None]
    assert torch.equal(general.compose(a, b), wallpaper.compose(a, b))
    assert torch.equal(general.inverse(elements), wallpaper.inverse(elements))


def test_wreath_products():
    # C2 ≀ S2 is D4.
    assert order_statistics(wreath_product(C2, SymmetricGroup(2))) == order_statistics(
        DihedralGroup(4)
    )
    group = wreath_product(C3, SymmetricGroup(3))
    assert group.order == 27 * 6
    swap = (group.identity[0], (1, 2, 0))
    first = ((1, 0, 0), group.identity[1])
    # The permutation takes the copy 0 to the copy 1.
    assert group.compose(group.compose(swap, first), group.inverse(swap)) == (
        (0, 1, 0),
        group.identity[1],
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: direct_product(), "as factors"),
        (lambda: direct_product(C2, 3), "as factors, got 3"),
        (lambda: LieDirectProduct((C2, C3)), "a Lie group among"),
        (lambda: DirectProduct((C2, ROTATIONS)), "expected finite groups"),
        (lambda: SemidirectProduct(C3, C2, ()), r"each generator of C2 \(r\), got 0"),
        (lambda: SemidirectProduct(C3, C2, ((3,),)), "action of r on C3 .*3 is not an element"),
        (lambda: SemidirectProduct(C4, C2, ((2,),)), "no automorphism: it takes r² to the"),
        (lambda: SemidirectProduct(C4, C3, ((3,),)), "no homomorphism: .* take r to different"),
        (
            lambda: SemidirectProduct(SymmetricGroup(3), C2, (((0, 2, 1), (0, 2, 1)),)),
            "no automorphism: .*",
        ),
        (lambda: SemidirectProduct(C3, SymmetricGroup(10), ()), "ten millions|≤ 10000000"),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()
