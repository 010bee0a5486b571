"""Influence against the definition, written out in float64."""

import pytest
import torch

from goldstone.core import SilentProgress
from goldstone.reproductions.loss_landscape_geometry.measure import DAMPING, Meter
from goldstone.reproductions.loss_landscape_geometry.models import Laboratory
from goldstone.reproductions.loss_landscape_geometry.sizes import QUICK
from goldstone.reproductions.loss_landscape_geometry.symmetries import element, point_group, shifts
from goldstone.systems.emulators import EmulatorConfig, build_emulator
from goldstone.systems.losses import scaled_mse


@pytest.fixture(scope="module")
def meter(tmp_path_factory):
    laboratory = Laboratory(tmp_path_factory.mktemp("work"), QUICK, SilentProgress())
    data = laboratory.held_out("NS")
    arguments = {"base_channels": 2, "stages": 1, "blocks_per_stage": 1, "attention": False}
    model = build_emulator(EmulatorConfig("unet", data.layout, data.grid, arguments), seed=3)
    model.fit(data.fields[:, 0], data.fields[:, 1])
    return Meter(model.double().eval(), data, 6, 2)


def gradients(meter, x, y):
    parameters = list(meter.model.parameters())
    rows = []
    for i in range(len(x)):
        loss = scaled_mse(meter.model(x[i : i + 1]), y[i : i + 1]).sum()
        found = torch.autograd.grad(loss, parameters)
        rows.append(torch.cat([g.flatten() for g in found]))
    return torch.stack(rows)


def test_influence_is_the_paper_s(meter):
    symmetry = point_group(meter.data.layout)
    g = element("sr")
    samples = meter.few.samples
    x, y = samples.inputs.double(), samples.targets.double()
    action = symmetry.on_input
    a = gradients(meter, x, y)
    b = gradients(meter, *(action.act(g, t, samples.context) for t in (x, y)))
    both = torch.cat([a, b]).T  # p × 2n
    U, S, _ = torch.linalg.svd(both, full_matrices=False)
    discarded = 1 - (S**2).cumsum(0) / (S**2).sum()
    Q = U[:, : int((discarded > 1e-4).sum()) + 1]
    # J Q by central differences in the weights.
    parameters = list(meter.model.parameters())
    start = torch.nn.utils.parameters_to_vector(parameters).detach()

    def outputs(weights):
        torch.nn.utils.vector_to_parameters(weights, parameters)
        with torch.no_grad():
            return meter.model(x).flatten()

    step = 1e-5
    columns = [(outputs(start + step * q) - outputs(start - step * q)) / (2 * step) for q in Q.T]
    torch.nn.utils.vector_to_parameters(start, parameters)
    JQ = torch.stack(columns, 1)
    eta = JQ.T @ JQ / len(JQ)
    metric = eta + DAMPING * eta.diagonal().mean() * torch.eye(len(eta), dtype=eta.dtype)
    A, B = Q.T @ a.T, Q.T @ b.T
    chi = torch.linalg.inv(metric)

    def product(u, v):
        return (u * (chi @ v)).sum(0)

    expected = product(B, A) / (product(A, A) * product(B, B)).sqrt()
    found = meter.element(symmetry, g)
    assert found.coherence["galerkin"].pair == pytest.approx(expected.tolist(), abs=2e-4)
    cosine = torch.cosine_similarity(a, b)
    assert found.coherence["euclidean"].pair == pytest.approx(cosine.tolist(), abs=1e-6)


def test_error_ratio_is_the_paper_s(meter):
    symmetry = point_group(meter.data.layout, "swapped")
    samples = meter.few.samples
    x, y = samples.inputs.double(), samples.targets.double()
    act = symmetry.on_input.act
    with torch.no_grad():
        plain = scaled_mse(meter.model(x), y)
        gx = act(element("r"), x, samples.context)
        moved = scaled_mse(meter.model(gx), act(element("r"), y, samples.context))
    found = meter.element(symmetry, element("r"))
    assert found.error_ratio == pytest.approx((moved / plain).tolist(), rel=1e-5)


def test_shifts_by_the_stride_have_influence_one(meter):
    found = meter.element(shifts(meter.data.grid), (2, 0))
    assert found.coherence["galerkin"].pair == pytest.approx([1.0] * 6, abs=1e-6)
    assert found.error_quartiles == pytest.approx((1.0, 1.0, 1.0), abs=1e-6)
