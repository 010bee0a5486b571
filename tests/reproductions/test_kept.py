import pytest

from goldstone.core import InputError
from goldstone.reproductions import Kept


def test_nothing_is_measured_twice(tmp_path):
    calls = []

    def measure():
        calls.append(1)
        return {"value": (1, 2.5)}

    first = Kept(tmp_path, {"size": (3, 4)}).measure("one", measure)
    again = Kept(tmp_path, {"size": (3, 4)})
    assert again.measure("one", measure) == first == {"value": [1, 2.5]}
    assert len(calls) == 1
    assert again.seconds("one") >= 0
    assert again.seconds("other") == 0


def test_a_failed_measurement_leaves_nothing(tmp_path):
    def fail():
        raise RuntimeError("no")

    kept = Kept(tmp_path, {})
    with pytest.raises(RuntimeError):
        kept.measure("one", fail)
    assert kept.measure("one", lambda: {"value": 1}) == {"value": 1}


def test_other_settings_are_refused(tmp_path):
    Kept(tmp_path, {"size": 3, "seed": 0})
    with pytest.raises(InputError, match=r"other settings \(size\)"):
        Kept(tmp_path, {"size": 4, "seed": 0})


def test_damaged_files_are_named(tmp_path):
    kept = Kept(tmp_path, {})
    (tmp_path / "one.json").write_text("{")
    with pytest.raises(InputError, match=r"one\.json: not JSON"):
        kept.measure("one", dict)
