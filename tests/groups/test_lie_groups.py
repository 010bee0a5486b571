"""The laws of every Lie group: composition, exp and log, adjoint, bracket, Killing form."""

import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from goldstone.core import InputError, generator
from goldstone.groups import (
    AdditiveGroup,
    EuclideanGroup,
    GalileiGroup,
    HeisenbergGroup,
    LinearGroup,
    LorentzGroup,
    OrthogonalGroup,
    ScalingGroup,
    SpecialEuclideanGroup,
    SpecialLinearGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    SpinGroup,
    SymplecticGroup,
    TorusGroup,
    UnitaryGroup,
)
from goldstone.testing import check_group_laws

COMPACT = [
    *(SpecialOrthogonalGroup(n) for n in (2, 3, 4, 5)),
    *(OrthogonalGroup(n) for n in (2, 3, 4)),
    *(SpecialUnitaryGroup(n) for n in (2, 3, 4)),
    *(UnitaryGroup(n) for n in (1, 2, 3)),
    *(SpinGroup(n) for n in (2, 3, 4, 5)),
    TorusGroup((8.0,)),
    TorusGroup((9.0, 7.0)),
]
OTHERS = [
    AdditiveGroup("boost", 3),
    *(SpecialEuclideanGroup(n) for n in (2, 3)),
    *(EuclideanGroup(n) for n in (1, 2, 3)),
    *(LorentzGroup(3, part) for part in ("restricted", "proper", "full")),
    LorentzGroup(1),
    LorentzGroup(2),
    SymplecticGroup(1),
    SymplecticGroup(2),
    SpecialLinearGroup(2),
    SpecialLinearGroup(3),
    SpecialLinearGroup(2, "complex"),
    GalileiGroup(2),
    GalileiGroup(3),
    HeisenbergGroup(1),
    HeisenbergGroup(2),
    ScalingGroup(),
]
GROUPS = COMPACT + OTHERS
every = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
seeds = st.integers(0, 2**20)


def normal(seed, *shape):
    return torch.randn(shape, generator=generator(seed, "coordinates"), dtype=torch.float64)


def inside(group, seed, *batch, size=2.5):
    """Random coordinates of length ``size`` at most: in the domain of log of each group above."""
    x = normal(seed, *batch, group.dimension)
    radius = torch.rand(batch, generator=generator(seed, "radius"), dtype=torch.float64)
    return x / x.norm(dim=-1, keepdim=True) * size * radius[..., None]


def same(group, a, b):
    return bool(group.equal(a, b).all())


@every
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_group_laws(group, seed):
    elements = group.values(group.sample(generator(seed, "elements"), (2,)))
    extra = group.component_generators()

    def close(a, b):
        one, two = group.tensor((a, b))
        return bool(group.equal(one, two))

    check_group_laws(group, [*elements, *extra], close)


@every
@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_log_inverts_exp(group, seed):
    x = inside(group, seed, 20)
    assert group.contains(group.exp(x))
    torch.testing.assert_close(group.log(group.exp(x)), x, rtol=0, atol=1e-10)


@every
@pytest.mark.parametrize("size", [0.0, 1e-300, 1e-12, 1e-8, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.2])
def test_log_inverts_exp_near_the_identity(group, size):
    x = inside(group, 1, 50, size=size)
    rounding = 1e-15 * (1 + 1e2 * size)
    torch.testing.assert_close(group.log(group.exp(x)), x, rtol=0, atol=rounding)


@every
@settings(max_examples=10, deadline=None)
@given(seed=seeds, s=st.floats(-1, 1), t=st.floats(-1, 1))
def test_one_parameter_subgroups(group, seed, s, t):
    x = inside(group, seed, 3)
    assert same(group, group.exp((s + t) * x), group.compose(group.exp(s * x), group.exp(t * x)))
    assert same(group, group.exp(-x), group.inverse(group.exp(x)))


@every
@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_adjoint(group, seed):
    g, h = group.sample(generator(seed, "elements"), (2, 4))
    x, y = inside(group, seed, 2, 4, size=1.0)
    ad_g = group.adjoint(g)

    def turned(v):
        return (ad_g @ v[..., None])[..., 0]

    def close(a, b):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-8 * float(ad_g.abs().max()) ** 2)

    moved = group.conjugate(group.exp(x), by=g)
    difference = group._difference(moved, group.exp(turned(x))).abs().max()
    assert difference <= 1e-11 * float(ad_g.abs().max()) ** 2
    close(turned(group.bracket(x, y)), group.bracket(turned(x), turned(y)))
    torch.testing.assert_close(
        group.adjoint(group.compose(g, h)), ad_g @ group.adjoint(h), rtol=1e-8, atol=1e-8
    )
    # Ad(exp x) = exp(ad x)
    ad_x = torch.einsum("...i,ijk->...kj", x, group.structure_constants())
    torch.testing.assert_close(
        group.adjoint(group.exp(x)), torch.matrix_exp(ad_x), rtol=1e-9, atol=1e-9
    )


@every
def test_lie_algebra(group):
    f = group.structure_constants()
    assert f.shape == (group.dimension,) * 3
    torch.testing.assert_close(f, -f.transpose(0, 1), rtol=0, atol=1e-14)
    x, y, z = normal(0, 3, group.dimension)
    b = group.bracket
    jacobi = b(x, b(y, z)) + b(y, b(z, x)) + b(z, b(x, y))
    assert jacobi.abs().max() <= 1e-12
    if isinstance(group, LinearGroup):
        # By differentiation of the matrices: [X, Y] of the images is the image of the bracket.
        zero = torch.zeros(group.dimension, dtype=torch.float64)

        def image(v):
            return torch.func.jvp(lambda t: group.matrices(group.exp(t)), (zero,), (v,))[1]

        commutator = image(x) @ image(y) - image(y) @ image(x)
        torch.testing.assert_close(commutator, image(b(x, y)), rtol=1e-12, atol=1e-12)


@every
def test_the_killing_form_is_invariant(group):
    killing = group.killing_form()
    torch.testing.assert_close(killing, killing.T)
    x, y, z = normal(0, 3, group.dimension)
    left, right = group.bracket(x, y) @ killing @ z, x @ killing @ group.bracket(y, z)
    torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("group", "signature"),
    [
        (SpecialOrthogonalGroup(3), (0, 3)),
        (SpecialOrthogonalGroup(5), (0, 10)),
        (OrthogonalGroup(4), (0, 6)),
        (SpecialUnitaryGroup(2), (0, 3)),
        (SpecialUnitaryGroup(4), (0, 15)),
        (SpinGroup(5), (0, 10)),
        (LorentzGroup(), (3, 3)),
        (SymplecticGroup(2), (6, 4)),
        (SpecialLinearGroup(3), (5, 3)),
        (SpecialLinearGroup(2, "complex"), (3, 3)),
        # Not semisimple: degenerate.
        (UnitaryGroup(3), (0, 8)),
        (SpecialEuclideanGroup(3), (0, 3)),
        (GalileiGroup(3), (0, 3)),
        (HeisenbergGroup(2), (0, 0)),
        (TorusGroup((1.0, 1.0)), (0, 0)),
    ],
)
def test_signature_of_the_killing_form(group, signature):
    """Negative definite for the compact semisimple groups, and only for those."""
    eigenvalues = torch.linalg.eigvalsh(group.killing_form())
    assert (int((eigenvalues > 1e-10).sum()), int((eigenvalues < -1e-10).sum())) == signature


@every
@pytest.mark.parametrize("size", [0.0, 1e-6, 0.05, 1.0])
def test_derivatives_of_exp(group, size):
    x = inside(group, 5, size=size).requires_grad_()
    # The representatives of a torus jump where they wrap; its matrices do not.
    chart = group.matrices if isinstance(group, TorusGroup) else lambda a: a
    assert gradcheck(lambda t: chart(group.exp(t)), x)


@every
@pytest.mark.parametrize("size", [0.0, 1e-6, 0.05, 1.0])
def test_derivatives_of_log(group, size):
    # Around a = exp(x), along the group: y ↦ log(exp(x) exp(y)).
    a = group.exp(inside(group, 5, size=size))
    y = torch.zeros(group.dimension, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda t: group.log(group.compose(a, group.exp(t))), y)


@pytest.mark.parametrize(
    "group",
    [SpecialOrthogonalGroup(3), SpecialOrthogonalGroup(4), SpecialUnitaryGroup(2), LorentzGroup()],
    ids=lambda group: group.name,
)
@pytest.mark.parametrize("size", [0.0, 1.0])
def test_second_derivatives(group, size):
    a = group.exp(inside(group, 5, size=size))
    y = torch.zeros(group.dimension, dtype=torch.float64, requires_grad=True)
    assert gradgradcheck(lambda t: group.log(group.compose(a, group.exp(t))), y)


@every
def test_batches(group):
    a, b = group.sample(generator(3, "a"), (4, 1)), group.sample(generator(3, "b"), (5,))
    shape = group.element_shape
    product = group.compose(a, b)
    assert product.shape == (4, 5, *shape)
    assert product.dtype is group.element_dtype
    torch.testing.assert_close(product[2, 3], group.compose(a[2, 0], b[3]), rtol=1e-14, atol=1e-13)
    assert group.exp(torch.zeros(2, 0, group.dimension)).shape == (2, 0, *shape)
    assert group.adjoint(a).shape == (4, 1, group.dimension, group.dimension)
    x = inside(group, 2, 3, 2)
    singly = torch.stack([group.log(group.exp(row)) for row in x.flatten(0, 1)]).view_as(x)
    torch.testing.assert_close(group.log(group.exp(x)), singly, rtol=0, atol=1e-13)


@every
def test_distance(group):
    g, a = group.sample(generator(4, "g")), group.exp(inside(group, 6, 5, size=1.2))
    b = group.exp(inside(group, 7, 5, size=1.2))
    d = group.distance(a, b)
    assert d.shape == (5,)
    torch.testing.assert_close(group.distance(a, a), torch.zeros(5).double(), rtol=0, atol=1e-12)
    torch.testing.assert_close(group.distance(b, a), d, rtol=1e-9, atol=1e-9)
    # Left-invariant; for the compact groups right-invariant too.
    moved = group.distance(group.compose(g, a), group.compose(g, b))
    torch.testing.assert_close(moved, d, rtol=1e-7, atol=1e-7)
    if group.is_compact:
        moved = group.distance(group.compose(a, g), group.compose(b, g))
        torch.testing.assert_close(moved, d, rtol=1e-7, atol=1e-7)


@every
def test_the_derivative_of_distance_is_finite_where_it_vanishes(group):
    x = torch.zeros(group.dimension, dtype=torch.float64, requires_grad=True)
    e = group.identity_tensor(x)
    (gradient,) = torch.autograd.grad(group.distance(e, group.exp(x)), x)
    assert gradient.isfinite().all()


@every
def test_random_walk(group):
    walk = group.random_walk(generator(0, "walk"), steps=6, step_size=0.1, shape=(3,))
    assert walk.shape == (3, 7, *group.element_shape)
    assert group.contains(walk)
    assert same(group, walk[:, 0], group.identity_tensor(walk))
    steps = group.distance(walk[:, :-1], walk[:, 1:])
    assert 0 < steps.min() < steps.max() < 0.1 * (group.dimension**0.5 + 5)
    again = group.random_walk(generator(0, "walk"), steps=6, step_size=0.1, shape=(3,))
    assert torch.equal(walk, again)


@every
def test_groups_are_values(group):
    for other in (pickle.loads(pickle.dumps(group)), copy.deepcopy(group)):
        assert other == group
        assert hash(other) == hash(group)
        x = inside(group, 0, 2)
        assert torch.equal(other.exp(x), group.exp(x))
    assert [other for other in GROUPS if other == group] == [group]
    assert len({other.name for other in GROUPS}) == len(GROUPS)


@every
def test_samples_and_generators_are_elements(group):
    sample = group.sample(generator(0, "sample"), (3, 2))
    assert sample.shape == (3, 2, *group.element_shape)
    assert group.contains(sample)
    assert torch.equal(sample, group.sample(generator(0, "sample"), (3, 2)))
    for a in (*group.generators(), group.identity, group.value(sample[0, 0])):
        assert group.contains(a)
        assert group.value(group.tensor((a,))[0]) == a
    assert group.element_name(group.identity) == "e"
    wrong = sample.clone()
    wrong[1, 1] = float("nan")
    assert not group.contains(wrong)


@every
def test_component_generators_lie_in_other_components(group):
    for s in group.component_generators():
        assert group.contains(s)
        with pytest.raises(InputError, match=r"the logarithm in .* is defined where"):
            group.log(s)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@every
def test_single_precision(group, dtype):
    x = inside(group, 0, 4).to(dtype)
    a = group.exp(x)
    assert a.real.dtype is dtype
    assert group.contains(a)
    torch.testing.assert_close(
        group.log(a), x, rtol=0, atol=1e-4 if dtype is torch.float32 else 1e-10
    )
