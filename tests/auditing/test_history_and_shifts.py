"""The history over checkpoints and the shift profile beside the audited symmetry."""

import numpy as np
import pytest
import torch
from torch import nn

import goldstone
from goldstone.actions import ShiftAction, Symmetry
from goldstone.auditing.shifts import _exact_period
from goldstone.core import InputError
from goldstone.groups import GridTranslations


def test_the_history_of_one_model_is_its_audit(flows, perturbed_solver, quick):
    """On one snapshot the forward tests look at the samples of the gradient probes."""
    data = flows("anisotropic", trajectories=16)
    model = perturbed_solver(data, along=(0.02, 0.001))
    settings = quick(snapshots=1, samples=12, trajectories=12)
    result = goldstone.audit(model, data, "d4", settings=settings, history=[(3, model), (9, model)])
    first, second = result.history
    assert (first.epoch, second.epoch) == (3, 9)
    assert first.loss == second.loss == result.model.loss
    for element in result.elements[1:]:
        name = element.name
        assert first.log_loss_ratio[name] == element.log_loss_ratio
        assert first.pair_coherence[name] == element.pair_coherence["euclidean"]
        assert first.null[name] == element.null["euclidean"]
        assert first.orbit_coherence[name] == element.orbit_coherence["euclidean"]


def test_cosets_are_means_over_their_elements(flows, perturbed_solver, quick):
    data = flows("anisotropic", trajectories=16)
    fast = (data.fields - data.fields.roll(1, -2)).square().mean()
    slow = (data.fields - data.fields.roll(1, -1)).square().mean()
    model = perturbed_solver(data, along=(0.02, 0.0) if fast < slow else (0.0, 0.02))
    settings = quick(samples=12, trajectories=12, metrics=("euclidean",))
    result = goldstone.audit(model, data, "d4", settings=settings, history=[(0, model)])
    (entry,) = result.history
    assert [set(c.elements) for c in entry.cosets] == [
        {"r²", "s", "sr²"},
        {"r", "r³", "sr", "sr³"},
    ]
    for coset in entry.cosets:
        for field in ("log_loss_ratio", "pair_coherence", "orbit_coherence"):
            values = [getattr(entry, field)[name].estimate for name in coset.elements]
            assert getattr(coset, field) == pytest.approx(np.mean(values))
    assert entry.cosets[1].log_loss_ratio > 0.5 > abs(entry.cosets[0].log_loss_ratio)


def test_checkpoints_are_looked_at_before_long_work(flows, perturbed_solver, quick):
    data = flows()
    model = perturbed_solver(data)
    bad = nn.Sequential(perturbed_solver(data), nn.Dropout(0.5))
    with pytest.raises(InputError, match=r"history, epoch 7:.*training mode"):
        goldstone.audit(model, data, "d4", settings=quick(), history=[(0, model), (7, bad)])
    frozen = perturbed_solver(data).requires_grad_(False)
    with pytest.raises(InputError, match=r"history, epoch 2:.*no trainable parameter"):
        goldstone.audit(model, data, "d4", settings=quick(), history=[(2, frozen)])


@pytest.fixture(scope="module")
def strided(flows, network, quick):
    data = flows(dtype=torch.float32)
    model = network("unet", data)
    settings = quick(metrics=("euclidean",), snapshots=1, samples=6, trajectories=6)
    return model, data, goldstone.audit(model, data, "d2", settings=settings, shifts=True)


def test_the_exact_period_is_the_stride(strided):
    _, _, result = strided
    assert result.shifts.exact_period == (4, 4)
    assert result.shifts.cell == 4
    curves = result.arrays["shift_axis_equivariance_error"]
    assert curves.shape == (2, 16)
    assert curves[:, ::4].max() < 1e-6
    assert np.delete(curves, range(0, 16, 4), axis=1).min() > 1e-3
    assert result.shifts.worst_log_loss_ratio == result.arrays["shift_axis_log_loss_ratio"].max()


def test_the_arrays_fit_one_another(strided):
    _, _, result = strided
    arrays = result.arrays
    assert arrays["shift_steps"].tolist() == list(range(16))
    for name in ("equivariance_error", "log_loss_ratio", "log_loss_ratio_low"):
        assert arrays[f"shift_axis_{name}"].shape == (2, 16)
    steps = arrays["shift_gradient_steps"]
    assert steps.tolist() == list(range(9))
    for name in ("pair_coherence", "pair_coherence_q1", "null", "orbit_coherence_low"):
        assert arrays[f"shift_axis_{name}"].shape == (2, len(steps))
    for name in ("pair", "orbit"):
        cell, axes = arrays[f"cell_{name}_coherence"], arrays[f"shift_axis_{name}_coherence"]
        assert cell.shape == (4, 4)
        # One shift, seen in the cell and along the axes.
        np.testing.assert_array_equal(cell[:, 0], axes[0, :4])
        np.testing.assert_array_equal(cell[0, :], axes[1, :4])
        assert cell[0, 0] == pytest.approx(1.0, abs=1e-6)
        assert cell.ravel()[1:].max() < 0.95
        assert axes[:, [4, 8]] == pytest.approx(1.0, abs=1e-4)


def test_the_torus_is_that_of_brute_force(strided):
    model, data, result = strided
    arrays = result.arrays
    assert arrays["torus_rows"].tolist() == arrays["torus_columns"].tolist() == list(range(16))
    # One step of three: its middle, as the audit chose.
    x = data.fields[:1, 1]
    with torch.no_grad():
        plain = model(x)
        wanted = np.zeros((16, 16))
        for a in range(16):
            for b in range(16):
                moved = model(x.roll((a, b), (-2, -1)))
                gap = moved - plain.roll((a, b), (-2, -1))
                wanted[a, b] = float(gap.norm() / plain.norm())
    np.testing.assert_allclose(arrays["torus_equivariance_error"], wanted, atol=2e-6)
    assert wanted.max() > 1e-2


def test_the_profile_agrees_with_an_audit_of_shifts(strided, quick):
    model, data, result = strided
    shifts = Symmetry(
        "shifts", GridTranslations((16, 16)), ShiftAction(), ShiftAction(), elements=((0, 3),)
    )
    settings = quick(metrics=("euclidean",), snapshots=1, samples=6, trajectories=6)
    element = goldstone.audit(model, data, shifts, settings=settings).elements[1]
    arrays = result.arrays
    for name, found in (
        ("equivariance_error", element.equivariance_error),
        ("log_loss_ratio", element.log_loss_ratio),
        ("pair_coherence", element.pair_coherence["euclidean"]),
        ("orbit_coherence", element.orbit_coherence["euclidean"]),
    ):
        assert arrays[f"shift_axis_{name}"][1, 3] == pytest.approx(found.estimate, rel=1e-5)


def test_learned_positions_have_no_exact_period(flows, network, quick):
    data = flows(dtype=torch.float32)
    settings = quick(metrics=(), snapshots=1)
    result = goldstone.audit(network("vit", data), data, "d2", settings=settings, shifts=True)
    assert result.shifts.exact_period == (None, None)
    assert result.arrays["torus_equivariance_error"].shape == (16, 16)
    assert "cell_pair_coherence" not in result.arrays


def test_the_smallest_period_is_found():
    errors = np.ones(16)
    errors[::8] = 0.0
    assert _exact_period(errors, 16, 1e-7) == 8
    errors[::2] = 0.0
    assert _exact_period(errors, 16, 1e-7) == 2
    assert _exact_period(np.zeros(16), 16, 1e-7) == 1
    assert _exact_period(np.array([0.0] + [1.0] * 15), 16, 1e-7) is None
    assert _exact_period(np.full(16, np.nan), 16, 1e-7) is None
    # 6 points measured of 9: a period must divide the axis itself.
    assert _exact_period(np.array([0.0, 1, 0, 1, 0, 1]), 9, 1e-7) is None
    assert _exact_period(np.array([0.0, 1, 1, 0, 1, 1]), 9, 1e-7) == 3
