"""The shipped checkers catch what they claim to catch."""

import re
from dataclasses import dataclass

import pytest
import torch

from goldstone.actions import Context, Field, FieldLayout, PointAction, ShiftAction, flow_symmetry
from goldstone.core import InputError
from goldstone.groups import AdditiveGroup, CyclicGroup, DihedralGroup, GridTranslations
from goldstone.testing import (
    LawError,
    assert_equivariant,
    check_action_laws,
    check_group_laws,
)

VELOCITY = FieldLayout((Field("u", "velocity"),))


@dataclass(frozen=True)
class Broken(CyclicGroup):
    """C_n with one fault."""

    fault: str = ""

    def compose(self, a, b):
        if self.fault == "associativity" and (a, b) == (1, 1):
            return 3
        if self.fault == "closure" and (a, b) == (2, 3):
            return 5
        if self.fault == "identity" and b == 0:
            return 0
        return super().compose(a, b)

    def inverse(self, a):
        return a if self.fault == "inverse" else super().inverse(a)

    def element_name(self, a):
        return "r" if self.fault == "names" and a else super().element_name(a)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("associativity", "(a·b)·c = a·(b·c) fails for"),
        ("closure", "lies outside"),
        ("identity", "a·e = a fails for r"),
        ("inverse", "a⁻¹·a = e fails for r"),
        ("names", "share the name 'r'"),
    ],
)
def test_each_broken_group_law_is_named(fault, message):
    check_group_laws(Broken(4))
    with pytest.raises(LawError, match=re.escape(message)):
        check_group_laws(Broken(4, fault), (2, 3) if fault == "closure" else range(4))


def test_lie_groups_take_a_tolerance():
    group = AdditiveGroup("boost")
    elements = [(0.1, 0.0), (0.2, 0.0), (0.3, 0.0)]
    with pytest.raises(LawError, match="fails for boost"):
        check_group_laws(group, elements)

    def same(a, b):
        return all(abs(x - y) < 1e-12 for x, y in zip(a, b, strict=True))

    check_group_laws(group, elements, same)


class Unturned(PointAction):
    """Turns the grid but not the vectors, though only at r."""

    def act(self, element, x, context):
        moved = super().act(element, x, context)
        return -moved if element == (0, 1) else moved


class InPlace:
    def act(self, element, x, context):
        return x.add_(0.0) if element == (0, 0) else x.mul_(2.0)


class Forgetful:
    """Moves the state even at the identity."""

    def act(self, element, x, context):
        return x * 1.01


def test_each_broken_action_law_is_named():
    d4 = DihedralGroup(4)
    x = torch.randn(2, 2, 4, 4)
    check_action_laws(PointAction(d4, VELOCITY), d4, x)
    with pytest.raises(LawError, match=r"acting with .*r.* by .* of the norm \(allowed 1e-05\)"):
        check_action_laws(Unturned(d4, VELOCITY), d4, x)
    with pytest.raises(LawError, match=r"the identity moves the state by 1\.0e-02"):
        check_action_laws(Forgetful(), d4, x)
    with pytest.raises(LawError, match="in place"):
        check_action_laws(InPlace(), GridTranslations((4, 4)), x)
    with pytest.raises(InputError, match="floating-point"):
        check_action_laws(ShiftAction(), GridTranslations((4, 4)), torch.zeros(1, 1, 4, 4).long())


def test_the_tolerance_follows_the_dtype():
    class Rough:
        def act(self, element, x, context):
            return x * (1 + 1e-7) ** (1 if element else 0)

    group = CyclicGroup(2)
    check_action_laws(Rough(), group, torch.ones(4, dtype=torch.float32))
    with pytest.raises(LawError, match="e-07 of the norm"):
        check_action_laws(Rough(), group, torch.ones(4, dtype=torch.float64))
    check_action_laws(Rough(), group, torch.ones(4, dtype=torch.float64), tolerance=1e-6)


def smoothing(x):
    """Commutes with shifts, turns and reflections: a mean over neighbours."""
    return x + sum(x.roll(step, axis) for step in (-1, 1) for axis in (-2, -1))


def drifting(x):
    """Commutes with shifts but with no turn or reflection of the first axis."""
    return smoothing(x) + 0.1 * x.roll(1, -2)


@pytest.mark.parametrize("name", ["d4", "shifts", "p4m", "translations"])
def test_an_equivariant_map_passes(name):
    x = torch.randn(2, 2, 9, 9, dtype=torch.float64)
    assert_equivariant(smoothing, flow_symmetry(name, VELOCITY, (9, 9)), x)
    assert_equivariant(smoothing, flow_symmetry(name, VELOCITY, (9, 9)), x.float())


def test_a_failure_names_the_element_and_the_size():
    x = torch.randn(2, 2, 8, 8, dtype=torch.float64)
    assert_equivariant(drifting, flow_symmetry("shifts", VELOCITY, (8, 8)), x)
    # sr² reverses the second axis only and is kept; the other six elements fail.
    message = (
        r"under d4: 6 of 7 elements fail, the worst is \S+ with a relative error of \d\.\de-02"
    )
    with pytest.raises(AssertionError, match=message):
        assert_equivariant(drifting, flow_symmetry("d4", VELOCITY, (8, 8)), x)


def test_the_output_of_a_boost_has_drifted():
    """Uniform translation by c dt under the mean flow is Galilean, if the output drifts too."""
    n, dt = 9, 0.5
    symmetry = flow_symmetry("boosts", VELOCITY, (n, n), speed=2.0)
    context = Context(dt=dt, lengths=(float(n), float(n)))

    def advect(u):
        # Each sample is carried by its own mean velocity; cells have size 1.
        mean = u.mean((-2, -1))
        action = flow_symmetry("translations", VELOCITY, (n, n)).on_input
        return torch.cat(
            [
                action.act(tuple((dt * v).tolist()), sample[None], context)
                for v, sample in zip(mean, u, strict=True)
            ]
        )

    x = torch.randn(2, 2, n, n, dtype=torch.float64, generator=torch.manual_seed(0))
    assert_equivariant(advect, symmetry, x, context)
    with pytest.raises(LawError, match=r"the worst is boost"):
        assert_equivariant(lambda u: u, symmetry, x, context)


def test_what_tells_nothing_is_refused():
    symmetry = flow_symmetry("d4", VELOCITY, (4, 4))
    x = torch.randn(1, 2, 4, 4)
    with pytest.raises(InputError, match="zero everywhere"):
        assert_equivariant(torch.zeros_like, symmetry, x)
    with pytest.raises(LawError, match="relative error of nan"):
        assert_equivariant(lambda u: u * float("nan"), symmetry, x)
