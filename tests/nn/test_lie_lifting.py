"""Lifting to samples of a group: over the point, by Haar measure, and back again."""

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import LorentzGroup, SpecialEuclideanGroup, SpecialOrthogonalGroup
from goldstone.nn import LieConv, lift_features, lift_points, lower_features, relative_logarithms
from goldstone.representations import (
    DirectSum,
    SO2Irrep,
    StandardRepresentation,
    TrivialRepresentation,
)

SE2, SE3 = SpecialEuclideanGroup(2), SpecialEuclideanGroup(3)
SO2, SO3 = SpecialOrthogonalGroup(2), SpecialOrthogonalGroup(3)


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=source(seed))


@pytest.mark.parametrize(
    "group", [SE2, SE3, SO2, SO3, SpecialOrthogonalGroup(4)], ids=lambda group: group.name
)
def test_lifted_elements_take_the_origin_to_the_point(group):
    points = noise(2, 5, group.n)
    points[0, 0] = 0.0
    points[0, 0, -1] = -2.0  # opposite to the origin of SO(n)
    points[0, 1] = -points[0, 0]
    elements = lift_points(group, points, 3, generator=source(1))
    assert group.contains(elements)
    if group in (SE2, SE3):
        found = elements[..., :-1, -1]
    else:
        found = elements[..., -1] * points.norm(dim=-1).repeat_interleave(3, 1)[..., None]
    torch.testing.assert_close(found, points.repeat_interleave(3, 1))


def test_samples_of_the_stabiliser_have_haar_moments():
    """∫ D(h) dh = 0 and ∫ D(h)² dh = 1/3 entry by entry for the rotations of SE(3)."""
    turns = lift_points(SE3, noise(1, 1, 3), 20_000, generator=source())[0, :, :3, :3]
    assert float(turns.mean(0).abs().max()) < 0.02
    assert float((turns.square().mean(0) - 1 / 3).abs().max()) < 0.02
    even = lift_points(SE2, noise(1, 2, 2), 5, generator=source(), spacing="even")
    angles = SO2.log(even[..., :2, :2]).reshape(2, 5)
    waves = torch.polar(torch.ones_like(angles), angles)
    for frequency in range(1, 5):
        assert float((waves**frequency).mean(1).abs().max()) < 1e-14
    assert float((waves[0] - waves[1]).abs().min()) > 1e-3  # starts of their own


@pytest.mark.parametrize("group", [SE2, SE3, SO3], ids=lambda group: group.name)
def test_features_of_any_representation_go_up_and_down(group):
    turns = SpecialOrthogonalGroup(group.n)
    vector = StandardRepresentation(turns)
    rho = DirectSum(turns, (vector, TrivialRepresentation(turns), vector))
    points, v = noise(2, 4, group.n), noise(2, 4, rho.dimension, seed=1)
    elements = lift_points(group, points, 3, generator=source(1))
    f = lift_features(v, elements, rho)
    torch.testing.assert_close(lower_features(f, elements, 4, rho), v)
    # Both are moved: f⁠(u⁻¹g) is the lifting of ρ(u) v.
    u = group.sample(source(2))
    turned = v @ rho.matrix_unchecked(u[: group.n, : group.n]).mT
    torch.testing.assert_close(lift_features(turned, group.compose(u, elements), rho), f)
    torch.testing.assert_close(lift_features(v, elements), v.repeat_interleave(3, 1))
    torch.testing.assert_close(lower_features(lift_features(v, elements), elements, 4), v)


def test_a_layer_between_vector_fields_is_equivariant():
    """Lift, convolve, apply a nonlinearity, lower: no Clebsch–Gordan coefficients needed."""
    torch.manual_seed(0)
    vector = StandardRepresentation(SO2)
    target = DirectSum(SO2, (vector, SO2Irrep(2)))
    conv = LieConv(SE2, 2, 4, dtype=torch.float64)
    points, v = noise(1, 5, 2), noise(1, 5, 2, seed=1)
    elements = lift_points(SE2, points, 3, generator=source(1))

    def layer(v, elements):
        f = conv(lift_features(v, elements, vector), relative_logarithms(SE2, elements)).tanh()
        return lower_features(f, elements, 5, target)

    value = layer(v, elements)
    for u in SE2.sample(source(3), (4,)):
        turn = u[:2, :2]
        found = layer(v @ turn.mT, SE2.compose(u, elements))
        torch.testing.assert_close(found, value @ target.matrix(turn).mT, atol=1e-12, rtol=0)
        assert (found - value).norm() > 0.1 * value.norm()


def test_samples_repeat_with_their_generator():
    points = noise(1, 3, 2)
    first, second = (lift_points(SE2, points, 2, generator=source(4)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: lift_points(LorentzGroup(2), noise(1, 3, 2), generator=source()), "directly"),
        (lambda: lift_points(SE2, noise(1, 3, 3), generator=source()), r"\(batch, point, 2\)"),
        (lambda: lift_points(SE2, noise(1, 3, 2), 0, generator=source()), "one sample"),
        (
            lambda: lift_points(SE2, noise(1, 3, 2), 4, generator=source(), spacing="even"),
            "odd number",
        ),
        (
            lambda: lift_points(SE3, noise(1, 3, 3), 5, generator=source(), spacing="even"),
            r"spacing='random'",
        ),
        (lambda: lift_points(SO3, torch.zeros(1, 3, 3), generator=source()), "no direction"),
        (lambda: lift_features(noise(1, 3, 2), torch.eye(3).expand(1, 4, 3, 3)), "lift_points"),
        (
            lambda: lift_features(
                noise(1, 2, 2), torch.eye(4).expand(1, 4, 4, 4), StandardRepresentation(SO2)
            ),
            r"rotations SO\(n\)",
        ),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()
