"""Actions on points, on cosets and on data."""

import pickle
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    PermutationAction,
    SymmetricGroup,
    action_on_cosets,
    action_on_points,
    all_subgroups,
    conjugate_subgroup,
    data_orbits,
    p4m,
)

groups = st.one_of(
    st.integers(1, 12).map(CyclicGroup),
    st.integers(1, 8).map(DihedralGroup),
    st.tuples(st.integers(1, 3), st.integers(1, 4)).map(GridTranslations),
    st.integers(1, 4).map(SymmetricGroup),
    st.just(p4m(2)),
)


def turn(shift, colours):
    """Colourings of a necklace: beads move round by ``shift``."""
    return tuple(colours[(i - shift) % len(colours)] for i in range(len(colours)))


@given(st.integers(1, 6), st.integers(1, 3))
@settings(max_examples=15)
def test_necklaces_are_counted_by_burnside(beads, colours):
    group = CyclicGroup(beads)
    action = action_on_points(group, list(product(range(colours), repeat=beads)), turn)
    divisors = [d for d in range(1, beads + 1) if beads % d == 0]
    totient = {
        d: sum(all(k % q or d % q for q in range(2, d + 1)) for k in range(1, d + 1))
        for d in divisors
    }
    expected = sum(totient[d] * colours ** (beads // d) for d in divisors) // beads
    assert action.orbit_count() == len(action.orbits()) == expected


@given(groups, st.data())
@settings(max_examples=40)
def test_cosets_orbits_and_stabilisers(group, data):
    h = data.draw(st.sampled_from(all_subgroups(group)))
    action = action_on_cosets(group, h)
    assert len(action.points) * h.order == group.order
    assert action.orbit_count() == len(action.orbits()) == 1
    point = data.draw(st.sampled_from(action.points))
    # The stabiliser of gH is gHg⁻¹.
    assert action.stabiliser(point).elements == conjugate_subgroup(group, h, point).elements
    assert len(action.orbit(point)) * action.stabiliser(point).order == group.order
    everywhere = [action.stabiliser(x).elements for x in action.points]
    assert action.kernel().elements == frozenset.intersection(*everywhere)
    a = data.draw(st.sampled_from(group.elements()))
    assert set(action.fixed_points(a)) == {x for x in action.points if action.act(a, x) == x}
    assert pickle.loads(pickle.dumps(action)) == action


@given(groups)
def test_conjugation_has_the_classes_as_orbits(group):
    def conjugate(g, a):
        return group.compose(group.compose(g, a), group.inverse(g))

    action = action_on_points(group, group.elements(), conjugate)
    for orbit in action.orbits():
        a = orbit[0]
        stabiliser = action.stabiliser(a)
        assert len(orbit) * stabiliser.order == group.order
        assert all(group.compose(g, a) == group.compose(a, g) for g in stabiliser.elements)


def test_the_natural_action_of_permutations():
    group = SymmetricGroup(4)
    action = PermutationAction(group, tuple(range(4)), group.element_tensor())
    assert action.orbits() == ((0, 1, 2, 3),)
    assert action.stabiliser(2).order == 6
    assert action.kernel().order == 1
    pairs = list(product(range(4), repeat=2))
    on_pairs = action_on_points(group, pairs, lambda g, p: (g[p[0]], g[p[1]]))
    assert [len(orbit) for orbit in on_pairs.orbits()] == [4, 12]


def test_what_is_no_action_is_refused():
    group = DihedralGroup(3)
    with pytest.raises(InputError, match=r"no action of D3: \S+·\S+ moves the points otherwise"):
        # Right multiplication is an action from the right.
        action_on_points(group, group.elements(), lambda g, a: group.compose(a, g))
    with pytest.raises(InputError, match="the element r of C2 does not permute"):
        PermutationAction(CyclicGroup(2), (0, 1), torch.tensor([[0, 1], [0, 0]]))
    with pytest.raises(InputError, match="expected permutations of 3 points"):
        PermutationAction(CyclicGroup(2), (0, 1, 2), torch.tensor([[0, 1], [1, 0]]))
    with pytest.raises(InputError, match="moves the point 2 to 3, outside"):
        action_on_points(CyclicGroup(4), [0, 1, 2], lambda g, x: (x + g) % 4)
    with pytest.raises(InputError, match="1 repeated"):
        action_on_points(CyclicGroup(1), [0, 0], lambda g, x: x)
    action = action_on_points(CyclicGroup(2), [0, 1], lambda g, x: (x + g) % 2)
    with pytest.raises(InputError, match="one of the 2 points"):
        action.stabiliser(7)


def rotate(quarters, images):
    return torch.rot90(images, quarters, (1, 2))


def test_orbits_of_images_under_rotation():
    group = CyclicGroup(4)
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(3, 5, 5, generator=generator, dtype=torch.float64)
    data = torch.cat((noise, rotate(1, noise[:2]), rotate(3, noise[1:2]) + 1e-9))
    assert data_orbits(group, data, rotate).tolist() == [0, 1, 2, 0, 1, 1]
    # A sample turned by 90° and one by 270° are linked though the original is missing.
    assert data_orbits(group, data[3:], rotate).tolist() == [0, 1, 1]
    assert data_orbits(group, data, rotate, tolerance=1e-12).tolist() == [0, 1, 2, 0, 1, 3]
    with pytest.raises(InputError, match="keep the shape"):
        data_orbits(group, data, lambda a, x: x[:, :2])
