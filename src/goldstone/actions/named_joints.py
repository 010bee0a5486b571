"""The ready symmetries of joint vectors of robots and other bodies."""

from collections.abc import Sequence
from math import pi

from goldstone.actions.joints import JointRotation, mirror_representation
from goldstone.actions.linear import LinearAction
from goldstone.actions.naming import Output, output_action
from goldstone.actions.symmetry import Symmetry
from goldstone.core import InputError
from goldstone.groups import TorusGroup

ANGLES = (0.1, 0.5, pi / 2, pi)


def joint_rotation_symmetry(joints: tuple[int, ...], output: Output = "invariant") -> Symmetry:
    """Joints that turn without limits and whose zero is arbitrary, such as the base of an arm.

    Tested by 0.1, 0.5, π/2 and π rad, each joint alone. Angles are expected in [−π, π), as the
    action returns them.

    Args:
        joints: their places along the last axis of the joint vectors (batch, …, joint).
        output: how the output moves: ``invariant``, ``same`` for joint vectors, or an action of the
            torus.

    Raises:
        InputError: no joints, one twice, or an unknown output.
    """
    if not joints:
        raise InputError("expected one or more joints that turn, got none")
    group = TorusGroup((2 * pi,) * len(joints))
    action = JointRotation(group, joints)
    alone = [
        tuple(angle if i == place else 0.0 for i in range(len(joints)))
        for place in range(len(joints))
        for angle in ANGLES
    ]
    on_output = output_action(output, action)
    return Symmetry("joint-rotations", group, action, on_output, elements=tuple(alone))


def mirror_symmetry(
    images: Sequence[int], signs: Sequence[int], output: Output = "same"
) -> Symmetry:
    """Left and right of a body exchanged: of joint angles, velocities and torques alike.

    Args:
        images: the joint that joint i becomes.
        signs: ±1 for each joint, see :func:`goldstone.actions.mirror_representation`.
        output: ``same`` for joint vectors, ``invariant`` for a reward or a value, or an action of
            C₂.

    Raises:
        InputError: as :func:`goldstone.actions.mirror_representation`, or an unknown output.
    """
    mirror = mirror_representation(images, signs)
    action = LinearAction(mirror)
    return Symmetry("mirror", mirror.group, action, output_action(output, action))
