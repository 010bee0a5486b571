"""Is the data symmetric? Size and power of the tests, and what they look at."""

import json
from typing import Any

import pytest
import torch
from torch import Tensor

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    LinearAction,
    Symmetry,
    TreeAction,
    TrivialAction,
    flow_symmetry,
)
from goldstone.auditing import DataSymmetry, data_symmetry
from goldstone.auditing.data_features import default_features, standardised
from goldstone.auditing.two_sample import classifier_test, gaussian_kernel, mmd_test
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import CyclicGroup
from goldstone.representations import StandardRepresentation
from goldstone.systems.flows import anisotropic_turbulence, isotropic_turbulence

C4 = CyclicGroup(4)
PLANE = LinearAction(StandardRepresentation(C4))
TURNS = Symmetry("c4", C4, PLANE, PLANE)


def gaussian(n: int, ratio: float = 1.0, seed: int = 0) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 2, generator=source, dtype=torch.float64)
    return x * torch.tensor([ratio, 1.0], dtype=torch.float64)


def broken(found: DataSymmetry) -> set[str]:
    return {e.name for e in found.elements if e.answer == "broken"}


def two_samples(n: int, ratio: float, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Kernel, labels and clusters of an isotropic and another Gaussian, n rows in all."""
    label = torch.where(torch.arange(n) < n // 2, 1.0, -1.0)
    stretch = torch.where(label > 0, ratio, 1.0).double()
    x = gaussian(n, 1.0, seed)
    x[:, 0] *= stretch
    return gaussian_kernel(standardised(x)), label, torch.arange(n)


def test_mmd_is_that_of_its_definition() -> None:
    x = gaussian(12)
    label = torch.where(torch.arange(12) < 6, 1.0, -1.0)
    squares = (x[:, None] - x[None]).square().sum(2)
    median = squares[~torch.eye(12, dtype=torch.bool)].median()
    kernel = gaussian_kernel(x)
    assert torch.allclose(kernel, torch.exp(-squares / median))
    found = mmd_test(kernel, label, torch.arange(12), seed=0, permutations=9)
    k = [[float(kernel[i, j]) for j in range(12)] for i in range(12)]
    aa = sum(k[i][j] for i in range(6) for j in range(6) if i != j) / 30
    bb = sum(k[i][j] for i in range(6, 12) for j in range(6, 12) if i != j) / 30
    ab = sum(k[i][j] for i in range(6) for j in range(6, 12)) / 36
    assert found.statistic == pytest.approx(aa + bb - 2 * ab)


@pytest.mark.parametrize("test", [mmd_test, classifier_test])
def test_size_and_power(test: Any) -> None:
    p = {
        ratio: torch.tensor(
            [test(*two_samples(60, ratio, seed), seed, 99).p for seed in range(100)]
        )
        for ratio in (1.0, 3.0)
    }
    # Size 0.05: of 100 tests 12 or more have probability 0.4 %.
    assert int((p[1.0] <= 0.05).sum()) < 12
    assert int((p[3.0] <= 0.05).sum()) > 70
    # And uniform: the mean of 100 p-values is within 0.5 ± 0.1.
    assert float(p[1.0].mean()) == pytest.approx(0.5, abs=0.1)


def test_dependent_snapshots_do_not_fool_it() -> None:
    # Ten snapshots to a trajectory, all but alike: taken for independent they look broken.
    rejected = {True: 0, False: 0}
    for seed in range(20):
        starts = gaussian(12, 1.0, seed).repeat_interleave(10, 0)
        x = starts + 0.01 * gaussian(120, 1.0, 1000 + seed)
        cluster = torch.arange(12).repeat_interleave(10)
        label = torch.where(cluster < 6, 1.0, -1.0)
        kernel = gaussian_kernel(standardised(x))
        rejected[True] += mmd_test(kernel, label, cluster, seed, 99).p <= 0.05
        rejected[False] += mmd_test(kernel, label, torch.arange(120), seed, 99).p <= 0.05
    assert rejected[True] <= 4
    assert rejected[False] >= 15


@pytest.mark.parametrize("test", ["mmd", "classifier"])
def test_anisotropic_data_is_told_from_isotropic(test: Any) -> None:
    assert broken(data_symmetry(gaussian(200), TURNS, test=test)) == set()
    found = data_symmetry(gaussian(200, 2.5), TURNS, test=test)
    # A half turn is a symmetry of both.
    assert broken(found) == {"r", "r³"}
    assert found.trajectories == 200
    assert "not symmetric under r, r³" in found.statement
    assert "the other element" in found.statement
    assert found.elements[0].adjusted_p >= found.elements[0].test.p


def test_the_caveat_on_power() -> None:
    many = data_symmetry(gaussian(200), TURNS)
    few = data_symmetry(gaussian(10), TURNS)
    assert many.detectable_shift is not None
    assert many.detectable_shift <= 1.0
    assert few.detectable_shift is None or few.detectable_shift > many.detectable_shift
    assert "escape" in many.statement


def test_power_is_stated_where_every_element_is_broken_too() -> None:
    found = data_symmetry(gaussian(200, 2.5), TURNS, [1, 3])
    assert broken(found) == {"r", "r³"}
    assert "It would find a shift" in found.statement


def test_one_unlucky_deal_misleads_one_element_alone() -> None:
    # Three elements that all act trivially: with one deal for all, their p-values would be equal.
    still = Symmetry("nothing", C4, TrivialAction(), TrivialAction())
    p = torch.tensor(
        [
            [
                e.test.p
                for e in data_symmetry(
                    gaussian(24, 1.0, k), still, permutations=60, seed=k
                ).elements
            ]
            for k in range(40)
        ]
    )
    together = torch.corrcoef(p.T)[torch.triu(torch.ones(3, 3), 1) > 0]
    # Of 40 independent pairs the correlation has standard error 0.16.
    assert float(together.abs().max()) < 0.5
    # And each is exact: 120 p-values are uniform, their mean 0.5 ± 0.026.
    assert float(p.mean()) == pytest.approx(0.5, abs=0.1)
    assert int((p <= 0.05).sum()) < 15


def test_turbulence() -> None:
    d4 = flow_symmetry("d4", NAVIER_STOKES_FIELDS, (16, 16))
    same = isotropic_turbulence(80, (16, 16), 1, peak=2.0, lengths=(1.0, 1.0))
    assert broken(data_symmetry(same, d4)) == set()
    other = anisotropic_turbulence(80, (16, 16), 1, peak=2.0, lengths=(1.0, 1.0))
    assert broken(data_symmetry(other, d4)) == {"r", "r³", "sr", "sr³"}


def test_places_are_seen() -> None:
    # A bump in one corner breaks shifts, which power spectra cannot see.
    shifts = flow_symmetry("shifts", NAVIER_STOKES_FIELDS, (16, 16))
    x = torch.randn(60, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    shape = torch.zeros(16, 16)
    shape[:6, :6] = 1.0
    assert broken(data_symmetry(x, shifts, [(8, 0)])) == set()
    assert len(broken(data_symmetry(x + shape, shifts, [(8, 0)]))) == 1


def test_tasks() -> None:
    # States are isotropic; the answer is one coordinate, which turns do not keep.
    x = gaussian(200)
    symmetry = Symmetry("c4", C4, PLANE, TrivialAction())
    assert broken(data_symmetry(x, symmetry)) == set()
    assert broken(data_symmetry(x, symmetry, targets=x.square().sum(1, keepdim=True))) == set()
    assert broken(data_symmetry(x, symmetry, targets=x[:, :1])) == {"r", "r²", "r³"}
    # Its square keeps half turns; the classifier is the sharper test of a relation.
    found = data_symmetry(x, symmetry, targets=x[:, :1].square(), test="classifier")
    assert broken(found) == {"r", "r³"}


def test_trees_features_and_trajectories() -> None:
    symmetry = Symmetry("c4", C4, TreeAction((PLANE, TrivialAction())), PLANE)
    data = (gaussian(120, 3.0), gaussian(120, seed=1)[:, :1])
    assert broken(data_symmetry(data, symmetry)) == {"r", "r³"}
    # Features that turns do not change see nothing.
    blind = data_symmetry(gaussian(120, 3.0), TURNS, features=lambda x: x.norm(dim=1)[:, None])
    assert broken(blind) == set()
    grouped = data_symmetry(gaussian(60), TURNS, trajectory=torch.arange(60) // 5)
    assert grouped.trajectories == 12


def test_default_features() -> None:
    x = torch.randn(3, 2, 16, 12, generator=torch.Generator().manual_seed(0))
    features = default_features(x)
    assert features.shape == (3, 2 * 16 + 3 + 2 * 9 * 5)
    shifted = default_features(x.roll((3, 5), (-2, -1)))
    # After the block means come what shifts do not change.
    assert torch.allclose(features[:, 32:], shifted[:, 32:])
    assert not torch.allclose(features[:, :32], shifted[:, :32])
    assert torch.equal(default_features(x[..., 0, :4]), x[..., 0, :4].flatten(1).double())
    assert default_features(x.flatten(1)).shape == (3, 64)


def test_json_and_bad_input() -> None:
    found = data_symmetry(gaussian(20), TURNS)
    assert from_json(DataSymmetry, json.loads(json.dumps(to_json(found)))) == found
    for change, message in (
        ({"data": gaussian(6)}, "8 or more trajectories"),
        ({"data": gaussian(20) / 0}, "finite"),
        ({"permutations": 19}, "take at least 60"),
        ({"test": "t"}, "unknown test"),
        ({"features": lambda x: x[:, 0]}, "expected features"),
    ):
        arguments: dict[str, Any] = {"data": gaussian(20), "symmetry": TURNS}
        with pytest.raises(InputError, match=message):
            data_symmetry(**(arguments | change))
    label = torch.tensor([1.0, -1.0, 1.0, -1.0])
    with pytest.raises(InputError, match="one label"):
        mmd_test(torch.eye(4), label, torch.tensor([0, 0, 1, 1]), 0, 9)
    with pytest.raises(InputError, match="two or more"):
        mmd_test(torch.eye(4), -label.abs(), torch.arange(4), 0, 9)


def test_the_identity_alone_is_no_test() -> None:
    x = torch.randn(20, 2, dtype=torch.float64)
    turns = CyclicGroup(4)
    plane = LinearAction(StandardRepresentation(turns))
    with pytest.raises(InputError, match="besides the identity"):
        data_symmetry(x, Symmetry("c4", turns, plane, plane), [0])
