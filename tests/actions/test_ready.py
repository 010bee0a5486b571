"""Ready symmetries: names, sizes and the newer families against closed forms."""

from itertools import product
from math import pi

import pytest
import torch

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    PLANAR_POINT_CLOUD_SYMMETRIES,
    Context,
    Field,
    FieldLayout,
    JointRotation,
    RelabelAction,
    SubstitutionRelation,
    bounded_symmetry,
    flow_symmetry,
    graph_symmetry,
    image_symmetry,
    joint_rotation_symmetry,
    keeping_walls,
    mirror_symmetry,
    point_cloud_symmetry,
    ragged_graph_symmetry,
    sequence_symmetry,
    set_symmetry,
    volume_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import PolyhedralGroup, TorusGroup
from goldstone.testing import assert_equivariant

CONTEXT = Context()
ENTRIES = {"x": "node"}


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("name", PLANAR_POINT_CLOUD_SYMMETRIES)
def test_clouds_of_the_plane(name):
    x = noise(2, 5, 2)

    def energy(x):
        distance = (x[:, :, None] - x[:, None]).square().sum(-1)
        return (-distance).exp().sum((1, 2))

    assert_equivariant(energy, point_cloud_symmetry(name, 5), x)
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(lambda x: x[:, 0, 0].exp(), point_cloud_symmetry(name, 5), x)


@pytest.mark.parametrize(
    "make",
    [
        lambda: image_symmetry("rotate", (8, 8)),
        lambda: image_symmetry(4, (8, 8)),
        lambda: flow_symmetry("so2", NAVIER_STOKES_FIELDS, (8, 8)),
        lambda: point_cloud_symmetry("so4", 4),
        lambda: volume_symmetry("cube", (4, 4, 4), ("scalar",)),
        lambda: bounded_symmetry("walls", NAVIER_STOKES_FIELDS, (8, 8)),
        lambda: sequence_symmetry("shift", 8),
    ],
)
def test_unknown_names_list_the_known(make):
    with pytest.raises(InputError, match=r"unknown symmetry .*; the short names are .*\("):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: image_symmetry("flips", 8), r"size of the grid, 2 whole numbers .* got 8"),
        (lambda: image_symmetry("flips", (3, 8, 8)), "2 whole numbers"),
        (lambda: volume_symmetry("shifts", (4, 4), ("scalar",)), "3 whole numbers"),
        (lambda: volume_symmetry("shifts", (4, 4, 4), ("colour",)), "fields of the kinds"),
        (lambda: volume_symmetry("octahedral", (4, 4, 2), ("scalar",)), "use 'points'"),
        (lambda: bounded_symmetry("shifts", NAVIER_STOKES_FIELDS, (8, 8), (2,)), "among 0 … 1"),
        (lambda: image_symmetry("quarter-turns", (8, 6)), "use 'flips'"),
        (lambda: set_symmetry(1), "two or more points"),
        (lambda: graph_symmetry(1, ENTRIES), "two or more points"),
        (lambda: point_cloud_symmetry("permutations", 1), "two or more points"),
        (lambda: ragged_graph_symmetry(torch.arange(3), ENTRIES), "graph of two nodes or more"),
        (lambda: sequence_symmetry("reversal", 1), "two or more places"),
        (lambda: joint_rotation_symmetry(()), "one or more joints"),
        (lambda: JointRotation(TorusGroup((2 * pi,) * 2), (0, 0)), "distinct joints"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_vectors_in_cells_grow_with_an_image():
    """v = p, the position from the centre, is the same field after scaling by any factor."""
    layout = FieldLayout((Field("p", "vector", axes=(1, 0), signs=(1, -1)), Field("r", "scalar")))
    scale = image_symmetry("scale", (12, 12), layout, "same", boundary="reflect")
    axis = torch.arange(12, dtype=torch.float64) - 5.5
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    x = torch.stack([columns, -rows, torch.ones_like(rows)])[None]
    moved = scale.on_input.act(1.25, x, CONTEXT)
    # Away from the mirrored edges, where a line is no line.
    torch.testing.assert_close(moved[..., 4:8, 4:8], x[..., 4:8, 4:8], rtol=1e-2, atol=1e-2)
    assert image_symmetry("scale", (8, 8), 3).on_input.weight == 0.0


@pytest.mark.parametrize("equal", [True, False])
def test_boxes_with_walls_by_brute_force(equal):
    """Every signed permutation of the axes, judged by what it does to the sizes and the walls."""
    group = PolyhedralGroup("Oh")
    for grid, bounded in product([(4, 4, 4), (4, 4, 2), (6, 4, 2)], [(), (2,), (0,), (0, 1)]):
        kept = keeping_walls(group, bounded, equal, grid)
        count = 0
        for matrix in group.matrices(group.element_tensor()):
            image = [int(matrix[:, axis].abs().argmax()) for axis in range(3)]
            fits = all(grid[i] == grid[axis] for axis, i in enumerate(image))
            fits &= {image[axis] for axis in bounded} == set(bounded)
            if not equal:
                fits &= all(float(matrix[axis, axis]) == 1.0 for axis in bounded)
            count += fits
        assert kept.order == count


def test_volumes_with_walls():
    x = noise(1, 4, 4, 4, 6)
    height = torch.linspace(0, 1, 6, dtype=torch.float64)
    alike = volume_symmetry("points", (4, 4, 6), ("vector", "scalar"), bounded=(2,))
    heated = volume_symmetry(
        "points", (4, 4, 6), ("vector", "scalar"), bounded=(2,), equal_walls=False
    )
    assert (alike.group.order, heated.group.order) == (16, 8)
    assert_equivariant(lambda x: x * (height * (1 - height)), alike, x)
    assert_equivariant(lambda x: x * height, heated, x)
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(lambda x: x * height, alike, x)
    odd = noise(1, 4, 5, 5, 6)
    shifts = volume_symmetry("shifts", (5, 5, 6), ("vector", "scalar"), bounded=(2,))
    assert_equivariant(lambda x: x * height, shifts, odd)
    speed = volume_symmetry("points", (4, 4, 6), ("vector", "scalar"), output=("scalar",))
    assert_equivariant(lambda x: x[:, :3].norm(dim=1, keepdim=True), speed, x)
    total = volume_symmetry("octahedral", (4, 4, 4), ("scalar",), output="invariant")
    assert_equivariant(lambda x: x.sum((2, 3, 4)), total, noise(1, 1, 4, 4, 4))


def test_joints():
    angles = 2 * noise(4, 3).clamp(-1.5, 1.5)
    base = joint_rotation_symmetry((0,))
    assert_equivariant(lambda q: q[:, 1:].cos(), base, angles)
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(lambda q: q.cos(), base, angles)
    moved = joint_rotation_symmetry((-1, 0), "same").on_output.act((3.0, 1.0), angles, CONTEXT)
    expected = angles + torch.tensor([1.0, 0.0, 3.0], dtype=torch.float64)
    turns = (expected - moved) / (2 * pi)
    torch.testing.assert_close(turns, turns.round())
    assert float(moved.abs().max()) <= pi
    mirror = mirror_symmetry((1, 0, 2), (1, 1, -1))
    assert_equivariant(lambda q: q**3, mirror, angles)
    assert_equivariant(
        lambda q: q[:, 0] + q[:, 1], mirror_symmetry((1, 0, 2), (1, 1, -1), "invariant"), angles
    )


def test_small_integers_hold_no_large_names():
    with pytest.raises(InputError, match=r"names of 300 points exceed torch\.uint8"):
        RelabelAction().act(tuple(range(300))[::-1], torch.tensor([3], dtype=torch.uint8), CONTEXT)
    relation = SubstitutionRelation(((1, 300),))
    with pytest.raises(InputError, match=r"up to 300, exceed torch\.uint8"):
        relation.sample(torch.tensor([1], dtype=torch.uint8), torch.Generator())


def test_substitution_by_loops():
    """Every token against its class, as lists."""
    classes = ((9, 4, 30), (2, 7), (11, 12, 13, 14))
    relation = SubstitutionRelation(classes)
    of = {token: members for members in classes for token in members}
    x = torch.randint(0, 32, (50, 20), generator=torch.Generator().manual_seed(0))
    drawn = relation.sample(x, torch.Generator().manual_seed(1))
    seen = set()
    for before, after in zip(x.flatten().tolist(), drawn.flatten().tolist(), strict=True):
        assert after in of.get(before, (before,))
        seen.add((before, after))
    # Every token of a class becomes each of it.
    assert {(a, b) for members in classes for a in members for b in members} <= seen
    first = [of.get(token, (token,))[0] for token in x.flatten().tolist()]
    assert relation.representatives(x).flatten().tolist() == first
    assert bool(relation.equivalent(x, drawn).all())
