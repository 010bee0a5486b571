"""Comparing two audits: known changes are found, and what cannot be compared is refused."""

import json
from dataclasses import replace
from math import hypot

import numpy as np
import pytest

import goldstone
from goldstone.auditing import AuditResult
from goldstone.auditing.comparison import compare_audits, difference
from goldstone.auditing.comparison_results import AuditComparison, SettingChange
from goldstone.core import InputError, Statistic


@pytest.fixture(scope="module")
def symmetric(flows, perturbed_solver, quick):
    """The same error along both axes: D4 holds exactly."""
    data = flows()
    return goldstone.audit(perturbed_solver(data), data, "d4", settings=quick(), name="before")


@pytest.fixture(scope="module")
def sheared(flows, perturbed_solver, quick):
    """A shear keeps the half turn and the diagonal reflections and breaks the rest."""
    data = flows("anisotropic")
    model = perturbed_solver(data, along=(0.0, 0.03))
    return goldstone.audit(model, data, "d4", settings=quick(), name="after")


def changed(audit, **answers):
    """The audit with other answers (or other fields) of elements, ``r={"holds": "no"}``."""
    elements = tuple(replace(e, **answers.get(e.name, {})) for e in audit.elements)
    return replace(audit, elements=elements)


def answered(audit, holds="yes", transports="yes", metric="euclidean"):
    """The audit with one answer for all elements."""
    entries = {e.name: {"holds": holds, "transports": transports} for e in audit.elements}
    return replace(changed(audit, **entries), verdict=replace(audit.verdict, metric=metric))


def test_an_audit_against_itself_is_the_same(symmetric):
    found = compare_audits(symmetric, symmetric)
    assert found.outcome == "same"
    assert [e.name for e in found.elements] == [e.name for e in symmetric.elements[1:]]
    assert (found.settings, found.only_first, found.only_second) == ((), (), ())
    assert found.holds.fell == found.holds.rose == found.transports.fell == ()
    for e in found.elements:
        for d in (e.log_loss_ratio, e.equivariance_error, *e.orbit_coherence.values()):
            assert d.difference.estimate == 0.0
            assert d.change == "none"
            assert d.difference.low <= 0.0 <= d.difference.high
    assert found.caveats[0].startswith("the weights are the same")
    assert len(found.caveats) == 1
    assert found.same_samples
    assert "paired bootstrap" in found.intervals


def test_a_symmetry_that_is_lost(symmetric, sheared):
    found = compare_audits(symmetric, sheared)
    assert found.outcome == "worse"
    assert found.holds.answer == ("yes", "no")
    assert "r" in found.holds.fell
    assert found.holds.rose == ()
    assert found.holds.residual_first != found.holds.residual_second
    turn = found.element("r")
    assert turn.holds == ("yes", "no")
    assert turn.grade == ("exact", "violated")
    assert turn.log_loss_ratio.change == turn.equivariance_error.change == "worse"
    expected = (
        sheared.element("r").log_loss_ratio.estimate
        - symmetric.element("r").log_loss_ratio.estimate
    )
    assert turn.log_loss_ratio.difference.estimate == expected
    # The half turn is kept exactly by both: what rounding does is no change.
    assert found.element("r²").equivariance_error.change == "none"
    assert found.summary.startswith("d4: Worse: an answer became no. Holds: yes → no; residual ")
    assert any("the data differ" in caveat for caveat in found.caveats)
    assert not found.same_samples
    assert "paired" not in found.intervals


def test_the_other_way_round_it_is_better(symmetric, sheared):
    forth, back = compare_audits(symmetric, sheared), compare_audits(sheared, symmetric)
    assert back.holds.rose == forth.holds.fell
    turn, other = forth.element("r").log_loss_ratio, back.element("r").log_loss_ratio
    assert other.change == "better"
    assert other.difference.estimate == -turn.difference.estimate
    assert other.difference.low == pytest.approx(-turn.difference.high)
    assert other.difference.high == pytest.approx(-turn.difference.low)


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (("yes", "yes"), ("yes", "yes"), "same"),
        (("no", "no"), ("no", "no"), "same"),
        (("yes", "yes"), ("no", "yes"), "worse"),
        (("undetermined", "yes"), ("no", "yes"), "worse"),
        (("yes", "yes"), ("undetermined", "yes"), "undetermined"),
        (("yes", "undetermined"), ("yes", "no"), "worse"),
        (("yes", "yes"), ("yes", "undetermined"), "undetermined"),
        (("yes", "yes"), ("undetermined", "no"), "worse"),
        (("no", "yes"), ("undetermined", "yes"), "better"),
        (("undetermined", "no"), ("yes", "yes"), "better"),
        # What rises does not make up for what falls.
        (("no", "yes"), ("yes", "undetermined"), "undetermined"),
        (("no", "yes"), ("yes", "no"), "worse"),
    ],
)
def test_the_outcome_rests_on_answers(symmetric, first, second, outcome):
    assert compare_audits(answered(symmetric, *first), answered(symmetric, *second)).outcome == (
        outcome
    )


def test_one_element_is_enough(symmetric):
    yes = answered(symmetric)
    found = compare_audits(yes, changed(yes, sr={"transports": "no"}))
    assert found.outcome == "worse"
    assert found.transports.fell == ("sr",)
    assert found.holds.fell == ()


@pytest.mark.parametrize("metrics", [("euclidean", "none"), ("none", "none"), ("euclidean", "x")])
def test_transports_is_compared_in_one_metric_alone(symmetric, metrics):
    first, second = (
        answered(symmetric, "yes", t, metric)
        for t, metric in zip(("yes", "no"), metrics, strict=True)
    )
    found = compare_audits(first, second)
    assert found.outcome == "same"
    assert not found.transports.compared
    assert found.transports.fell == ()
    assert "transports are not compared" in found.summary


def test_an_audit_without_gradients_compares_on_holds(symmetric, flows, perturbed_solver, quick):
    data = flows()
    forward = goldstone.audit(perturbed_solver(data), data, "d4", settings=quick(metrics=()))
    found = compare_audits(symmetric, forward)
    assert found.outcome == "same"
    assert found.element("r").orbit_coherence == {}
    assert found.element("r").log_loss_ratio.difference.estimate == 0.0
    (settings,) = (c for c in found.caveats if c.startswith("the settings differ"))
    assert settings == "the settings differ: metrics euclidean+galerkin → none"
    # The samples of the forward tests are those of before.
    assert found.same_samples


def test_what_else_differs_is_named(symmetric):
    settings = dict(symmetric.provenance.settings) | {"tolerance": 0.2, "snapshots": 3}
    versions = dict(symmetric.provenance.versions) | {"goldstone": "0.0.1"}
    control = replace(symmetric.controls[0], as_expected=False)
    other = replace(
        symmetric,
        provenance=replace(
            symmetric.provenance,
            settings=settings,
            versions=versions,
            weights_sha256="another",
            dtype="float16",
        ),
        model=replace(symmetric.model, loss_name="mse", has_skill=False),
        precheck=replace(symmetric.precheck, status="refused", forced=True),
        controls=(control,),
    )
    found = compare_audits(symmetric, other)
    text = " | ".join(found.caveats)
    assert found.settings == (
        SettingChange("snapshots", 2, 3),
        SettingChange("tolerance", 0.1, 0.2),
    )
    assert not found.same_samples
    for part in (
        "the thresholds differ",
        "snapshots 2 → 3, tolerance 0.1 → 0.2",
        "the losses differ (scaled_mse → mse)",
        "the precision differs (float64 → float16)",
        "versions of goldstone differ",
        "the second model has no skill",
        "the second audit was forced on a refused symmetry",
        f"the second audit's control {control.name} is not as expected",
    ):
        assert part in text
    assert "the weights are the same" not in text


def test_elements_that_only_one_tested(symmetric):
    some = replace(symmetric, elements=tuple(e for e in symmetric.elements if e.name != "r³"))
    found = compare_audits(symmetric, some)
    assert (found.only_first, found.only_second) == (("r³",), ())
    assert [e.name for e in compare_audits(some, symmetric).elements] == [
        e.name for e in some.elements[1:]
    ]
    none = replace(symmetric, elements=symmetric.elements[:1])
    with pytest.raises(InputError, match="no tested element in common"):
        compare_audits(symmetric, none)


def test_two_symmetries_do_not_compare(symmetric, flows, perturbed_solver, quick):
    """The element r of C2 is a half turn, that of D4 a quarter turn."""
    data = flows()
    half = goldstone.audit(perturbed_solver(data), data, "c2", settings=quick(metrics=()))
    with pytest.raises(InputError, match=r"one symmetry, got d4 \(group D4\) and c2 \(group C2\)"):
        compare_audits(symmetric, half)
    node = replace(symmetric, symmetry=replace(symmetric.symmetry, pivot="node"))
    with pytest.raises(InputError, match="pivots 'cell' and 'node'"):
        compare_audits(symmetric, node)


def test_it_goes_to_json_and_back(symmetric, sheared):
    found = compare_audits(symmetric, sheared)
    text = json.dumps(found.to_json(), allow_nan=False)
    assert AuditComparison.from_json(json.loads(text)) == found
    with pytest.raises(InputError, match="newer goldstone"):
        AuditComparison.from_json(found.to_json() | {"schema_version": 99})
    with pytest.raises(InputError, match="'summary' is missing"):
        AuditComparison.from_json({k: v for k, v in found.to_json().items() if k != "summary"})
    with pytest.raises(InputError, match="schema_version"):
        AuditComparison.from_json([])


def test_saved_audits_compare_as_the_live_ones(symmetric, sheared, tmp_path):
    symmetric.save(tmp_path / "a")
    sheared.save(tmp_path / "b")
    # The arrays are not needed.
    (tmp_path / "a" / "audit.npz").unlink()
    loaded = [
        AuditResult.load_numbers(path) for path in (tmp_path / "a", tmp_path / "b" / "audit.json")
    ]
    assert compare_audits(*loaded) == compare_audits(symmetric, sheared)


def test_the_interval_of_a_difference():
    # Symmetric intervals: the root of the sum of squares of the half-widths.
    found = difference(Statistic(1.0, 0.7, 1.3, 9), Statistic(2.0, 1.6, 2.4, 7))
    assert (found.estimate, found.n) == (1.0, 7)
    assert found.low == pytest.approx(0.5)
    assert found.high == pytest.approx(1.5)
    # Skewed ones: the half-widths that face each other.
    found = difference(Statistic(1.0, 0.9, 1.4), Statistic(2.0, 1.7, 3.2))
    assert found.low == pytest.approx(1.0 - hypot(0.3, 0.4))
    assert found.high == pytest.approx(1.0 + hypot(1.2, 0.1))
    assert difference(Statistic(1.0), Statistic(2.0, 1.0, 3.0)) == Statistic(1.0)
    assert difference(Statistic(None), Statistic(2.0, 1.0, 3.0)) == Statistic(None)


def test_the_interval_of_a_difference_covers():
    """Of means of normal numbers with t intervals, of two spreads, in 95 % of the draws."""
    draws = np.random.default_rng(0).normal(size=(2, 2000, 30))
    widths = (1.0, 2.0)
    covered = 0
    for a, b in zip(*draws, strict=True):
        stats = []
        for x, w in zip((a, b), widths, strict=True):
            half = 2.045 * w * x.std(ddof=1) / 30**0.5
            stats.append(Statistic(w * x.mean(), w * x.mean() - half, w * x.mean() + half, 30))
        found = difference(*stats)
        covered += found.low <= 0.0 <= found.high
    assert 0.94 <= covered / 2000 <= 0.965
