"""Making data sets: what they hold, that they resume after kill -9, and what is refused."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from goldstone.core import InputError
from goldstone.systems.flows import (
    INITIAL_CONDITIONS,
    CompressibleEuler2d,
    NavierStokes2d,
    ground_truth,
    initial_states,
    read_metadata,
    read_trajectories,
    rollout,
    simulate,
)

SOLVER = NavierStokes2d(viscosity=2e-3)
REQUEST: dict[str, Any] = {
    "initial_condition": "isotropic-turbulence",
    "trajectories": 6,
    "steps": 2,
    "grid": (32, 32),
    "dt": 0.02,
    "seed": 3,
    "batch": 2,
}


@pytest.mark.parametrize("system", INITIAL_CONDITIONS)
def test_data_are_rollouts_of_the_named_initial_states(system: str) -> None:
    solver = ground_truth(
        system, {"navier-stokes": {"viscosity": 1e-3}}.get(system, {"gamma": 1.4})
    )
    for name in INITIAL_CONDITIONS[system]:
        data = simulate(solver, **{**REQUEST, "initial_condition": name, "trajectories": 3})
        states = initial_states(solver, name, 3, (32, 32), 3)
        torch.testing.assert_close(data.fields, rollout(solver, states, 0.02, 2))
        assert (data.system, data.initial_condition, data.seed) == (system, name, 3)
        assert data.parameters == solver.parameters
        assert data.layout == solver.layout
        # The data say which solver made them.
        assert ground_truth(data.system, data.parameters, data.lengths) == solver


def test_trajectories_do_not_depend_on_their_number_or_batch() -> None:
    few = simulate(SOLVER, **{**REQUEST, "trajectories": 3, "batch": 3})
    many = simulate(SOLVER, **REQUEST)
    torch.testing.assert_close(many.fields[:3], few.fields, atol=1e-5, rtol=0)
    assert torch.equal(many.fields[:, 0][:3], few.fields[:, 0])


def test_warm_up_and_precision() -> None:
    data = simulate(SOLVER, **{**REQUEST, "trajectories": 2, "dtype": torch.float64})
    assert data.fields.dtype == torch.float64
    warm = simulate(SOLVER, **{**REQUEST, "trajectories": 2, "dtype": torch.float64}, warmup=0.02)
    torch.testing.assert_close(warm.fields[:, :2], data.fields[:, 1:], atol=1e-12, rtol=0)


class Recorder:
    def __init__(self) -> None:
        self.total = self.done = 0

    @contextmanager
    def task(self, label: str, total: int) -> Iterator["Recorder"]:
        self.total += total
        yield self

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.done += steps


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_writes_once_and_then_reads(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"flows{suffix}"
    shown = Recorder()
    data = simulate(SOLVER, **REQUEST, path=path, progress=shown)
    assert shown.done == shown.total == 6 * 3
    assert torch.equal(read_trajectories(path).fields, data.fields)
    assert list(tmp_path.iterdir()) == [path]
    metadata = read_metadata(path)
    assert metadata is not None
    assert metadata["provenance"]["request"]["trajectories"] == 6

    monkeypatch.setattr(NavierStokes2d, "advance", None)
    again = simulate(SOLVER, **REQUEST, path=path)
    assert torch.equal(again.fields, data.fields)


SCRIPT = """
import sys, time, torch
torch.set_num_threads(1)
from goldstone.systems.flows import NavierStokes2d, simulate
advance = NavierStokes2d.advance
def slowly(self, state, duration):
    time.sleep(0.05)
    return advance(self, state, duration)
NavierStokes2d.advance = slowly
simulate(NavierStokes2d(viscosity=2e-3), "isotropic-turbulence", trajectories=6, steps=2,
         grid=(32, 32), dt=0.02, seed=3, batch=2, path=sys.argv[1])
"""


def test_goes_on_after_kill_9_with_the_same_bits(tmp_path: Path) -> None:
    path = tmp_path / "flows.npz"
    parts = tmp_path / "flows.npz.parts"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(path)], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    deadline = time.monotonic() + 60
    while not (parts / "part-00000.npy").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not path.exists()
    done = sorted(parts.glob("part-*.npy"))
    assert 1 <= len(done) < 3
    # A killed writer may also leave a temporary file behind.
    (parts / ".part-00002.77.tmp.npy").write_bytes(b"half")

    shown = Recorder()
    calls = []

    class Counting(NavierStokes2d):
        def advance(self, state: torch.Tensor, duration: float) -> torch.Tensor:
            calls.append(len(state))
            return super().advance(state, duration)

        def __repr__(self) -> str:
            return repr(SOLVER)

    resumed = simulate(Counting(viscosity=2e-3), **REQUEST, path=path, progress=shown)
    assert len(calls) == 2 * (3 - len(done))
    assert shown.done == shown.total
    assert torch.equal(resumed.fields, simulate(SOLVER, **REQUEST).fields)
    assert torch.equal(read_trajectories(path).fields, resumed.fields)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("moment", ["write part", "move", "clean up"])
def test_goes_on_after_an_end_at_any_file_operation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    path = tmp_path / "flows.npz"

    def die(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        match moment:
            case "write part":
                patch.setattr(np, "save", die)
            case "move":
                patch.setattr(Path, "replace", die)
            case _:
                patch.setattr("shutil.rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            simulate(SOLVER, **REQUEST, path=path)
    assert (tmp_path / "flows.npz.parts").exists()
    resumed = simulate(SOLVER, **REQUEST, path=path)
    assert torch.equal(resumed.fields, simulate(SOLVER, **REQUEST).fields)
    assert list(tmp_path.iterdir()) == [path]


def test_refuses_a_path_of_other_arguments_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "flows.npz"
    other = {**REQUEST, "seed": 4}
    simulate(SOLVER, **REQUEST, path=path)
    with pytest.raises(InputError, match="seed: 3 there, 4 asked"):
        simulate(SOLVER, **other, path=path)
    with pytest.raises(InputError, match=r"solver: NavierStokes2d\(viscosity=0.002"):
        simulate(NavierStokes2d(3e-3), **REQUEST, path=path)
    assert simulate(SOLVER, **other, path=path, overwrite=True).seed == 4
    assert read_trajectories(path).seed == 4

    path.unlink()
    parts = tmp_path / "flows.npz.parts"
    parts.mkdir()
    (parts / "request.json").write_text('{"seed": 9}')
    with pytest.raises(InputError, match=r"parts.*seed: 9 there, 3 asked"):
        simulate(SOLVER, **REQUEST, path=path)
    assert simulate(SOLVER, **REQUEST, path=path, overwrite=True).seed == 3

    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="damaged"):
        simulate(SOLVER, **REQUEST, path=path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"initial_condition": "curved-riemann"}, "isotropic-turbulence, anisotropic-turbulence"),
        ({"trajectories": 0}, "trajectories: expected 1"),
        ({"steps": 0}, "steps: expected 1"),
        ({"batch": 0}, "batch: expected 1"),
        ({"dt": 0.0}, "dt > 0"),
        ({"dt": float("nan")}, "dt > 0"),
        ({"warmup": -1.0}, "warmup ≥ 0"),
        ({"grid": (16, 16)}, "finer grid"),
        ({"dtype": torch.float16}, "float32 or torch.float64"),
        ({"path": "flows.csv"}, "ends in .npz"),
    ],
)
def test_refuses_wrong_arguments_and_leaves_no_files(
    tmp_path: Path, change: dict, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        simulate(SOLVER, **{**REQUEST, "path": "flows.npz", **change})
    assert list(tmp_path.iterdir()) == []


def test_refuses_unknown_systems_and_parameters() -> None:
    with pytest.raises(InputError, match="navier-stokes, compressible-euler, got 'unknown'"):
        ground_truth("unknown", {})
    with pytest.raises(InputError, match="needs exactly 'viscosity', got none"):
        ground_truth("navier-stokes", {})
    with pytest.raises(InputError, match="needs exactly 'gamma', got viscosity"):
        ground_truth("compressible-euler", {"viscosity": 1.0})
    with pytest.raises(InputError, match="got beta, viscosity; it takes viscosity_ratio too"):
        ground_truth("navier-stokes", {"viscosity": 1e-3, "beta": 1.0})
    assert isinstance(ground_truth("compressible-euler", {"gamma": 1.4}), CompressibleEuler2d)


@pytest.mark.parametrize("ratio", [1.0, 0.1])
def test_the_law_is_found_again_from_its_parameters(ratio: float) -> None:
    solver = NavierStokes2d(1e-3, (1.0, 2.0), viscosity_ratio=ratio)
    assert len(solver.parameters) == (1 if ratio == 1 else 2)
    assert ground_truth(solver.system, solver.parameters, solver.lengths) == solver
