"""Short training on transformed pairs: a copy, reproducible, and what it minimises."""

import copy

import pytest
import torch

from goldstone.auditing.orbit_fine_tuning import FineTuning, fine_tune
from goldstone.auditing.orbit_samples import moved_samples
from goldstone.core import InputError, generator
from goldstone.groups import CyclicGroup


@pytest.fixture
def given(make_subject):
    return make_subject("dense", CyclicGroup(4))


def weights(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def test_one_sgd_step_is_along_the_mean_gradient(given, untouched):
    subject, symmetry = given
    tuning = FineTuning(steps=1, batch=40, optimiser="sgd", learning_rate=0.1, weight_decay=0.01)
    with untouched(subject.model):
        tuned = fine_tune(subject.model, subject.samples, subject.loss, symmetry, (2,), tuning)
    source = generator(tuning.seed, "fine-tuning")
    drawn = torch.randint(7, (40,), generator=source)
    copied = copy.deepcopy(subject.model)
    moved = moved_samples(subject.samples, symmetry, 2)
    value = subject.loss(copied(moved.inputs[drawn]), moved.targets[drawn]).mean()
    value.backward()
    slope = torch.cat([p.grad.reshape(-1) for p in copied.parameters()])
    wanted = weights(copied) - 0.1 * (slope + 0.01 * weights(copied))
    torch.testing.assert_close(weights(tuned), wanted)
    assert all(p.grad is None for p in tuned.parameters())


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_the_orbit_loss_falls_and_the_copy_is_reproducible(given, optimiser):
    subject, symmetry = given
    poses = tuple(range(4))
    tuning = FineTuning(steps=150, optimiser=optimiser, learning_rate=0.02)
    model, samples, loss = subject.model, subject.samples, subject.loss
    tuned = fine_tune(model, samples, loss, symmetry, poses, tuning)

    def orbit_loss(f):
        found = [moved_samples(samples, symmetry, g) for g in poses]
        with torch.no_grad():
            return float(torch.stack([loss(f(m.inputs), m.targets) for m in found]).mean())

    assert orbit_loss(tuned) < 0.95 * orbit_loss(model)
    again = fine_tune(model, samples, loss, symmetry, poses, tuning)
    assert torch.equal(weights(tuned), weights(again))
    assert tuned.training == model.training


def test_random_layers_leave_the_global_state(given, untouched):
    subject, symmetry = given
    model = torch.nn.Sequential(torch.nn.Dropout(0.5), subject.model).train()
    tuning = FineTuning(steps=3)
    with untouched(model):
        first = fine_tune(model, subject.samples, subject.loss, symmetry, (0,), tuning)
    torch.rand(5)
    second = fine_tune(model, subject.samples, subject.loss, symmetry, (0,), tuning)
    assert torch.equal(weights(first), weights(second))


def test_bad_input_is_refused(given):
    subject, symmetry = given
    model, samples, loss = subject.model, subject.samples, subject.loss
    with pytest.raises(InputError, match="at least one element"):
        fine_tune(model, samples, loss, symmetry, ())
    tuning = FineTuning(steps=60, optimiser="sgd", learning_rate=1e12)
    with pytest.raises(InputError, match="lower the learning rate"):
        fine_tune(model, samples, loss, symmetry, (0,), tuning)
    with pytest.raises(InputError, match="unknown optimiser 'lion'"):
        FineTuning(optimiser="lion")
    with pytest.raises(InputError, match="learning rate > 0"):
        FineTuning(learning_rate=0.0)
    with pytest.raises(InputError, match="momentum"):
        FineTuning(momentum=1.0)
    model.handle = (lambda: (yield))()
    with pytest.raises(InputError, match="cannot be copied"):
        fine_tune(model, samples, loss, symmetry, (0,))
    del model.handle
    model.requires_grad_(requires_grad=False)
    with pytest.raises(InputError, match="no trainable"):
        fine_tune(model, samples, loss, symmetry, (0,))


def test_a_batch_is_one_batch(make_subject):
    """Layers that look at the batch see all poses at once, not each apart."""
    subject, symmetry = make_subject("dense", CyclicGroup(4))
    sizes = []
    model = copy.deepcopy(subject.model)
    model.register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    tuning = FineTuning(steps=3, batch=6)
    fine_tune(model, subject.samples, subject.loss, symmetry, (0, 1, 2, 3), tuning)
    assert sizes == [6, 6, 6]
