"""The quick form of the gauge networks: it runs, resumes, and the exact part is exact."""

from goldstone.reproductions import Reproduction, reproduce
from goldstone.reproductions import gauge_networks as module


def test_quick_form(tmp_path):
    found = reproduce("gauge_networks", tmp_path, quick=True)
    better, transfers, invariant = found.claims
    assert invariant.outcome == "reproduced"
    assert transfers.outcome == "reproduced"
    for runs in (v for name, v in found.tables.items() if "plain" in name):
        assert runs[0]["gauge_error"] > 0.1
    assert module._worst_ratio(_by_kind(found), "small") > 2
    assert Reproduction.load(tmp_path / "gauge_networks.json") == found
    # Nothing finished is done twice.
    again = reproduce("gauge_networks", tmp_path, quick=True)
    assert again.tables == found.tables
    assert again.provenance.seconds == found.provenance.seconds
    assert better.comparisons[0].measured.n == 1


def _by_kind(found):
    return {tuple(name.split(", ")): runs for name, runs in found.tables.items()}
