"""The quick form, run once: what it writes, and that nothing is made twice."""

import pytest

import goldstone.reproductions.loss_landscape_geometry.measure as measure
import goldstone.reproductions.loss_landscape_geometry.models as models
from goldstone.reproductions import Reproduction, reproduce

NAME = "loss_landscape_geometry"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    pytest.importorskip("matplotlib")
    out = tmp_path_factory.mktemp("out")
    return out, reproduce(NAME, out, quick=True)


def test_files(written):
    out, found = written
    assert Reproduction.load(out / f"{NAME}.json") == Reproduction.from_json(found.to_json())
    for figure in found.figures:
        assert (out / f"{NAME}-{figure}.svg").stat().st_size > 1000
    page = (out / f"{NAME}.md").read_text()
    assert "quick form" in page
    assert all(claim.statement in page for claim in found.claims)


def test_every_published_claim_is_there(written):
    _, found = written
    published = [claim for claim in found.claims if not claim.statement.startswith("(Ours.)")]
    assert len(published) >= 8
    assert all(claim.comparisons for claim in found.claims)


def test_exact_answers_hold_at_any_size(written):
    _, found = written
    by_statement = {claim.statement: claim for claim in found.claims}
    stride = next(c for s, c in by_statement.items() if "multiples of its total stride" in s)
    assert stride.outcome == "reproduced"
    built_in = next(c for s, c in by_statement.items() if "built in" in s)
    values = {c.quantity: c.measured.estimate for c in built_in.comparisons if c.measured}
    assert values["K over D4, D4 built in"] == pytest.approx(1.0, abs=1e-3)
    assert values["ρ over D4 (Euclidean), D4 built in"] == pytest.approx(1.0, abs=1e-3)


def test_nothing_finished_is_done_twice(written, monkeypatch):
    out, found = written

    def fail(*args, **kwargs):
        raise AssertionError("done again")

    monkeypatch.setattr(measure.Meter, "element", fail)
    monkeypatch.setattr(models, "train_next_step", fail)
    assert reproduce(NAME, out, quick=True) == found
