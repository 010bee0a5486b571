"""Lie groups in particular cases: domains of log, names, distances, membership, errors."""

import pytest
import torch

from goldstone.core import InputError, generator
from goldstone.groups import (
    EuclideanGroup,
    GalileiGroup,
    HeisenbergGroup,
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
from goldstone.groups.matrix.logarithm import matrix_logarithm

PI = torch.pi


def vector(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize("n", [2, 3])
def test_closed_forms_are_accurate_up_to_half_turns(n, gap):
    group = SpecialOrthogonalGroup(n)
    axis = torch.randn(group.dimension, generator=generator(0, "axis"), dtype=torch.float64)
    x = axis / axis.norm() * (PI - gap)
    torch.testing.assert_close(group.log(group.exp(x)), x, rtol=0, atol=1e-14)


@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-5, 1e-7])
def test_quaternions_are_accurate_up_to_full_turns(gap):
    for group in (SpecialUnitaryGroup(2), SpinGroup(3)):
        x = vector(0.6, 0.0, -0.8) * (2 * PI - gap)
        # The axis is lost in rounding: errors of 1e-16 in a sine of size gap/2.
        torch.testing.assert_close(group.log(group.exp(x)), x, rtol=0, atol=1e-14 / gap)


@pytest.mark.parametrize(
    ("group", "gap"),
    [(SpecialOrthogonalGroup(4), 1e-3), (UnitaryGroup(2), 1e-3), (SpinGroup(4), 1e-3)],
    ids=lambda x: getattr(x, "name", ""),
)
def test_general_logarithm_close_to_its_cut(group, gap):
    x = torch.zeros(group.dimension, dtype=torch.float64)
    x[0] = (2 * PI if group.name.startswith("Spin") else PI) - gap
    torch.testing.assert_close(group.log(group.exp(x)), x, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("group", "coordinates"),
    [
        (SpecialOrthogonalGroup(2), (PI,)),
        (SpecialOrthogonalGroup(3), (0.0, PI, 0.0)),
        (SpecialOrthogonalGroup(4), (PI, 0.0, 0.0, 0.0, 0.0, 0.5)),
        (OrthogonalGroup(3), (PI, 0.0, 0.0)),
        (SpecialUnitaryGroup(2), (0.0, 2 * PI, 0.0)),
        (UnitaryGroup(1), (PI,)),
        (SpinGroup(3), (0.0, 0.0, 2 * PI)),
        (SpinGroup(4), (2 * PI, 0.0, 0.0, 0.0, 0.0, 0.0)),
        (SpecialEuclideanGroup(2), (PI, 1.0, 0.0)),
        (GalileiGroup(2), (PI, 1.0, 0.0, 0.0, 0.0, 0.0)),
        (LorentzGroup(), (0.0, PI, 0.0, 0.0, 0.3, 0.0)),
        (SymplecticGroup(1), (0.0, PI, -PI)),
        (SpecialLinearGroup(2), (0.0, PI, -PI)),
        (TorusGroup((3.0,)), (1.5,)),
    ],
    ids=lambda x: getattr(x, "name", ""),
)
def test_log_raises_on_its_cut_and_names_the_place(group, coordinates):
    x = torch.zeros((2, 3, group.dimension), dtype=torch.float64)
    x[1, 2] = vector(*coordinates)
    with pytest.raises(InputError, match=r"at place \(1, 2\) of the batch lies outside"):
        group.log(group.exp(x))
    with pytest.raises(InputError, match="at place 2 of the batch"):
        group.log(group.exp(x)[1])
    with pytest.raises(InputError, match="; the element lies outside"):
        group.log(group.exp(coordinates))


def test_the_logarithm_in_su3_needs_arguments_that_sum_to_zero():
    group = SpecialUnitaryGroup(3)
    turns = vector(0.4, 0.4, 0.2) * 2 * PI
    a = torch.diag(torch.polar(torch.ones(3).double(), turns))
    assert group.contains(a)
    with pytest.raises(InputError, match="sum to 0"):
        group.log(a)
    x = UnitaryGroup(3).log(a)
    torch.testing.assert_close(UnitaryGroup(3).exp(x), a)


@pytest.mark.parametrize(
    ("rapidity", "error"), [(1e-9, 1e-22), (1.0, 1e-14), (5.0, 1e-13), (10.0, 1e-11), (15.0, 1e-9)]
)
def test_logarithm_of_fast_boosts(rapidity, error):
    x = vector(0, 0, 0, 0.6, 0, -0.8) * rapidity
    torch.testing.assert_close(LorentzGroup().log(LorentzGroup().exp(x)), x, rtol=0, atol=error)


def test_the_closed_form_of_the_lorentz_group_against_the_general_logarithm():
    group = LorentzGroup()
    x = torch.randn((500, 6), generator=generator(0, "x"), dtype=torch.float64)
    x[:, :3] *= 3 / x[:, :3].norm(dim=-1, keepdim=True).clamp_min(3)
    a = group.exp(x)
    x = group.vee(matrix_logarithm(a))
    torch.testing.assert_close(group.log(a), x, rtol=0, atol=1e-11)
    null = vector(0, 0, 1.5, 1.5, 0, 0)
    torch.testing.assert_close(group.log(group.exp(null)), null, rtol=0, atol=1e-14)


def test_elements_without_logarithm():
    minus = SpecialLinearGroup(2)
    for rows in ([[-2.0, 0.0], [0.0, -0.5]], [[-1.0, 1.0], [0.0, -1.0]]):
        a = torch.tensor(rows, dtype=torch.float64)
        assert minus.contains(a)
        with pytest.raises(InputError, match="no eigenvalue is negative real"):
            minus.log(a)


def test_distances_reach_the_cut():
    for n, coordinates, expected in (
        (2, (PI,), PI),
        (3, (0.0, 0.0, PI), PI),
        (4, (PI, 0.0, 0.0, 0.0, 0.0, 1.0), (PI**2 + 1) ** 0.5),
    ):
        group = SpecialOrthogonalGroup(n)
        e = group.identity_tensor(torch.zeros(1))
        assert float(group.distance(e, group.exp(vector(*coordinates)))) == pytest.approx(expected)
    unitary = SpecialUnitaryGroup(2)
    e = unitary.identity_tensor(torch.zeros(1))
    assert float(unitary.distance(e, -e)) == pytest.approx(2 * PI)
    torus = TorusGroup((2.0, 4.0))
    assert float(torus.distance(vector(0.1, 3.9), vector(1.1, 0.1))) == pytest.approx(1.04**0.5)
    with pytest.raises(InputError, match="determinant is 1"):
        OrthogonalGroup(2).distance(torch.eye(2).double(), torch.diag(vector(-1.0, 1.0)))


def test_rotation_distance_is_the_angle():
    group = SpecialOrthogonalGroup(3)
    a, b = group.sample(generator(0, "pair"), (2, 100))
    trace = (a.mT @ b).diagonal(dim1=-2, dim2=-1).sum(-1)
    torch.testing.assert_close(group.distance(a, b), ((trace - 1) / 2).clamp(-1, 1).acos())


def test_brownian_motion_on_the_circle_and_on_the_rotation_group():
    # E tr g = tr exp(−t C/2) with C the Casimir operator: 1 on the plane, 2 on vectors in space.
    for n, expected in ((2, 2 * torch.tensor(-0.25).exp()), (3, 3 * torch.tensor(-0.5).exp())):
        group = SpecialOrthogonalGroup(n)
        ends = group.random_walk(generator(1, "walk"), 50, 0.1, (4000,))[:, -1]
        trace = ends.diagonal(dim1=-2, dim2=-1).sum(-1)
        assert abs(float(trace.mean() - expected)) < 5 * float(trace.std()) / 4000**0.5


@pytest.mark.parametrize(
    ("group", "a", "name"),
    [
        (SpecialOrthogonalGroup(2), ((0.0, -1.0), (1.0, 0.0)), "rot(90°)"),
        (SpecialOrthogonalGroup(2), ((-1.0, 0.0), (0.0, -1.0)), "rot(180°)"),
        (OrthogonalGroup(2), ((-1.0, 0.0), (0.0, 1.0)), "s"),
        (OrthogonalGroup(2), ((0.0, 1.0), (1.0, 0.0)), "s·rot(90°)"),
        (EuclideanGroup(2), ((-1, 0, 0.5), (0, 1, 0), (0, 0, 1)), "shift(0.5,0)·s"),
        (SpecialEuclideanGroup(2), ((0, -1, 0), (1, 0, 0), (0, 0, 1)), "rot(90°)"),
        (SpecialLinearGroup(2), ((-1.0, 1.0), (0.0, -1.0)), "[-1,1; 0,-1]"),
        (SpecialUnitaryGroup(2), ((-1.0, 0.0), (0.0, -1.0)), "[-1,0; 0,-1]"),
        (HeisenbergGroup(), ((1, 2, 3), (0, 1, 0), (0, 0, 1)), "exp(2,0,3)"),
        (ScalingGroup(), 2.5, "scale(2.5)"),
        (TorusGroup((1.0, 2.0)), (0.25, 1.5), "shift(0.25,1.5)"),
        (SpinGroup(3), (-1.0, 0.0, 0.0, 0.0), "-1"),
    ],
)
def test_names(group, a, name):
    assert group.contains(a)
    assert group.element_name(a) == name
    assert group.element_name(group.identity) == "e"


def test_names_of_exponentials():
    group = SpecialOrthogonalGroup(3)
    assert group.element_name(group.exp((0.1, 0.0, -0.25))) == "exp(0.1,0,-0.25)"
    assert group.element_name(group.exp((0.0, PI, 0.0))) == "[-1,0,0; 0,1,0; 0,0,-1]"


@pytest.mark.parametrize(
    ("group", "a"),
    [
        (SpecialOrthogonalGroup(2), ((-1.0, 0.0), (0.0, 1.0))),
        (SpecialOrthogonalGroup(2), ((1.0, 1e-6), (0.0, 1.0))),
        (OrthogonalGroup(2), ((2.0, 0.0), (0.0, 0.5))),
        (SpecialUnitaryGroup(2), ((1j, 0.0), (0.0, 1.0))),
        (UnitaryGroup(2), ((1.0, 1.0), (0.0, 1.0))),
        (SpecialEuclideanGroup(1), ((1.0, 0.5), (0.1, 1.0))),
        (LorentzGroup(1), ((-1.0, 0.0), (0.0, -1.0))),
        (LorentzGroup(1, "proper"), ((-1.0, 0.0), (0.0, 1.0))),
        (LorentzGroup(1, "full"), ((2.0, 0.0), (0.0, 0.5))),
        (SymplecticGroup(1), ((2.0, 0.0), (0.0, 1.0))),
        (SpecialLinearGroup(2), ((-1.0, 0.0), (0.0, 1.0))),
        (HeisenbergGroup(), ((1, 0, 0), (1, 1, 0), (0, 0, 1))),
        (GalileiGroup(1), ((1, 0, 0), (0, 2, 0), (0, 0, 1))),
        (SpinGroup(3), (1.0, 0.1, 0.0, 0.0)),
        # Of norm 1 and even, but v ↦ g v g̃ does not keep vectors.
        (SpinGroup(4), (0.5**0.5, 0, 0, 0, 0, 0, 0, 0.5**0.5)),
        (ScalingGroup(), -1.0),
        (TorusGroup((1.0,)), (1.0,)),
        (TorusGroup((1.0,)), (-0.5,)),
    ],
)
def test_not_members(group, a):
    assert not group.contains(a)
    with pytest.raises(InputError, match="not an element"):
        group.check_contains(a)


def test_equality_across_the_wrap_of_a_torus():
    group = TorusGroup((1.0, 3.0))
    a, b = vector(1e-12, 3 - 1e-12), vector(1 - 1e-12, 1e-12)
    assert bool(group.equal(a, b))
    assert group.compose((0.75, 2.0), (0.5, 1.0)) == (0.25, 0.0)
    assert group.inverse((0.0, 1.0)) == (0.0, 2.0)
    tiny = group.exp(vector(-1e-20, 0.0))
    assert group.contains(tiny)
    torch.testing.assert_close(group.matrices(a), group.matrices(b), atol=1e-10, rtol=0)
    quarter = TorusGroup((4.0,)).matrices(vector(1.0))
    torch.testing.assert_close(quarter, torch.tensor([[0.0, -1.0], [1.0, 0.0]]).double())


@pytest.mark.parametrize("part", ["restricted", "proper", "full"])
def test_components_of_the_lorentz_group(part):
    group = LorentzGroup(3, part)
    a = group.sample(generator(0, "components"), (400,))
    signs = {
        (bool(t), bool(d)) for t, d in zip(a[:, 0, 0] > 0, torch.linalg.det(a) > 0, strict=True)
    }
    assert len(signs) == {"restricted": 1, "proper": 2, "full": 4}[part]
    assert len(group.component_generators()) == len(signs) // 2
    metric = group.metric
    assert metric.diagonal().tolist() == [-1.0, 1.0, 1.0, 1.0]
    size = a.abs().amax((-1, -2), keepdim=True).square()
    assert ((a.mT @ metric @ a - metric) / size).abs().max() < 1e-14


def test_a_boost_by_hand():
    # Rapidity φ along x: t' = t cosh φ + x sinh φ.
    boost = LorentzGroup().exp(vector(0, 0, 0, 0.5, 0, 0))
    c, s = vector(0.5).cosh().item(), vector(0.5).sinh().item()
    expected = torch.tensor([[c, s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]).double()
    torch.testing.assert_close(boost, torch.tensor(expected.tolist()).double(), atol=1e-7, rtol=0)


def test_galilei_group_by_hand():
    # A turn by 90°, velocity (1, 0), shift (0, 2), time 3 on the event x = (1, 0), t = 5.
    a = torch.tensor([[0, -1, 1, 0], [1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]).double()
    group = GalileiGroup(2)
    assert group.contains(a)
    assert (a @ vector(1, 0, 5, 1)).tolist() == [5.0, 3.0, 8.0, 1.0]
    torch.testing.assert_close(group.compose(a, group.inverse(a)), torch.eye(4).double())


def test_the_symplectic_form():
    group = SymplecticGroup(2)
    a = group.sample(generator(0, "form"))
    torch.testing.assert_close(a.mT @ group.form @ a, group.form, rtol=0, atol=1e-10)
    assert group.form[0].tolist() == [0.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpecialOrthogonalGroup(0), "n ≥ 1"),
        (lambda: SpecialUnitaryGroup(0), "n ≥ 1"),
        (lambda: EuclideanGroup(0), "n ≥ 1"),
        (lambda: LorentzGroup(0), "at least one dimension"),
        (lambda: LorentzGroup(3, "orthochronous"), "'restricted', 'proper' or 'full'"),
        (lambda: SymplecticGroup(0), "at least one pair"),
        (lambda: SpecialLinearGroup(1), "n ≥ 2"),
        (lambda: SpecialLinearGroup(2, "rational"), "'real' or 'complex'"),
        (lambda: HeisenbergGroup(0), "at least one pair"),
        (lambda: GalileiGroup(0), "dimension of space ≥ 1"),
        (lambda: SpinGroup(1), "from 2 to 10"),
        (lambda: TorusGroup(()), "positive finite periods"),
        (lambda: TorusGroup((1.0, -1.0)), "positive finite periods"),
        (lambda: SpecialOrthogonalGroup(3).exp(torch.zeros(2)), r"coordinates \(\*batch, 3\)"),
        (lambda: SpecialOrthogonalGroup(3).log(((1.0, 0.0), (0.0, 1.0))), "SO"),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()
