"""Limits on ρ and on the loss factor: kept, broken or undetermined by the interval's ends."""

from dataclasses import replace
from math import log

import pytest

import goldstone
from goldstone.auditing.limits import check_largest_loss_factor, check_least_coherence
from goldstone.core import InputError, Statistic


@pytest.fixture(scope="module")
def audited(flows, perturbed_solver, quick):
    data = flows()
    return goldstone.audit(
        perturbed_solver(data), data, "c4", settings=quick(metrics=("euclidean",))
    )


def with_numbers(audited, rho=None, t=None, grade="approximate"):
    """(low, high) by element; the others are beyond any doubt."""
    sure = Statistic(0.95, 0.9, 0.99, 8), Statistic(0.0, -0.01, 0.01, 8)
    elements = []
    for e in audited.elements:
        r, f = (rho or {}).get(e.name), (t or {}).get(e.name)
        elements.append(
            replace(
                e,
                orbit_coherence={
                    "euclidean": Statistic(sum(r) / 2, *r, 8) if r else sure[0],
                    "galerkin": Statistic(0.0, -0.1, 0.1, 8),
                },
                log_loss_ratio=Statistic(log(sum(f) / 2), *map(log, f), 8) if f else sure[1],
                grade=grade,
            )
        )
    return replace(audited, elements=tuple(elements))


@pytest.mark.parametrize(
    ("interval", "answer"),
    [
        ((0.3, 0.5), "yes"),
        ((0.31, 0.5), "yes"),
        ((0.29, 0.5), "undetermined"),
        ((0.1, 0.3), "undetermined"),
        ((0.1, 0.29), "no"),
    ],
)
def test_rho_is_held_to_its_lower_bound(audited, interval, answer):
    found = check_least_coherence(with_numbers(audited, rho={"r²": interval}), 0.3)
    assert found.answer == answer
    assert found.exceeded == (("r²",) if answer == "no" else ())
    assert found.undetermined == (("r²",) if answer == "undetermined" else ())


@pytest.mark.parametrize(
    ("interval", "answer"),
    [
        ((1.1, 1.5), "yes"),
        ((1.1, 1.51), "undetermined"),
        ((1.49, 2.0), "undetermined"),
        ((1.51, 2.0), "no"),
    ],
)
def test_the_loss_factor_is_held_to_its_upper_bound(audited, interval, answer):
    found = check_largest_loss_factor(with_numbers(audited, t={"r": interval}), 1.5)
    assert found.answer == answer
    assert found.exceeded == (("r",) if answer == "no" else ())


def test_what_is_exact_keeps_every_factor(audited):
    exact = with_numbers(audited, t={"r": (0.5, 2.0)}, grade="exact")
    assert check_largest_loss_factor(exact, 1.0).answer == "yes"


def test_the_statement_names_elements_and_sizes(audited):
    rho = {"r": (0.1, 0.2), "r²": (0.25, 0.5)}
    assert check_least_coherence(with_numbers(audited, rho=rho), 0.3).statement == (
        "orbit coherence ρ ≥ 0.3 (euclidean): broken by r 0.15 [0.1, 0.2]; undetermined for "
        "r² 0.375 [0.25, 0.5]: audit more trajectories"
    )
    assert check_least_coherence(with_numbers(audited), 0.3).statement == (
        "orbit coherence ρ ≥ 0.3 (euclidean): kept by all 3 tested elements"
    )
    factor = check_largest_loss_factor(with_numbers(audited, t={"r³": (2.0, 4.0)}), 1.5)
    assert factor.statement == "loss factor ≤ 1.5: broken by r³ 3 [2, 4]"


def test_without_a_number_nothing_is_shown(audited):
    numbers = with_numbers(audited)
    empty = replace(
        numbers,
        elements=tuple(
            replace(e, orbit_coherence={}, log_loss_ratio=Statistic(0.1)) for e in numbers.elements
        ),
    )
    for check, limit in ((check_least_coherence, 0.3), (check_largest_loss_factor, 1.5)):
        found = check(empty, limit)
        assert found.answer == "undetermined"
        assert found.undetermined == ("r", "r²", "r³")


def test_without_skill_or_an_invariant_loss_nothing_is_shown(audited):
    numbers = with_numbers(audited)
    unskilled = replace(numbers, model=replace(numbers.model, has_skill=False))
    for check, limit in ((check_least_coherence, 0.3), (check_largest_loss_factor, 1.5)):
        assert check(numbers, limit).answer == "yes"
        found = check(unskilled, limit)
        assert found.answer == "undetermined"
        assert "no skill" in found.statement
    variant = replace(numbers, precheck=replace(numbers.precheck, loss_is_invariant=False))
    assert "loss is not invariant" in check_least_coherence(variant, 0.3).statement
    # T compares both predictions in one frame, so it does not need that.
    assert check_largest_loss_factor(variant, 1.5).answer == "yes"


def test_a_measured_audit(audited):
    """The perturbed solver is exactly equivariant, and its gradients agree along orbits."""
    assert check_largest_loss_factor(audited, 1.0).answer == "yes"
    found = check_least_coherence(audited, 0.99)
    rho = [e.orbit_coherence["euclidean"] for e in audited.elements[1:]]
    assert (found.answer == "yes") == all(s.low >= 0.99 for s in rho)


@pytest.mark.parametrize("limit", [0.0, 1.0, -0.1, float("nan")])
def test_coherences_that_are_none(audited, limit):
    with pytest.raises(InputError, match="between 0 and 1"):
        check_least_coherence(audited, limit)


@pytest.mark.parametrize("limit", [0.99, float("inf"), float("nan")])
def test_factors_that_are_none(audited, limit):
    with pytest.raises(InputError, match="1 or more"):
        check_largest_loss_factor(audited, limit)


def test_coherence_needs_gradients(audited):
    forward = replace(audited, verdict=replace(audited.verdict, metric="none"))
    with pytest.raises(InputError, match="needs gradients"):
        check_least_coherence(forward, 0.3)
