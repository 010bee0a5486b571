"""Flow emulators: moved data obey the law, sizes agree, and an interrupted study goes on."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from benchmarks.flow_emulators import (
    ARCHITECTURES,
    DT,
    LAW,
    SYMMETRY,
    cost_of_a_step,
    flows,
    in_all_poses,
    in_random_poses,
    measured,
    page,
    persistence,
    picture,
    relative_errors,
    study,
)
from benchmarks.study import Runs
from goldstone.systems.emulators import build_emulator, count_parameters


class Law(nn.Module):
    def forward(self, x):
        return LAW.advance(x, DT)


def test_the_law_holds_in_all_poses_and_its_errors_are_none():
    data = flows("anisotropic", 2, 3, 0)
    posed = in_all_poses(data)
    assert len(posed) == 16
    torch.testing.assert_close(posed.fields[:2], data.fields)
    for some in (data, posed, in_random_poses(data)):
        assert max(relative_errors(Law(), some)) < 1e-4
    # The poses differ, and a quarter turn takes the flow along the other axis.
    turned = posed.fields[2:4]
    assert float((turned - data.fields).norm() / data.fields.norm()) > 0.5
    speeds = data.fields.square().mean((0, 1, 3, 4))
    torch.testing.assert_close(turned.square().mean((0, 1, 3, 4)), speeds.flip(0))


def test_only_anisotropic_flows_prefer_an_axis():
    def ratio(kind):
        u, v = flows(kind, 200, 1, 1).fields[:, 0].square().mean((0, 2, 3))
        return float(u / v)

    assert ratio("isotropic") == pytest.approx(1, abs=0.15)
    assert ratio("anisotropic") < 0.6


def test_networks_are_of_equal_size_and_one_is_equivariant():
    counts = {n: count_parameters(build_emulator(c)) for n, c in ARCHITECTURES.items()}
    assert max(counts.values()) < 1.1 * min(counts.values())
    data = flows("isotropic", 3, 1, 2)
    posed = in_random_poses(data)
    for name, config in ARCHITECTURES.items():
        model = build_emulator(config, 1)
        with torch.no_grad():
            one = replace(
                data, fields=torch.stack((data.fields[:, 0], model(data.fields[:, 0])), 1)
            )
            found = (model(posed.fields[:, 0]) - in_random_poses(one).fields[:, 1]).norm()
        assert (float(found) < 1e-4) == (name == "equivariant")


def test_the_relative_error_is_that_of_a_slow_sum():
    data = flows("isotropic", 2, 2, 3)
    f = data.fields
    one = [(f[i, t] - f[i, t + 1]).norm() / f[i, t + 1].norm() for i in (0, 1) for t in (0, 1)]
    far = [(f[i, 0] - f[i, 2]).norm() / f[i, 2].norm() for i in (0, 1)]
    assert relative_errors(nn.Identity(), data) == pytest.approx(
        (float(sum(one)) / 4, float(sum(far)) / 2)
    )


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flows")
    runs = Runs(folder / "flow_emulators.json")
    runs.get("cost of a step", {}, lambda: cost_of_a_step(3))
    for kind in ("isotropic", "anisotropic"):
        runs.get(f"persistence, {kind}", {}, lambda k=kind: persistence(k))
    run = measured("anisotropic", "equivariant", 2, 0, 2, 2, folder)
    runs.put("anisotropic, equivariant, 2 trajectories, seed 0", {"settings": {}, **run})
    return runs, folder


def test_a_run_says_error_and_audit(quick):
    run = quick[0].found["anisotropic, equivariant, 2 trajectories, seed 0"]
    assert run["steps"] == 2
    assert 0.05 < run["error"] < 1
    assert run["posed_error"] == pytest.approx(run["error"], rel=1e-3)
    assert len(run["audit"]["elements"]) == len(SYMMETRY.group.elements()) - 1
    for e in run["audit"]["elements"].values():
        assert e["rho"][0] == pytest.approx(1, abs=1e-3)
        assert e["T"][0] == pytest.approx(0, abs=1e-4)


def test_a_finished_training_is_read_and_page_and_figure_are_made(quick, monkeypatch):
    runs, folder = quick
    again = measured("anisotropic", "equivariant", 2, 0, 2, 2, folder)
    assert again["error"] == runs.found["anisotropic, equivariant, 2 trajectories, seed 0"]["error"]
    assert "| 2 | equivariant | 10647 | 2 | 1 |" in page(runs)
    assert picture(runs).count("<svg") == 7
    monkeypatch.setattr("benchmarks.flow_emulators.measured", lambda *a: {"error": 1.0})
    study(runs, folder, sizes=(2,), seeds=1, steps=2)
    done = [name for name in runs.found if "seed 0" in name]
    assert len(done) == 8
    monkeypatch.setattr("benchmarks.flow_emulators.measured", lambda *a: pytest.fail("again"))
    study(Runs(runs.path), folder, sizes=(2,), seeds=1, steps=2)
