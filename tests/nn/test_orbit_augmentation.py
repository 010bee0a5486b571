"""Augmentation by group elements, and agreement over the orbit."""

import pickle

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    AxisPermutation,
    Context,
    LinearAction,
    PointFeature,
    ProductAction,
    Symmetry,
    TreeAction,
    TrivialAction,
    flow_symmetry,
    image_symmetry,
    linear_symmetry,
    point_cloud_symmetry,
    set_symmetry,
)
from goldstone.core import InputError, generator
from goldstone.groups import DihedralGroup, SpecialOrthogonalGroup
from goldstone.nn.augmented_dataset import AugmentedDataset
from goldstone.nn.moving_each import move_each
from goldstone.nn.orbit_agreement import orbit_agreement_loss
from goldstone.nn.orbit_augmentation import OrbitAugmentation
from goldstone.nn.orbit_average import OrbitAverage
from goldstone.representations import RegularRepresentation, StandardRepresentation

D4 = DihedralGroup(4)
FLOW = flow_symmetry("d4", NAVIER_STOKES_FIELDS, (6, 6))
FEATURES = (
    PointFeature("place", "position"),
    PointFeature("charge", "scalar"),
    PointFeature("dipole", "vector", 2),
    PointFeature("spin", "pseudovector"),
    PointFeature("chirality", "pseudoscalar"),
)
PRODUCT = point_cloud_symmetry("permutations-e3", 4, FEATURES)


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(
    ("symmetry", "shape"),
    [
        (FLOW, (9, 2, 6, 6)),
        (image_symmetry("rotations", (8, 8), 1, "same"), (4, 1, 8, 8)),
        (linear_symmetry(RegularRepresentation(D4), RegularRepresentation(D4), 1), (9, 8, 3)),
        (point_cloud_symmetry("e3", 4, FEATURES), (7, 4, 14)),
        (point_cloud_symmetry("se2", 4), (7, 4, 2)),
        (point_cloud_symmetry("shifts", 4), (7, 4, 3)),
        (set_symmetry(5, axis=-1), (7, 2, 5)),
        (PRODUCT, (7, 4, 14)),
    ],
    ids=lambda value: value.name if isinstance(value, Symmetry) else None,
)
def test_all_samples_move_as_one_by_one(symmetry, shape):
    x, action, group = noise(*shape), symmetry.on_input, symmetry.group
    elements = group.sample(torch.Generator().manual_seed(1), (len(x),))
    wanted = [
        action.act(g, one, Context())
        for g, one in zip(group.values(elements), x.split(1), strict=True)
    ]
    torch.testing.assert_close(move_each(action, group, elements, x, Context()), torch.cat(wanted))


def test_the_named_product_is_one():
    assert isinstance(PRODUCT.on_input, ProductAction)


def test_trees_move_entry_by_entry():
    plane = LinearAction(StandardRepresentation(D4))
    action = TreeAction({"v": plane, "label": TrivialAction(), "pair": TreeAction((plane, plane))})
    x = {"v": noise(6, 2), "label": torch.arange(6), "pair": (noise(6, 2), -noise(6, 2))}
    elements = D4.sample(torch.Generator().manual_seed(1), (6,))
    found = move_each(action, D4, elements, x, Context())
    for i, g in enumerate(D4.values(elements)):
        one = {"v": x["v"][i], "label": x["label"][i], "pair": tuple(p[i] for p in x["pair"])}
        wanted = action.act(g, one, Context())
        torch.testing.assert_close(found["v"][i], wanted["v"])
        torch.testing.assert_close(found["pair"][1][i], wanted["pair"][1])
    assert torch.equal(found["label"], x["label"])


def test_it_is_differentiable_in_the_elements():
    group = SpecialOrthogonalGroup(2)
    symmetry = image_symmetry("rotations", (8, 8), 1, "same")
    elements = group.sample(torch.Generator().manual_seed(1), (2,)).requires_grad_()
    move_each(symmetry.on_input, group, elements, noise(2, 1, 8, 8), Context()).sum().backward()
    assert elements.grad is not None
    assert float(elements.grad.abs().min()) > 0


def test_inputs_and_targets_move_together():
    x = noise(64, 2, 6, 6)
    moved, target = OrbitAugmentation(FLOW, seed=1)(x, 2 * x)
    assert torch.equal(target, 2 * moved)
    # Every element occurs, so that almost all samples move; speeds stay.
    assert int((moved == x).flatten(1).all(1).sum()) < 20
    speed = moved.square().sum((1, 2, 3))
    torch.testing.assert_close(speed, x.square().sum((1, 2, 3)))


def test_elements_are_drawn_evenly():
    drawn = D4.index(OrbitAugmentation(FLOW, seed=0).draw(8000))
    assert float((torch.bincount(drawn, minlength=8) / 1000 - 1).abs().max()) < 0.12
    some = OrbitAugmentation(FLOW, D4.elements()[1:3]).draw(100)
    assert sorted(set(D4.index(some).tolist())) == [1, 2]


def test_a_seed_repeats_the_draws():
    x = noise(8, 2, 6, 6)
    one, two = OrbitAugmentation(FLOW, seed=4), OrbitAugmentation(FLOW, seed=4)
    first = one(x)
    assert torch.equal(first, two(x))
    assert torch.equal(one(x), pickle.loads(pickle.dumps(two))(x))
    assert not torch.equal(OrbitAugmentation(FLOW, seed=5)(x), first)


def epoch(workers: int, number: int = 0) -> Tensor:
    x = noise(12, 2, 6, 6)
    samples = AugmentedDataset(TensorDataset(x, 2 * x), OrbitAugmentation(FLOW, seed=2))
    samples.set_epoch(number)
    parts = []
    for moved, target in DataLoader(samples, batch_size=5, num_workers=workers):
        assert torch.equal(target, 2 * moved)
        parts.append(moved)
    return torch.cat(parts)


def test_workers_change_nothing():
    assert torch.equal(epoch(0), epoch(2))
    assert not torch.equal(epoch(0), epoch(0, 1))


def test_persistent_workers_see_a_new_epoch():
    samples = AugmentedDataset(noise(12, 2, 6, 6), OrbitAugmentation(FLOW, seed=2))
    loader = DataLoader(samples, batch_size=6, num_workers=1, persistent_workers=True)
    first = torch.cat(list(loader))
    assert torch.equal(first, epoch(0))
    samples.set_epoch(1)
    assert torch.equal(torch.cat(list(loader)), epoch(0, 1))


class Collate:
    def __init__(self) -> None:
        self.augment = OrbitAugmentation(FLOW, seed=2)

    def __call__(self, samples: list[Tensor]) -> Tensor:
        moved: Tensor = self.augment(torch.stack(samples))
        return moved


def test_workers_that_collate_differ_and_repeat():
    same = noise(1, 2, 6, 6).expand(24, -1, -1, -1)

    def run() -> list[Tensor]:
        loader = DataLoader(
            same,
            batch_size=12,
            num_workers=2,
            collate_fn=Collate(),
            generator=torch.Generator().manual_seed(0),
        )
        return list(loader)

    one, two = run(), run()
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one[0], one[1])


def test_labels_that_stay_may_be_anything():
    symmetry = image_symmetry("quarter-turns", (4, 4), 1)
    samples = AugmentedDataset([(noise(1, 4, 4), 7)], OrbitAugmentation(symmetry))
    x, y = samples[-1]
    assert x.shape == (1, 4, 4)
    assert y == 7
    with pytest.raises(IndexError):
        samples[1]


def test_groups_without_uniform_elements_need_a_list():
    with pytest.raises(InputError, match="list some"):
        OrbitAugmentation(point_cloud_symmetry("se3", 4))
    symmetry = point_cloud_symmetry("se3", 4)
    moved = OrbitAugmentation(symmetry, symmetry.elements)(noise(5, 4, 3))
    torch.testing.assert_close(torch.cdist(moved, moved), torch.cdist(*[noise(5, 4, 3)] * 2))
    with pytest.raises(InputError, match="as many targets"):
        OrbitAugmentation(FLOW)(noise(3, 2, 6, 6), noise(2, 2, 6, 6))
    ragged = Context(batch=torch.zeros(3, dtype=torch.int64))
    with pytest.raises(InputError, match="agged"):
        move_each(AxisPermutation(), D4, D4.element_tensor(), noise(8, 3), ragged)


def motions(count: int, rng: torch.Generator) -> torch.Tensor:
    """Rotations about the z axis and shifts from a box: no uniform distribution on SE(3)."""
    angle = 6.28 * torch.rand(count, generator=rng, dtype=torch.float64)
    elements = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    elements[:, 0, 0] = elements[:, 1, 1] = angle.cos()
    elements[:, 1, 0], elements[:, 0, 1] = angle.sin(), -angle.sin()
    elements[:, :3, 3] = 5 * torch.rand(count, 3, generator=rng, dtype=torch.float64)
    return elements


def test_any_distribution_can_be_drawn_from():
    symmetry = point_cloud_symmetry("se3", 4)
    x = noise(50, 4, 3)
    first, second = (OrbitAugmentation(symmetry, motions, seed=3)(x) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(OrbitAugmentation(symmetry, motions, seed=4)(x), first)
    torch.testing.assert_close(torch.cdist(first, first), torch.cdist(x, x))
    lift = (first - x)[..., 2]
    torch.testing.assert_close(lift, lift[:, :1].expand_as(lift))
    assert 0 <= float(lift.min()) < 0.5
    assert 4.5 < float(lift.max()) <= 5
    samples = AugmentedDataset(x, OrbitAugmentation(symmetry, motions))
    torch.testing.assert_close(torch.cdist(samples[3], samples[3]), torch.cdist(x[3], x[3]))
    with pytest.raises(InputError, match="outside the group"):
        OrbitAugmentation(symmetry, lambda n, rng: 2 * motions(n, rng))(x)
    with pytest.raises(InputError, match="from the sampler"):
        OrbitAugmentation(symmetry, lambda n, rng: motions(n + 1, rng))(x)


def convolution() -> nn.Module:
    torch.manual_seed(0)
    return nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular").double()


def test_agreement_is_the_slow_ratio():
    model, x = convolution(), noise(5, 2, 6, 6)
    elements = OrbitAugmentation(FLOW).draw(5, generator(0, "test"))
    above = below = 0.0
    with torch.no_grad():
        for g, one in zip(D4.values(elements), x.split(1), strict=True):
            moved = model(FLOW.on_input.act(g, one, Context()))
            wanted = FLOW.on_output.act(g, model(one), Context())
            above += float((moved - wanted).square().sum())
            below += float(wanted.square().sum())
    found = orbit_agreement_loss(model, x, FLOW, elements)
    assert float(found.detach()) == pytest.approx(above / below)
    exact = orbit_agreement_loss(OrbitAverage(model, FLOW), x, FLOW, elements)
    assert float(exact.detach()) < 1e-24


def test_the_stopped_branch_has_no_gradient():
    model, x = convolution(), noise(5, 2, 6, 6)
    elements = OrbitAugmentation(FLOW).draw(5)
    found = torch.autograd.grad(orbit_agreement_loss(model, x, FLOW, elements), model.weight)[0]
    fixed = move_each(FLOW.on_output, D4, elements, model(x).detach(), Context())
    predicted = model(move_each(FLOW.on_input, D4, elements, x, Context()))
    by_hand = (predicted - fixed).square().sum() / fixed.square().sum()
    torch.testing.assert_close(found, torch.autograd.grad(by_hand, model.weight)[0])
    both = orbit_agreement_loss(model, x, FLOW, elements, stop_gradient=False)
    assert not torch.allclose(torch.autograd.grad(both, model.weight)[0], found)


def test_unlabelled_data_teach_the_symmetry():
    model, x = convolution(), noise(16, 2, 6, 6)
    augment = OrbitAugmentation(FLOW, seed=0)
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    losses = []
    for _ in range(100):
        optimiser.zero_grad()
        loss = orbit_agreement_loss(model, x, FLOW, augment.draw(16), stop_gradient=False)
        loss.backward()
        losses.append(float(loss.detach()))
        optimiser.step()
    assert losses[-1] < 0.05 * losses[0]
