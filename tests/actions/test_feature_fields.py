"""Volumes, feature maps and masks: turned grids against loops."""

import pytest
import torch

from goldstone.actions import (
    VOLUME_SYMMETRIES,
    Context,
    FeatureFieldAction,
    Field,
    FieldLayout,
    GridAction,
    PointAction,
    TreeAction,
    move_grid,
    move_points,
    volume_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import (
    AdditiveGroup,
    CyclicGroup,
    DihedralGroup,
    PolyhedralGroup,
    SignedPermutationGroup,
)
from goldstone.representations import (
    DirectSum,
    RegularRepresentation,
    StandardRepresentation,
    TrivialRepresentation,
)
from goldstone.testing import assert_equivariant, check_action_laws

D4, OH = DihedralGroup(4), PolyhedralGroup("Oh")
CONTEXT = Context()


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def moved_by_loops(x, matrix, pivot):
    """Every value is carried from p to R p, p twice the place about the pivot."""
    d = len(matrix)
    size = torch.tensor(x.shape[-d:])
    result = torch.empty_like(x)
    for place in torch.cartesian_prod(*(torch.arange(n) for n in size.tolist())).reshape(-1, d):
        about = size - 1 if pivot == "cell" else torch.zeros_like(size)
        p = (2 * place - about).double()
        q = (((matrix @ p).long() + about) // 2) % size
        result[(..., *q.tolist())] = x[(..., *place.tolist())]
    return result


@pytest.mark.parametrize("pivot", ["cell", "node"])
@pytest.mark.parametrize(
    ("group", "shape"),
    [
        (D4, (4, 4)),
        (DihedralGroup(2), (4, 5)),
        (OH, (3, 3, 3)),
        (OH, (4, 4, 4)),
        (SignedPermutationGroup(3), (3, 3, 3)),
    ],
)
def test_against_loops(group, shape, pivot):
    x = torch.arange(2.0 * torch.tensor(shape).prod()).reshape(2, *shape)
    for matrix in group.matrices(group.element_tensor()):
        found = move_grid(x, matrix, pivot)
        assert torch.equal(found, moved_by_loops(x, matrix, pivot))
        if len(shape) == 2:
            rows = tuple(tuple(row) for row in matrix.tolist())
            assert torch.equal(found, move_points(x, rows, pivot))


@pytest.mark.parametrize("pivot", ["cell", "node"])
def test_the_same_as_planar_fields(pivot):
    layout = FieldLayout((Field("p", "scalar"), Field("u", "velocity")))
    fibre = DirectSum(D4, (TrivialRepresentation(D4), StandardRepresentation(D4)))
    x = noise(2, 3, 6, 6)
    for g in D4.elements():
        found = FeatureFieldAction(D4, fibre, pivot).act(g, x, CONTEXT)
        assert torch.equal(found, PointAction(D4, layout, pivot).act(g, x, CONTEXT))


def test_feature_maps_of_a_lifting_convolution():
    """Channels that carry the regular representation: correlate with all turned filters."""
    fibre = RegularRepresentation(D4)
    filter_ = noise(3, 3, seed=1)
    bank = torch.stack([move_points(filter_, D4.matrix(h)) for h in D4.elements()])[:, None]

    def lift(x):
        padded = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="circular")
        return torch.nn.functional.conv2d(padded, bank)

    x = noise(2, 1, 6, 6)
    scalar = FeatureFieldAction(D4, TrivialRepresentation(D4))
    regular = FeatureFieldAction(D4, fibre)
    for g in D4.elements():
        found = lift(scalar.act(g, x, CONTEXT))
        torch.testing.assert_close(found, regular.act(g, lift(x), CONTEXT))


@pytest.mark.parametrize("name", VOLUME_SYMMETRIES)
@pytest.mark.parametrize("pivot", ["cell", "node"])
def test_laws_of_ready_symmetries(name, pivot):
    symmetry = volume_symmetry(
        name, (3, 3, 3), ("scalar", "vector", "pseudoscalar", "pseudovector"), pivot
    )
    x = noise(2, 8, 3, 3, 3)
    elements = symmetry.elements or symmetry.group.elements()[::7]
    check_action_laws(symmetry.on_input, symmetry.group, x, elements=elements)


def curl(u):
    def slope(f, axis):
        return f.roll(-1, axis - 3) - f.roll(1, axis - 3)

    parts = [
        slope(u[:, (i + 2) % 3], (i + 1) % 3) - slope(u[:, (i + 1) % 3], (i + 2) % 3)
        for i in range(3)
    ]
    return torch.stack(parts, 1)


@pytest.mark.parametrize("name", VOLUME_SYMMETRIES)
def test_the_curl_of_a_vector_field_is_a_pseudovector_field(name):
    n = 4 if name != "shifts" else 5
    velocity = volume_symmetry(name, (n,) * 3, ("vector",))
    vorticity = volume_symmetry(name, (n,) * 3, ("pseudovector",))
    u = noise(1, 3, n, n, n)
    for g in velocity.elements or velocity.group.elements():
        found = curl(velocity.on_input.act(g, u, CONTEXT))
        torch.testing.assert_close(found, vorticity.on_input.act(g, curl(u), CONTEXT))
    if name == "full-octahedral":
        # The inversion tells the two apart.
        g = velocity.group.parse("i")
        found = curl(velocity.on_input.act(g, u, CONTEXT))
        torch.testing.assert_close(found, -velocity.on_input.act(g, curl(u), CONTEXT))


def test_convolutions_of_volumes_commute_with_shifts():
    weight = noise(2, 2, 3, 3, 3)

    def model(x):
        padded = torch.nn.functional.pad(x, (1,) * 6, mode="circular")
        return torch.nn.functional.conv3d(padded, weight)

    symmetry = volume_symmetry("shifts", (5, 7, 3), ("scalar", "scalar"))
    assert_equivariant(model, symmetry, noise(1, 2, 5, 7, 3))


def test_masks_move_with_the_flow():
    """An obstacle as booleans beside the fields: a model that freezes the flow inside it."""
    layout = FieldLayout((Field("u", "velocity"),))
    tree = TreeAction({"u": PointAction(D4, layout), "solid": GridAction(D4)})
    u, solid = noise(2, 2, 6, 6), noise(2, 6, 6, seed=1) > 0

    def model(u, solid):
        return torch.where(solid[:, None], 0.0, u.square().sum(1, keepdim=True) * u)

    for g in D4.elements():
        moved = tree.act(g, {"u": u, "solid": solid}, CONTEXT)
        assert moved["solid"].dtype == torch.bool
        expected = PointAction(D4, layout).act(g, model(u, solid), CONTEXT)
        torch.testing.assert_close(model(**moved), expected)


def test_errors():
    fibre = TrivialRepresentation(OH)
    action = FeatureFieldAction(OH, fibre)
    turn = OH.generators()[0]
    with pytest.raises(InputError, match="exchanges axes of a 3×3×4 grid"):
        action.act(turn, noise(1, 1, 3, 3, 4), CONTEXT)
    with pytest.raises(InputError, match="expected 1 channels as declared, got 2"):
        action.act(turn, noise(1, 2, 3, 3, 3), CONTEXT)
    with pytest.raises(InputError, match=r"\(batch, channel, X, Y, Z\), got \(1, 1, 3, 3\)"):
        action.act(turn, noise(1, 1, 3, 3), CONTEXT)
    with pytest.raises(InputError, match="no signed permutation"):
        GridAction(CyclicGroup(8))
    with pytest.raises(InputError, match="finite group of matrices"):
        GridAction(AdditiveGroup("shift", 2))
    with pytest.raises(InputError, match="fibre of Oh, got a representation of D4"):
        FeatureFieldAction(OH, TrivialRepresentation(D4))
    with pytest.raises(InputError, match="grid of 3 axes at the end"):
        GridAction(OH).act(turn, noise(3, 3), CONTEXT)
    with pytest.raises(InputError, match="expected a cube, got 3×3×4"):
        volume_symmetry("octahedral", (3, 3, 4), ("scalar",))
    with pytest.raises(InputError, match=r"kinds scalar, .* got \['position'\]"):
        volume_symmetry("octahedral", (3, 3, 3), ("position",))
    with pytest.raises(InputError, match="unknown symmetry 'cube'"):
        volume_symmetry("cube", (3, 3, 3), ("scalar",))
