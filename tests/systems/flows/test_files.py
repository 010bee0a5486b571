"""Round trips of data sets, plain files of users, and files that are broken."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from goldstone.actions import EULER_FIELDS, NAVIER_STOKES_FIELDS, Field, FieldLayout
from goldstone.core import InputError
from goldstone.systems.flows import (
    Trajectories,
    read_metadata,
    read_trajectories,
    write_trajectories,
)

SUFFIXES = [".npz", ".h5", ".hdf5"]


def data_set(dtype: torch.dtype = torch.float32, **options: Any) -> Trajectories:
    fields = torch.rand(3, 4, 4, 8, 6, generator=torch.Generator().manual_seed(0)).to(dtype)
    known = {
        "layout": EULER_FIELDS,
        "dt": 0.1,
        "lengths": (1.0, 0.75),
        "system": "compressible-euler",
        "parameters": {"gamma": 1.4},
        "initial_condition": "curved-riemann",
        "seed": 5,
    }
    return Trajectories(fields, **{**known, **options})


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_round_trip(tmp_path: Path, suffix: str, dtype: torch.dtype) -> None:
    path = tmp_path / f"flows{suffix}"
    image = FieldLayout((Field("velocity", "velocity", (1, 0), (1, -1)), Field("p", "scalar")))
    for data in (
        data_set(dtype),
        Trajectories(torch.rand(1, 2, 3, 4, 4).to(dtype), image, 0.5),
    ):
        write_trajectories(path, data, provenance={"by": "a test"})
        read = read_trajectories(path)
        assert torch.equal(read.fields, data.fields)
        assert read.fields.dtype == dtype
        for name in ("layout", "dt", "lengths", "system", "parameters", "initial_condition"):
            assert getattr(read, name) == getattr(data, name)
        assert read.seed == data.seed
        metadata = read_metadata(path)
        assert metadata is not None
        assert metadata["provenance"] == {"by": "a test"}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_reads_some_of_the_trajectories(tmp_path: Path, suffix: str) -> None:
    path, data = tmp_path / f"flows{suffix}", data_set()
    write_trajectories(path, data)
    read = read_trajectories(path, trajectories=slice(1, None))
    assert torch.equal(read.fields, data.fields[1:])
    with pytest.raises(InputError, match="at least one"):
        read_trajectories(path, trajectories=slice(7, 9))


def test_hdf5_is_chunked_by_snapshot(tmp_path: Path) -> None:
    write_trajectories(tmp_path / "flows.h5", data_set())
    with h5py.File(tmp_path / "flows.h5") as file:
        assert file["fields"].chunks == (1, 1, 4, 8, 6)


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_reads_a_plain_file_with_its_meaning_given(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mine{suffix}"
    fields = np.random.default_rng(0).normal(size=(2, 3, 2, 8, 8))
    write_plain(path, fields)
    data = read_trajectories(path, layout=NAVIER_STOKES_FIELDS, dt=0.2)
    assert np.array_equal(data.fields.numpy(), fields)
    assert (data.system, data.dt, data.lengths) == ("unknown", 0.2, (1.0, 1.0))
    assert read_metadata(path) is None
    with pytest.raises(InputError, match="needs its layout"):
        read_trajectories(path)
    with pytest.raises(InputError, match=r"needs its layout .* and dt"):
        read_trajectories(path, layout=NAVIER_STOKES_FIELDS)
    with pytest.raises(InputError, match=r"mine.*expected the 4 channels .*got 2"):
        read_trajectories(path, layout=EULER_FIELDS, dt=0.2)


def test_arguments_go_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "flows.npz"
    write_trajectories(path, data_set())
    read = read_trajectories(path, dt=3.0, lengths=(2.0, 2.0))
    assert (read.dt, read.lengths, read.seed) == (3.0, (2.0, 2.0), 5)


def write_plain(path: Path, fields: np.ndarray, name: str = "fields") -> None:
    if path.suffix == ".npz":
        np.savez(path, **{name: fields})
    else:
        with h5py.File(path, "w") as file:
            file[name] = fields


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.98])
def test_refuses_a_file_cut_short(tmp_path: Path, suffix: str, kept: float) -> None:
    path = tmp_path / f"flows{suffix}"
    write_trajectories(path, data_set())
    content = path.read_bytes()
    size = int(kept * len(content)) if kept < 1 else int(kept)
    path.write_bytes(content[:size])
    with pytest.raises(InputError, match="damaged, cut short or of another format"):
        read_trajectories(path)


def test_refuses_flipped_bytes_in_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "flows.npz"
    write_trajectories(path, data_set())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read_trajectories(path)


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_refuses_files_of_another_kind(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"other{suffix}"
    with pytest.raises(InputError, match="no such file"):
        read_trajectories(path)
    path.write_text("These are no numbers at all.")
    with pytest.raises(InputError, match="damaged"):
        read_trajectories(path)
    write_plain(path, np.zeros((2, 3, 2, 8, 8)), name="velocity")
    with pytest.raises(InputError, match="array named 'fields', got velocity"):
        read_trajectories(path)
    for wrong in (np.zeros((3, 2, 8, 8)), np.zeros((2, 3, 2, 8, 8), dtype=np.int32)):
        write_plain(path, wrong)
        with pytest.raises(InputError, match="expected 'fields' of shape"):
            read_trajectories(path, layout=NAVIER_STOKES_FIELDS, dt=0.1)
    for bad in (np.nan, np.inf):
        write_plain(path, np.full((2, 3, 2, 8, 8), bad))
        with pytest.raises(InputError, match=r"other.*NaN or infinite"):
            read_trajectories(path, layout=NAVIER_STOKES_FIELDS, dt=0.1)
    write_plain(path, np.zeros((2, 1, 2, 8, 8)))
    with pytest.raises(InputError, match="two snapshots or more"):
        read_trajectories(path, layout=NAVIER_STOKES_FIELDS, dt=0.1)


def test_refuses_a_group_called_fields(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "group.h5", "w") as file:
        file.create_group("fields")
    with pytest.raises(InputError, match=r"group\.h5"):
        read_trajectories(tmp_path / "group.h5", layout=NAVIER_STOKES_FIELDS, dt=0.1)


def test_never_unpickles(tmp_path: Path) -> None:
    path = tmp_path / "evil.npz"
    np.savez(path, fields=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="damaged"):
        read_trajectories(path)
    path.write_bytes(b"\x80\x04N.")
    with pytest.raises(InputError, match="damaged"):
        read_trajectories(path)


def test_refuses_a_single_array_renamed(tmp_path: Path) -> None:
    with (tmp_path / "array.npz").open("wb") as handle:
        np.save(handle, np.zeros(3))
    with pytest.raises(InputError, match="single array"):
        read_trajectories(tmp_path / "array.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "metadata is not that"),
        ({"version": 2}, "expected version 1"),
        ({"dt": "soon"}, "incomplete or wrong"),
        ({"dt": -1}, "positive time"),
        ({"layout": [{"name": "velocity"}]}, "'name' and 'fibre'"),
        ({"layout": 3}, "incomplete or wrong"),
        ({"lengths": [1.0]}, "two positive sizes"),
        ({"parameters": None}, "incomplete or wrong"),
        ({"seed": "x"}, "incomplete or wrong"),
    ],
)
def test_refuses_wrong_metadata(tmp_path: Path, change: dict, message: str) -> None:
    path = tmp_path / "flows.npz"
    write_trajectories(path, data_set())
    metadata = read_metadata(path)
    np.savez(
        path,
        fields=data_set().fields.numpy(),
        metadata=np.array(json.dumps({**metadata, **change})),
    )
    with pytest.raises(InputError, match=message):
        read_trajectories(path)


def test_refuses_missing_metadata_keys_and_text_that_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "flows.npz"
    write_trajectories(path, data_set())
    metadata = read_metadata(path)
    assert metadata is not None
    del metadata["dt"]
    for text in (json.dumps(metadata), "{", "[1]"):
        np.savez(path, fields=data_set().fields.numpy(), metadata=np.array(text))
        with pytest.raises(InputError, match=r"flows\.npz"):
            read_trajectories(path)


def test_refuses_another_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.npz, \.h5 or \.hdf5"):
        write_trajectories(tmp_path / "flows.csv", data_set())
    with pytest.raises(InputError, match=r"\.npz, \.h5 or \.hdf5"):
        read_trajectories(tmp_path / "flows.pt")


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "flows.npz"
    write_trajectories(path, data_set())

    def full_disk(*args: Any, **kwargs: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_trajectories(path, data_set(seed=6))
    assert read_trajectories(path).seed == 5
    assert list(tmp_path.iterdir()) == [path]
