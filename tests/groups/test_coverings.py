"""The coverings SU(2) → SO(3), Spin(n) → SO(n) and SL(2, ℂ) → SO⁺(1, 3)."""

import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.core import InputError, generator
from goldstone.groups import lorentz_covering, spin_covering, unitary_covering

COVERINGS = [unitary_covering(), lorentz_covering(), *(spin_covering(n) for n in (2, 3, 4, 5, 6))]
every = pytest.mark.parametrize("covering", COVERINGS, ids=lambda c: c.source.name)


@every
@given(seed=st.integers(0, 2**20))
def test_homomorphism_onto_the_connected_group(covering, seed):
    a, b = covering.source.sample(generator(seed, "elements"), (2, 3))
    covering.check(a, b)
    assert covering.target.contains(covering(a))
    assert torch.equal(covering(-a), covering(a))


@every
def test_the_derivative_is_an_isomorphism_of_lie_algebras(covering):
    source, target = covering.source, covering.target
    zero = torch.zeros(source.dimension, dtype=torch.float64)

    def in_coordinates(t):
        return target.log(covering(source.exp(t)))

    derivative = torch.func.jacfwd(lambda t: covering(source.exp(t)))(zero)
    columns = torch.stack([target.vee(m) for m in derivative.unbind(-1)], -1)
    x, y = torch.randn((2, source.dimension), generator=generator(0, "x"), dtype=torch.float64)
    torch.testing.assert_close(
        columns @ source.bracket(x, y), target.bracket(columns @ x, columns @ y)
    )
    assert torch.linalg.matrix_rank(columns) == target.dimension == source.dimension
    # φ(exp x) = exp(dφ x)
    torch.testing.assert_close(covering(source.exp(x)), target.exp(columns @ x))
    if source.name != "SL(2,ℂ)":
        torch.testing.assert_close(columns, torch.eye(source.dimension).double())
    torch.testing.assert_close(in_coordinates(x / 4), columns @ x / 4)


def test_full_turns_lift_to_minus_one():
    for covering in COVERINGS:
        if covering.source.name == "SL(2,ℂ)":
            continue
        source, target = covering.source, covering.target
        turn = torch.zeros(source.dimension, dtype=torch.float64)
        turn[-1] = 2 * torch.pi
        assert bool(source.equal(source.exp(turn), -source.identity_tensor(turn)))
        assert bool(target.equal(covering(source.exp(turn)), target.identity_tensor(turn)))
        with pytest.raises(InputError, match="is defined where"):
            source.log(source.exp(turn))


def test_the_lorentz_covering_of_generators():
    covering = lorentz_covering()
    source, target = covering.source, covering.target
    sigma = torch.tensor(
        [[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=torch.complex128
    )
    turns, boosts = torch.matrix_exp(-0.5j * 0.7 * sigma), torch.matrix_exp(0.5 * 0.7 * sigma)
    assert source.contains(turns)
    assert source.contains(boosts)
    expected = target.exp(0.7 * torch.eye(6, dtype=torch.float64))
    torch.testing.assert_close(covering(turns), expected[:3])
    torch.testing.assert_close(covering(boosts), expected[3:])


def test_spin_three_is_the_unit_quaternions():
    # e_23, e_13 and e_12 square to −1, and g ↦ −g is the only ambiguity over a rotation by hand:
    # exp(π/2 about z) = (1 − e_12)/√2.
    spin = spin_covering(3).source
    quarter = spin.exp((0.0, 0.0, torch.pi / 2))
    assert quarter == pytest.approx((0.5**0.5, -(0.5**0.5), 0.0, 0.0), abs=1e-15)
    assert spin.element_name(quarter) == "0.707107-0.707107e12"
    rotation = spin_covering(3)(torch.tensor(quarter, dtype=torch.float64))
    expected = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]).double()
    torch.testing.assert_close(rotation, expected, rtol=0, atol=1e-15)


@every
def test_coverings_are_values(covering):
    assert pickle.loads(pickle.dumps(covering)) == covering
    assert [other for other in COVERINGS if other == covering] == [covering]
