"""Convolution between neighbours of a Lie group: the dense layer's sum, cut to what is near."""

import sys

import pytest
import torch
from torch import nn

from goldstone.core import InputError
from goldstone.groups import LorentzGroup, SpecialEuclideanGroup, SpecialOrthogonalGroup
from goldstone.nn import (
    LieConv,
    LiePool,
    lift_features,
    lift_points,
    nearest_elements,
    relative_logarithms,
    subsample_elements,
)

SE2, SE3, SO3 = SpecialEuclideanGroup(2), SpecialEuclideanGroup(3), SpecialOrthogonalGroup(3)
BOTH = [(torch.float32, 1e-5), (torch.float64, 1e-12)]


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=source(seed))


def samples(group, *shape, seed=0):
    return group.sample(source(seed), shape)


def units(group):
    return tuple(1.0 + 0.2 * k for k in range(group.dimension))


def layer(group, *sizes, dtype=torch.float64, seed=0, **options):
    torch.manual_seed(seed)
    conv = LieConv(group, *sizes, dtype=dtype, scales=units(group), **options)
    with torch.no_grad():
        conv.bias.copy_(noise(sizes[1], seed=1))
    return conv


def slow_distances(group, elements, targets):
    """Pair by pair."""
    scale = torch.tensor(units(group), dtype=torch.float64)
    return [
        [float((group.log(torch.linalg.inv(h) @ g) / scale).norm()) for h in elements]
        for g in targets
    ]


@pytest.mark.parametrize("group", [SE2, SO3, SE3], ids=lambda group: group.name)
def test_lists_are_those_of_sorted_distances(group):
    elements, targets = samples(group, 2, 11), samples(group, 2, 7, seed=1)
    weights = (noise(2, 11, seed=2) > -0.5).double()
    scales = units(group)
    nearest = nearest_elements(group, elements, targets, count=4, scales=scales)
    near = nearest_elements(group, elements, targets, radius=1.9, scales=scales, weights=weights)
    both = nearest_elements(group, elements, targets, count=3, radius=1.9, scales=scales)
    assert nearest.shape == (2, 7, 4)
    assert both.shape == (2, 7, 3)
    widest = 0
    for sample in range(2):
        table = slow_distances(group, elements[sample], targets[sample])
        for i, row in enumerate(table):
            order = sorted(range(11), key=row.__getitem__)
            assert nearest[sample, i].tolist() == order[:4]
            inside = [j for j in order if row[j] < 1.9]
            assert both[sample, i].tolist() == (inside[:3] + [-1] * 3)[:3]
            real = [j for j in inside if weights[sample, j] > 0]
            widest = max(widest, len(real))
            assert near[sample, i].tolist() == real + [-1] * (near.shape[2] - len(real))
    assert near.shape[2] == widest
    assert 0 < int((near < 0).sum()) < near.numel()


def test_pieces_make_no_difference(monkeypatch):
    elements = samples(SE2, 2, 13)
    whole = nearest_elements(SE2, elements, count=5)
    near = nearest_elements(SE2, elements, radius=1.5)
    monkeypatch.setattr(sys.modules["goldstone.nn.nearest_elements"], "_PAIRS", 30)
    assert torch.equal(nearest_elements(SE2, elements, count=5), whole)
    assert torch.equal(nearest_elements(SE2, elements, radius=1.5), near)
    assert bool((whole[..., 0] == torch.arange(13)).all())  # Each its own nearest.


@pytest.mark.parametrize(("dtype", "allowed"), BOTH)
@pytest.mark.parametrize("group", [SE2, SO3, SE3], ids=lambda group: group.name)
def test_with_all_neighbours_it_is_the_dense_layer(group, dtype, allowed):
    elements, targets = samples(group, 2, 9), samples(group, 2, 5, seed=1)
    features, orbits, own = noise(2, 9, 3).to(dtype), noise(2, 9, 1).abs(), noise(2, 5, 1).abs()
    weights = noise(2, 9, seed=3).abs()
    conv = layer(group, 3, 4, dtype=dtype, invariants=2)
    given = {"orbits": orbits, "target_orbits": own}
    dense = conv(features, relative_logarithms(group, elements, targets, **given), weights)
    every = nearest_elements(group, elements, targets, count=9)
    assert bool((every.sort(-1).values == torch.arange(9)).all())
    # Longer lists with gaps are the same too.
    gaps = torch.nn.functional.pad(every, (2, 3), value=-1)
    for neighbours in (every, gaps):
        steps = relative_logarithms(group, elements, targets, neighbours=neighbours, **given)
        found = conv(features, steps, weights, neighbours)
        assert (found - dense).norm() < allowed * dense.norm()
    # Each one counts.
    steps = relative_logarithms(group, elements, targets, neighbours=every[..., :-1], **given)
    assert (conv(features, steps, weights, every[..., :-1]) - dense).norm() > 0.01 * dense.norm()


@pytest.mark.parametrize(("dtype", "allowed"), BOTH)
@pytest.mark.parametrize("group", [SE2, SO3], ids=lambda group: group.name)
def test_neighbours_within_the_window_are_all_that_count(group, dtype, allowed):
    elements, features = samples(group, 2, 40), noise(2, 40, 3).to(dtype)
    conv = layer(group, 3, 4, dtype=dtype, cutoff=1.2)
    dense = conv(features, relative_logarithms(group, elements))
    near = nearest_elements(group, elements, radius=1.2, scales=units(group))
    assert near.shape[2] < 30
    steps = relative_logarithms(group, elements, neighbours=near)
    assert (conv(features, steps, None, near) - dense).norm() < allowed * dense.norm()


@pytest.mark.parametrize(("dtype", "allowed"), BOTH)
@pytest.mark.parametrize("group", [SE2, SE3, SO3, LorentzGroup(2)], ids=lambda group: group.name)
def test_a_network_of_fewer_and_fewer_elements_is_exact(group, dtype, allowed):
    """Lists and choices do not change when all samples move by u."""
    first, second = layer(group, 2, 6, dtype=dtype), layer(group, 6, 3, dtype=dtype, seed=1)
    features, elements = noise(2, 30, 2).to(dtype), samples(group, 2, 30)
    if isinstance(group, LorentzGroup):
        elements = group.exp(0.4 * noise(2, 30, group.dimension))

    def network(features, elements):
        for conv, count in ((first, 12), (second, 5)):
            chosen = subsample_elements(group, elements, count, generator=source(7))
            targets = torch.take_along_dim(elements, chosen[..., None, None], 1)
            near = nearest_elements(group, elements, targets, count=8)
            steps = relative_logarithms(group, elements, targets, neighbours=near)
            features, elements = conv(features, steps, None, near).tanh(), targets
        return features, LiePool()(features)

    local, whole = network(features, elements)
    assert local.shape == (2, 5, 3)
    for u in (group.exp(0.5 * noise(group.dimension, seed=k)) for k in (5, 6)):
        again, pooled = network(features, group.compose(u, elements))
        assert (again - local).norm() < allowed * local.norm()
        assert (pooled - whole).norm() < allowed * whole.norm()
    for other in (network(features.flip(1), elements), network(features, elements.flip(1))):
        assert (other[1] - whole).norm() > 0.02 * whole.norm()


@pytest.mark.parametrize("group", [SE2, SO3], ids=lambda group: group.name)
def test_farthest_elements_one_by_one(group):
    elements, scale = samples(group, 1, 15), units(group)
    chosen = subsample_elements(group, elements, 6, generator=source(3), scales=scale)
    again = subsample_elements(group, elements, 6, generator=source(3), scales=scale)
    assert torch.equal(chosen, again)
    table = slow_distances(group, elements[0], elements[0])
    kept = [int(chosen[0, 0])]
    while len(kept) < 6:
        gaps = [min(table[j][k] for k in kept) for j in range(15)]
        kept.append(max(range(15), key=gaps.__getitem__))
    assert chosen[0].tolist() == kept
    # None is farther from the chosen than these are from each other.
    cover = max(min(table[j][k] for k in kept) for j in range(15))
    apart = min(table[a][b] for a in kept for b in kept if a != b)
    assert cover <= apart


def test_nothing_at_all():
    none = samples(SE2, 0, 5)
    assert nearest_elements(SE2, none, count=3).shape == (0, 5, 3)
    assert subsample_elements(SE2, none, 2, generator=source()).shape == (0, 2)
    alone = samples(SE2, 2, 5)
    for given in ({"count": 3}, {"radius": 1.0}):
        assert nearest_elements(SE2, alone, alone[:, :0], **given).shape[:2] == (2, 0)
    far = alone.clone()
    far[..., :2, 2] += 100
    near = nearest_elements(SE2, alone, far, radius=1.0)
    assert near.shape == (2, 5, 0)
    conv = layer(SE2, 3, 2)
    steps = relative_logarithms(SE2, alone, far, neighbours=near)
    found = conv(noise(2, 5, 3), steps, None, near)
    assert bool((found == conv.bias).all())


def test_random_elements_and_padding():
    elements = samples(SE2, 3, 12)
    weights = torch.ones(3, 12)
    weights[:, 8:] = 0
    firsts = set()
    for seed in range(6):
        for choice in ("farthest", "random"):
            chosen = subsample_elements(
                SE2, elements, 8, generator=source(seed), choice=choice, weights=weights
            )
            assert bool((chosen.sort(1).values == torch.arange(8)).all())
            firsts.add(tuple(chosen[:, 0].tolist()))
    assert len(firsts) > 3
    two = [subsample_elements(SE2, elements, 4, generator=source(1), choice="random") for _ in "ab"]
    assert torch.equal(*two)


class Kernel(nn.Module):
    """Remembers how many pairs it saw."""

    def forward(self, a):
        self.pairs = a[..., 0].numel()
        return a[..., :1].cos()


def test_cost_grows_with_neighbours_and_not_with_pairs():
    kernel, elements = Kernel(), samples(SE2, 1, 200)
    conv = LieConv(SE2, 1, 1, kernel=kernel, functions=1)
    near = nearest_elements(SE2, elements, count=7)
    conv(torch.ones(1, 200, 1), relative_logarithms(SE2, elements, neighbours=near), None, near)
    assert kernel.pairs == 200 * 7


def test_lifted_points_with_orbits_and_a_target_without_neighbours():
    points = noise(1, 5, 3)
    g = lift_points(SO3, points, 3, generator=source(), spacing="even")
    radii = lift_features(points.norm(dim=-1, keepdim=True), g)
    near = nearest_elements(SO3, g, count=4, radius=1.0)
    near[0, 3] = -1
    conv = layer(SO3, 1, 2, invariants=2)
    steps = relative_logarithms(SO3, g, neighbours=near, orbits=radii)
    assert bool((steps[0, 3] == 0).all())
    found = conv(radii, steps, None, near)
    torch.testing.assert_close(found[0, 3], conv.bias.detach())
    for j in range(4):
        n = int(near[0, 0, j])
        if n >= 0:
            torch.testing.assert_close(steps[0, 0, j, 3:], torch.cat((radii[0, 0], radii[0, n])))


def test_habits_of_a_module():
    conv, features, elements = layer(SE2, 3, 2, cutoff=2.0), noise(2, 10, 3), samples(SE2, 2, 10)
    near = nearest_elements(SE2, elements, count=6, radius=2.0)
    assert bool((near < 0).any())
    steps = relative_logarithms(SE2, elements, neighbours=near)
    given = (features, steps, None, near)
    value = conv(*given)
    torch.testing.assert_close(torch.export.export(conv, given).module()(*given), value)
    compiled = torch.compile(conv, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(*given), value)
    single = layer(SE2, 3, 2, cutoff=2.0, dtype=torch.float32)
    single.load_state_dict(conv.state_dict())
    with torch.autocast("cpu", torch.bfloat16):
        half = single(features.float(), steps, None, near)
    assert (half.double() - value).norm() < 0.05 * value.norm()
    few = (features[:1, :4].clone(), steps[:1, :2].clone())
    listed = near[:1, :2].clamp(max=3)
    for each in few:
        each.requires_grad_()
    assert torch.autograd.gradcheck(lambda f, s: conv(f, s, None, listed), few)
    moved = elements.clone().requires_grad_()
    conv(features, relative_logarithms(SE2, moved, neighbours=near), None, near).sum().backward()
    assert bool(moved.grad.isfinite().all())
    assert moved.grad.abs().max() > 0


def test_pools_of_nothing_are_zero():
    features, weights = noise(2, 3, 2), torch.tensor([[1.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
    for reduction in ("mean", "max"):
        found = LiePool(reduction)(features, weights)
        assert bool((found[1] == 0).all())
        assert bool((found[0] != 0).all())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: nearest_elements(SE2, samples(SE2, 1, 4)), "a count of 1 or more, or a radius"),
        (lambda: nearest_elements(SE2, samples(SE2, 1, 4), count=0), "count of 1 or more"),
        (lambda: nearest_elements(SE2, samples(SE2, 1, 4), radius=0.0), "positive radius"),
        (lambda: nearest_elements(SE2, samples(SE2, 4), count=1), "same batch"),
        (
            lambda: nearest_elements(SE2, samples(SE2, 1, 4), count=1, weights=noise(4)),
            r"weights \(1, 4\)",
        ),
        (lambda: nearest_elements(SE2, samples(SE2, 1, 4), count=1, scales=(1, 2)), "one for each"),
        (
            lambda: subsample_elements(SE2, samples(SE2, 1, 4), 5, generator=source()),
            "count of 1 to 4",
        ),
        (
            lambda: subsample_elements(
                SE2, samples(SE2, 1, 4), 2, generator=source(), choice="fps"
            ),
            "'farthest' or 'random'",
        ),
        (
            lambda: relative_logarithms(
                SE2, samples(SE2, 1, 4), neighbours=torch.zeros(1, 3, 2, dtype=torch.int64)
            ),
            r"neighbours \(batch, targets, k\) = \(1, 4, k\)",
        ),
        (
            lambda: relative_logarithms(SE2, samples(SE2, 1, 4), neighbours=torch.zeros(1, 4, 2)),
            "in int64",
        ),
        (
            lambda: layer(SE2, 1, 1)(
                noise(1, 4, 1), noise(1, 4, 2, 3), None, torch.zeros(1, 4, 3, dtype=torch.int64)
            ),
            r"neighbours \(batch, m, k\)",
        ),
        (lambda: layer(SE2, 1, 1)(noise(1, 4, 1), noise(1, 4, 2, 3)), "need the list of these"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()
