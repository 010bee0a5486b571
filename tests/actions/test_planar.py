"""Point groups, shifts and their products on fields with fibres."""

import pytest
import torch

from goldstone.actions import (
    Context,
    Field,
    FieldLayout,
    PointAction,
    ReversedVelocityAction,
    ShiftAction,
    WallpaperAction,
    move_points,
    reverse_vectors,
)
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup, p4m
from goldstone.testing import check_action_laws

D4 = DihedralGroup(4)
CONTEXT = Context()
VELOCITY = FieldLayout((Field("u", "velocity"),))
ALL_FIBRES = FieldLayout(
    (
        Field("temperature", "scalar"),
        Field("vorticity", "pseudoscalar"),
        Field("magnetic", "vector", axes=(1, 0), signs=(1, -1)),
        Field("density", "density"),
        Field("momentum", "momentum"),
        Field("energy", "energy"),
    )
)


def random_fields(layout, shape=(6, 6), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, layout.channels, *shape, dtype=torch.float64, generator=generator)


def centred_grid(n):
    axis = torch.arange(n, dtype=torch.float64) - (n - 1) / 2
    return torch.meshgrid(axis, axis, indexing="ij")


def turned_by_loops(u, matrix):
    """u′(R p) = R u(p) for one velocity field, cell by cell, about the centre."""
    (a, b), (c, d) = matrix
    n = u.shape[-1]
    result = torch.empty_like(u)
    for i in range(n):
        for j in range(n):
            x, y = 2 * i - n + 1, 2 * j - n + 1
            k, m = (a * x + b * y + n - 1) / 2, (c * x + d * y + n - 1) / 2
            result[:, 0, int(k), int(m)] = a * u[:, 0, i, j] + b * u[:, 1, i, j]
            result[:, 1, int(k), int(m)] = c * u[:, 0, i, j] + d * u[:, 1, i, j]
    return result


@pytest.mark.parametrize("n", [4, 5])
def test_vectors_turn_with_the_grid(n):
    u = random_fields(VELOCITY, (n, n))
    action = PointAction(D4, VELOCITY)
    for g in D4.elements():
        assert torch.equal(action.act(g, u, CONTEXT), turned_by_loops(u, D4.matrix(g)))


def test_solid_body_rotation_is_kept_by_turns_and_reversed_by_reflections():
    x, y = centred_grid(8)
    u = torch.stack([-y, x])[None]
    action = PointAction(D4, VELOCITY)
    for g in D4.elements():
        assert torch.equal(action.act(g, u, CONTEXT), -u if g[0] else u)


def test_a_source_flow_is_kept_by_all_of_d4_and_a_strain_by_d2():
    x, y = centred_grid(8)
    action = PointAction(D4, VELOCITY)
    source, strain = torch.stack([x, y])[None], torch.stack([x, -y])[None]
    for g in D4.elements():
        assert torch.equal(action.act(g, source, CONTEXT), source)
        in_d2 = g[1] % 2 == 0
        assert torch.equal(action.act(g, strain, CONTEXT), strain if in_d2 else -strain)


def test_pseudoscalars_change_sign_under_reflections_and_scalars_do_not():
    layout = FieldLayout((Field("p", "scalar"), Field("w", "pseudoscalar")))
    f = random_fields(layout)
    for g in D4.elements():
        moved = PointAction(D4, layout).act(g, f, CONTEXT)
        points = move_points(f, D4.matrix(g))
        assert torch.equal(moved[:, 0], points[:, 0])
        assert torch.equal(moved[:, 1], -points[:, 1] if g[0] else points[:, 1])


def test_vorticity_computed_from_a_turned_velocity_is_the_turned_vorticity():
    layout = FieldLayout((Field("w", "pseudoscalar"),))
    u = random_fields(VELOCITY)

    def vorticity(u):
        def slope(f, axis):
            return f.roll(-1, axis) - f.roll(1, axis)

        return slope(u[:, 1:], -2) - slope(u[:, :1], -1)

    for pivot in ("cell", "node"):
        for g in D4.elements():
            left = vorticity(PointAction(D4, VELOCITY, pivot).act(g, u, CONTEXT))
            right = PointAction(D4, layout, pivot).act(g, vorticity(u), CONTEXT)
            torch.testing.assert_close(left, right)


@pytest.mark.parametrize("axes", [(0, 1), (1, 0)])
@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_frames(axes, signs):
    """In a declared frame: to the standard one by hand, turn there, and back."""
    layout = FieldLayout((Field("u", "velocity", axes, signs),))

    def to_standard(u):
        standard = torch.empty_like(u)
        for k in (0, 1):
            standard[:, axes[k]] = signs[k] * u[:, k]
        return standard

    def from_standard(standard):
        return torch.stack([signs[k] * standard[:, axes[k]] for k in (0, 1)], 1)

    u = random_fields(layout)
    for g in D4.elements():
        moved = PointAction(D4, layout).act(g, u, CONTEXT)
        expected = from_standard(turned_by_loops(to_standard(u), D4.matrix(g)))
        assert torch.equal(moved, expected)


@pytest.mark.parametrize("pivot", ["cell", "node"])
@pytest.mark.parametrize("n", [5, 6])
@pytest.mark.parametrize("group", [D4, CyclicGroup(4), DihedralGroup(1)], ids=lambda g: g.name)
def test_laws_of_point_actions(group, n, pivot):
    x = random_fields(ALL_FIBRES, (n, n))
    check_action_laws(PointAction(group, ALL_FIBRES, pivot), group, x, tolerance=0.0)


@pytest.mark.parametrize("pivot", ["cell", "node"])
def test_laws_of_p4m(pivot):
    group = p4m(6)
    action = WallpaperAction(PointAction(D4, ALL_FIBRES, pivot))
    x = random_fields(ALL_FIBRES)
    some = [group.parse(f"shift({a},{b})·{p}") for a, b, p in [(1, 2, "r"), (5, 0, "s")]]
    some += [group.parse(name) for name in ("e", "r", "sr", "sr3", "shift(2,3)")]
    check_action_laws(action, group, x, elements=some, tolerance=0.0)
    check_action_laws(action, group, x, elements=group.elements()[::7], tolerance=0.0)


def test_shifts_move_a_bump_and_need_no_layout():
    x = torch.zeros(1, 3, 5, 4)
    x[0, 1, 4, 0] = 1.0
    assert ShiftAction().act((2, 3), x, CONTEXT)[0, 1, 1, 3] == 1.0


def test_reversed_velocity_obeys_the_laws_and_is_another_action():
    action = PointAction(D4, ALL_FIBRES)
    reversed_action = ReversedVelocityAction(D4, ALL_FIBRES, action)
    x = random_fields(ALL_FIBRES)
    check_action_laws(reversed_action, D4, x, tolerance=0.0)
    for g in D4.elements():
        proper, twisted = action.act(g, x, CONTEXT), reversed_action.act(g, x, CONTEXT)
        odd = D4.element_name(g) in ("r", "r³", "sr", "sr³")
        assert torch.equal(twisted, reverse_vectors(proper, ALL_FIBRES) if odd else proper)


def test_reversing_vectors_leaves_the_other_fields():
    x = torch.ones(1, ALL_FIBRES.channels, 2, 2)
    signs = reverse_vectors(x, ALL_FIBRES)[0, :, 0, 0]
    assert signs.tolist() == [1, 1, -1, -1, 1, -1, -1, 1]


def test_wrong_input_is_refused():
    action = PointAction(D4, VELOCITY)
    with pytest.raises(InputError, match=r"expected 2 channels .* got 3"):
        action.act((0, 1), torch.zeros(1, 3, 4, 4), CONTEXT)
    with pytest.raises(InputError, match="square grid, got 4×6"):
        action.act((0, 1), torch.zeros(1, 2, 4, 6), CONTEXT)
    with pytest.raises(InputError, match=r"\(0, 7\) is not an element of D4"):
        action.act((0, 7), torch.zeros(1, 2, 4, 4), CONTEXT)
