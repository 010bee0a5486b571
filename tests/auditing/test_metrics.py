"""Every metric of the audit against its own dense definition, and their known answers."""

import pytest
import torch

from goldstone import audit
from goldstone.actions import flow_symmetry
from goldstone.auditing.gradients import GradientProbe
from goldstone.auditing.metrics import curvature_along, prepare_metrics
from goldstone.auditing.samples import choose_samples
from goldstone.auditing.settings import METRICS
from goldstone.auditing.subject import Subject
from goldstone.core import InputError
from goldstone.curvature import TreeBatch, TreeModel
from goldstone.systems.losses import scaled_mse

PREPARED = tuple(m for m in METRICS if m not in ("euclidean", "galerkin", "gauss-newton"))


def adam_state(model):
    """The optimiser's state after a few steps of its own."""
    optimiser = torch.optim.Adam(model.parameters(), 1e-9)
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        for p in model.parameters():
            p.grad = torch.randn(p.shape, dtype=p.dtype, generator=generator)
        optimiser.step()
        optimiser.zero_grad()
    return optimiser.state_dict()


@pytest.fixture(scope="module")
def tiny(flows, perturbed_solver, quick):
    """Eight trajectories, a model of 18 parameters, every metric but the iterative one."""
    data = flows(trajectories=12)
    settings = quick(metrics=("euclidean", *PREPARED), damping=1e-2)
    model = perturbed_solver(data, along=(0.02, 0.01), shear=0.005)
    chosen = choose_samples(data, settings, torch.device("cpu"), torch.float64)
    subject = Subject.measure(model, chosen.gradient, scaled_mse, settings)
    symmetry = flow_symmetry("d4", data.layout, data.grid)
    probe = GradientProbe(subject, symmetry, chosen.reference)
    plain = probe.loss_gradients((0, 0)).rows
    state = adam_state(model)
    prepared = prepare_metrics(subject, chosen.reference, chosen.reference_targets, plain, state)
    whole = GradientProbe(subject, symmetry, chosen.reference, prepared)
    return whole, chosen, plain, state


def dense(name, probe, chosen, plain, state):
    """χ + λ as an explicit matrix: of Jacobians and gradients, or as the random probes gave it."""
    model = probe.subject.model
    names = [n for n, _ in model.named_parameters()]
    values = {n: p.detach() for n, p in model.named_parameters()}
    one = torch.eye(plain.shape[1], dtype=torch.float64)
    metric = probe.prepared[name]
    if name == "empirical-fisher":
        reference, targets = chosen.reference, chosen.reference_targets
        found = torch.func.jacrev(
            lambda v: scaled_mse(torch.func.functional_call(model, v, (reference,)), targets)
        )(values)
        rows = torch.cat([found[n].flatten(1) for n in names], 1)
        fisher = rows.T @ rows / len(rows)
        scale = ((plain @ fisher) * plain).sum() / plain.square().sum()
        return fisher + 1e-2 * scale * one
    if name == "adam":
        entries = [state["state"][i] for i in range(len(names))]
        v = torch.cat([e["exp_avg_sq"].flatten() / (1 - 0.999**3) for e in entries])
        return torch.diag(v.sqrt() + 1e-8)
    if name == "randomised-gauss-newton":
        return metric.span.T @ metric.span + metric.damping * one
    return torch.linalg.inv(metric.operator.solve(one))


@pytest.mark.parametrize("name", PREPARED)
def test_products_are_those_of_the_dense_metric(tiny, name):
    probe, chosen, plain, state = tiny
    a, b = probe.loss_gradients((0, 0)), probe.loss_gradients((0, 1))
    found = probe.products(a, b)[name].raw.gram()
    g = torch.cat([a.rows, b.rows])
    wanted = g @ torch.linalg.solve(dense(name, probe, chosen, plain, state), g.T)
    torch.testing.assert_close(found, wanted, rtol=1e-7, atol=1e-9 * float(wanted.norm()))


def test_the_common_damping_is_the_curvature_along_the_gradients(tiny):
    probe, chosen, plain, _ = tiny
    model = TreeModel(probe.subject.model, flat=True)
    expected = 1e-2 * curvature_along(model, TreeBatch(chosen.reference), plain)
    for name in ("gauss-newton-diagonal", "randomised-gauss-newton", "kfac", "ekfac"):
        assert probe.prepared[name].details.damping == pytest.approx(expected)


def test_every_metric_sees_built_in_equivariance(flows, network, quick, tmp_path):
    data = flows(trajectories=12)
    model = network("equivariant", data)
    settings = quick(metrics=METRICS, damping=0.3, samples=6, trajectories=6)
    symmetry = flow_symmetry("d1", data.layout, data.grid)
    result = audit(model, data, symmetry, settings=settings, optimiser=adam_state(model))
    for element in result.elements[1:]:
        for metric in METRICS:
            assert element.orbit_coherence[metric].estimate == pytest.approx(1, abs=1e-6)
    assert set(result.metrics) == set(METRICS)
    assert result.metrics["gauss-newton"].residual <= 1e-3
    assert result.metrics["gauss-newton"].distance_to_gauss_newton is None
    far = result.metrics["euclidean"].distance_to_gauss_newton
    near = result.metrics["randomised-gauss-newton"].distance_to_gauss_newton
    assert 0 < near < far
    result.save(tmp_path)
    assert type(result).load(tmp_path) == result


def test_adam_needs_its_state(flows, perturbed_solver, quick):
    data = flows(trajectories=12)
    settings = quick(metrics=("euclidean", "adam"))
    with pytest.raises(InputError, match=r"optimiser=torch\.load"):
        audit(perturbed_solver(data), data, "d4", settings=settings)
