"""The k-step loss: its gradient by the chain rule, k = 1, and known symmetries."""

import copy
import dataclasses
import json

import pytest
import torch

from goldstone.actions import NAVIER_STOKES_FIELDS, Context, GalileanBoost, Symmetry, flow_symmetry
from goldstone.auditing.coherence_summary import summarise_products
from goldstone.auditing.gradients import GradientProbe
from goldstone.auditing.orbit_samples import loss_gradients
from goldstone.auditing.samples import Samples
from goldstone.auditing.subject import Subject
from goldstone.auditing.unrolled import (
    StepwiseAction,
    Unrolled,
    UnrolledCoherence,
    unrolled_coherence,
    unrolled_samples,
    unrolled_subject,
    unrolled_symmetry,
)
from goldstone.core import InputError, from_json, to_json
from goldstone.systems.losses import mse, scaled_mse


@pytest.fixture(scope="module")
def tiny(flows, perturbed_solver, quick):
    data = flows(trajectories=8)
    settings = quick(metrics=("euclidean",), samples=6, trajectories=6)
    return data, perturbed_solver(data, along=(0.02, 0.01)), settings


ELEMENTS = ((1, 0), (0, 1))


def test_one_step_is_the_one_step_coherence_exactly(tiny, untouched):
    data, model, settings = tiny
    symmetry = flow_symmetry("d4", data.layout, data.grid)
    with untouched(model):
        (found,) = unrolled_coherence(
            model, data, symmetry, ELEMENTS, scaled_mse, (1,), start=1, settings=settings
        )
    samples = Samples(data.fields[:6, 1], data.fields[:6, 2], torch.arange(6), data.context)
    subject = Subject.measure(model, samples, scaled_mse, settings)
    probe = GradientProbe(subject, symmetry, samples.inputs[:0])
    plain = probe.loss_gradients(symmetry.group.identity)
    for g in ELEMENTS:
        moved = probe.loss_gradients(g)
        products = probe.products(plain, moved)["euclidean"].unit
        entry = found.elements[symmetry.group.element_name(g)]
        wanted = summarise_products(products, subject)
        # The gradients are equal to the last digit; only their products are summed in parts.
        for name in ("pair", "null", "orbit", "common_mode"):
            assert getattr(entry, name).estimate == pytest.approx(
                getattr(wanted, name).estimate, abs=1e-12
            )
        assert entry.permutation_p == wanted.permutation_p
    one = unrolled_subject(model, unrolled_samples(data, 1, 1, 6), scaled_mse, settings)
    rows = loss_gradients(one, unrolled_symmetry(symmetry), ELEMENTS[0])
    assert torch.equal(rows, probe.loss_gradients(ELEMENTS[0]).rows)
    assert found.loss.estimate == pytest.approx(
        float(scaled_mse(subject.predictions, samples.targets).mean())
    )


def test_gradients_are_those_of_the_rollout(tiny):
    data, model, settings = tiny
    symmetry = flow_symmetry("d4", data.layout, data.grid)
    subject = unrolled_subject(model, unrolled_samples(data, 3, 0, 4), scaled_mse, settings)
    rows = loss_gradients(subject, unrolled_symmetry(symmetry), (1, 1))
    for i in range(4):
        copied = copy.deepcopy(model)
        moved = [
            symmetry.on_input.act((1, 1), data.fields[i : i + 1, t], data.context) for t in range(4)
        ]
        x, total = moved[0], 0.0
        for t in range(1, 4):
            x = copied(x)
            total = total + scaled_mse(x, moved[t]).sum() / 3
        total.backward()
        torch.testing.assert_close(rows[i], copied.kernel.grad.reshape(-1))


def test_every_step_is_moved_in_its_own_context():
    """A boost carries a state k steps on by k·dt."""
    action = GalileanBoost(NAVIER_STOKES_FIELDS)
    x = torch.randn(2, 3, 2, 8, 8, dtype=torch.float64)
    context = Context(dt=0.1)
    element = (0.3, -0.2)
    found = StepwiseAction(action).act(element, x, context.at(1))
    for j in range(3):
        wanted = action.act(element, x[:, j], context.at(1 + j))
        torch.testing.assert_close(found[:, j], wanted)
    assert not torch.allclose(found[:, 2], action.act(element, x[:, 2], context.at(1)), atol=1e-3)


def test_an_equivariant_network_is_coherent_at_any_number_of_steps(flows, network, quick):
    data = flows(trajectories=8)
    settings = quick(metrics=("euclidean",), samples=4 + 2, trajectories=6)
    symmetry = flow_symmetry("d4", data.layout, data.grid)
    model = network("equivariant", data)
    found = unrolled_coherence(
        model, data, symmetry, ELEMENTS, scaled_mse, (1, 2), settings=settings
    )
    assert [entry.steps for entry in found] == [1, 2]
    for entry in found:
        for summary in entry.elements.values():
            assert summary.orbit.estimate == pytest.approx(1, abs=1e-6)
    text = json.dumps(to_json(found[1]), allow_nan=False)
    assert from_json(UnrolledCoherence, json.loads(text)) == found[1]


def test_a_model_in_training_mode_stays_so(tiny):
    _, model, _ = tiny
    copied = copy.deepcopy(model).train()
    assert Unrolled(copied, 2).training
    assert not Unrolled(copied.eval(), 2).training


def test_layers_and_targets_of_the_symmetry(tiny):
    data, _, _ = tiny
    symmetry = flow_symmetry("d4", data.layout, data.grid)
    other = dataclasses.replace(symmetry, on_target=symmetry.on_input)
    assert unrolled_symmetry(symmetry).on_target is None
    assert unrolled_symmetry(other).on_target == StepwiseAction(symmetry.on_input)
    assert isinstance(unrolled_symmetry(symmetry), Symmetry)


def test_too_short_trajectories_are_refused(tiny):
    data, model, settings = tiny
    symmetry = flow_symmetry("d4", data.layout, data.grid)
    for steps, start in ((4, 0), (2, 2), (0, 0), (1, -1)):
        with pytest.raises(InputError, match=f"got {steps} steps from state {start}"):
            unrolled_coherence(
                model, data, symmetry, ELEMENTS, mse, (steps,), start=start, settings=settings
            )
    with pytest.raises(InputError, match="got none"):
        unrolled_coherence(model, data, symmetry, ELEMENTS, mse, (), settings=settings)
