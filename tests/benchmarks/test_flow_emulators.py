"""Flow emulators: moved data obey the law, sizes agree, and an interrupted study goes on."""

import math
from dataclasses import asdict, replace

import pytest
import torch
from torch import nn

from benchmarks.flow_emulators import study
from benchmarks.flow_emulators_flows import (
    KINDS,
    LAW,
    SYMMETRY,
    Law,
    first_states,
    flows,
    held_out,
    in_all_poses,
    references,
    relative_errors,
)
from benchmarks.flow_emulators_page import page
from benchmarks.flow_emulators_picture import picture
from benchmarks.flow_emulators_results import (
    always_broken,
    audits,
    cells,
    errors,
    geometric,
    paired,
    times_fewer,
    trajectories_needed,
    usual_residual,
)
from benchmarks.flow_emulators_runs import ARMS, cost_of_a_step, measured
from benchmarks.study import Runs
from goldstone.nn import OrbitAugmentation
from goldstone.systems.emulators import build_emulator, count_parameters


def some_flows(kind, number, steps, seed):
    return flows(kind, first_states(kind, number, seed), steps)


@pytest.mark.parametrize("kind", KINDS)
def test_the_law_is_without_error_and_poses_keep_it_where_it_commutes(kind):
    data = some_flows(kind, 2, 3, 0)
    posed = in_all_poses(data)
    assert len(posed) == 16
    torch.testing.assert_close(posed.fields[:2], data.fields)
    for some in (data, held_out(kind), held_out(kind, posed=True)):
        assert max(relative_errors(Law(kind), some)) < 1e-4
    error = relative_errors(Law(kind), posed)[0]
    assert error > 0.05 if kind == "anisotropic law" else error < 1e-4
    # The poses differ, and a quarter turn takes the flow along the other axis.
    turned = posed.fields[2:4]
    assert float((turned - data.fields).norm() / data.fields.norm()) > 0.5
    speeds = data.fields.square().mean((0, 1, 3, 4))
    torch.testing.assert_close(turned.square().mean((0, 1, 3, 4)), speeds.flip(0))


def test_which_flows_prefer_an_axis_at_the_start_and_later():
    def ratio(kind, time):
        u, v = some_flows(kind, 200, 3, 1).fields[:, time].square().mean((0, 2, 3))
        return float(u / v)

    assert ratio("isotropic", 0) == pytest.approx(1, abs=0.15)
    assert ratio("isotropic", 3) == pytest.approx(1, abs=0.15)
    assert ratio("anisotropic states", 0) < 0.6
    assert ratio("anisotropic law", 0) == pytest.approx(1, abs=0.15)
    # What varies along the first axis is damped, and leaves flow along it.
    assert ratio("anisotropic law", 3) > 1.4


def test_training_and_test_flows_are_different_and_first_ones_do_not_depend_on_their_number():
    torch.testing.assert_close(
        first_states("isotropic", 5, 0)[:2], first_states("isotropic", 2, 0), rtol=0, atol=0
    )
    tested = held_out("isotropic").fields[:, 0].flatten(1)
    for seed in range(3):
        learned = first_states("isotropic", 128, seed).flatten(1)
        assert float(torch.cdist(learned, tested).min()) > 5


def test_the_averaged_law_is_the_mean_of_the_law_and_that_of_swapped_axes():
    law, data = LAW["anisotropic law"], held_out("anisotropic law")
    swapped = replace(
        law,
        viscosity=law.viscosity * law.viscosity_ratio,
        viscosity_ratio=1 / law.viscosity_ratio,
    )
    x, y, _ = data.transitions()
    blind = (law.advance(x, 0.1) + swapped.advance(x, 0.1)) / 2
    wrong = (blind - y).flatten(1).norm(dim=1) / y.flatten(1).norm(dim=1)
    found = references("anisotropic law")
    assert found["averaged law"]["error"] == pytest.approx(float(wrong.mean()), rel=1e-3)
    assert references("isotropic")["averaged law"]["error"] < 1e-5


def test_networks_are_of_equal_size_and_one_is_equivariant():
    counts = {arm.full_name: count_parameters(build_emulator(arm.network)) for arm in ARMS}
    assert max(counts.values()) < 1.1 * min(counts.values())
    x = first_states("isotropic", 3, 2)
    augmentation = OrbitAugmentation(SYMMETRY)
    elements = augmentation.draw(3, torch.Generator().manual_seed(1))
    for arm in ARMS:
        model = build_emulator(arm.network, 1)
        with torch.no_grad():
            moved = model(augmentation.move(elements, x))
            found = float((moved - augmentation.move(elements, model(x))).norm())
        assert (found < 1e-4) == (arm.name == "equivariant")


def test_the_relative_error_is_that_of_a_slow_sum():
    data = some_flows("isotropic", 2, 2, 3)
    f = data.fields
    one = [(f[i, t] - f[i, t + 1]).norm() / f[i, t + 1].norm() for i in (0, 1) for t in (0, 1)]
    far = [(f[i, 0] - f[i, 2]).norm() / f[i, 2].norm() for i in (0, 1)]
    assert relative_errors(nn.Identity(), data) == pytest.approx(
        (float(sum(one)) / 4, float(sum(far)) / 2)
    )


def test_trajectories_needed_follow_a_power_law():
    curve = {n: 0.8 * n**-0.5 for n in (2, 8, 32, 128)}
    for needed in (2.5, 8, 20, 128):
        found, sign = trajectories_needed(curve, 0.8 * needed**-0.5)
        assert found == pytest.approx(needed)
        assert sign == ""
    assert trajectories_needed(curve, 0.7) == (2.0, "≤")
    assert trajectories_needed(curve, 0.01) == (128.0, ">")


def made_up(curves):
    """Runs by arm, size and seed with errors of these curves, which vary a little by seed."""
    return {
        ("isotropic", arm, n): {s: {"error": c * (1 + 0.1 * s) * n**-0.5} for s in range(3)}
        for arm, c in curves.items()
        for n in (2, 8, 32, 128)
    }


def test_ratios_are_paired_by_seed_and_a_factor_in_error_is_its_square_in_data():
    found = made_up({"plain": 2.0, "plain 3×": 1.8, "equivariant": 1.0})
    b = errors(found, "isotropic", ("equivariant",), 8)
    assert paired(errors(found, "isotropic", ("plain",), 8), b) == pytest.approx([2.0] * 3)
    better = errors(found, "isotropic", ("plain", "plain 3×"), 8)
    assert paired(better, b) == pytest.approx([1.8] * 3)
    del found["isotropic", "plain 3×", 8][1]
    assert list(errors(found, "isotropic", ("plain", "plain 3×"), 8)) == [0, 2]
    assert paired({2: 4.0}, {0: 1.0, 2: 2.0}) == [2.0]
    assert geometric([2.0] * 3) == "2 (2 to 2)"
    assert geometric([1.0, 4.0]).startswith("2 (")
    assert geometric([3.0]) == "3 (– to –)"
    arms, back = (("plain",), "equivariant"), (("equivariant",), "plain")
    assert times_fewer(found, "isotropic", arms, 128) == "4 (4 to 4)"
    assert times_fewer(found, "isotropic", arms, 2) == "≥ 1"
    assert times_fewer(found, "isotropic", back, 8) == "0.25 (0.25 to 0.25)"
    assert times_fewer(found, "isotropic", back, 128) == "≤ 1"
    assert times_fewer(found, "anisotropic law", arms, 8) == "–"


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flows")
    runs = Runs(folder / "flow_emulators.json")
    runs.get("cost of a step", {}, lambda: cost_of_a_step(3))
    for kind in KINDS:
        runs.get(f"references, {kind}", asdict(LAW[kind]), lambda k=kind: references(k))
    kind, arm = "anisotropic law", ARMS[2]
    run = measured(kind, arm, 2, 0, folder, 1)
    runs.put(f"{kind}, equivariant, 2 trajectories, seed 0", {"settings": {}, **run})
    return runs, folder


def test_a_run_says_error_and_audit_and_that_the_law_has_not_the_group(quick):
    run = quick[0].found["anisotropic law, equivariant, 2 trajectories, seed 0"]
    assert 0.05 < run["error"] < 1.5
    assert run["posed_error"] != run["error"]
    assert len(run["audit"]["elements"]) == len(SYMMETRY.group.elements()) - 1
    for e in run["audit"]["elements"].values():
        assert e["rho"][0] == pytest.approx(1, abs=1e-3)
        assert e["T"][0] == pytest.approx(0, abs=1e-4)
    assert run["audit"]["precheck"] == "refused"
    assert set(run["audit"]["refused"]) == {"r", "r³", "sr", "sr³"}


def test_page_and_figure_say_what_was_found(quick):
    runs = quick[0]
    found = cells(runs)
    assert list(found) == [("anisotropic law", "equivariant", 2)]
    some = audits(found, "anisotropic law", "equivariant")
    assert len(some) == 1
    assert not audits(found, "isotropic", "equivariant")
    assert usual_residual(some, "holds").endswith("(1)")
    made = [{"elements": {"r": {"holds": a}, "s": {"holds": "no"}}} for a in ("no", "yes")]
    assert always_broken(made) == ["s"]
    assert always_broken(made[:1]) == ["r", "s"]
    text = page(runs)
    assert "| 2 | equivariant |" in text
    assert "The audit refuses D4, since the law does not commute with r, r³, sr, sr³" in text
    assert "equivariant 10647 parameters" in text
    assert not math.isnan(runs.found["references, isotropic"]["persistence"]["error"])
    assert "nan" not in text
    assert picture(runs).count("<svg") == 7


def test_a_finished_training_is_read_and_an_interrupted_study_goes_on(quick, monkeypatch):
    runs, folder = quick
    again = measured("anisotropic law", ARMS[2], 2, 0, folder, 1)
    known = runs.found["anisotropic law, equivariant, 2 trajectories, seed 0"]
    assert again["error"] == known["error"]
    monkeypatch.setattr("benchmarks.flow_emulators.measured", lambda *a: {"error": 1.0})
    plan = {kind: {2: ARMS} for kind in KINDS}
    study(runs, folder, seeds=2, steps=1, plan=plan)
    assert sum("seed" in name for name in runs.found) == 2 * len(KINDS) * len(ARMS)
    monkeypatch.setattr("benchmarks.flow_emulators.measured", lambda *a: pytest.fail("again"))
    study(Runs(runs.path), folder, seeds=2, steps=1, plan=plan)
