"""The mechanism experiment: terms are the library's, placebos are placebos, sums are right."""

from math import exp, isnan

import numpy as np
import pytest
import torch
from scipy import stats

from benchmarks.validity.mechanism_arms import TERMS, Draw, arms, kernel, orbit, probe
from benchmarks.validity.mechanism_cases import CASES
from benchmarks.validity.mechanism_summary import CaseRuns, Effect, at_level
from goldstone.training import orbit_coherence_penalty, probe_coherence_penalty

NAME = "digits, perceptron"


@pytest.fixture(scope="module")
def case():
    pytest.importorskip("sklearn")
    return CASES[NAME]()


def test_terms_are_the_library_s_penalties(case):
    model, draw = case.build(0), Draw.of(case, 0, 3)
    x, y = (t[draw.pairs] for t in case.train)
    g = case.elements[draw.element]
    expected = orbit_coherence_penalty(model, case.loss, case.symmetry, g, x, y)
    torch.testing.assert_close(orbit(model, case, draw), expected)
    for term, v in (
        (probe, draw.covectors),
        (kernel, draw.covectors[:1].expand_as(draw.covectors)),
    ):
        expected = probe_coherence_penalty(model, case.symmetry, g, x, v)
        torch.testing.assert_close(term(model, case, draw), expected)


def test_draws_are_those_of_the_seed_and_step_and_shuffled_pairs_are_never_true_ones(case):
    for step in range(40):
        draw, again = (Draw.of(case, 1, step) for _ in range(2))
        assert torch.equal(draw.pairs, again.pairs)
        assert torch.equal(draw.covectors, again.covectors)
        assert sorted(draw.order.tolist()) == list(range(len(draw.order)))
        assert not bool((draw.order == torch.arange(len(draw.order))).any())
    assert not torch.equal(Draw.of(case, 1, 0).batch, Draw.of(case, 2, 0).batch)


def test_regularisers_use_some_poses_only_and_placebos_never_train_on_the_loss_there(case):
    assert set(case.moved) == set(case.named("used"))
    assert set(case.posed) == set(case.named("used", "between", "beyond"))
    assert len(case.held.inputs) + len(case.train[0]) == 1797
    # No arm but augmentation has the loss itself as a term.
    trained_there = [a.term for a in arms(case) if "augmentation" in (a.term, a.also)]
    assert trained_there == ["augmentation", "ρ"]
    assert {a.term for a in arms(case)} - {"control"} <= set(TERMS)


def test_levels_are_reached_between_checkpoints_along_the_logarithm():
    rows = [{"loss": 4.0, "a": 0.0}, {"loss": 1.0, "a": 1.0}, {"loss": 0.25, "a": 5.0, "b": 1.0}]
    assert at_level(rows, 2.0)["a"] == pytest.approx(0.5)
    assert at_level(rows, 1.0)["a"] == pytest.approx(1.0)
    assert at_level(rows, exp(-0.5 * np.log(4)))["a"] == pytest.approx(3.0)
    assert at_level(rows, 0.1) is None
    assert at_level(rows, 5.0) is None


def test_an_effect_is_a_mean_with_student_s_interval():
    values = [0.1, 0.3, 0.2, float("nan")]
    found = Effect.of(values)
    low, high = stats.t.interval(0.95, 2, np.mean(values[:3]), stats.sem(values[:3]))
    assert (found.low, found.high, found.seeds) == pytest.approx((low, high, 3))
    assert isnan(Effect.of([0.1]).low)


def made_up(case, coherence, outcome):
    """Runs of all arms and five seeds that reach every level at their last step."""
    runs = {}
    for arm in arms(case):
        for seed in range(5):
            poses = {}
            for name in case.roles:
                m = coherence(arm, seed)
                poses[name] = {"T": 0.0, "loss": 1.0, "accuracy": outcome(m, seed)}
                if name in case.coherent:
                    poses[name] |= {"rho": m, "probe": m, "kernel": m, "rho within class": m}
            start = {"step": 0, "loss": 3.0, "train": 3.0, "accuracy": 0.1, "poses": poses}
            end = {**start, "step": 100, "loss": 0.1, "train": 0.1}
            runs[f"{NAME} | {arm.name} | {seed}"] = {"seconds": 1.0, "checkpoints": [start, end]}
    return CaseRuns(case, runs)


def test_a_mediator_that_is_all_leaves_nothing_and_one_that_is_nothing_predicts_nothing(case):
    source = np.random.default_rng(0)
    noise = {(a.name, s): source.uniform(-0.004, 0.004) for a in arms(case) for s in range(5)}

    def coherence(arm, seed):
        return 0.5 + 0.1 * arm.strength + noise[arm.name, seed]

    runs = made_up(case, coherence, lambda m, seed: 0.4 * m + 0.01 * seed)
    level = case.levels[1]
    keys = ("kernel used", "accuracy used")
    # Probe +1 lies within the doses of the kernel, and so on their line.
    assert runs.expected("probe +1", *keys, level, "ρ").mean == pytest.approx(0, abs=1e-9)
    observed, p, count = runs.within_arms(*keys, level)
    assert observed == pytest.approx(1)
    assert p < 0.01
    assert count == 5 * 19
    assert runs.dose_response("ρ", "accuracy used", level).mean > 0.9
    unrelated = made_up(case, coherence, lambda m, seed: float(source.uniform()))
    observed, p, _ = unrelated.within_arms(*keys, level)
    assert abs(observed) < 0.4
    assert p > 0.01
