import math
import statistics

import pytest

from goldstone.core import InputError
from goldstone.reproductions import Claim, Reproduction, over_seeds


def test_round_trip(found, tmp_path):
    found.save_json(tmp_path / "example.json")
    assert Reproduction.load(tmp_path / "example.json") == found
    assert "drawings" not in found.to_json()


def test_damaged_and_missing_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Reproduction.load(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"name": "x"')
    with pytest.raises(InputError, match="not JSON"):
        Reproduction.load(tmp_path / "half.json")
    (tmp_path / "other.json").write_text('{"name": "x"}')
    with pytest.raises(InputError, match="title"):
        Reproduction.load(tmp_path / "other.json")


def test_an_outcome_that_is_no_success_needs_a_diagnosis():
    with pytest.raises(InputError, match="diagnosis"):
        Claim("It works", "fig. 1", (), "partly")


def test_interval_over_seeds_is_student_s():
    values = [1.0, 2.0, 4.0]
    found = over_seeds(values)
    half = 4.302652729911275 * statistics.stdev(values) / math.sqrt(3)  # t₂ at 97.5 %
    assert found.estimate == pytest.approx(7 / 3)
    assert found.high == pytest.approx(7 / 3 + half)
    assert found.low == pytest.approx(7 / 3 - half)
    assert (found.n, found.median) == (3, 2.0)


def test_few_and_undefined_values():
    assert over_seeds([0.5]).low is None
    assert over_seeds([0.5]).estimate == 0.5
    assert over_seeds([]).estimate is None
    assert over_seeds([0.5, math.nan]).estimate is None
