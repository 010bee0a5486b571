"""What an audit promises whatever it finds: nothing touched, reproducible, nothing undefined."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import goldstone
from goldstone.actions import (
    Field,
    FieldLayout,
    PointAction,
    Symmetry,
)
from goldstone.core import InputError, Statistic
from goldstone.groups import DihedralGroup

TINY = {"base_channels": 2, "stages": 1, "normalise": False}


@pytest.fixture(scope="module")
def audited(flows, network, quick):
    """A full audit of a small network: history, shifts, controls, both metrics."""
    data = flows()
    checkpoints = [(1, network("unet", data, seed=1, **TINY))]

    def run(model=None, **changes):
        small = {"samples": 6, "trajectories": 7, "bootstrap": 100, "permutations": 100}
        return goldstone.audit(
            model or network("unet", data, **TINY),
            data,
            "d4",
            settings=quick(**(small | changes)),
            history=checkpoints,
            shifts=True,
        )

    return run


@pytest.fixture(scope="module")
def result(audited):
    return audited()


def stable(result):
    """Every number of the result but for the time it took."""
    values = result.to_json()
    del values["provenance"]["created"], values["provenance"]["seconds"]
    return values


def numbers(values, place=""):
    if isinstance(values, dict):
        for key, entry in values.items():
            yield from numbers(entry, f"{place}.{key}")
    elif isinstance(values, list):
        for i, entry in enumerate(values):
            yield from numbers(entry, f"{place}[{i}]")
    elif isinstance(values, float):
        yield place, values


def test_the_model_is_left_exactly_as_found(audited, flows, network):
    model = network("unet", flows(), **TINY).train()
    calls = []
    model.network.register_forward_hook(lambda *_: calls.append(1))
    first = next(model.parameters())
    first.requires_grad_(False)
    last = list(model.parameters())[-1]
    last.grad = torch.full_like(last, 2.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    pointers = {name: value.data_ptr() for name, value in model.state_dict().items()}
    states = (torch.get_rng_state(), random.getstate())
    audited(model)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert all(module.training for module in model.modules())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
        assert value.data_ptr() == pointers[name]
    assert not first.requires_grad
    assert all(p.requires_grad for p in list(model.parameters())[1:])
    assert all(p.grad is None for p in list(model.parameters())[:-1])
    assert torch.equal(last.grad, torch.full_like(last, 2.0))
    assert len(model.network._forward_hooks) == 1
    assert calls
    assert torch.is_grad_enabled()


def test_the_same_seed_gives_the_same_numbers(audited, result):
    again = audited()
    assert json.dumps(stable(again)) == json.dumps(stable(result))
    assert set(again.arrays) == set(result.arrays)
    for name, array in result.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)


def test_another_seed_moves_the_intervals_not_the_estimates(audited, result):
    other = audited(seed=1).element("r")
    one = result.element("r")
    assert other.log_loss_ratio.estimate == one.log_loss_ratio.estimate
    assert other.log_loss_ratio.low != one.log_loss_ratio.low
    assert other.orbit_coherence["galerkin"].estimate == one.orbit_coherence["galerkin"].estimate


def test_the_batch_size_changes_nothing_but_rounding(audited, result):
    small, large = stable(audited(batch=3)), stable(result)
    small["provenance"]["settings"]["batch"] = large["provenance"]["settings"]["batch"]
    found, wanted = dict(numbers(small)), dict(numbers(large))
    assert found.keys() == wanted.keys()
    for place, value in wanted.items():
        assert found[place] == pytest.approx(value, rel=1e-6, abs=1e-9), place


def test_the_data_type_changes_little(flows, network, quick):
    found = {}
    for dtype in (torch.float32, torch.float64):
        data = flows(dtype=dtype)
        model = network("unet", flows(), **TINY).to(dtype)
        found[dtype] = goldstone.audit(model, data, "d4", settings=quick()).element("sr")
    one, other = found.values()
    assert one.log_loss_ratio.estimate == pytest.approx(other.log_loss_ratio.estimate, abs=1e-4)
    for metric in ("euclidean", "galerkin"):
        for name in ("pair_coherence", "orbit_coherence", "probe_coherence", "null"):
            a, b = (getattr(e, name)[metric].estimate for e in (one, other))
            assert a == pytest.approx(b, abs=1e-4), (metric, name)


def test_the_json_has_every_key_and_no_nan(result):
    text = json.dumps(result.to_json(), allow_nan=False)
    values = json.loads(text)
    assert next(iter(values)) == "schema_version"
    assert set(values) >= {
        "provenance",
        "model",
        "symmetry",
        "precheck",
        "elements",
        "controls",
        "verdict",
        "history",
    }
    assert [e["name"] for e in values["elements"]] == [
        *("e", "r", "r²", "r³", "s", "sr", "sr²", "sr³")
    ]
    for element in values["elements"]:
        for metric in ("euclidean", "galerkin"):
            for name in ("pair_coherence", "orbit_coherence", "null"):
                assert set(element[name][metric]) >= {"estimate", "low", "high", "n", "median"}
        assert element["pair_coherence"]["euclidean"]["q1"] is not None
    for axis in ("holds", "transports"):
        assert set(values["verdict"][axis]) >= {"residual_low", "residual_up", "broken_cosets"}


def statistics_of(value):
    if isinstance(value, Statistic):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from statistics_of(entry)
    elif isinstance(value, (tuple, list)):
        for entry in value:
            yield from statistics_of(entry)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from statistics_of(getattr(value, name))


def test_every_statistic_is_ordered_and_finite(result):
    found = list(statistics_of(result))
    assert len(found) > 200
    for s in found:
        for value in (s.estimate, s.low, s.high, s.median, s.q1, s.q3):
            assert value is None or abs(value) < 1e6
        if s.low is not None:
            assert s.low <= s.high
        if s.q1 is not None:
            assert s.q1 <= s.median <= s.q3


def test_undefined_numbers_are_none_in_memory_too(flows, quick):
    class Still(nn.Module):
        """Predicts rest: ‖f(x)‖ is 0, and errors relative to it are not defined."""

        def __init__(self):
            super().__init__()
            self.p = nn.Parameter(torch.zeros(1).double())

        def forward(self, x):
            return 0 * x * self.p

    data = flows()
    result = goldstone.audit(Still(), data, "d4", settings=quick(), shifts=True)
    assert result.element("r").equivariance_error.estimate is None
    assert result.element("r").log_loss_ratio.estimate == pytest.approx(0.0)
    for s in statistics_of(result):
        for value in (s.estimate, s.low, s.high, s.median, s.q1, s.q3):
            assert value is None or np.isfinite(value)
    assert all(np.isfinite(value) for _, value in numbers(result.to_json()))
    assert result.element("r").permutation_p == {"euclidean": 1.0, "galerkin": 1.0}


def test_an_audit_that_has_undefined_numbers_is_read_back(flows, quick, tmp_path):
    class Copy(nn.Module):
        def __init__(self):
            super().__init__()
            self.p = nn.Parameter(torch.zeros(1).double())

        def forward(self, x):
            return x + 0 * self.p

    result = goldstone.audit(Copy(), flows(), "d4", settings=quick(), shifts=True)
    result.save(tmp_path)
    assert goldstone.AuditResult.load(tmp_path) == result


def test_outputs_that_are_not_finite_somewhere_are_refused(flows, perturbed_solver, quick):
    data = flows()

    class Breaks(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = perturbed_solver(data)
            self.seen = data.fields[5, 1]

        def forward(self, x):
            bad = (x == self.seen).flatten(1).all(1)
            return torch.where(bad[:, None, None, None], torch.nan, self.inner(x))

    with pytest.raises(InputError, match=r"model's outputs.*finite"):
        goldstone.audit(Breaks(), data, "d4", settings=quick(snapshots=3))


def test_a_model_of_other_channels(quick):
    """Vorticity from velocity: input and output have layouts of their own, and no persistence."""
    group = DihedralGroup(4)
    velocity = FieldLayout((Field("velocity", "velocity"),))
    vorticity = FieldLayout((Field("vorticity", "pseudoscalar"),))

    class Curl(nn.Module):
        def __init__(self):
            super().__init__()
            self.k = nn.Parameter(torch.tensor([1.0, 0.1]).double())

        def forward(self, x):
            dx = x.roll(-1, -2) - x.roll(1, -2)
            dy = x.roll(-1, -1) - x.roll(1, -1)
            return self.k[0] * (dx[:, 1:] - dy[:, :1]) + self.k[1] * x[:, :1] ** 2

    x = torch.randn(12, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = 2 * (x.roll(-1, -2) - x.roll(1, -2))[:, 1:] - 2 * (x.roll(-1, -1) - x.roll(1, -1))[:, :1]
    symmetry = Symmetry("d4", group, PointAction(group, velocity), PointAction(group, vorticity))
    result = goldstone.audit(Curl(), (x, y), symmetry, settings=quick())
    assert result.precheck.status == "assumed"
    assert result.model.log_loss_over_persistence.estimate is None
    assert result.element("r").equivariance_error_of_change.estimate is None
    assert result.element("r").rollout_equivariance_error == ()
    assert result.element("r").equivariance_error.estimate > 0.01
    # The error term turns with its axis: x² of the first component, alike under r² and s.
    assert result.element("r²").equivariance_error.estimate < 1e-12
    assert json.dumps(result.to_json(), allow_nan=False)


def test_a_pair_of_tensors_gives_the_numbers_of_its_trajectories(flows, perturbed_solver, quick):
    from goldstone.actions import flow_symmetry

    data = flows(steps=1)
    symmetry = flow_symmetry("d4", data.layout, data.grid)
    settings = quick(metrics=("euclidean",))
    model = perturbed_solver(data)
    pair = (data.fields[:, 0], data.fields[:, 1])
    one = goldstone.audit(model, data, symmetry, settings=settings)
    two = goldstone.audit(model, pair, symmetry, settings=settings)
    assert two.precheck.status == "assumed"
    assert replace(two.element("sr"), reason="") == replace(one.element("sr"), reason="")


def test_without_metrics_no_gradient_is_taken(flows, perturbed_solver, quick):
    data = flows()
    result = goldstone.audit(perturbed_solver(data), data, "d4", settings=quick(metrics=()))
    assert result.provenance.gradients == 0
    assert result.element("r").orbit_coherence == {}
    assert result.element("r").reason == "no gradients were taken"
    assert result.verdict.holds.answer == "yes"
    assert [c.name for c in result.controls] == ["r with reversed velocity"]


def test_a_frozen_model_is_tested_forward(flows, perturbed_solver, quick):
    data = flows()
    model = perturbed_solver(data).requires_grad_(False)
    result = goldstone.audit(model, data, "d4", settings=quick())
    assert result.provenance.gradients == 0
    assert result.verdict.transports.answer == "undetermined"


def test_gradients_are_counted(result):
    # Six samples, loss and probe, at the identity and seven elements.
    assert result.provenance.gradients == 6 * 2 * 8
    assert "forward mode" in result.provenance.gradient_path


def test_progress_is_reported_and_finished(flows, perturbed_solver, quick):
    from contextlib import contextmanager

    done = {}

    class Counting:
        @contextmanager
        def task(self, label, total):
            done[label] = [0, total]

            class Task:
                def advance(self, steps=1, note=""):
                    done[label][0] += steps

            yield Task()

    data = flows()
    goldstone.audit(
        perturbed_solver(data),
        data,
        "d4",
        settings=quick(),
        history=[(0, perturbed_solver(data))],
        shifts=True,
        progress=Counting(),
    )
    assert len(done) >= 6
    assert all(steps == total for steps, total in done.values()), done


def test_a_symmetry_without_elements_is_no_verdict(flows, network, quick):
    still = flows()
    still = replace(still, fields=torch.zeros_like(still.fields), system="unknown")
    with pytest.raises(InputError, match="no element to test but the identity"):
        goldstone.audit(network("unet", still, **TINY), still, "boosts", settings=quick())
