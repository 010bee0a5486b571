"""Reversed velocities: a deliberately wrong action, kept as a negative control."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from goldstone.actions.action import Action
from goldstone.actions.checks import check_fields
from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_value
from goldstone.actions.fields import FieldLayout
from goldstone.groups import CyclicGroup, PointGroup


def reverse_vectors(x: Tensor, layout: FieldLayout) -> Tensor:
    """Every vector field times −1: u → −u, which is no symmetry of a flow that runs forward."""
    signs = x.new_ones(layout.channels, 1, 1)
    for field, channels in layout.slices():
        if field.is_vector:
            signs[channels] = -1.0
    return x * signs


@dataclass(frozen=True)
class ReversedVelocityAction:
    """A point action twisted by the character χ(r) = −1, χ(s) = +1: g·f, reversed where χ(g) = −1.

    χ is a homomorphism for an even number of rotations, so the laws of an action hold, and only
    the ground truth can tell that it is no symmetry. In D4 the reversed elements are r, r³ and
    the diagonal reflections: what a swapped axis convention produces too.
    """

    group: PointGroup[Any]
    layout: FieldLayout
    base: Action

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Turn the fields and reverse the vectors of the odd elements."""
        check_fields(x, self.layout.channels, 2)
        element = element_as_value(self.group, element)
        moved = self.base.act(element, x, context)
        return reverse_vectors(moved, self.layout) if is_odd(self.group, element) else moved


def is_odd(group: PointGroup[Any], element: Any) -> bool:
    """Whether χ(g) = −1: an odd number of rotations r in g."""
    rotations = element if isinstance(group, CyclicGroup) else element[1]
    return group.n % 2 == 0 and rotations % 2 == 1
