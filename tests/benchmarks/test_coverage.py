"""The synthetic populations have the truth they claim; the tally counts."""

from dataclasses import replace

import pytest
import torch

from benchmarks.validity import populations
from benchmarks.validity.coverage import Tally, of_coherences, of_log_ratios, plan
from benchmarks.validity.coverage_tables import tables
from benchmarks.validity.populations import Gradients, log_ratios
from goldstone.core import Statistic, generator


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(populations, "POPULATION", 200_000)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_of_gaussian_gradients_the_truth_is_known_in_closed_form(correlation):
    # The mean marks this population off from those of other tests: truths are kept.
    truth = Gradients("closed form", correlation, mean=0.71).truth()
    assert truth["ρ, raw"] == pytest.approx(correlation, abs=0.01)
    assert truth["μ, raw"] == pytest.approx(1.0 if correlation == 1 else 0.8, abs=0.01)


def test_norms_that_differ_do_not_change_unit_gradients():
    plain = Gradients("norms", 0.5, mean=0.72)
    scaled = replace(plain, norms=10.0)
    for name, value in plain.truth().items():
        if name.endswith("unit"):
            assert scaled.truth()[name] == pytest.approx(value, abs=0.01)
    assert scaled.truth()["ρ, raw"] < plain.truth()["ρ, raw"]


@pytest.mark.parametrize("law", populations.LAWS)
def test_log_ratios_have_mean_zero(law):
    values = log_ratios(law, 40_000, 4, generator(0, law))
    assert abs(float(values.mean())) < 6 * float(values.std()) / 200


def test_a_tally_counts_misses_on_either_side():
    tally = Tally()
    for low, high in ((0.0, 1.0), (0.6, 1.0), (0.0, 0.4), (0.0, 0.4)):
        tally.add(Statistic(0.5, low, high), 0.5)
    tally.add(Statistic(None, None, None), 0.5)
    cell = tally.cell(statistic="T")
    assert cell["replicates"] == 5
    assert (cell["interval below"], cell["interval above"]) == (0.4, 0.2)
    assert cell["covered"] == pytest.approx(0.2)


def test_identical_gradients_are_always_covered():
    cells = of_coherences("Gaussian", 1.0, 8, 5)
    assert {c["statistic"] for c in cells} == {"K, unit", "ρ, unit", "ρ, raw", "μ, unit", "μ, raw"}
    assert all(c["covered"] == 1 for c in cells)
    assert max(c["width"] for c in cells) < 1e-6


def test_every_cell_of_the_plan_has_its_place_in_the_tables():
    keys = [key for key, _ in plan(10)]
    assert len(set(keys)) == len(keys)
    torch.manual_seed(0)
    (key,) = (k for k in keys if k == "T, Gaussian, 8")
    cells = {key: of_log_ratios("Gaussian", 8, 10)}
    assert "| T | Gaussian | 8, 16, 32, 64 | " in tables(cells)
