"""Losses along straight paths with known shapes."""

import copy
import dataclasses
import json

import pytest
import torch
from torch import nn

from goldstone.auditing.connecting_path import (
    ConnectingPath,
    SymmetryBasin,
    connecting_path,
    symmetry_basin,
)
from goldstone.auditing.orbit_fine_tuning import FineTuning
from goldstone.auditing.orbit_samples import moved_samples
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import CyclicGroup


class Factored(nn.Module):
    """x ↦ a·b·x: (a, b) and (−a, −b) are one function with zero between them."""

    def __init__(self, a, b):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a, dtype=torch.float64))
        self.b = nn.Parameter(torch.tensor(b, dtype=torch.float64))

    def forward(self, x):
        return self.a * self.b * x


@pytest.fixture
def given(make_subject):
    subject, symmetry = make_subject("dense", CyclicGroup(4))
    return subject, symmetry


def test_a_sign_flip_has_the_barrier_of_the_zero_function(given, untouched):
    """(2t − 1)²: the loss of f = s x with y = x is (1 − s)² mean x², so at t = ½ it is mean x²."""
    subject, symmetry = given
    samples = dataclasses.replace(subject.samples, targets=subject.samples.inputs)
    a, b = Factored(1.0, 0.9), Factored(-1.0, -0.9)
    with untouched(a), untouched(b):
        path = connecting_path(
            a, b, samples, symmetry, (1, 2), subject.loss, settings=subject.settings
        )
    assert path.positions == tuple(k / 10 for k in range(11))
    size = samples.inputs.square().mean(1)
    for curve in (path.plain, path.orbit):
        for t, loss in zip(path.positions, curve.loss, strict=True):
            wanted = (1 - 0.9 * (1 - 2 * t) ** 2) ** 2 * size
            assert loss.estimate == pytest.approx(float(wanted.mean()))
        assert curve.barrier.estimate == pytest.approx(0.99 * float(size.mean()))
        assert curve.barrier.low < curve.barrier.estimate < curve.barrier.high
        assert curve.relative_barrier.estimate == pytest.approx(99)
        assert curve.relative_barrier.low == pytest.approx(99)
        assert curve.log_change.estimate == pytest.approx(0, abs=1e-12)
        assert curve.connected == "no"
    assert path.distance == pytest.approx(2)


def test_a_convex_path_has_no_barrier(given):
    subject, symmetry = given
    last = copy.deepcopy(subject.model)
    with torch.no_grad():
        last[2].weight.mul_(0.5)
        last[2].bias.add_(0.3)
    path = connecting_path(
        subject.model,
        last,
        subject.samples,
        symmetry,
        (1,),
        subject.loss,
        points=5,
        settings=subject.settings,
    )
    # Linear in the changed weights, so that the squared loss is convex along the path.
    for curve in (path.plain, path.orbit):
        assert curve.barrier.estimate == curve.barrier.high == 0
        assert curve.connected == "yes"


def test_both_losses_at_both_ends_are_those_of_the_models(given):
    subject, symmetry = given
    torch.manual_seed(5)
    other = copy.deepcopy(subject.model)
    for p in other.parameters():
        p.data.normal_()
    elements = (1, 2, 3)
    path = connecting_path(
        subject.model,
        other,
        subject.samples,
        symmetry,
        elements,
        subject.loss,
        points=3,
        settings=subject.settings,
    )
    middle = copy.deepcopy(other)
    for p, q in zip(middle.parameters(), subject.model.parameters(), strict=True):
        p.data.add_(q.data).div_(2)
    for k, model in enumerate((subject.model, middle, other)):
        losses = []
        for g in range(4):
            moved = moved_samples(subject.samples, symmetry, g)
            with torch.no_grad():
                losses.append(subject.loss(model(moved.inputs), moved.targets))
        assert path.plain.loss[k].estimate == pytest.approx(float(losses[0].mean()), rel=1e-12)
        assert path.orbit.loss[k].estimate == pytest.approx(
            float(torch.stack(losses).mean()), rel=1e-12
        )
    ratio = path.plain.loss[2].estimate / path.plain.loss[0].estimate
    assert path.plain.log_change.estimate == pytest.approx(float(torch.tensor(ratio).log()))


def test_batch_statistics_are_interpolated_and_counters_kept(given):
    subject, symmetry = given
    a = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 4)).double().eval()
    b = copy.deepcopy(a)
    b[0].running_mean.add_(2.0)
    b[0].num_batches_tracked.add_(7)
    path = connecting_path(
        a, b, subject.samples, symmetry, (1,), subject.loss, points=3, settings=subject.settings
    )
    half = copy.deepcopy(a)
    half[0].running_mean.add_(1.0)
    wanted = subject.loss(half(subject.samples.inputs), subject.samples.targets).mean()
    assert path.plain.loss[1].estimate == pytest.approx(float(wanted.detach()))
    assert int(a[0].num_batches_tracked) == 0
    assert float(a[0].running_mean.sum()) == 0


def test_tied_weights_move_together(given):
    subject, symmetry = given
    a = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)).double()
    a[2].weight = a[0].weight
    b = copy.deepcopy(a)
    assert b[2].weight is b[0].weight
    with torch.no_grad():
        b[0].weight.mul_(3)
    path = connecting_path(
        a, b, subject.samples, symmetry, (1,), subject.loss, points=3, settings=subject.settings
    )
    with torch.no_grad():
        wanted = subject.loss(b(subject.samples.inputs), subject.samples.targets).mean()
    assert path.plain.loss[2].estimate == pytest.approx(float(wanted))


def test_fine_tuning_on_orbits_lowers_the_orbit_loss_more_than_the_control(make_subject, untouched):
    """A model that fits one pose: the way to all poses."""
    subject, symmetry = make_subject("dense", CyclicGroup(4), n=60, seed=3)
    # A task with the symmetry of the whole group, on inputs of one pose: the first entry is large.
    x = subject.samples.inputs * torch.tensor([3.0, 0.3, 0.3, 0.3], dtype=torch.float64)
    samples = dataclasses.replace(subject.samples, inputs=x, targets=(x.roll(1, 1) + x.tanh()) / 2)
    part = [
        dataclasses.replace(
            samples,
            inputs=samples.inputs[k::2],
            targets=samples.targets[k::2],
            trajectory=torch.arange(30),
        )
        for k in range(2)
    ]
    with untouched(subject.model):
        found = symmetry_basin(
            subject.model,
            part[0],
            part[1],
            symmetry,
            (1, 2, 3),
            subject.loss,
            FineTuning(steps=150, learning_rate=0.01),
            points=5,
            settings=subject.settings,
        )
    gain, control = found.augmented.orbit.log_change, found.control.orbit.log_change
    assert gain.high < 0
    assert gain.estimate < control.estimate - 0.1
    assert found.augmented.distance > 0.05
    again = from_json(SymmetryBasin, json.loads(json.dumps(to_json(found), allow_nan=False)))
    assert again == found
    assert isinstance(found.control, ConnectingPath)


def test_bad_input_is_refused(given):
    subject, symmetry = given
    model, samples = subject.model, subject.samples
    other = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 4)).double()
    with pytest.raises(InputError, match=r"differ in 0\.bias, 0\.weight, 2\.weight"):
        connecting_path(model, other, samples, symmetry, (1,), subject.loss)
    with pytest.raises(InputError, match="three points"):
        connecting_path(model, model, samples, symmetry, (1,), subject.loss, points=2)
    broken = copy.deepcopy(model)
    broken[2].bias.data[0] = torch.nan
    with pytest.raises(InputError, match="values on the first samples"):
        connecting_path(model, broken, samples, symmetry, (1,), subject.loss)
    norm = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 4)).double().train()
    with pytest.raises(InputError, match="training mode"):
        connecting_path(norm, norm, samples, symmetry, (1,), subject.loss)
    assert int(norm[0].num_batches_tracked) == 0

    def nowhere(prediction, target):
        return subject.loss(prediction, target) / (prediction.norm() - prediction.norm())

    with pytest.raises(InputError, match=r"infinite at position 0\.00"):
        connecting_path(model, model, samples, symmetry, (1,), nowhere)
