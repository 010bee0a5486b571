"""The quick form of implicit bias: it runs and resumes; what is exact or predicted is right."""

import math

import pytest
import torch

from goldstone.reproductions import Reproduction, reproduce
from goldstone.reproductions.implicit_bias.balance import ReluCase, relu_ratios
from goldstone.reproductions.implicit_bias.measures import predicted_means
from goldstone.reproductions.implicit_bias.sizes import Sizes
from goldstone.reproductions.implicit_bias.spectral import lasso_errors, spectral_errors


def test_quick_form(tmp_path):
    found = reproduce("implicit_bias", tmp_path, quick=True)
    assert len(found.claims) == 7
    assert set(found.figures) == {"ratios", "spectral", "langevin"} == set(found.drawings)
    relu = found.tables["relu_ratios"]
    # At the published learning rate little moves in so few steps.
    slow = relu["8 outputs, published learning rate"]
    start, end = (torch.tensor(slow[when]).log().abs().mean() for when in ("start", "end"))
    assert end > 0.8 * start
    for run in found.tables["langevin"]:
        assert run["distance"]["corrected"] < 0.5 * run["distance"]["uncorrected"]
    assert Reproduction.load(tmp_path / "implicit_bias.json") == found
    again = reproduce("implicit_bias", tmp_path, quick=True)
    assert again.tables == found.tables
    assert again.provenance.seconds == found.provenance.seconds


def test_equal_noise_is_at_the_root_of_outputs_over_inputs():
    """Noise without direction: ‖v‖²/‖w‖² = outputs·E cos², about outputs over inputs."""
    for outputs in (1, 8):
        sizes = Sizes(seeds=3, norm_steps=200, points=2)
        found = relu_ratios(ReluCase(outputs, 1e-3), sizes)
        middle = torch.tensor(found["equilibrium"]).log().mean().exp()
        assert float(middle) == pytest.approx(math.sqrt(outputs / 8), rel=0.15)


def test_decay_balances_norms():
    """e^{−2·lr·λ·steps} of the difference of squares is left, if units open at all."""
    found = relu_ratios(ReluCase(8, 2e-3, 0.5), Sizes(seeds=2, norm_steps=2000, points=2))
    assert torch.tensor(found["end"]).log().abs().median() < 0.3
    assert torch.tensor(found["start"]).log().abs().median() > 1


def test_factors_with_decay_are_the_lasso():
    sizes = Sizes(seeds=2, spectral_steps=6000)
    errors = {arm: spectral_errors(arm, 0.1, sizes)["errors"] for arm in ("plain", "Hadamard")}
    found = {arm: torch.tensor(values) for arm, values in errors.items()}
    lasso = torch.tensor(lasso_errors(0.1, sizes)["errors"])
    torch.testing.assert_close(found["Hadamard"], lasso, rtol=0.2, atol=0)
    assert (found["plain"] > 5 * lasso).all()


def test_predicted_means_are_the_golden_ones():
    found = predicted_means()
    assert found["with"] == pytest.approx(0.567, abs=2e-3)
    assert found["without"] == pytest.approx(0.741, abs=2e-3)
