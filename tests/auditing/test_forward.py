"""Forward probes against literal loops over samples, with the steps of the frame told apart."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from goldstone import audit
from goldstone.actions import (
    Context,
    Field,
    FieldLayout,
    PointAction,
    Symmetry,
    flow_symmetry,
    image_symmetry,
)
from goldstone.auditing import AuditSettings
from goldstone.auditing.audit import _speed
from goldstone.auditing.forward import forward_measurement, roll_out, rollout_errors
from goldstone.auditing.samples import choose_samples
from goldstone.auditing.skill import model_summary
from goldstone.auditing.subject import Subject
from goldstone.groups import AdditiveGroup, DihedralGroup
from goldstone.systems.flows import NavierStokes2d
from goldstone.systems.losses import mse, scaled_mse


def subject_of(model, data, settings, loss=scaled_mse):
    device, dtype = torch.device("cpu"), torch.float64
    samples = choose_samples(data, settings, device, dtype)
    return Subject.measure(model, samples.forward, loss, settings), samples


@dataclass(frozen=True)
class StepScale:
    """x → (1 + a)^(1 + step) x: shows which step an action was told."""

    sign: float = 1.0

    def act(self, element, x, context: Context):
        return x * self.sign * (1 + element[0]) ** (1 + context.step)


@pytest.mark.parametrize("name", ["d4", "shifts", "boosts"])
def test_equals_a_loop_over_samples(flows, network, quick, name):
    data = flows()
    model = network("unet", data)
    loss = mse if name == "boosts" else scaled_mse
    subject, samples = subject_of(model, data, quick(), loss)
    symmetry = flow_symmetry(name, data.layout, data.grid, speed=_speed(data))
    element = (symmetry.elements or symmetry.group.elements()[1:])[1]
    found = forward_measurement(subject, symmetry, element)
    inputs, targets = samples.forward.inputs, samples.forward.targets
    before = data.context
    with torch.no_grad():
        for i in range(len(inputs)):
            x, y = inputs[i : i + 1], targets[i : i + 1]
            gx = symmetry.on_input.act(element, x, before)
            gy = symmetry.on_output.act(element, y, before.at(1))
            fx, fgx = model(x), model(gx)
            gfx = symmetry.on_output.act(element, fx, before.at(1))
            gap = (fgx - gfx).norm()
            assert float(found.error[i]) == pytest.approx(float(gap / fx.norm()))
            assert float(found.error_of_change[i]) == pytest.approx(float(gap / (fx - x).norm()))
            wrong = float(gap / (fx - y).norm())
            assert float(found.error_of_model_error[i]) == pytest.approx(wrong)
            ratio = float((loss(fgx, gy) / loss(fx, y)).log())
            # Sub-pixel drifts damp what a network puts into the last mode of the grid.
            allowed = 1e-2 if name == "boosts" else 1e-9
            assert float(found.log_loss_ratio[i]) == pytest.approx(ratio, abs=allowed)
            ratio = float((loss(fgx, gy) / loss(gfx, gy)).log())
            assert float(found.log_loss_ratio[i]) == pytest.approx(ratio, abs=1e-9)
            shared = float(((fgx - gy) * (gfx - gy)).sum() / (fgx - gy).norm() / (gfx - gy).norm())
            assert float(found.error_sharing[i]) == pytest.approx(shared)


def test_input_output_and_target_are_acted_on_at_their_own_steps(flows, quick):
    data = flows()

    class Double(nn.Module):
        def forward(self, x):
            return 2 * x

    settings = quick(rollout_steps=3)
    subject, samples = subject_of(Double(), data, settings, mse)
    symmetry = Symmetry(
        "scale",
        AdditiveGroup("scale", 1),
        StepScale(),
        StepScale(),
        on_target=StepScale(-1.0),
        elements=((1.0,),),
    )
    found = forward_measurement(subject, symmetry, (1.0,))
    x, y = samples.forward.inputs, samples.forward.targets
    # f(gx) = 4x; g f(x) = 4 · 2x at step 1; the target is moved to −4y.
    torch.testing.assert_close(found.error, torch.full_like(found.error, 2.0))
    torch.testing.assert_close(
        found.log_loss_ratio, (mse(4 * x, -4 * y) / mse(8 * x, -4 * y)).log()
    )
    starts = samples.starts
    errors = rollout_errors(subject, symmetry, (1.0,), starts, roll_out(subject, starts))
    # f^k(gx) = 2·2^k x against 2^(1+k)·2^k x.
    for k, error in enumerate(errors, 1):
        torch.testing.assert_close(error, torch.full_like(error, 2.0 ** (k + 1) - 2))
    assert len(errors) == 3


@pytest.mark.parametrize("loss", [mse, scaled_mse])
def test_the_true_solver_under_boosts_is_at_its_floor(flows, quick, loss):
    data = flows()

    class Truth(nn.Module):
        def forward(self, x):
            return NavierStokes2d(viscosity=5e-3).advance(x, data.dt)

    subject, samples = subject_of(Truth(), data, quick(), loss)
    symmetry = flow_symmetry("boosts", data.layout, data.grid, speed=_speed(data))
    for element in symmetry.elements:
        found = forward_measurement(subject, symmetry, element)
        assert float(found.error.max()) < 1e-13
        assert float(found.log_loss_ratio.abs().max()) < 0.1
        errors = rollout_errors(
            subject, symmetry, element, samples.starts, roll_out(subject, samples.starts)
        )
        assert max(float(e.max()) for e in errors) < 1e-13


def test_a_drift_of_the_wrong_sign_is_seen(flows, quick):
    data = flows()
    boost = flow_symmetry("boosts", data.layout, data.grid, speed=_speed(data))

    @dataclass(frozen=True)
    class Backward:
        def act(self, element, x, context):
            return boost.on_output.act(element, x, context.at(-context.step))

    class Truth(nn.Module):
        def forward(self, x):
            return NavierStokes2d(viscosity=5e-3).advance(x, data.dt)

    subject, _ = subject_of(Truth(), data, quick(), mse)
    wrong = Symmetry("wrong", boost.group, boost.on_input, Backward(), elements=boost.elements)
    assert float(forward_measurement(subject, wrong, boost.elements[2]).error.min()) > 0.05


def test_the_loss_ratio_compares_in_one_frame(flows, perturbed_solver, quick):
    """Under boosts ``scaled_mse`` changes with the frame; the ratio does not see that."""
    data = flows()
    subject, _ = subject_of(perturbed_solver(data), data, quick(), scaled_mse)
    symmetry = flow_symmetry("boosts", data.layout, data.grid, speed=_speed(data))
    # The added convolution annihilates uniform flows: this model commutes with boosts, up to
    # the drift, which the shift-equivariant error shares.
    for element in symmetry.elements:
        ratio = forward_measurement(subject, symmetry, element).log_loss_ratio
        assert float(ratio.abs().max()) < 1e-9


def test_a_model_of_other_channels_has_no_change_and_no_rollout(quick):
    layout = FieldLayout((Field("vorticity", "pseudoscalar"),))
    velocity = FieldLayout((Field("velocity", "velocity"),))
    group = DihedralGroup(4)

    class Curl(nn.Module):
        def forward(self, x):
            dx = x.roll(-1, -2) - x.roll(1, -2)
            dy = x.roll(-1, -1) - x.roll(1, -1)
            return dx[:, 1:] - dy[:, :1]

    x = torch.randn(10, 2, 8, 8, dtype=torch.float64)
    y = Curl()(x) + 0.1 * torch.randn(10, 1, 8, 8, dtype=torch.float64)
    subject, samples = subject_of(Curl(), (x, y), quick())
    symmetry = Symmetry("d4", group, PointAction(group, velocity), PointAction(group, layout))
    for element in group.elements():
        found = forward_measurement(subject, symmetry, element)
        assert float(found.error.max()) < 1e-14
        assert bool(found.error_of_change.isnan().all())
        assert subject.mean(found.error_of_change).estimate is None
    assert roll_out(subject, samples.starts) == []
    summary = model_summary("curl", subject, samples.climatology)
    assert summary.log_loss_over_persistence.estimate is None
    assert summary.log_loss_over_climatology.high < 0
    assert summary.has_skill


def test_an_infinite_loss_is_no_skill(flows, network, quick):
    data = flows()

    def overflown(prediction, target):
        return (prediction - target).square().mean((1, 2, 3)) * torch.inf

    samples = choose_samples(data, quick(), torch.device("cpu"), torch.float32)
    subject = Subject.measure(network("unet", data), samples.forward, overflown, quick())
    summary = model_summary("overflown", subject, samples.climatology)
    assert summary.log_loss_over_climatology.estimate is None
    assert not summary.has_skill


@dataclass(frozen=True)
class Counted:
    """An action that keeps how many samples it was given at a time."""

    action: object
    seen: list

    def act(self, element, x, context: Context):
        self.seen.append(len(x))
        return self.action.act(element, x, context)


def test_a_batch_is_moved_at_a_time(flows, network, quick):
    data = flows()
    symmetry = flow_symmetry("d4", data.layout, data.grid)
    model, seen, found = network("unet", data), [], []
    action = Counted(symmetry.on_input, seen)
    counted = Symmetry("d4", symmetry.group, action, action)
    for batch in (3, 1000):
        subject, _ = subject_of(model, data, quick(batch=batch))
        seen.clear()
        found.append(forward_measurement(subject, counted, (1, 0)))
        # Inputs, predictions and targets of each batch.
        assert max(seen) <= batch
        assert sum(seen) == 3 * len(subject.samples.trajectory)
    for name in ("error", "error_of_change", "log_loss_ratio", "error_sharing"):
        one, other = (getattr(measured, name) for measured in found)
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_a_constant_has_no_skill_whatever_the_loss():
    """Under smoothed labels the frequencies of classes are not the best constant."""

    class Constant(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.logits = torch.nn.Parameter(torch.zeros(10))

        def forward(self, x):
            return self.logits.expand(len(x), 10)

    def smoothed(prediction, target):
        return torch.nn.functional.cross_entropy(
            prediction, target, label_smoothing=0.1, reduction="none"
        )

    source = torch.Generator().manual_seed(0)
    images = torch.randn(80, 1, 4, 4, generator=source)
    labels = torch.arange(80) % 8  # two classes are never seen
    symmetry = image_symmetry("quarter-turns", (4, 4), 1)
    result = audit(
        Constant(), (images, labels), symmetry, loss=smoothed, settings=AuditSettings(metrics=())
    )
    assert result.model.log_loss_over_climatology.high < 0
    assert not result.model.has_skill
    assert all(e.holds == "undetermined" for e in result.elements if e.name != "e")
