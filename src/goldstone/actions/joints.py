"""Robots: periodic joint angles, and mirror symmetry of a body."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import Any

import torch
from torch import Tensor

from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_tensor
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, TorusGroup
from goldstone.representations import MatrixRepresentation


@dataclass(frozen=True)
class JointRotation:
    """a·q = q + a modulo 2π, for joints that turn without limits; angles in radians.

    Results lie in [−π, π), and angles are expected there: of others act(e, q) is not q, which an
    audit refuses. The rotation is about each joint's own axis; it is a symmetry of a task
    only for joints whose zero is arbitrary, such as the base of an arm.

    Attributes:
        group: a torus of period 2π for each turned joint.
        joints: their places along the last axis.

    Raises:
        InputError: the periods are not 2π or not one for each joint.
    """

    group: TorusGroup
    joints: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(set(self.joints)) != len(self.joints):
            raise InputError(f"expected distinct joints, got {self.joints}")
        if self.group.periods != (2 * pi,) * len(self.joints):
            raise InputError(
                f"expected a torus of period 2π for each of the joints {self.joints}, got the "
                f"periods {self.group.periods}"
            )

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Turn joint vectors (…, joint); the other joints stay as they are.

        Raises:
            InputError: the element lies outside the group or there are too few joints.
        """
        if not x.is_floating_point():
            raise InputError(f"joint angles: expected real numbers, got {x.dtype}; call .float()")
        angles = element_as_tensor(self.group, element, x.device).to(x.dtype)
        size = x.shape[-1] if x.ndim else 0
        if not all(-size <= joint < size for joint in self.joints):
            raise InputError(f"expected joints {self.joints} along the last axis, got {size} of it")
        places = torch.tensor(self.joints, device=x.device) % size
        if len(set(places.tolist())) != len(self.joints):
            raise InputError(f"expected distinct joints among {size}, got {self.joints}")
        moved = x.index_select(-1, places) + angles
        wrapped = moved - 2 * pi * torch.floor((moved.detach() + pi) / (2 * pi))
        return x.index_copy(-1, places, wrapped)


def mirror_representation(images: Sequence[int], signs: Sequence[int]) -> MatrixRepresentation:
    """The mirror image of a body's joint vector: C₂ by a signed permutation.

    (m·q)_{images[i]} = signs[i] · q_i: the left hip goes to the right hip, a pitch keeps its sign,
    a roll or yaw changes it. It acts by :class:`goldstone.actions.LinearAction` on joint angles,
    velocities and torques alike.

    Args:
        images: the joint that joint i becomes.
        signs: ±1 for each joint.

    Raises:
        InputError: images are no permutation, signs not ±1, or mirroring twice is not the identity.
    """
    size = len(images)
    if sorted(images) != list(range(size)) or len(signs) != size or set(signs) - {1, -1}:
        raise InputError(
            f"expected images, a permutation of 0 … {size - 1}, and as many signs ±1, got "
            f"{list(images)} and {list(signs)}"
        )
    for i, j in enumerate(images):
        if images[j] != i or signs[i] * signs[j] != 1:
            raise InputError(
                f"mirroring twice has to give the joint back: joint {i} goes to {j} with sign "
                f"{signs[i]}, and joint {j} to {images[j]} with sign {signs[j]}"
            )
    matrix = torch.zeros(size, size, dtype=torch.float64)
    for i, j in enumerate(images):
        matrix[j, i] = signs[i]
    return MatrixRepresentation(CyclicGroup(2), (1,), matrix[None])
