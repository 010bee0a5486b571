"""The quick form of the asymmetric networks, and its parts against what is known."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from goldstone.core import InputError, MissingExtraError
from goldstone.reproductions import Reproduction, reproduce
from goldstone.reproductions.asymmetric_networks import barriers, bayesian, claims, data
from goldstone.reproductions.asymmetric_networks.found import Found
from goldstone.reproductions.asymmetric_networks.networks import network
from goldstone.reproductions.asymmetric_networks.sizes import ARMS, FULL, QUICK
from goldstone.weightspace import w_asymmetric


@pytest.fixture
def images():
    stream = torch.Generator().manual_seed(0)
    x = torch.randn(120, 16, generator=stream)
    return data.Images(x[:80], torch.arange(80) % 10, x[80:], torch.arange(40) % 10)


def test_quick_form(tmp_path, monkeypatch):
    pytest.importorskip("sklearn", reason="needs pip install scikit-learn")
    monkeypatch.delenv(data.VARIABLE, raising=False)
    found = reproduce("asymmetric_networks", tmp_path, quick=True)
    assert [c.outcome for c in found.claims if c.statement.startswith("MNIST")] == [
        "not tested"
    ] * 2
    standard, aligned, fixed = (row.measured.estimate for row in found.claims[0].comparisons)
    assert fixed < aligned < standard
    assert {"barriers", "from-start", "speed", "posterior"} >= set(found.drawings)
    assert Reproduction.load(tmp_path / "asymmetric_networks.json") == found
    # MNIST given later: only its part is done, and nothing finished is done twice.
    stream = np.random.default_rng(0)
    for split, count in (("train", QUICK.mnist_images), ("test", QUICK.mnist_test)):
        images = stream.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = np.arange(count) % 10
        np.savez(tmp_path / f"{split}.npz", x=images, y=labels)
    parts = {split: np.load(tmp_path / f"{split}.npz") for split in ("train", "test")}
    arrays = {f"{key}_{split}": parts[split][key] for split in parts for key in "xy"}
    np.savez(tmp_path / "mnist.npz", **arrays)
    monkeypatch.setenv(data.VARIABLE, str(tmp_path / "mnist.npz"))
    again = reproduce("asymmetric_networks", tmp_path, quick=True)
    assert again.provenance.seconds["digits"] == found.provenance.seconds["digits"]
    assert all(again.tables[name] == table for name, table in found.tables.items())
    assert [len(c.comparisons) for c in again.claims if c.statement.startswith("MNIST")] == [3, 3]


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="sklearn")

    monkeypatch.setattr(data.importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match="pip install scikit-learn"):
        data.digits()


def test_an_archive_that_is_not_mnist(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        data.mnist(tmp_path / "none.npz", 1, 1)
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    few = {"x_train": np.zeros((3, 4)), "y_train": np.zeros(3)}
    few |= {"x_test": np.zeros((3, 4)), "y_test": np.zeros(3)}
    np.savez(tmp_path / "few.npz", **few)
    for name in ("text", "other"):
        with pytest.raises(InputError, match=r"expected a NumPy archive of x_train"):
            data.mnist(tmp_path / f"{name}.npz", 1, 1)
    with pytest.raises(InputError, match="expected at least 5 images"):
        data.mnist(tmp_path / "few.npz", 5, 1)


@pytest.mark.parametrize("arm", ARMS)
def test_networks_of_a_pair_share_what_is_fixed_and_nothing_else(arm):
    a, b = (network(arm, 64, 32, seed) for seed in (0, 1))
    for name, buffer in a.named_buffers():
        assert torch.equal(buffer, dict(b.named_buffers())[name])
    assert bool(list(a.buffers())) == (arm != "standard")
    assert not torch.equal(a[0].weight, b[0].weight)
    assert torch.equal(network(arm, 64, 32, 0)[0].weight, a[0].weight)


def test_measures_of_a_path():
    falling, bump = [4.0, 1.0, 0.5, 0.25], [1.0, 2.0, 0.5, 0.0]
    assert barriers.rise(falling) == -0.25
    assert barriers.rise(bump) == 1.0
    assert barriers.local_convexity(falling) == 1.0
    assert barriers.local_convexity(bump) == 0.5
    assert barriers.global_convexity(falling) == 1.0
    assert barriers.global_convexity(bump) == 0.5  # both points inside lie above


def test_the_divergence_is_that_of_torch_over_what_is_trained():
    linear = nn.Linear(6, 3)
    random = torch.Generator().manual_seed(0)
    holder = w_asymmetric(nn.Sequential(linear), 2, seed=0, scale=0.5)
    layer = bayesian.MeanFieldLinear(holder[0], random)
    with torch.no_grad():
        layer.log_variance.uniform_(-3, 0)
    posterior = torch.distributions.Normal(linear.weight, (0.5 * layer.log_variance).exp())
    prior = torch.distributions.Normal(0.0, (1 / (0.01 * 3)) ** 0.5)
    each = torch.distributions.kl_divergence(posterior, prior)
    assert layer.free.sum() == 3 * (6 - 2)
    torch.testing.assert_close(layer.divergence(), each[layer.free].sum())


def test_outputs_have_the_moments_of_random_weights():
    linear = nn.Linear(4, 2)
    layer = bayesian.MeanFieldLinear(linear, torch.Generator().manual_seed(0))
    with torch.no_grad():
        layer.log_variance.uniform_(-2, 0)
        x = torch.tensor([1.0, -2.0, 0.5, 0.0])
        draws = layer(x.expand(40_000, 4))
    torch.testing.assert_close(draws.mean(0), linear(x).detach(), atol=0.03, rtol=0)
    expected = (layer.log_variance.exp() @ x.square()).detach()
    torch.testing.assert_close(draws.var(0), expected, atol=0, rtol=0.05)


def test_calibration_error_of_known_cases():
    sure = torch.tensor([[0.99, 0.01]] * 4)
    assert bayesian.calibration_error(sure, torch.zeros(4, dtype=torch.long)) == pytest.approx(0.01)
    half = torch.tensor([0, 0, 1, 1])
    assert bayesian.calibration_error(sure, half) == pytest.approx(0.49)


def test_lower_by_welch():
    assert claims.lower([1.0], [2.0])
    assert not claims.lower([2.0], [1.0])
    a, b = [0.0, 1.0, 2.0], [2.0, 3.0, 4.5]
    interval = stats.ttest_ind(b, a, equal_var=False).confidence_interval()
    assert interval.low < 0.1
    assert claims.lower(a, b) == (interval.low > 0)
    assert claims.lower(a, [x + 1 for x in b])


def test_claims_follow_the_numbers(images):
    """Barriers put in by hand: what is claimed of them."""
    values = {}
    for k, noise in enumerate((0.0, 0.01, 0.02)):
        for arm, height in zip(ARMS, (1.0, 0.0, 0.95, 0.6, 1.5), strict=True):
            line = {"barrier": height + noise, "midpoint": height, "distance": 1.4}
            values[f"digits-{arm}-{k}"] = {"direct": line}
        values[f"digits-standard-{k}"]["aligned"] = {
            "barrier": 0.1, "midpoint": 0.1, "distance": 1.2
        }  # fmt: skip
    found = Found(FULL, values)
    assert claims._fixed_weights(found, "digits").outcome == "reproduced"
    assert claims._fixed_weights(found, "MNIST").outcome == "not tested"
    # Lower with one choice of F, higher with the other.
    assert claims._gates(found, "digits").outcome == "partly"
    assert claims._symmetry_alone(found).outcome == "not reproduced"
    assert claims._distance(found).outcome == "reproduced"
    for k in range(3):
        values[f"digits-W-asymmetric-{k}"] = {"direct": {"barrier": 1.2, "midpoint": 1.2}}
    assert claims._fixed_weights(found, "digits").outcome == "not reproduced"
