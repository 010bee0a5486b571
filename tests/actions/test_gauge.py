"""Gauge groups and how they move links, loops and matter."""

import pickle

import pytest
import torch

from goldstone.actions import Context, GaugeAction, action_law_errors, gauge_symmetry
from goldstone.core import InputError
from goldstone.groups import (
    AdditiveGroup,
    CyclicGroup,
    GaugeGroup,
    SpecialUnitaryGroup,
    SymmetricGroup,
    UnitaryGroup,
)

LOCAL = (UnitaryGroup(1), SpecialUnitaryGroup(2), SpecialUnitaryGroup(3), CyclicGroup(5))
SOURCE = torch.Generator().manual_seed(0)


@pytest.mark.parametrize("local", LOCAL, ids=[g.name for g in LOCAL])
def test_group_laws(local):
    group = GaugeGroup(local, (2, 3))
    a, b, c = group.sample(torch.Generator().manual_seed(0), (3, 4)).unbind()
    assert a.shape == (4, *group.element_shape)
    assert group.contains(a)
    left, right = group.compose(a, group.compose(b, c)), group.compose(group.compose(a, b), c)
    assert group.equal(left, right).all()
    identity = group.identity_tensor(a)
    assert group.equal(group.compose(identity, a), a).all()
    assert group.equal(group.compose(group.inverse(a), a), identity).all()
    # Site by site.
    site = local.compose(a[:, 1, 2], b[:, 1, 2])
    assert local.equal(group.compose(a, b)[:, 1, 2], site).all()
    value = group.value(a[0])
    assert group.equal(group.tensor((value,))[0], a[0])
    assert pickle.loads(pickle.dumps(group)) == group


def test_elements_at_a_site_and_everywhere():
    local = SymmetricGroup(3)
    group = GaugeGroup(local, (2, 2))
    turn = (1, 2, 0)
    placed = group.tensor((group.at((1, 0), turn),))[0]
    assert placed[1, 0].tolist() == list(turn)
    assert placed[0, 0].tolist() == [0, 1, 2]
    assert (group.tensor((group.constant(turn),))[0] == torch.tensor(turn)).all()
    assert len(group.generators()) == 4 * len(local.generators())
    assert group.element_name(group.identity) == "e"
    names = {group.element_name(a) for a in group.generators()}
    assert len(names) == len(group.generators())
    with pytest.raises(InputError, match="site of the lattice"):
        group.at((2, 0), turn)
    with pytest.raises(InputError, match="one site or more"):
        GaugeGroup(local, (0, 2))


@pytest.mark.parametrize("kind", ["links", "loops", "matter"])
@pytest.mark.parametrize("local", LOCAL[:3], ids=[g.name for g in LOCAL[:3]])
def test_action_laws_and_formula(local, kind):
    lattice, n = (3, 2), local.degree
    symmetry = gauge_symmetry(local, lattice, elements=3)
    action = GaugeAction(symmetry.group, kind)
    ending = (n,) if kind == "matter" else (n, n)
    x = torch.randn(4, 2, *lattice, *ending, dtype=torch.complex128, generator=SOURCE)
    errors = action_law_errors(action, symmetry.group, x, Context(), symmetry.elements)
    assert max(errors.identity, errors.composition) < 1e-13
    element = symmetry.group.tensor(symmetry.elements[:1])[0]
    moved = action.act(element, x, Context())
    for axis, i, j in ((0, 2, 1), (1, 0, 1)):
        ahead = (i + (axis == 0)) % 3, (j + (axis == 1)) % 2
        here, there = element[i, j], element[ahead]
        old = x[1, axis, i, j]
        expected = {
            "links": lambda: here @ old @ there.mH,  # noqa: B023
            "loops": lambda: here @ old @ here.mH,  # noqa: B023
            "matter": lambda: here @ old,  # noqa: B023
        }[kind]()
        torch.testing.assert_close(moved[1, axis, i, j], expected)


def test_bad_input():
    symmetry = gauge_symmetry(UnitaryGroup(1), (4, 4))
    with pytest.raises(InputError, match="expected a complex tensor"):
        symmetry.on_input.act(symmetry.elements[0], torch.ones(1, 2, 4, 4, 1, 1), Context())
    with pytest.raises(InputError, match="group of matrices"):
        GaugeAction(GaugeGroup(AdditiveGroup("shift", 2), (2, 2)))
    with pytest.raises(InputError, match="expected one of"):
        GaugeAction(symmetry.group, "fields")
