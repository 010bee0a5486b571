"""The quick form of mirror symmetries: it runs and resumes; what is exact is exact."""

import importlib

import pytest
import torch

from goldstone.core import MissingExtraError
from goldstone.reproductions import Reproduction, reproduce
from goldstone.reproductions.mirror_collapse import continual, rank
from goldstone.reproductions.mirror_collapse.sizes import Sizes


def test_quick_form(tmp_path):
    pytest.importorskip("sklearn")
    found = reproduce("mirror_collapse", tmp_path, quick=True)
    assert set(found.figures) == {"duplicates", "accuracy", "collapse", "rank"}
    duplicates = found.tables["duplicates"]
    for run in (*duplicates["plain"], *duplicates["decay"]):
        assert run["curve"][-1][1] < 1e-12
        assert run["distinct"] == 2
    for run in duplicates["syre"]:
        assert run["curve"][-1][1] > 1e-4
    assert found.claims[-1].outcome == "reproduced"  # the lasso
    for learner, runs in found.tables["continual"].items():
        assert all(len(run["accuracy"]) == 8 for run in runs), learner
    assert Reproduction.load(tmp_path / "mirror_collapse.json") == found
    again = reproduce("mirror_collapse", tmp_path, quick=True)
    assert again.tables == found.tables
    assert again.provenance.seconds == found.provenance.seconds


def test_noise_lowers_the_rank_and_the_control_is_the_same_problem_moved():
    sizes = Sizes(seeds=2, rank_steps=3000)
    calm = rank._run(False, 0.0, 1e-3, sizes)
    noisy = rank._run(False, 0.0, 0.08, sizes)
    moved = rank._run(True, 0.0, 0.08, sizes)
    assert max(noisy["ranks"]) < min(calm["ranks"])
    # The large singular values forget the start.
    torch.testing.assert_close(
        torch.tensor(noisy["singular_values"])[:, :2],
        torch.tensor(moved["singular_values"])[:, :2],
        rtol=0.05,
        atol=0,
    )


def test_rank_counts_relative_to_the_largest():
    assert rank._rank(torch.diag(torch.tensor([2.0] * 4 + [1e-2] * 3 + [1e-3] * 3))) == 7


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match="pip install scikit-learn"):
        continual.learn(continual.Learner("Adam", "plain"), 0, Sizes())


def test_learners_are_named_and_controlled():
    """Every syre has a weight decay of the same strength beside it."""
    found = continual.learners(Sizes())
    assert len({learner.name for learner in found}) == len(found)
    for learner in found:
        if learner.method == "syre":
            assert continual.Learner(learner.optimiser, "decay", learner.strength) in found
