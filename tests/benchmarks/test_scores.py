"""The scores of a zoo that is made up, in which the answers are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.validity.agreement import agreement
from benchmarks.validity.families import Resamples
from benchmarks.validity.observations import DEFAULT_LEAST, answer, observed, transfer
from benchmarks.validity.scores import score, truth
from benchmarks.validity.verdicts import confusion, transports, utility


@pytest.fixture(scope="module")
def found(records):
    return score(records, replicates=200)


def value(found, **where):
    (row,) = (r for r in found["scores"] if where.items() <= r.items())
    return row["value"]


def test_untrained_models_are_no_observations(records):
    seen = observed(records)
    assert len(seen.model) == 3 * 5 * 2 * 3 * 3
    assert not any("untrained" in name for name in seen.model)


def test_transfer_is_the_median_of_lessons_that_were_learned():
    def lesson(value, learned=True, novelty=0.9):
        budget = {"share": 0.5, "learned": learned, "transfer": {"r": [value, None, None]}}
        return {"novelty": {"r": novelty}, "budgets": [budget]}

    lessons = [lesson(10.0), lesson(30.0), lesson(90.0), lesson(500.0, learned=False)]
    assert transfer({"lessons": lessons}, "r", "transfer", 0.5) == 30
    assert transfer({"lessons": lessons}, "r", "transfer", 0.9) is None
    assert transfer({"lessons": [lesson(10.0, novelty=0.55)]}, "r", "transfer", 0.5) is None


def test_rho_ranks_transfer_and_the_raw_cosine_does_not(found):
    where = {"axis": "transports", "metric": "euclidean"}
    rho = value(found, statistic="ρ", measure="rank", truth="transfer, budget 0.5", **where)
    assert rho[0] > 0.95
    assert rho[1] <= rho[0] <= rho[2]
    cut = "transfer > 50 %, budget 0.5"
    assert value(found, statistic="ρ", measure="auroc", truth=cut, **where)[0] > 0.99
    raw = value(found, statistic="K", measure="auroc", truth=cut, **where)
    assert raw[1] < 0.6


def test_ρ_is_compared_with_the_raw_cosine_in_the_same_resamples(found):
    against = {(r["metric"], r["statistic"]): r["value"] for r in found["ρ against"]}
    assert against["euclidean", "ρ"] == [0, 0, 0]
    estimate, low, _ = against["euclidean", "K"]
    where = {"axis": "transports", "metric": "euclidean", "measure": "auroc"}
    cut = "transfer > 50 %, budget 0.5"
    areas = [value(found, statistic=s, truth=cut, **where)[0] for s in ("ρ", "K")]
    assert estimate == pytest.approx(areas[0] - areas[1], abs=1e-4)
    assert low > 0.2


def test_lessons_are_counted(found):
    # Two for each of the 90 models that are skilled.
    expected = {"given": 180, "learned": 180, "reached": 0.6, "still learning": 90}
    assert found["lessons"] == expected


def test_lessons_agree_as_far_as_they_do():
    def lesson(values):
        budget = {"share": 0.5, "learned": True, "transfer": {g: [v] for g, v in values.items()}}
        return {"novelty": {}, "budgets": [budget]}

    def found(*lessons):
        records = {name: {"lessons": [lesson(v) for v in lessons]} for name in ("a", "b")}
        rows = [(name, g) for name in records for g in ("r", "s", "t")]
        observations = SimpleNamespace(
            model=[m for m, _ in rows], element=[g for _, g in rows], records=records
        )
        resamples = Resamples.draw([m for m, _ in rows], [m for m, _ in rows], 50)
        return agreement(observations, resamples, "transfer", 0.5, 50.0)

    one = {"r": 10.0, "s": 60.0, "t": 90.0}
    alike = found(one, one)
    assert (alike["auroc"][0], alike["rank"][0], alike["n"]) == (1, 1, 6)
    turned = found(one, {g: 100 - v for g, v in one.items()})
    assert turned["rank"][0] == pytest.approx(-1, abs=0.2)
    assert turned["auroc"][0] < 0.2
    assert found(one) == {"auroc": [None] * 3, "rank": [None] * 3, "n": 0}


def test_a_task_is_confirmed_on_by_choices_that_did_not_see_it(found):
    assert [e["split"] for e in found["new task"]] == ["digits", "flows", "graphs"]
    for entry in found["new task"]:
        assert all(f.startswith(entry["split"]) for f in entry["confirmed on"])
        assert not any(f.startswith(entry["split"]) for f in entry["chosen on"])
        assert entry["confirmed"]["auroc"][0] > 0.95


def test_the_loss_ratio_tells_what_holds(found):
    where = {"axis": "holds", "measure": "auroc", "truth": "by construction"}
    assert value(found, metric="forward", statistic="−T", **where)[0] == 1
    counts = found["verdicts"]["holds: by construction"]["counts"]
    assert counts["true"]["no"] == counts["false"]["yes"] == 0


def test_both_directions_choose_rho_and_its_threshold(found):
    for entry in found["cross-fitted"]:
        assert (entry["metric"], entry["statistic"]) == ("euclidean", "ρ")
        assert entry["confirmed"]["auroc"][0] > 0.98
        assert 0.3 < entry["thresholds"]["euclidean"]["least"] < 0.6
        assert not set(entry["chosen on"]) & set(entry["confirmed on"])


def test_the_verdict_is_the_audit_s_at_its_own_threshold(records):
    seen = observed(records)
    recorded = [
        e["transports"] for r in records.values() if r["skilled"] for e in r["elements"].values()
    ]
    assert transports(seen, "euclidean", 0.1) == recorded
    assert transports(seen, "euclidean", DEFAULT_LEAST) == seen.transports


def test_an_answer_follows_a_threshold_that_was_raised():
    said = {
        ("yes", 0.3, 0.5): "yes",
        ("yes", 0.15, 0.5): "undetermined",
        ("yes", 0.12, 0.18): "no",
        ("undetermined", 0.05, 0.15): "no",
        # Above, yet p was not small.
        ("undetermined", 0.3, 0.5): "undetermined",
        ("no", -0.1, 0.05): "no",
    }
    for (before, low, high), after in said.items():
        assert answer(before, [(low + high) / 2, low, high], 0.2) == after
    assert answer("undetermined", None) == answer("undetermined", [None] * 3) == "undetermined"


def test_a_confusion_counts_every_known_answer(records):
    seen = observed(records)
    made = confusion(seen.transports, truth(seen), Resamples.draw(seen.family, seen.model, 50))
    known = np.isfinite(truth(seen)).sum()
    assert sum(sum(row.values()) for row in made["counts"].values()) == known


def test_utility_weighs_both_truths_alike():
    labels = np.array([1.0, 1.0, 1.0, 0.0])
    assert utility(["yes", "yes", "yes", "no"], labels) == 1
    assert utility(["yes", "yes", "yes", "yes"], labels) == 0.5
    assert utility(["undetermined"] * 4, labels) == 0.5
    assert utility(["yes", "yes", "no", "undetermined"], labels) == pytest.approx(7 / 12)


def test_models_without_skill_and_controls_are_counted(found):
    assert all(row["transports"]["undetermined"] == 3 for row in found["without skill"])
    assert len(found["without skill"]) == 45
    assert sum(row["transports"]["yes"] for row in found["wrong action"]) == 0
    assert found["controls"] == [{"name": "shuffled pairs", "of": 90, "passed": 90}]
