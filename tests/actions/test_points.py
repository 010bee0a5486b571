"""Point clouds: every kind of feature point by point, laws, derivatives, ready symmetries."""

import pytest
import torch

from goldstone.actions import (
    POINT_CLOUD_SYMMETRIES,
    Context,
    PointCloudAction,
    PointFeature,
    point_cloud_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import (
    AdditiveGroup,
    EuclideanGroup,
    OrthogonalGroup,
    PolyhedralGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    SymmetricGroup,
)
from goldstone.representations import StandardRepresentation, SymmetricPower
from goldstone.testing import assert_equivariant, check_action_laws

CONTEXT = Context()
FEATURES = (
    PointFeature("position", "position"),
    PointFeature("velocity", "vector", 2),
    PointFeature("spin", "pseudovector"),
    PointFeature("charge", "scalar", 3),
    PointFeature("chirality", "pseudoscalar"),
)
GROUPS = [
    SpecialOrthogonalGroup(3),
    OrthogonalGroup(3),
    SpecialEuclideanGroup(3),
    EuclideanGroup(3),
    SpecialEuclideanGroup(2),
    EuclideanGroup(2),
    AdditiveGroup("shift", 3),
    PolyhedralGroup("Oh"),
    SymmetricGroup(3),
]


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def motion_of(group, g):
    """A and t of an element, read off by hand."""
    if isinstance(group, AdditiveGroup):
        return torch.eye(group.dimension, dtype=torch.float64), g
    matrix = group.matrices(g)
    if isinstance(group, (SpecialEuclideanGroup, EuclideanGroup)):
        return matrix[:-1, :-1], matrix[:-1, -1]
    return matrix, torch.zeros(len(matrix), dtype=torch.float64)


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_against_loops_and_laws(group):
    action = PointCloudAction(group, FEATURES)
    n = action.dimension
    assert action.channels == 4 * n + 4
    x = noise(2, 5, action.channels)
    elements = group.sample(torch.Generator().manual_seed(2), (3,))
    for g in elements:
        matrix, shift = motion_of(group, g)
        sign = torch.linalg.det(matrix)
        found = action.act(group.value(g), x, CONTEXT)
        torch.testing.assert_close(action.act(g, x, CONTEXT), found)
        for point, before in zip(
            found.reshape(-1, 4 * n + 4), x.reshape(-1, 4 * n + 4), strict=True
        ):
            torch.testing.assert_close(point[:n], matrix @ before[:n] + shift)
            torch.testing.assert_close(point[n : 2 * n], matrix @ before[n : 2 * n])
            torch.testing.assert_close(point[2 * n : 3 * n], matrix @ before[2 * n : 3 * n])
            torch.testing.assert_close(point[3 * n : 4 * n], sign * matrix @ before[3 * n : 4 * n])
            assert torch.equal(point[4 * n : 4 * n + 3], before[4 * n : 4 * n + 3])
            torch.testing.assert_close(point[-1], sign * before[-1])
    check_action_laws(action, group, x, elements=group.values(elements))


def test_physics_is_equivariant():
    """Angular momentum is a pseudovector, a triple product a pseudoscalar, a distance a scalar."""
    group = OrthogonalGroup(3)
    inputs = (PointFeature("r", "vector"), PointFeature("p", "vector"), PointFeature("q", "vector"))
    outputs = (
        PointFeature("L", "pseudovector"),
        PointFeature("volume", "pseudoscalar"),
        PointFeature("length", "scalar"),
    )

    def model(x):
        r, p, q = x.split(3, -1)
        spin = torch.linalg.cross(r, p)
        return torch.cat((spin, (spin * q).sum(-1, keepdim=True), r.norm(dim=-1, keepdim=True)), -1)

    symmetry = point_cloud_symmetry("o3", 4, inputs, outputs)
    assert symmetry.group == group
    assert_equivariant(model, symmetry, noise(2, 4, 9))


def test_representations_as_features():
    """Stress, a symmetric tensor, by a representation of O(3) under E(3)."""
    e3 = EuclideanGroup(3)
    stress = SymmetricPower(StandardRepresentation(OrthogonalGroup(3)), 2)
    features = (PointFeature("x", "position"), PointFeature("stress", stress, 2))
    action = PointCloudAction(e3, features)
    elements = e3.values(e3.sample(torch.Generator().manual_seed(0), (3,)))
    check_action_laws(action, e3, noise(7, 15), elements=elements)
    wrong = (PointFeature("v", StandardRepresentation(SpecialOrthogonalGroup(3))),)
    with pytest.raises(InputError, match=r"representation of O\(3\), the linear part of E\(3\)"):
        PointCloudAction(e3, wrong)


@pytest.mark.parametrize("group", GROUPS[:7], ids=lambda g: g.name)
def test_derivatives(group):
    action = PointCloudAction(group, FEATURES)
    x, v = noise(2, 3, action.channels), noise(group.dimension, seed=4)
    zero, h = torch.zeros_like(v), 1e-5
    _, found = torch.func.jvp(lambda t: action.act(group.exp(t), x, CONTEXT), (zero,), (v,))
    sides = [action.act(group.exp(s * h * v), x, CONTEXT) for s in (1, -1)]
    torch.testing.assert_close((sides[0] - sides[1]) / (2 * h), found, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", [*POINT_CLOUD_SYMMETRIES, "so2", "e2", "permutations-se2"])
def test_ready_symmetries(name):
    features = (PointFeature("x", "position"), PointFeature("s", "scalar"))
    symmetry = point_cloud_symmetry(name.upper(), 5, features, (PointFeature("f", "vector"),))
    n = 2 if name.endswith("2") else 3
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 5, n + 1, dtype=torch.float64, generator=generator)
    some = symmetry.elements[:5]
    check_action_laws(symmetry.on_input, symmetry.group, x, elements=some)
    check_action_laws(symmetry.on_output, symmetry.group, x[..., :n], elements=some)
    assert symmetry.group.identity not in symmetry.elements
    assert len(set(symmetry.elements)) == len(symmetry.elements) >= 5
    assert hash(symmetry) == hash(
        point_cloud_symmetry(name, 5, features, (PointFeature("f", "vector"),))
    )
    # As tensors, drawn from the group.
    g = symmetry.group.sample(generator)
    torch.testing.assert_close(
        symmetry.on_input.act(g, x, CONTEXT),
        symmetry.on_input.act(symmetry.group.value(g), x, CONTEXT),
    )


@pytest.mark.parametrize("name", POINT_CLOUD_SYMMETRIES)
def test_pair_energies_and_their_forces(name):
    def energy(x):
        distance = (x[:, :, None] - x[:, None]).square().sum(-1)
        return (-distance).exp().sum((1, 2))

    def forces(x):
        with torch.enable_grad():
            x = x.clone().requires_grad_()
            return -torch.autograd.grad(energy(x).sum(), x)[0]

    x = noise(2, 5, 3)
    assert_equivariant(energy, point_cloud_symmetry(name, 5), x)
    force = (PointFeature("force", "vector"),)
    assert_equivariant(forces, point_cloud_symmetry(name, 5, output=force), x)


def test_a_broken_symmetry_is_seen():
    symmetry = point_cloud_symmetry("so3", 5)
    with pytest.raises(AssertionError, match="not equivariant under so3"):
        assert_equivariant(lambda x: x[..., 2].square().sum(1), symmetry, noise(2, 5, 3))


def test_dtypes_and_ragged_clouds():
    group = EuclideanGroup(3)
    g = group.sample(torch.Generator().manual_seed(0))
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.complex64):
        assert PointCloudAction(group).act(g, noise(7, 3).to(dtype), CONTEXT).dtype == dtype


def test_errors():
    action = PointCloudAction(SpecialOrthogonalGroup(3))
    e = action.group.identity
    with pytest.raises(InputError, match=r"points \(…, point, 3\) with the features position"):
        action.act(e, noise(2, 5, 4), CONTEXT)
    with pytest.raises(InputError, match="not an element"):
        action.act(((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), noise(2, 5, 3), CONTEXT)
    with pytest.raises(InputError, match="real matrices, rigid motions or shifts"):
        PointCloudAction(SpecialUnitaryGroup(2))
    with pytest.raises(InputError, match="distinct names"):
        PointCloudAction(action.group, (FEATURES[0], FEATURES[0]))
    with pytest.raises(InputError, match="expected a representation or one of position"):
        PointFeature("x", "axial")
    with pytest.raises(InputError, match="1 or more copies"):
        PointFeature("x", "vector", 0)
    with pytest.raises(InputError, match=r"unknown symmetry 'so4'; .*e3 \(rigid motions"):
        point_cloud_symmetry("so4", 5)
