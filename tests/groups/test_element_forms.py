"""Forms of elements: values and tensors, dtypes, empty batches, and what is refused."""

import numpy as np
import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import (
    AdditiveGroup,
    AlternatingGroup,
    CayleyGroup,
    CyclicGroup,
    DicyclicGroup,
    DihedralGroup,
    EuclideanGroup,
    GalileiGroup,
    GridTranslations,
    HeisenbergGroup,
    Homomorphism,
    KleinFourGroup,
    LieGroup,
    LorentzGroup,
    OrthogonalGroup,
    PermutationGroup,
    ScalingGroup,
    SemidirectProduct,
    SignedPermutationGroup,
    SpecialEuclideanGroup,
    SpecialLinearGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    SpinGroup,
    SymmetricGroup,
    SymplecticGroup,
    TorusGroup,
    UnitaryGroup,
    WallpaperGroup,
    binary_polyhedral_group,
    cayley_table,
    centre,
    direct_product,
    icosahedral_group,
    p4m,
    quaternion_group,
    quotient_group,
    subgroup_as_group,
    sylow_subgroup,
)

FINITE = [
    CyclicGroup(1),
    CyclicGroup(6),
    DihedralGroup(4),
    SymmetricGroup(4),
    AlternatingGroup(4),
    quaternion_group(),
    KleinFourGroup(),
    SignedPermutationGroup(3),
    icosahedral_group(reflections=True),
    GridTranslations((2, 3)),
    p4m(3),
    PermutationGroup([(1, 2, 0, 3), (0, 2, 3, 1)]),
    CayleyGroup(cayley_table(SymmetricGroup(3))),
    direct_product(CyclicGroup(2), DihedralGroup(3), SignedPermutationGroup(2)),
    SemidirectProduct(CyclicGroup(7), CyclicGroup(3), ((2,),)),
    binary_polyhedral_group("T"),
    quotient_group(DihedralGroup(4), centre(DihedralGroup(4))),
    subgroup_as_group(SymmetricGroup(4), sylow_subgroup(SymmetricGroup(4), 2)),
]
LIE = [
    AdditiveGroup("boost", 2),
    TorusGroup((0.5, 3.0)),
    ScalingGroup(),
    SpecialOrthogonalGroup(1),
    SpecialOrthogonalGroup(2),
    SpecialOrthogonalGroup(3),
    OrthogonalGroup(4),
    SpecialEuclideanGroup(3),
    EuclideanGroup(2),
    SpecialUnitaryGroup(1),
    SpecialUnitaryGroup(2),
    SpecialUnitaryGroup(3),
    UnitaryGroup(2),
    SpinGroup(3),
    SpinGroup(4),
    SpecialLinearGroup(2, "complex"),
    SymplecticGroup(2),
    LorentzGroup(2, "full"),
    GalileiGroup(2),
    HeisenbergGroup(),
    direct_product(SpecialOrthogonalGroup(3), DihedralGroup(4)),
    direct_product(SpecialUnitaryGroup(2), AdditiveGroup("shift", 1), CyclicGroup(3)),
]
every = pytest.mark.parametrize("group", FINITE + LIE, ids=lambda group: group.name)
lie = pytest.mark.parametrize("group", LIE, ids=lambda group: group.name)


def sample(group, seed, *shape):
    return group.sample(torch.Generator().manual_seed(seed), shape)


def low_precision(a):
    return a.to(torch.complex64 if a.is_complex() else torch.float32)


@every
def test_batches_broadcast_and_values_agree(group):
    a, b = sample(group, 0, 4, 1), sample(group, 1, 3)
    products = group.compose(a, b)
    assert products.shape == (4, 3, *group.element_shape)
    again = [[group.compose(x, y) for y in group.values(b)] for x in group.values(a)]
    for row, expected in zip(products, again, strict=True):
        assert group.equal(row, group.tensor(expected)).all()


@every
def test_layouts_in_memory_do_not_matter(group):
    a = sample(group, 2, 2, 3)
    turned = group.compose(a.transpose(0, 1), group.inverse(a).transpose(0, 1))
    assert group.equal(turned, group.identity_tensor(a)).all()


@every
def test_empty_batches(group):
    empty = sample(group, 0, 0)
    shape = (0, *group.element_shape)
    assert empty.shape == shape
    assert group.contains(empty)
    assert group.values(empty) == ()
    for result in (
        group.compose(empty, empty),
        group.inverse(empty),
        group.conjugate(empty, empty),
        group.power(empty, -2),
        group.tensor(()),
    ):
        assert result.shape == shape
    assert group.compose(empty[:, None], sample(group, 1, 3)).shape == (0, 3, *group.element_shape)
    assert group.equal(empty, empty).shape == (0,)
    if isinstance(group, LieGroup):
        d = group.dimension
        x = torch.zeros((0, d), dtype=torch.float64)
        assert group.exp(x).shape == shape
        assert group.log(empty).shape == (0, d)
        assert group.adjoint(empty).shape == (0, d, d)
        assert group.distance(empty, empty).shape == (0,)
    else:
        assert group.index(empty).shape == (0,)
        assert group.from_index(group.index(empty)).shape == shape


@every
@pytest.mark.parametrize("n", [-2, -1, 0, 1, 3])
def test_powers_keep_the_batch(group, n):
    a = sample(group, 3, 5)
    step = group.inverse(a) if n < 0 else a
    expected = group.identity_tensor(a).expand_as(a)
    for _ in range(abs(n)):
        expected = group.compose(expected, step)
    found = group.power(a, n)
    assert found.shape == a.shape
    # Powers in another order of products: rounding grows with the entries.
    assert (
        torch.allclose(found, expected, rtol=1e-7, atol=1e-7) or group.equal(found, expected).all()
    )


@lie
def test_single_precision(group):
    generator = torch.Generator().manual_seed(4)
    x = torch.randn((3, group.dimension), generator=generator) * 0.3
    a, b = group.exp(x), group.exp(-2 * x).flip(0)
    kept = low_precision(torch.empty(0, dtype=group.element_dtype)).dtype
    assert group.contains(a)
    for result in (a, group.compose(a, b), group.power(a, 3), group.power(a, 0), group.inverse(a)):
        assert result.dtype is kept
    assert group.equal(group.compose(a, group.inverse(a)), group.identity_tensor(a)).all()
    assert group.log(a).dtype is group.adjoint(a).dtype is torch.float32
    far = group.exp(x + 0.1)
    if group.dimension:
        assert not group.equal(a, far).any()


@lie
@pytest.mark.parametrize("steps", [0, 3])
def test_one_random_walk(group, steps):
    walk = group.random_walk(torch.Generator().manual_seed(0), steps, 0.1)
    assert walk.shape == (steps + 1, *group.element_shape)
    assert group.contains(walk)


@every
def test_tensors_of_another_form_are_refused(group):
    a = sample(group, 0, 2)
    wrong_shape = torch.zeros((2, *group.element_shape, 7), dtype=group.element_dtype)[..., :5]
    wrong = [a == 0, wrong_shape]
    if isinstance(group, LieGroup):
        wrong.append(a.real.long())
        wrong.append(a.real.clone() if a.is_complex() else a + 0j)
    else:
        wrong += [a.double(), a + 0j]
    for b in wrong:
        if group.element_shape == () and b is wrong_shape:
            continue  # any shape is a batch
        assert not group.contains(b)
        for attempt in (
            lambda b=b: group.compose(a, b),
            lambda b=b: group.compose(b, a),
            lambda b=b: group.inverse(b),
            lambda b=b: group.conjugate(a, b),
            lambda b=b: group.power(b, 2),
            lambda b=b: group.values(b),
            lambda b=b: group.check_contains(b),
        ):
            with pytest.raises(InputError, match="expected a tensor of elements of"):
                attempt()


@every
def test_values_and_tensors_do_not_mix(group):
    a = sample(group, 0)
    for pair in ((a, group.identity), (group.identity, a)):
        with pytest.raises(InputError, match="got one of each"):
            group.compose(*pair)
    with pytest.raises(InputError, match="got a batch"):
        group.value(sample(group, 0, 2))
    for no_sequence in (None, 3, "r", [None], [[[[0]]]], [10**30]):
        if isinstance(group, LieGroup) and no_sequence == [10**30]:
            continue
        with pytest.raises(InputError, match="expected a sequence of elements of"):
            group.tensor(no_sequence)


def test_the_element_outside_is_named():
    with pytest.raises(InputError, match=r"of D4, got elements outside the group: \(1, 9\)"):
        DihedralGroup(4).check_contains(torch.tensor([[0, 1], [1, 9]]))
    with pytest.raises(InputError, match="outside the group: 9"):
        CyclicGroup(4).check_contains(torch.tensor(9))


def test_a_map_to_tensors_of_another_form_is_refused():
    with pytest.raises(InputError, match="expected a tensor of elements of D4"):
        Homomorphism(CyclicGroup(4), DihedralGroup(4), lambda a: a)


@pytest.mark.parametrize(
    "make",
    [
        CyclicGroup,
        DihedralGroup,
        DicyclicGroup,
        SymmetricGroup,
        AlternatingGroup,
        SignedPermutationGroup,
        p4m,
        SpecialOrthogonalGroup,
        OrthogonalGroup,
        SpecialEuclideanGroup,
        EuclideanGroup,
        SpecialUnitaryGroup,
        UnitaryGroup,
        SpinGroup,
        SpecialLinearGroup,
        SymplecticGroup,
        LorentzGroup,
        GalileiGroup,
        HeisenbergGroup,
        lambda n: AdditiveGroup("boost", n),
        lambda n: GridTranslations((3, n)),
    ],
)
@pytest.mark.parametrize("n", [2.0, 2.5, "2", None, 0, -1, (2,)])
def test_sizes_are_positive_integers(make, n):
    with pytest.raises(InputError, match=r"need.* got"):
        make(n)


def test_sizes_may_be_of_numpy():
    group = DihedralGroup(np.int64(4))
    assert group == DihedralGroup(4)
    assert hash(group) == hash(DihedralGroup(4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GridTranslations([2, 2]), "a shape of two sizes"),
        (lambda: GridTranslations(4), "a shape of two sizes"),
        (lambda: TorusGroup([1.0]), "as a tuple"),
        (lambda: TorusGroup(1.0), "as a tuple"),
        (lambda: WallpaperGroup((4, 4), CyclicGroup(4)), "expected grid translations"),
        (lambda: WallpaperGroup(GridTranslations((2, 2)), SymmetricGroup(2)), "dihedral"),
        (lambda: SemidirectProduct(CyclicGroup(7), CyclicGroup(3), [[2]]), "tuple of tuples"),
        (lambda: SemidirectProduct(ScalingGroup(), CyclicGroup(3), ()), "expected finite groups"),
        (lambda: PermutationGroup("ab"), "sequences of points"),
        (lambda: PermutationGroup([(1.5, 0)]), "sequences of points"),
        (lambda: CyclicGroup(2**62), "at most"),
    ],
)
def test_arguments_of_another_kind_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("name", ["hello 1 and -2, 3!", "[1.3, 2]", "1 -2 3 x", "", "[1, 2]"])
def test_window_notation_is_read_strictly(name):
    with pytest.raises(InputError, match="expected a signed permutation of 3 axes"):
        SignedPermutationGroup(3).parse(name)
    assert SignedPermutationGroup(3).parse(" [−2, 1 3]") == ((1, 0, 2), (-1, 1, 1))
