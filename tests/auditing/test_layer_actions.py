"""Actions on feature maps, inferred from that on the input."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    Context,
    FramesAction,
    GalileanBoost,
    TreeAction,
    TrivialAction,
    flow_symmetry,
    image_symmetry,
)
from goldstone.auditing.layer_actions import TokenMapAction, infer_layer_action, spatial_part
from goldstone.groups import SpecialEuclideanGroup

GRID = (16, 16)
CONTEXT = Context()


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def smooth(channels: int = 3) -> Tensor:
    """Band-limited fields, away from the edges."""
    axis = torch.linspace(-1, 1, 32, dtype=torch.float64)
    x, y = torch.meshgrid(axis, axis, indexing="ij")
    parts = [
        torch.exp(-((x - 0.2 * c) ** 2 + (y + 0.1 * c) ** 2) * 16) * (1 + c * x)
        for c in range(channels)
    ]
    return torch.stack(parts)[None]


@pytest.mark.parametrize(
    ("name", "elements"),
    [
        ("d4", [(0, 1), (1, 0), (1, 3)]),
        ("shifts", [(2, 0), (0, 4)]),
        ("p4m", [((2, 4), (1, 1))]),
        ("translations", [(2.0, 0.0), (0.0, 4.0)]),
    ],
)
def test_pooled_scalars_move_as_the_input(name: str, elements: list[Any]) -> None:
    symmetry = flow_symmetry(name, NAVIER_STOKES_FIELDS, GRID)
    x = noise(2, 2, *GRID)
    found = spatial_part(symmetry.on_input, x)
    assert found is not None
    assert found[1] == GRID

    def layer(x: Tensor) -> Tensor:
        # Of a velocity only its square is a scalar.
        return functional.avg_pool2d(x.square().sum(1, keepdim=True), 2)

    action = infer_layer_action(*found, (2, 1, 8, 8))
    assert action is not None
    for g in elements:
        moved = layer(symmetry.on_input.act(g, x, CONTEXT))
        tolerance = 1e-12
        assert float((action.act(g, layer(x), CONTEXT) - moved).abs().max()) < tolerance


def test_shifts_by_part_of_a_coarse_cell_are_smooth() -> None:
    shifts = flow_symmetry("shifts", NAVIER_STOKES_FIELDS, GRID)
    action = infer_layer_action(shifts.on_input, GRID, (2, 1, 8, 8))
    assert action is not None
    places = torch.arange(8, dtype=torch.float64) / 8 * 2 * torch.pi
    wave = torch.sin(places)[None, None, :, None].expand(1, 1, 8, 8)
    expected = torch.sin(places - torch.pi / 8)[None, None, :, None].expand(1, 1, 8, 8)
    assert torch.allclose(action.act((1, 0), wave, CONTEXT), expected)


@pytest.mark.parametrize("name", ["rotations", "scale", "shifts", "motions"])
def test_images(name: str) -> None:
    symmetry = image_symmetry(name, (32, 32), 3)
    x = smooth()
    action = infer_layer_action(symmetry.on_input, (32, 32), (1, 3, 16, 16))
    assert action is not None
    for g in symmetry.elements[:2]:
        for form in (g, symmetry.group.tensor((g,))[0]):
            moved = functional.avg_pool2d(symmetry.on_input.act(form, x, CONTEXT), 2)
            there = action.act(form, functional.avg_pool2d(x, 2), CONTEXT)
            assert float((there - moved).norm() / moved.norm()) < 0.03
            # The check can fail: the layer does not simply stay.
            unmoved = functional.avg_pool2d(x, 2)
            assert float((unmoved - moved).norm() / moved.norm()) > 0.03


def test_shifts_of_motions_are_scaled() -> None:
    motions = image_symmetry("motions", (32, 32), 3)
    assert isinstance(motions.group, SpecialEuclideanGroup)
    shift = ((1.0, 0.0, 4.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    action = infer_layer_action(motions.on_input, (32, 32), (1, 1, 16, 16))
    assert action is not None
    bump = smooth(1)
    there = action.act(shift, functional.avg_pool2d(bump, 2), CONTEXT)
    expected = functional.avg_pool2d(bump.roll(4, 2), 2)
    assert float((there - expected).norm() / expected.norm()) < 1e-3


def test_tokens() -> None:
    d4 = flow_symmetry("d4", NAVIER_STOKES_FIELDS, GRID)
    for leading in (0, 1):
        action = infer_layer_action(d4.on_input, GRID, (2, 16 + leading, 6))
        assert isinstance(action, TokenMapAction)
        x = noise(2, 6, 4, 4)
        tokens = torch.cat((noise(2, leading, 6), x.flatten(2).transpose(1, 2)), 1)
        moved = action.act((0, 1), tokens, CONTEXT)
        assert torch.equal(moved[:, :leading], tokens[:, :leading])
        turned = torch.rot90(x, -1, (2, 3)), torch.rot90(x, 1, (2, 3))
        maps = moved[:, leading:].transpose(1, 2).unflatten(2, (4, 4))
        assert any(torch.equal(maps, t) for t in turned)


def test_flattened_maps() -> None:
    d4 = flow_symmetry("d4", NAVIER_STOKES_FIELDS, GRID)
    x = noise(2, 6, 8, 8)
    action = infer_layer_action(d4.on_input, GRID, (2, 6, 64))
    whole = infer_layer_action(d4.on_input, GRID, (2, 6, 8, 8))
    assert action is not None
    assert whole is not None
    moved = action.act((1, 1), x.flatten(2), CONTEXT)
    assert torch.equal(moved, whole.act((1, 1), x, CONTEXT).flatten(2))
    # Sixteen channels of a one-dimensional convolution.
    known = infer_layer_action(d4.on_input, GRID, (2, 16, 64), channels_last=False)
    assert isinstance(known, TokenMapAction)
    assert known.grid == (8, 8)


def test_what_cannot_be_inferred() -> None:
    shifts = flow_symmetry("translations", NAVIER_STOKES_FIELDS, GRID).on_input
    assert infer_layer_action(shifts, GRID, (2, 5)) is None
    assert infer_layer_action(shifts, GRID, (2, 5, 18, 18)) is None
    assert infer_layer_action(shifts, GRID, (2, 5, 8, 16)) is None
    assert infer_layer_action(shifts, GRID, (2, 5, 1, 1)) is None
    # Sixteen tokens or sixteen channels?
    assert infer_layer_action(shifts, GRID, (2, 16, 64)) is None
    assert infer_layer_action(shifts, GRID, (2, 16, 64), channels_last=True) is not None
    assert infer_layer_action(shifts, GRID, (2, 16, 16, 16), channels_last=True) is None
    # Bounded images may lose their rim.
    turns = image_symmetry("rotations", (32, 32), 3).on_input
    assert infer_layer_action(turns, (32, 32), (2, 5, 30, 30)) is not None
    x = noise(2, 2, *GRID)
    assert spatial_part(GalileanBoost(NAVIER_STOKES_FIELDS), x) is None
    assert spatial_part(TrivialAction(), x) is None


def test_parts_and_frames() -> None:
    shifts = flow_symmetry("shifts", NAVIER_STOKES_FIELDS, GRID).on_input
    x = noise(2, 2, *GRID)
    tree = TreeAction({"viscosity": TrivialAction(), "state": shifts})
    assert spatial_part(tree, {"viscosity": noise(2, 1), "state": x}) == (shifts, GRID)
    pair = TreeAction((TrivialAction(), shifts))
    assert spatial_part(pair, (noise(2, 1), x)) == (shifts, GRID)
    frames = FramesAction(shifts, (-1, 0))
    found = spatial_part(frames, noise(2, 4, *GRID))
    assert found == (frames, GRID)
    action = infer_layer_action(frames, GRID, (2, 3, 8, 8))
    assert action is not None
    coarse = noise(2, 3, 8, 8)
    assert torch.equal(action.act((2, 0), coarse, CONTEXT), coarse.roll(1, 2))
