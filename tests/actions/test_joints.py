"""Joint vectors: turning joints and mirrored bodies."""

from math import pi

import pytest
import torch

from goldstone.actions import Context, JointRotation, LinearAction, mirror_representation
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, TorusGroup
from goldstone.testing import check_action_laws

CONTEXT = Context()
ARM = TorusGroup((2 * pi, 2 * pi))
TURN = JointRotation(ARM, (0, -1))


def angles(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(*shape, dtype=torch.float64, generator=generator) * 2 * pi - pi


def test_turned_joints():
    q = angles(50, 4)
    elements = ARM.values(ARM.sample(torch.Generator().manual_seed(1), (4,)))
    check_action_laws(TURN, ARM, q, elements=elements)
    for a in elements:
        moved = TURN.act(a, q, CONTEXT)
        assert float(moved[:, [0, 3]].abs().max()) <= pi
        assert torch.equal(moved[:, 1:3], q[:, 1:3])
        for joint, angle in ((0, a[0]), (3, a[1])):
            # As points of the circle.
            expected = torch.polar(torch.ones(50).double(), q[:, joint] + angle)
            found = torch.polar(torch.ones(50).double(), moved[:, joint])
            torch.testing.assert_close(found, expected)


def test_derivative_of_a_turn():
    q, v = angles(5, 4), torch.tensor([0.3, -2.0], dtype=torch.float64)
    zero = torch.zeros_like(v)
    _, found = torch.func.jvp(lambda t: TURN.act(ARM.exp(t), q, CONTEXT), (zero,), (v,))
    expected = torch.zeros(5, 4, dtype=torch.float64)
    expected[:, 0], expected[:, 3] = 0.3, -2.0
    torch.testing.assert_close(found, expected)


def test_errors_of_turns():
    with pytest.raises(InputError, match="period 2π for each of the joints"):
        JointRotation(TorusGroup((1.0,)), (0,))
    with pytest.raises(InputError, match=r"joints \(0, 5\) along the last axis, got 3"):
        JointRotation(ARM, (0, 5)).act((0.1, 0.2), angles(2, 3), CONTEXT)
    with pytest.raises(InputError, match="not an element"):
        TURN.act((0.1,), angles(2, 3), CONTEXT)


def test_the_mirror_image_of_a_walker():
    """Hips and knees change sides; the roll of the torso changes its sign."""
    joints = ["torso roll", "left hip", "left knee", "right hip", "right knee"]
    mirror = mirror_representation((0, 3, 4, 1, 2), (-1, 1, 1, 1, 1))
    action = LinearAction(mirror)
    q = torch.arange(1.0, 6.0)[None]
    assert action.act(1, q, CONTEXT).tolist() == [[-1.0, 4.0, 5.0, 2.0, 3.0]]
    assert mirror.dimension == len(joints)
    check_action_laws(action, CyclicGroup(2), angles(3, 5), tolerance=0.0)


def test_errors_of_mirrors():
    with pytest.raises(InputError, match="permutation of 0 … 2, and as many signs"):
        mirror_representation((0, 1, 1), (1, 1, 1))
    with pytest.raises(InputError, match="as many signs ±1"):
        mirror_representation((0, 1), (1, 2))
    with pytest.raises(InputError, match="joint 0 goes to 1 with sign 1, and joint 1 to 2"):
        mirror_representation((1, 2, 0), (1, 1, 1))
    with pytest.raises(InputError, match="mirroring twice"):
        mirror_representation((1, 0), (1, -1))
