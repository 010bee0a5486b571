"""The cost of a constraint: closed forms against slow, obvious sums and least squares."""

import json
import math

import numpy as np
import pytest
import torch

from benchmarks.cost_of_constraint import (
    GROUPS,
    NOISE,
    angles_under,
    broken_target,
    convolution_dimensions,
    copies,
    dimensions,
    drawn,
    expected_share,
    functions,
    matrices,
    network,
    on_functions,
    orthonormal_basis,
    page,
    picture,
    points,
    random_maps,
    regression,
    reynolds,
    share_lost,
    study,
    weighted_floor,
)
from benchmarks.study import Runs, interval, shown
from goldstone.representations import StandardRepresentation


def grid(n=32):
    angle = torch.arange(n, dtype=torch.float64) * (2 * math.pi / n)
    return torch.stack(torch.meshgrid(angle, angle, indexing="ij"), -1).reshape(-1, 2)


def test_functions_are_orthonormal_and_move_by_their_representation():
    values = functions(grid())
    gram = values.mT @ values / len(values)
    torch.testing.assert_close(gram, torch.eye(81, dtype=torch.float64))
    angles = torch.rand(7, 2, dtype=torch.float64)
    for on_f, on_v in zip(*matrices("D8"), strict=True):
        moved = functions(angles_under(on_v, angles))
        torch.testing.assert_close(moved, functions(angles) @ on_f.mT)


@pytest.mark.parametrize("name", ["C1", "C2", "C4", "D4", "C8", "D16"])
def test_four_ways_to_the_dimension_agree_and_follow_the_count_of_frequencies(name):
    found = dimensions(name)
    assert len(set(found.values())) == 1
    # Complex coefficients at total frequency k with k ≡ 1 mod n; reflections halve their number.
    n, order = GROUPS[name].n, GROUPS[name].order
    pairs = [(a, b) for a in range(-4, 5) for b in range(-4, 5)]
    free = 2 * sum((a + b - 1) % n == 0 for a, b in pairs)
    assert found["layer"] == free // (order // n)


@pytest.mark.parametrize("name", ["C1", "C2", "C4", "D4"])
def test_free_pixels_of_a_convolution_are_shared_by_the_order(name):
    found = convolution_dimensions(name, channels=8, taps=3)
    assert found["theory"] == found["layer"] == 8 * 8 * 9 // GROUPS[name].order


@pytest.mark.parametrize(("data", "imposed"), [("C1", "C4"), ("C2", "D4"), ("C2", "C16")])
def test_reynolds_is_the_least_squares_projection(data, imposed):
    maps = reynolds(data, random_maps(0))[0]
    basis, values = orthonormal_basis(imposed), functions(grid())
    design = torch.einsum("bij,pj->pib", basis, values).flatten(0, 1)
    target = (values @ maps.mT).flatten()
    found = torch.linalg.lstsq(design, target[:, None]).solution[:, 0]
    torch.testing.assert_close(torch.einsum("b,bij->ij", found, basis), reynolds(imposed, maps))
    lost = (design @ found - target).square().sum() / target.square().sum()
    assert float(lost) == pytest.approx(float(share_lost(imposed, maps)), abs=1e-12)
    assert 0.05 < float(lost) < 0.99


def test_the_floor_is_zero_for_groups_the_data_have_and_grows_along_a_chain():
    maps = reynolds("C2", random_maps(3))
    shares = [float(share_lost(name, maps)) for name in ("C1", "C2", "C4", "C8", "C16", "D16")]
    assert shares[0] == pytest.approx(0, abs=1e-12)
    assert shares[1] == pytest.approx(0, abs=1e-12)
    assert all(np.diff(shares[1:]) > 0)


def test_the_expected_floor_is_that_of_many_random_maps():
    maps = torch.cat([reynolds("C2", random_maps(s)) for s in range(300)])
    kept, whole = (m.square().sum((1, 2)) for m in (reynolds("C8", maps), maps))
    assert 1 - float(kept.mean() / whole.mean()) == pytest.approx(
        expected_share("C2", "C8"), abs=0.03
    )


def test_equal_poses_give_the_closed_form_and_one_pose_alone_costs_nothing():
    maps = broken_target(0)[None]
    closed = float(share_lost("C4", maps[0]))
    # The weights of equal poses are all the same, and the sum over the grid is exact.
    assert float(weighted_floor("C4", maps, 0.0, 32)) == pytest.approx(closed, rel=1e-9)
    assert float(weighted_floor("C4", maps, 40.0, 32)) < 1e-6
    assert float(weighted_floor("C2", maps, 3.0, 32)) < 1e-20


def test_the_weighted_floor_is_that_of_the_best_value_on_every_orbit():
    """Slow: for each orbit, the weighted mean of the targets brought to one pose."""
    maps, kappa = broken_target(1), 1.5
    on_v = matrices("D4")[1]
    lost = total = 0.0
    for x in grid(16):
        poses = [angles_under(m, x) for m in on_v]
        p = [math.exp(kappa * math.cos(2 * (float(a[0]) - math.pi / 6))) for a in poses]
        told = [m.T @ (maps @ functions(a)) for m, a in zip(on_v, poses, strict=True)]
        best = sum(w * t for w, t in zip(p, told, strict=True)) / sum(p)
        lost += sum(w * float((t - best).square().sum()) for w, t in zip(p, told, strict=True))
        total += sum(w * float(t.square().sum()) for w, t in zip(p, told, strict=True))
    found = float(weighted_floor("D4", maps[None], kappa, 16))
    assert found == pytest.approx(lost / total, rel=1e-9)


def test_regression_comes_down_to_the_floor_and_varies_with_the_dimension():
    found = regression("D4", 0, (64, 20_000))
    assert found["floor"] > 0.02
    assert found["errors"][1] == pytest.approx(found["floor"], rel=0.01)
    right = regression("C2", 0, (20_000,))
    # σ² · dimension / samples, of two noisy components a sample.
    assert right["errors"][0] == pytest.approx(NOISE**2 * 80 / 20_000, rel=0.5)


def test_samples_have_variance_one_and_networks_the_symmetry():
    angles, y = drawn(broken_target(0), 20_000, 0, "test")
    assert float(y.square().sum(1).mean()) == pytest.approx(1 + 2 * NOISE**2, rel=0.05)
    for name in ("C4", "D4"):
        model = network(name, 0)
        vector = matrices(name)[1].float()
        x = points(angles[:5].float())
        for turn in vector:
            moved = points(angles_under(turn, angles[:5].float()))
            torch.testing.assert_close(model(moved), model(x) @ turn.T, atol=1e-5, rtol=1e-4)
    counts = [sum(p.numel() for p in network(n, 0).parameters()) for n in ("C1", "C2", "D4", "C16")]
    assert max(counts) < 1.15 * min(counts)
    assert copies("C1") == 48


def test_kept_runs_are_not_run_again_unless_their_settings_differ(tmp_path):
    def work():
        calls.append(1)
        return {"value": len(calls)}

    calls: list[int] = []
    path = tmp_path / "some" / "runs.json"
    Runs(path).get("a", {"steps": (1, 2)}, work)
    assert Runs(path).get("a", {"steps": (1, 2)}, work)["value"] == 1
    assert Runs(path).get("a", {"steps": (1, 3)}, work)["value"] == 2
    assert json.loads(path.read_text())["a"]["value"] == 2


def test_intervals_are_student_s():
    mean, half = interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert half == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert shown([1.0, 2.0, 3.0]) == "2.00 ± 2.48"
    assert shown([0.0, 0.0]) == "0"
    assert math.isnan(interval([1.0])[1])


def test_restrictions_agree_with_the_group():
    """The representation of C4 is that of D4 at its rotations."""
    whole, part = on_functions(GROUPS["D4"]), on_functions(GROUPS["C4"])
    turn = StandardRepresentation(GROUPS["C4"]).matrix(GROUPS["C4"].tensor([1]))[0]
    (same,) = (
        g
        for g in GROUPS["D4"].elements()
        if torch.allclose(torch.tensor(GROUPS["D4"].matrix(g)).to(turn), turn)
    )
    matrix = whole.matrix(GROUPS["D4"].tensor([same]))[0]
    torch.testing.assert_close(matrix, part.matrix(GROUPS["C4"].tensor([1]))[0])


def test_page_and_figure_are_made_of_a_quick_study(tmp_path):
    runs = Runs(tmp_path / "cost_of_constraint.json")
    study(runs, quick=True)
    text = page(runs)
    assert "| C16 | 16 | 16 | 16 | 16 | 16 | 10.1 | – | 832 |" in text
    assert len([line for line in text.splitlines() if line.startswith("| least |")]) == 2
    assert picture(runs).count("<svg") == 5
