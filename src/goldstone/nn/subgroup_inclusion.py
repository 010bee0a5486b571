"""How a group lies in a larger one that acts on the same space."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, Group, Homomorphism, LinearGroup, SubgroupGroup

_TOLERANCE = 1e-6


def subgroup_inclusion(part: Group[Any], whole: Group[Any]) -> Homomorphism[Any, Any]:
    """The inclusion H → G of a group in a larger one.

    H is a subgroup of G made by ``subgroup_as_group``, or acts on the same ℝⁿ and each of its
    elements goes to that of G with the same matrix: C8 in D8 or SO(2), the rotations of the cube in
    O(3), D4 in D8 with the same reflections.

    Raises:
        InputError: it is neither, or an element of H has a matrix that no element of G has.
    """
    if part == whole or (isinstance(part, SubgroupGroup) and part.parent == whole):
        return Homomorphism(part, whole, _unchanged)
    small: Any = part
    large: Any = whole
    if not (isinstance(small, LinearGroup) and isinstance(large, LinearGroup)):
        raise InputError(
            f"cannot tell how {part.name} lies in {whole.name}; make it with subgroup_as_group, or "
            "take groups that act on one space, such as C8 and D8"
        )
    finite = isinstance(small, FiniteGroup)
    if small.degree != large.degree or (isinstance(large, FiniteGroup) and not finite):
        raise InputError(f"{part.name} is no subgroup of {whole.name}")
    return Homomorphism(part, whole, _SameMatrix(small, large) if finite else _unchanged)


def _unchanged(a: Tensor) -> Tensor:
    return a


@dataclass(frozen=True)
class _SameMatrix:
    """The element of G whose matrix is that of an element of H."""

    part: Any
    whole: Any

    def __call__(self, a: Tensor) -> Tensor:
        whole: Any = self.whole
        found: Tensor = self.part.matrices(a).double()
        if isinstance(self.whole, FiniteGroup):
            elements = whole.element_tensor()
            off = found.flatten(-2)[..., None, :] - whole.matrices(elements).flatten(1)
            distance, number = off.abs().amax(-1).min(-1)
            lost, found = distance > _TOLERANCE, elements[number]
        else:
            lost = ~whole.member_mask(found)
        if bool(lost.any()):
            name = self.part.element_name(self.part.value(a[lost][0]))
            raise InputError(
                f"{self.part.name} is no subgroup of {whole.name}, which has no element with the "
                f"matrix of {name}"
            )
        return found
