"""Representations on an axis of a tensor."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.actions import (
    Context,
    LinearAction,
    linear_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
)
from goldstone.representations import (
    DirectSum,
    RegularRepresentation,
    StandardRepresentation,
    TrivialRepresentation,
)
from goldstone.testing import assert_equivariant, check_action_laws

D4, SO3, SU2 = DihedralGroup(4), SpecialOrthogonalGroup(3), SpecialUnitaryGroup(2)
CONTEXT = Context()


def noise(*shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


@given(st.integers(0, 3), st.sampled_from([D4, SO3, CyclicGroup(5)]))
def test_laws_along_any_axis(axis, group):
    vector = StandardRepresentation(group)
    rep = DirectSum(group, (vector, TrivialRepresentation(group), vector))
    shape = [2, 3, 2, 3]
    shape[axis] = rep.dimension
    elements = group.values(group.sample(torch.Generator().manual_seed(axis), (4,)))
    for place in (axis, axis - 4):
        check_action_laws(LinearAction(rep, place), group, noise(*shape), elements=elements)


def test_against_loops():
    rep = StandardRepresentation(SO3)
    g = SO3.exp((0.3, -0.5, 1.1))
    x = noise(2, 3, 4)
    found = LinearAction(rep, 1).act(g, x, CONTEXT)
    matrix = rep(g)
    for b in range(2):
        for k in range(4):
            torch.testing.assert_close(found[b, :, k], matrix @ x[b, :, k])
    as_tensor = LinearAction(rep, 1).act(SO3.tensor((g,))[0], x, CONTEXT)
    assert torch.equal(as_tensor, found)


def test_the_derivative_is_that_of_the_representation():
    rep = StandardRepresentation(SO3)
    x, v = noise(4, 3), torch.tensor([0.2, -1.0, 0.5], dtype=torch.float64)
    action = LinearAction(rep)
    _, found = torch.func.jvp(
        lambda t: action.act(SO3.exp(t), x, CONTEXT), (torch.zeros_like(v),), (v,)
    )
    torch.testing.assert_close(found, x @ rep.derivative(v).T)


@pytest.mark.parametrize(
    "dtype",
    [torch.float16, torch.bfloat16, torch.float32, torch.complex64, torch.complex128],
)
def test_dtypes_are_kept(dtype):
    exact = noise(3, 8, dtype=torch.complex128 if dtype.is_complex else torch.float64)
    x = exact.to(dtype)
    action = LinearAction(RegularRepresentation(D4))
    for g in D4.elements():
        moved = action.act(g, x, CONTEXT)
        assert moved.dtype == dtype
        # A permutation matrix moves numbers without rounding them.
        expected = action.act(g, exact, CONTEXT).to(dtype)
        assert torch.equal(moved, expected)


def test_complex_representations_need_complex_states():
    action = LinearAction(StandardRepresentation(SU2))
    elements = SU2.values(SU2.sample(torch.Generator().manual_seed(0), (3,)))
    check_complex_laws(action, SU2, noise(3, 2, dtype=torch.complex128), elements)
    with pytest.raises(InputError, match="complex representation acts on complex states"):
        action.act(elements[0], noise(3, 2), CONTEXT)


def check_complex_laws(action, group, x, elements):
    for a in elements:
        for b in elements:
            twice = action.act(a, action.act(b, x, CONTEXT), CONTEXT)
            torch.testing.assert_close(twice, action.act(group.compose(a, b), x, CONTEXT))


def test_errors():
    action = LinearAction(StandardRepresentation(SO3))
    e = SO3.identity
    with pytest.raises(InputError, match=r"3 components along axis -1, .* shape \(2, 4\)"):
        action.act(e, noise(2, 4), CONTEXT)
    with pytest.raises(InputError, match="along axis 5"):
        LinearAction(StandardRepresentation(SO3), 5).act(e, noise(2, 3), CONTEXT)
    with pytest.raises(InputError, match=r"complex numbers, got torch\.int64"):
        action.act(e, torch.ones(2, 3, dtype=torch.int64), CONTEXT)
    with pytest.raises(InputError, match="not an element"):
        action.act(((1.0, 0.0, 0.0),) * 3, noise(2, 3), CONTEXT)
    with pytest.raises(InputError, match="elements outside the group"):
        action.act(2 * torch.eye(3, dtype=torch.float64), noise(2, 3), CONTEXT)


def test_linear_symmetries():
    vector, scalar = StandardRepresentation(SO3), TrivialRepresentation(SO3)
    symmetry = linear_symmetry(vector, scalar)
    assert len(symmetry.elements) == 6
    assert_equivariant(lambda x: x.square().sum(-1, keepdim=True), symmetry, noise(4, 3))
    regular = linear_symmetry(RegularRepresentation(D4), RegularRepresentation(D4))
    assert regular.elements == ()
    assert_equivariant(torch.tanh, regular, noise(4, 8))
    with pytest.raises(AssertionError, match=r"not equivariant under SO\(3\)"):
        assert_equivariant(torch.tanh, linear_symmetry(vector, vector), noise(4, 3))
    with pytest.raises(InputError, match=r"one group, got SO\(3\) and D4"):
        linear_symmetry(vector, TrivialRepresentation(D4))
