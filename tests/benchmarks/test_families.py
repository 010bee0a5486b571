from collections import Counter

import numpy as np

from benchmarks.validity.families import Resamples, halves

TASKS = {"digits": 5, "flows": 4, "graphs": 3, "points": 1}
FAMILIES = [f"{task}, {k}" for task, n in TASKS.items() for k in range(n) for _ in range(2)]
OF = [family.split(",")[0] for family in FAMILIES]


def test_halves_part_every_task_evenly_and_keep_families_whole():
    first, second = halves(FAMILIES, OF)
    assert not first & second
    assert first | second == set(FAMILIES)
    for task in TASKS:
        sizes = [sum(f.startswith(task) for f in half) for half in (first, second)]
        assert abs(sizes[0] - sizes[1]) <= 1
    assert abs(len(first) - len(second)) <= 1


def test_halves_follow_the_seed_and_not_the_order():
    assert halves(FAMILIES, OF, 1) == halves(FAMILIES[::-1], OF[::-1], 1)
    assert len({halves(FAMILIES, OF, seed) for seed in range(8)}) > 1


def slow_resample(families, models, rng):
    """Families drawn, and in each the models drawn, one by one."""
    members = {}
    for family, model in zip(families, models, strict=True):
        members.setdefault(family, set()).add(model)
    drawn = Counter()
    names = sorted(members)
    for _ in names:
        inside = sorted(members[names[rng.integers(len(names))]])
        for _ in inside:
            drawn[inside[rng.integers(len(inside))]] += 1
    return np.array([drawn[m] for m in models], dtype=float)


def test_resamples_are_those_of_drawing_one_by_one():
    families = ["a"] * 6 + ["b"] * 4 + ["c"] * 2
    models = ["a1"] * 2 + ["a2"] * 2 + ["a3"] * 2 + ["b1"] * 2 + ["b2"] * 2 + ["c1"] * 2
    values = np.array([0.0, 1, 2, 3, 5, 4, 9, 8, 7, 11, 3, 2])
    rng = np.random.default_rng(0)
    slow = np.stack([slow_resample(families, models, rng) for _ in range(6000)])
    fast = Resamples.draw(families, models, 6000).counts
    for counts in (slow, fast):
        # Elements of a model are drawn together.
        assert (counts[:, 0] == counts[:, 1]).all()
    mean = [(c @ values / c.sum(1)) for c in (slow, fast)]
    np.testing.assert_allclose(slow.mean(0), fast.mean(0), atol=0.06)
    np.testing.assert_allclose(slow.std(0), fast.std(0), rtol=0.06)
    assert abs(mean[0].std() / mean[1].std() - 1) < 0.06
    np.testing.assert_allclose(
        np.quantile(mean[0], (0.05, 0.5, 0.95)), np.quantile(mean[1], (0.05, 0.5, 0.95)), rtol=0.08
    )


def test_a_statistic_that_is_not_defined_has_no_interval():
    resamples = Resamples.draw(["a", "b"], ["a", "b"], 10)
    both = np.ones(2, dtype=bool)
    assert resamples.statistic(float("nan"), np.zeros(10), both) == [None, None, None]
    estimate, low, high = resamples.statistic(0.5, np.linspace(0, 1, 10), both)
    assert low < estimate == 0.5 < high


def test_intervals_allow_for_the_families_that_are_known_and_not_for_all():
    families = [f"{k}" for k in range(24) for _ in range(4)]
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, len(families)))
    few = np.where(np.arange(len(x)) < 16, y, np.nan)
    # The same four families by themselves, in the same resamples.
    resamples = Resamples.draw(families, families, 2000)
    alone = Resamples(resamples.counts[:, :16], resamples.family[:16])
    assert alone.families == 4
    assert resamples.rank_correlation(x, few) == alone.rank_correlation(x[:16], y[:16])
    one = np.where(np.arange(len(x)) < 4, y, np.nan)
    assert resamples.rank_correlation(x, one)[1:] == [None, None]
