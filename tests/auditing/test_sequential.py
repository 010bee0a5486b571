"""Looks at growing samples: their levels, and audits that stop early."""

import math

import pytest
import torch
from scipy.stats import norm

from goldstone.auditing import audit
from goldstone.auditing.sequential import fixed_look, growing_looks, spending_levels
from goldstone.core import InputError


def test_one_look_is_the_plain_level():
    assert spending_levels((16,)) == pytest.approx((0.95,))
    assert [look.level for look in fixed_look(16)] == [0.95]


def test_boundaries_of_linear_spending_are_those_in_print():
    """Kim & DeMets 1987, error spent in proportion, five equal steps: 2.58 2.49 2.41 2.34 2.28."""
    found = [float(norm.ppf((1 + level) / 2)) for level in spending_levels((1, 2, 3, 4, 5))]
    assert found == pytest.approx([2.576, 2.492, 2.411, 2.339, 2.276], abs=2e-3)


def test_walks_leave_the_boundaries_with_the_error_probability():
    """200,000 random walks against the quadrature."""
    sizes = (8, 12, 18, 32)
    steps = torch.tensor([8.0, 4.0, 6.0, 14.0]).sqrt()
    source = torch.Generator().manual_seed(0)
    walks = (torch.randn(200_000, 4, generator=source) * steps).cumsum(1)
    means = walks / torch.tensor(sizes).sqrt()
    bounds = torch.tensor([float(norm.ppf((1 + v) / 2)) for v in spending_levels(sizes)])
    left = means.abs() > bounds
    assert float(left.any(1).double().mean()) == pytest.approx(0.05, abs=2e-3)
    first = left.double().cumsum(1) == 1
    at = (first & left).double().mean(0)
    wanted = [0.05 * step / 32 for step in (8, 4, 6, 14)]
    assert at.tolist() == pytest.approx(wanted, abs=1.5e-3)


def test_looks_grow_to_the_last_and_leave_no_small_last_step():
    assert [look.samples for look in growing_looks(64)] == [8, 12, 18, 27, 41, 64]
    assert [look.samples for look in growing_looks(30)] == [8, 12, 18, 30]
    assert [look.samples for look in growing_looks(6)] == [6]
    for count in range(6, 90):
        sizes = [look.samples for look in growing_looks(count)]
        assert sizes[-1] == count
        assert sizes == sorted(set(sizes))


def test_sizes_must_grow():
    with pytest.raises(InputError, match="growing sample sizes"):
        spending_levels((8, 8))


@pytest.fixture(scope="module")
def both(flows, perturbed_solver, quick):
    """The same audit with a fixed number of samples, and adaptively."""
    data = flows(trajectories=26)
    model = perturbed_solver(data)
    sizes = {"samples": 24, "trajectories": 24, "reference": 2, "least_coherence": 0.1}
    fixed = audit(model, data, "d4", settings=quick(**sizes))
    adaptive = audit(model, data, "d4", settings=quick(**sizes, adaptive=True), shifts=True)
    return fixed, adaptive


def test_an_element_whose_answer_is_clear_stops_early_with_the_same_answer(both):
    fixed, adaptive = both
    for a, b in zip(fixed.elements[1:], adaptive.elements[1:], strict=True):
        assert a.samples_used == 24
        assert b.samples_used in (8, 12, 24)
        rho = b.orbit_coherence["euclidean"]
        assert rho.n == b.samples_used
        assert b.pair_coherence["galerkin"].n == b.probe_coherence["galerkin"].n == rho.n
        if "undetermined" not in (a.transports, b.transports):
            assert a.transports == b.transports
    early = [e for e in adaptive.elements[1:] if e.samples_used < 24]
    assert early
    assert all(e.transports != "undetermined" for e in early)


def test_what_was_saved_is_said(both):
    fixed, adaptive = both
    assert fixed.provenance.gradients_saved == 0
    assert fixed.provenance.gradients == 2 * 24 * 8
    used = [e.samples_used for e in adaptive.elements[1:]]
    assert adaptive.provenance.gradients == 2 * (max(used) + sum(used))
    assert adaptive.provenance.gradients + adaptive.provenance.gradients_saved == 2 * 24 * 8
    assert adaptive.elements[0].samples_used == max(used)


def test_early_numbers_are_those_of_fewer_samples_at_the_looks_level(
    both, flows, perturbed_solver, quick
):
    _, adaptive = both
    early = next(e for e in adaptive.elements[1:] if e.samples_used == 8)
    data = flows(trajectories=26)
    sizes = {"samples": 8, "trajectories": 24, "reference": 2}
    few = audit(perturbed_solver(data), data, "d4", settings=quick(**sizes)).element(early.name)
    for metric in ("euclidean", "galerkin"):
        ours, theirs = early.orbit_coherence[metric], few.orbit_coherence[metric]
        assert ours.estimate == pytest.approx(theirs.estimate, rel=1e-9)
        # The interval is of a higher level.
        assert ours.low <= theirs.low
        assert ours.high >= theirs.high
        assert math.isfinite(early.probe_coherence[metric].estimate)


def test_p_values_at_the_looks_err_together_with_five_per_cent():
    """Uniform p-values of growing samples, each times its look's rarity, against 0.05."""
    looks = growing_looks(64)
    assert [look.rarity for look in fixed_look(64)] == [1.0]
    steps = torch.tensor([look.samples for look in looks], dtype=torch.float64).diff(
        prepend=torch.zeros(1, dtype=torch.float64)
    )
    source = torch.Generator().manual_seed(1)
    walks = (torch.randn(100_000, len(looks), generator=source).double() * steps.sqrt()).cumsum(1)
    p = 1 - torch.special.ndtr(walks / steps.cumsum(0).sqrt())
    raw, rarity = p.amin(1), torch.tensor([look.rarity for look in looks])
    assert float((raw < 0.05).double().mean()) > 0.1
    assert 0.04 < float(((p * rarity).amin(1) < 0.05).double().mean()) < 0.05


def test_p_values_of_early_looks_are_corrected_for_the_looks(both):
    _, adaptive = both
    rarity = {look.samples: look.rarity for look in growing_looks(24)}
    found = [
        (e.adjusted_p["euclidean"], e.permutation_p["euclidean"], rarity[e.samples_used])
        for e in adaptive.elements[1:]
    ]
    assert all(adjusted >= min(1.0, k * p) - 1e-12 for adjusted, p, k in found)
    # The largest p-value is not multiplied further by Holm.
    assert max(a for a, _, _ in found) >= max(min(1.0, k * p) for _, p, k in found) - 1e-12
