"""Groups too large to list or number, and sets of elements that are no subgroups."""

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    Homomorphism,
    SemidirectProduct,
    SpecialOrthogonalGroup,
    Subgroup,
    SymmetricGroup,
    TorusGroup,
    cayley_table,
    centre,
    character_table,
    coset_table,
    data_orbits,
    direct_product,
    homomorphism_from_generators,
    left_cosets,
    quotient_group,
    right_cosets,
    subgroup,
)

HUGE = SymmetricGroup(200)  # of order 10^375, beyond float64
LARGE = SymmetricGroup(20)  # numbered, but too large for masks
TRIVIAL = Subgroup("1", frozenset([LARGE.identity]))


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (HUGE.elements, r"S200 \(order 10\^375\) are too many to list"),
        (lambda: centre(HUGE), "too many to list"),
        (lambda: cayley_table(HUGE), r"order 10\^375"),
        (lambda: direct_product(HUGE, CyclicGroup(2)).elements(), "too many to list"),
        (lambda: homomorphism_from_generators(HUGE, CyclicGroup(2), (0, 0)), r"10\^375"),
        (lambda: subgroup(HUGE, [HUGE.parse("(1 2)")]), r"10\^375\) are too many to mark"),
        (lambda: LARGE.generated_by(LARGE.generators()), "too many to mark"),
        (lambda: coset_table(LARGE, TRIVIAL), "too many to mark"),
        (lambda: character_table(CyclicGroup(20_000)), "at most 5000 conjugacy classes"),
    ],
)
def test_orders_too_large_are_refused(attempt, message):
    with pytest.raises(InputError, match=message):
        attempt()


def test_products_of_more_than_64_bits_compose_but_have_no_numbers():
    group = direct_product(LARGE, LARGE)
    a = group.sample(torch.Generator().manual_seed(0), (3,))
    assert group.equal(group.compose(a, group.inverse(a)), group.identity_tensor(a)).all()
    with pytest.raises(InputError, match="exceed 64-bit numbers"):
        group.index(a)
    with pytest.raises(InputError, match="exceed 64-bit numbers"):
        group.from_index(torch.tensor(0))


def test_the_largest_rotations_do_not_overflow():
    n = 2**61
    for group, last in ((CyclicGroup(n), n - 1), (DihedralGroup(n), (1, n - 1))):
        assert group.compose(last, group.inverse(last)) == group.identity
        assert group.contains(group.compose(last, last))
        one = group.tensor((last,))
        assert torch.equal(group.from_index(group.index(one)), one)


@pytest.mark.parametrize("cosets", [left_cosets, right_cosets, coset_table, quotient_group])
@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ([], "it lacks the identity"),
        ([(0, 1)], "it lacks the identity"),
        # ⟨r⟩ without r² tiles no group; {e, r} tiles D4, and yet is no subgroup.
        ([(0, 0), (0, 1), (0, 3)], "its elements r generate r², which it lacks"),
        ([(0, 0), (0, 1)], "its elements r generate r², which it lacks"),
    ],
)
def test_cosets_of_what_is_no_subgroup_are_refused(cosets, elements, message):
    with pytest.raises(InputError, match=f"H is no subgroup of D4: {message}"):
        cosets(DihedralGroup(4), Subgroup("H", frozenset(elements)))


def test_orbits_of_numbers():
    labels = data_orbits(
        CyclicGroup(2), torch.tensor([1.0, 2.0, -1.0, 3.0]), lambda a, x: -x if a else x
    )
    assert labels.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("shape", [(32, 32), (1, 1000)])
def test_characters_of_large_abelian_groups(shape):
    group = GridTranslations(shape)
    table = character_table(group)
    x, y = (group.element_tensor().double() / torch.tensor(shape)).unbind(-1)
    # Columns are in the order of elements; rows are some order of exp(2πi (k x/X + l y/Y)).
    for row in (0, 1, group.order // 2, group.order - 1):
        column = table.classes.number(torch.tensor([[0, 1 % shape[1]], [1 % shape[0], 0]]))
        l_turn, k_turn = table.values[row, column].angle() / (2 * torch.pi)
        expected = torch.polar(
            torch.ones(group.order, dtype=torch.float64),
            2 * torch.pi * (k_turn * shape[0] * x + l_turn * shape[1] * y),
        )
        found = table.values[row, table.classes.number(group.element_tensor())]
        assert torch.allclose(found, expected, atol=1e-9)


def test_a_map_of_the_circle_that_does_not_close_is_refused():
    # The generator exp(1) of this circle is the identity, and tells nothing of the map.
    def turn(a):
        return SpecialOrthogonalGroup(2).exp(a)

    with pytest.raises(InputError, match="no homomorphism"):
        Homomorphism(TorusGroup((1.0,)), SpecialOrthogonalGroup(2), turn)


def test_large_semidirect_products():
    n = 100_000
    group = SemidirectProduct(CyclicGroup(n), CyclicGroup(2), ((n - 1,),))
    a, b = (group.sample(torch.Generator().manual_seed(seed), (50,)) for seed in (0, 1))
    # (k, m) is r^k s^m in the dihedral group.
    dihedral = DihedralGroup(n)

    def as_dihedral(x):
        turn = torch.stack((torch.zeros_like(x[..., 0]), x[..., 0]), -1)
        flip = torch.stack((x[..., 1], torch.zeros_like(x[..., 1])), -1)
        return dihedral.compose(turn, flip)

    product = dihedral.compose(as_dihedral(a), as_dihedral(b))
    assert dihedral.equal(as_dihedral(group.compose(a, b)), product).all()
