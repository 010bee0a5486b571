"""Saved audits: the same when read back, refused when damaged."""

import json

import numpy as np
import pytest

import goldstone
from goldstone.auditing import AuditResult
from goldstone.core import InputError


@pytest.fixture(scope="module")
def result(flows, perturbed_solver, quick):
    data = flows()
    model = perturbed_solver(data)
    return goldstone.audit(
        model, data, "d4", settings=quick(), history=[(0, model)], shifts=True, name="näme"
    )


@pytest.fixture
def saved(result, tmp_path):
    result.save(tmp_path / "audit")
    return tmp_path / "audit"


def test_what_is_read_is_what_was_written(result, saved):
    loaded = AuditResult.load(saved)
    assert loaded == result
    assert loaded.to_json() == result.to_json()
    assert set(loaded.arrays) == set(result.arrays)
    for name, array in result.arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array)
        assert loaded.arrays[name].dtype == array.dtype
    assert sorted(p.name for p in saved.iterdir()) == ["audit.json", "audit.npz"]


def test_the_arrays_are_plain_numbers_and_names(result):
    for array in result.arrays.values():
        assert array.dtype.kind in "fiU"
    assert result.arrays["display_elements"].tolist() == [e.name for e in result.elements[1:]]
    shape = (7, 2, 16, 16)
    for name in ("moved_input", "prediction_of_moved", "moved_prediction", "moved_target"):
        assert result.arrays[f"display_{name}"].shape == shape
    # This model is equivariant: both ways round the square agree.
    np.testing.assert_allclose(
        result.arrays["display_prediction_of_moved"],
        result.arrays["display_moved_prediction"],
        atol=1e-6,
    )


@pytest.mark.parametrize("name", ["audit.json", "audit.npz"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_truncated_files_are_refused(saved, name, share):
    path = saved / name
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=r"damaged|missing"):
        AuditResult.load(saved)


def test_flipped_bytes_are_refused(saved):
    path = saved / "audit.npz"
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="damaged"):
        AuditResult.load(saved)


@pytest.mark.parametrize("name", ["audit.json", "audit.npz"])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(InputError, match=f"{name} is missing"):
        AuditResult.load(saved)


def test_a_missing_key_is_named_and_an_unknown_one_is_not_minded(saved, result):
    path = saved / "audit.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"from_the_future": 1}))
    assert AuditResult.load(saved) == result
    del values["verdict"]
    path.write_text(json.dumps(values))
    with pytest.raises(InputError, match="'verdict' is missing"):
        AuditResult.load(saved)


def test_a_newer_schema_is_refused(saved):
    path = saved / "audit.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"schema_version": 99}))
    with pytest.raises(InputError, match="newer goldstone"):
        AuditResult.load(saved)


@pytest.mark.parametrize("values", [{}, [], {"schema_version": "1"}])
def test_another_json_is_refused(saved, values):
    (saved / "audit.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"none of goldstone's"):
        AuditResult.load(saved)


def test_elements_by_name(result):
    assert result.element("sr²").name == "sr²"
    with pytest.raises(InputError, match="no element 'r⁵'"):
        result.element("r⁵")


def test_a_file_of_the_first_version_is_read_without_the_fields_that_came_later(saved, result):
    path = saved / "audit.json"
    values = json.loads(path.read_text())
    for later in ("metrics", "probes"):
        del values[later]
    for entry in values["elements"]:
        del entry["reasons"], entry["samples_used"]
    for later in ("other_gradients", "gradients_saved", "memory"):
        del values["provenance"][later]
    path.write_text(json.dumps(values))
    read = AuditResult.load(saved)
    assert read.elements[1].orbit_coherence == result.elements[1].orbit_coherence
    assert read.probes == type(read.probes)()
