"""The ready symmetries of images."""

import pickle

import pytest
import torch

from goldstone.actions import (
    IMAGE_SYMMETRIES,
    ClassPermutation,
    Context,
    Field,
    FieldLayout,
    disc_window,
    image_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import DihedralGroup
from goldstone.representations import PermutationRepresentation
from goldstone.testing import assert_equivariant, check_action_laws

D2 = DihedralGroup(2)
EXACT = ("quarter-turns", "turns-and-flips", "flips", "left-right", "up-down")
CONTEXT = Context()


def noise(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def blurred(n):
    """Images of low frequency that fade out before the edges, 4 channels."""
    i = torch.arange(n, dtype=torch.float64) / n
    waves = [torch.cos(4 * k * i[:, None] + 5 * i + k) for k in range(1, 5)]
    return torch.stack(waves)[None] * disc_window((n, n), n / 3) ** 4


@pytest.mark.parametrize("name", IMAGE_SYMMETRIES)
def test_images(name):
    layout = FieldLayout((Field("a", "scalar"), Field("u", "vector"), Field("b", "scalar")))
    symmetry = image_symmetry(name.upper(), (24, 24), layout, output="same")
    group = symmetry.group
    elements = symmetry.elements
    if name == "scale":
        elements = tuple(a for a in elements if 0.7 < a < 1.4)
    if name == "shifts":
        elements = ((0.5, 0.0), (0.0, 1.0))
    tolerance = 0.0 if name in EXACT else 2e-2
    check_action_laws(symmetry.on_input, group, blurred(24), None, elements, tolerance)
    assert symmetry.on_output == symmetry.on_input
    assert group.identity not in symmetry.elements
    assert len(set(symmetry.elements)) == len(symmetry.elements)
    again = image_symmetry(name, (24, 24), layout, output="same")
    assert pickle.loads(pickle.dumps(symmetry)) == symmetry == again
    assert hash(again) == hash(symmetry)


@pytest.mark.parametrize("name", EXACT)
def test_a_radial_average_is_invariant_and_a_half_is_not(name):
    symmetry = image_symmetry(name, (8, 8), 2)
    assert_equivariant(lambda x: (x**2).mean((2, 3)), symmetry, noise(3, 2, 8, 8))
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(lambda x: x[:, :, :3, :2].mean((2, 3)), symmetry, noise(3, 2, 8, 8))


def test_left_right_exchanges_columns_and_classes():
    flip = PermutationRepresentation(D2, ((1, 0, 2), (0, 1, 2)))
    symmetry = image_symmetry("left-right", (4, 6), 1, output=ClassPermutation(flip))
    (mirror,) = (a for a in symmetry.group.elements() if a != symmetry.group.identity)
    x = noise(2, 1, 4, 6)
    assert torch.equal(symmetry.on_input.act(mirror, x, CONTEXT), x.flip(-1))

    def sides(x):
        """Scores for left, right and straight."""
        left, right = x[..., :3].sum((1, 2, 3)), x[..., 3:].sum((1, 2, 3))
        return torch.stack((left, right, left + right), -1)

    assert_equivariant(sides, symmetry, x)


def test_exact_quarter_turns_among_any_angles():
    rotations = image_symmetry("rotations", (7, 7), 1)
    x = noise(1, 1, 7, 7)
    right = [a for a in rotations.elements if abs(a[0][0]) in (0.0, 1.0)]
    assert len(right) == 2
    for a in right:
        turned = rotations.on_input.act(a, x, CONTEXT)
        assert torch.equal(turned.flatten().sort().values, x.flatten().sort().values)


def test_wrong_images():
    with pytest.raises(InputError, match=r"unknown symmetry 'turn'; .*scale \(growth"):
        image_symmetry("turn", (8, 8))
    for name in ("quarter-turns", "rotations", "motions"):
        with pytest.raises(InputError, match="square grid, got 8×6"):
            image_symmetry(name, (8, 6))
    for name in ("flips", "shifts", "scale"):
        assert image_symmetry(name, (8, 6)).name == name
    with pytest.raises(InputError, match="'invariant', 'same' or an action, got 'classes'"):
        image_symmetry("flips", (8, 6), output="classes")
