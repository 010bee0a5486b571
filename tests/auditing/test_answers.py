"""From statistics to answers, grades and labels."""

from dataclasses import replace
from math import log

import pytest
import torch

from goldstone.auditing.answers import NO_SKILL, answer_element
from goldstone.auditing.coherence import Coherences
from goldstone.auditing.settings import AuditSettings
from goldstone.core import Statistic

SETTINGS = AuditSettings(least_coherence=0.1)
EDGE = log(1.1)


def coherence(low, high):
    middle = None if low is None else (low + high) / 2
    orbit = Statistic(middle, low, high, 8)
    none = Statistic(None)
    return Coherences(none, none, orbit, none, 0.001, torch.linspace(-1, 1, 201))


def answer(ratio=(-0.1, 0.05), rho=(0.3, 0.6), error=0.1, p=0.001, **changes):
    options = {"has_skill": True, "loss_is_invariant": True} | changes
    return answer_element(
        Statistic(error),
        1e-7,
        Statistic(sum(ratio) / 2, *ratio, 8),
        torch.linspace(*ratio, 101),
        coherence(*rho) if rho else None,
        p,
        SETTINGS,
        **options,
    )


@pytest.mark.parametrize(
    ("ratio", "holds", "grade"),
    [
        ((-0.1, EDGE - 1e-6), "yes", "approximate"),
        ((-0.1, EDGE + 1e-6), "undetermined", "undetermined"),
        ((EDGE - 1e-6, 3.0), "undetermined", "undetermined"),
        ((EDGE + 1e-6, 3.0), "no", "violated"),
    ],
)
def test_holds_by_the_interval(ratio, holds, grade):
    found = answer(ratio)
    assert (found.holds, found.grade) == (holds, grade)


@pytest.mark.parametrize(
    ("rho", "p", "transports"),
    [
        ((0.11, 0.9), 0.049, "yes"),
        ((0.11, 0.9), 0.05, "undetermined"),
        ((0.09, 0.9), 0.001, "undetermined"),
        ((-0.2, 0.09), 1.0, "no"),
        ((-0.2, 0.11), 0.001, "undetermined"),
        ((None, None), 0.001, "undetermined"),
        (None, 0.001, "undetermined"),
    ],
)
def test_transports_by_the_interval_and_the_permutations(rho, p, transports):
    found = answer(rho=rho, p=p)
    assert found.transports == transports
    assert (found.reason == "") == (transports != "undetermined")


@pytest.mark.parametrize(
    ("ratio", "rho", "label"),
    [
        ((-0.1, 0.05), (0.3, 0.6), "internalised"),
        ((-0.1, 0.05), (-0.1, 0.05), "covered"),
        ((0.5, 0.6), (0.3, 0.6), "latent"),
        ((0.5, 0.6), (-0.1, 0.05), "broken"),
        ((0.5, 0.6), (0.0, 0.6), "undetermined"),
        ((0.0, 0.6), (0.3, 0.6), "undetermined"),
    ],
)
def test_labels(ratio, rho, label):
    assert answer(ratio, rho).label == label


def test_without_skill_nothing_is_said_whatever_the_errors():
    found = answer(error=1e-9, has_skill=False)
    assert (found.holds, found.transports, found.label) == ("undetermined",) * 3
    assert found.grade == "exact"
    assert found.reason == NO_SKILL
    assert found.support == {}


def test_an_exact_element_holds_even_where_rounding_rules_the_losses():
    found = answer(ratio=(0.5, 2.0), error=9e-7)
    assert (found.holds, found.grade, found.support["holds"]) == ("yes", "exact", 1.0)
    assert answer(ratio=(0.5, 2.0), error=1.1e-6).holds == "no"


def test_a_loss_that_is_not_invariant_leaves_transports_open():
    found = answer(loss_is_invariant=False)
    assert (found.holds, found.transports) == ("yes", "undetermined")
    assert found.reason.startswith("loss not invariant")
    assert "transports" not in found.support


def test_support_is_the_share_of_replicates_on_the_side_of_the_answer():
    yes, no = answer((0.0, 2 * EDGE)), answer((0.5, 0.6))
    assert yes.support["holds"] == pytest.approx(0.5, abs=0.02)
    assert no.support["holds"] == 1.0
    # Replicates of ρ spread evenly over −1 … 1; ρ_min is 0.1.
    assert yes.support["transports"] == pytest.approx(0.45, abs=0.01)
    assert answer(rho=(-0.5, 0.0)).support["transports"] == pytest.approx(0.55, abs=0.01)


def test_the_thresholds_are_the_settings():
    strict = replace(SETTINGS, tolerance=0.01)
    found = answer_element(
        Statistic(0.1),
        1e-7,
        Statistic(0.03, 0.02, 0.04, 8),
        torch.zeros(3),
        None,
        0.0,
        strict,
        has_skill=True,
        loss_is_invariant=True,
    )
    assert found.holds == "no"
