"""The quick form of the tensor decompositions: what has closed forms is exact."""

from goldstone.reproductions import Reproduction, reproduce


def test_quick_form(tmp_path):
    found = reproduce("symmetric_tensors", tmp_path, quick=True)
    closed_forms, large, few, levels = found.claims
    assert closed_forms.outcome == "reproduced"
    assert few.outcome == "reproduced"
    assert large.comparisons[0].measured.estimate > 0.8
    assert len(levels.comparisons) == 3
    assert {"catalogue", "spectrum"} == set(found.drawings)
    assert Reproduction.load(tmp_path / "symmetric_tensors.json") == found
    again = reproduce("symmetric_tensors", tmp_path, quick=True)
    assert again.tables == found.tables
