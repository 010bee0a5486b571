"""The gradient probes against literal gradients, and Galerkin against its dense definition."""

import copy

import pytest
import torch

from goldstone.actions import flow_symmetry
from goldstone.auditing.gradients import GradientProbe, smooth_fields
from goldstone.auditing.samples import choose_samples
from goldstone.auditing.subject import Subject
from goldstone.systems.losses import scaled_mse


def probe_of(model, data, settings, name="d4"):
    samples = choose_samples(data, settings, torch.device("cpu"), torch.float64)
    subject = Subject.measure(model, samples.gradient, scaled_mse, settings)
    return GradientProbe(subject, flow_symmetry(name, data.layout, data.grid), samples.reference)


def backward(model, value):
    """Gradient of value(model) by ``backward`` on a copy, as one vector."""
    copied = copy.deepcopy(model)
    value(copied).backward()
    return torch.cat([p.grad.reshape(-1) for p in copied.parameters()])


def jacobian(model, inputs):
    count = model(inputs).numel()
    return torch.stack(
        [backward(model, lambda m, k=k: m(inputs).reshape(-1)[k]) for k in range(count)]
    )


@pytest.fixture(scope="module")
def tiny(flows, perturbed_solver, quick):
    """Eight trajectories, a model of 18 parameters, all three metrics."""
    data = flows(trajectories=10)
    settings = quick(metrics=("euclidean", "galerkin", "gauss-newton"), damping=1e-3)
    model = perturbed_solver(data, along=(0.02, 0.01), shear=0.005)
    return model, data, probe_of(model, data, settings)


def test_loss_gradients_are_those_of_moved_pairs(tiny):
    model, data, probe = tiny
    samples, action = probe.subject.samples, probe.symmetry.on_input
    element = (1, 1)
    rows = probe.loss_gradients(element).rows
    for i in range(len(samples.inputs)):
        x = action.act(element, samples.inputs[i : i + 1], data.context)
        y = action.act(element, samples.targets[i : i + 1], data.context)
        wanted = backward(model, lambda m, x=x, y=y: scaled_mse(m(x), y).sum())
        torch.testing.assert_close(rows[i], wanted)


def test_probe_gradients_are_pullbacks_of_moved_fields(tiny):
    model, data, probe = tiny
    samples, action = probe.subject.samples, probe.symmetry.on_input
    smooth = smooth_fields(samples.targets.shape, probe.subject.settings.seed)
    for element in ((0, 0), (0, 1)):
        rows = probe.probe_gradients(element).rows
        for i in range(3):
            x = action.act(element, samples.inputs[i : i + 1], data.context)
            v = action.act(element, smooth[i : i + 1], data.context)
            wanted = backward(model, lambda m, x=x, v=v: (m(x) * v).sum())
            torch.testing.assert_close(rows[i], wanted)


def test_probes_of_a_boost_turn_by_its_linear_part(flows, perturbed_solver, quick):
    data = flows(trajectories=10)
    model = perturbed_solver(data)
    probe = probe_of(model, data, quick(metrics=("euclidean",)), "boosts")
    samples, element = probe.subject.samples, (0.7, 0.0)
    rows = probe.probe_gradients(element).rows
    boost = probe.symmetry.on_output
    smooth = smooth_fields(samples.targets.shape, probe.subject.settings.seed)
    x = boost.act(element, samples.inputs[:1], data.context)
    # Linear part: the drift by c·dt alone, without the added velocity.
    cells = 0.7 * data.dt * 16
    modes = torch.fft.fftfreq(16, 1 / 16, dtype=torch.float64)
    phase = torch.exp(-2j * torch.pi * cells / 16 * modes)
    v = torch.fft.ifft(torch.fft.fft(smooth[:1], dim=-2) * phase[:, None], dim=-2).real
    wanted = backward(model, lambda m: (m(x) * v).sum())
    torch.testing.assert_close(rows[0], wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))


@pytest.mark.parametrize("kind", ["loss", "probe"])
def test_galerkin_is_its_dense_definition(tiny, kind):
    """G = [G_x, G_gx] = U S Vᵀ; I = (Qᵀ G)ᵀ (Qᵀ η Q + λ)⁻¹ (Qᵀ G), η = JᵀJ/N, all explicit."""
    model, _, probe = tiny
    take = probe.loss_gradients if kind == "loss" else probe.probe_gradients
    a, b = take((0, 0)), take((0, 1))
    found = probe.products(a, b)["galerkin"]
    j = jacobian(model, probe.reference)
    eta = j.T @ j / len(j)
    g = torch.cat([a.rows, b.rows]).T
    for scaled, products in ((g, found.raw), (g / g.norm(dim=0), found.unit)):
        u, s, _ = torch.linalg.svd(scaled, full_matrices=False)
        k = next(k for k in range(1, len(s) + 1) if (s[k:] ** 2).sum() / (s**2).sum() <= 1e-4)
        q = u[:, :k]
        metric = q.T @ eta @ q
        metric = metric + 1e-3 * metric.trace() / k * torch.eye(k)
        wanted = (q.T @ scaled).T @ torch.linalg.inv(metric) @ (q.T @ scaled)
        if products is found.unit:
            norms = wanted.diagonal().sqrt()
            wanted = wanted / norms[:, None] / norms
        scale = float(wanted.abs().max())
        torch.testing.assert_close(products.gram(), wanted, rtol=1e-6, atol=1e-6 * scale)


def test_gauss_newton_is_a_dense_solve(tiny):
    model, _, probe = tiny
    a, b = probe.loss_gradients((0, 0)), probe.loss_gradients((1, 0))
    found = probe.products(a, b)["gauss-newton"].unit
    j = jacobian(model, probe.reference)
    g = torch.cat([a.rows, b.rows])
    few = g[::2]
    pushed = few @ j.T
    damping = 1e-3 * float(pushed.square().mean(1).sum() / few.square().sum())
    dense = g @ torch.linalg.solve(j.T @ j / len(j) + damping * torch.eye(j.shape[1]), g.T)
    norms = dense.diagonal().sqrt()
    torch.testing.assert_close(found.gram(), dense / norms[:, None] / norms, rtol=0, atol=5e-3)


def test_euclidean_products_are_plain_ones(tiny):
    _, _, probe = tiny
    a, b = probe.loss_gradients((0, 0)), probe.loss_gradients((0, 1))
    found = probe.products(a, b)["euclidean"]
    torch.testing.assert_close(found.raw.ab, a.rows @ b.rows.T)
    wanted = torch.cosine_similarity(a.rows[:, None], b.rows[None], dim=-1)
    torch.testing.assert_close(found.unit.ab, wanted)


def test_smooth_fields_have_unit_size_and_few_waves():
    fields = smooth_fields(torch.Size((3, 2, 32, 24)), 0)
    torch.testing.assert_close(fields.square().mean((1, 2, 3)), torch.ones(3).double())
    power = torch.fft.fft2(fields).abs().square()
    high = power[..., 12:21, :].sum() + power[..., :, 9:16].sum()
    assert float(high / power.sum()) < 1e-4
    assert torch.equal(fields, smooth_fields(torch.Size((3, 2, 32, 24)), 0))
    assert not torch.equal(fields, smooth_fields(torch.Size((3, 2, 32, 24)), 1))
