import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from goldstone.systems.emulators import load_emulator
from goldstone.systems.flows import NavierStokes2d, read_trajectories, simulate

Command = Callable[[str], Any]
TINY = (
    "--epochs 1 --batch-size 4 --set base_channels=4 --set stages=1 --set blocks_per_stage=1 "
    "--set attention=False"
)


@pytest.mark.parametrize("suffix", ["npz", "h5"])
def test_simulates_what_the_library_simulates(command: Command, suffix: str) -> None:
    if suffix == "h5":
        pytest.importorskip("h5py")
    outcome = command(
        f"simulate new/out.{suffix} --trajectories 3 --steps 2 --grid 32x36 --dt 0.1 --seed 5 "
        "--viscosity 0.01 --warmup 0.05 --initial-condition anisotropic-turbulence --json"
    )
    assert outcome.code == 0
    told = json.loads(outcome.stdout)
    data = read_trajectories(f"new/out.{suffix}")
    expected = simulate(
        NavierStokes2d(viscosity=0.01),
        "anisotropic-turbulence",
        trajectories=3,
        steps=2,
        grid=(32, 36),
        dt=0.1,
        seed=5,
        warmup=0.05,
    )
    assert torch.equal(data.fields, expected.fields)
    assert told["grid"] == [32, 36]
    assert (told["trajectories"], told["steps"], told["dt"], told["seed"]) == (3, 2, 0.1, 5)
    assert told["parameters"] == {"viscosity": 0.01}


def test_simulates_euler(command: Command) -> None:
    line = (
        "simulate e.npz --system compressible-euler --initial-condition curved-riemann "
        "--trajectories 1 --steps 1 --grid 32 --dt 0.01 --gamma 1.3"
    )
    outcome = command(line)
    assert outcome.code == 0
    assert "1 trajectories of 1 steps, 32×32, density, momentum 1, momentum 2, energy" in (
        outcome.stdout
    )
    assert read_trajectories("e.npz").parameters == {"gamma": 1.3}


def test_a_finished_file_is_kept_and_another_one_is_not_overwritten(command: Command) -> None:
    line = "simulate a.npz --trajectories 1 --steps 1 --grid 32"
    assert command(line).code == 0
    before = Path("a.npz").stat().st_mtime_ns
    assert command(line).code == 0
    assert Path("a.npz").stat().st_mtime_ns == before
    refused = command(f"{line} --seed 1")
    assert refused.code == 2
    assert "seed: 0 there, 1 asked" in refused.stderr
    assert "--overwrite" in refused.stderr
    assert command(f"{line} --seed 1 --overwrite --quiet").code == 0
    assert read_trajectories("a.npz").seed == 1


def test_trains_resumes_and_tells(command: Command) -> None:
    line = f"train FILES/test.npz --out run --validation FILES/test.npz {TINY}"
    outcome = command(line)
    assert outcome.code == 0
    assert outcome.stdout.startswith("run: ")
    assert "validation scaled_mse" in outcome.stdout
    again = command(f"{line} --json")
    told = json.loads(again.stdout)
    assert told["directory"] == "run"
    assert [record["epoch"] for record in told["losses"]["epochs"]] == [0, 1]
    assert told["parameters"] == sum(p.numel() for p in load_emulator("run").parameters())
    assert Path(told["checkpoint"]).name == "epoch-0001.safetensors"


def test_trains_on_data_that_need_declaring(command: Command) -> None:
    outcome = command(
        f"train FILES/plain.npz --out run --fields velocity:velocity --dt 0.05 {TINY} --quiet"
    )
    assert outcome.code == 0, outcome.stderr
    assert outcome.stdout == ""
    assert load_emulator("run").layout.channel_names() == ("velocity 1", "velocity 2")


@pytest.mark.parametrize(
    ("line", "messages"),
    [
        ("simulate x.txt", ("x.txt", ".npz, .h5")),
        ("simulate x.npz --system burgers", ("navier-stokes", "'burgers'")),
        ("simulate x.npz --gamma 1.4", ("--gamma", "--viscosity")),
        ("simulate x.npz --viscosity -1", ("viscosity", "-1")),
        ("simulate x.npz --initial-condition eddy", ("isotropic-turbulence", "'eddy'")),
        ("simulate x.npz --grid 16", ("27×27", "16×16", "finer grid")),
        ("simulate x.npz --grid big", ("--grid", "'big'")),
        ("simulate x.npz --steps 0", ("steps", "1 or more")),
        ("simulate x.npz --dt 0", ("dt > 0",)),
        ("simulate x.npz --device tpu", ("--device", "'tpu'", "cpu")),
        ("simulate FILES/w.pt/x.npz", ("cannot write", "it is a file")),
        ("train absent.npz --out run", ("absent.npz", "no such file", "goldstone simulate")),
        ("train FILES/cut.npz --out run", ("cut.npz", "damaged")),
        ("train FILES/plain.npz --out run", ("--fields and --dt",)),
        ("train FILES/nan.npz --out run", ("nan.npz", "(3, 1, 0, 2, 2)")),
        ("train FILES/short.npz --out run", ("two snapshots", "got 1")),
        ("train FILES/test.npz --out run --architecture resnet", ("unet, vit", "'resnet'")),
        ("train FILES/test.npz --out run --set chanels=3", ("chanels", "base_channels")),
        ("train FILES/test.npz --out run --set stages=9", ("512", "32×32")),
        ("train FILES/test.npz --out run --set stages=two", ("stages", "int", "'two'")),
        ("train FILES/test.npz --out run --epochs 0", ("epochs", "at least 1")),
        ("train FILES/test.npz --out run --loss mae", ("'mae'", "scaled_mse")),
        ("train FILES/test.npz --out FILES/w.pt", ("--out", "it is a file")),
        (
            "train FILES/oblong.npz --out run --architecture equivariant",
            ("square grid", "32×24"),
        ),
    ],
)
def test_bad_input(command: Command, line: str, messages: tuple[str, ...]) -> None:
    outcome = command(line)
    assert outcome.code == 2
    assert outcome.stdout == ""
    (only,) = outcome.stderr.splitlines()
    for message in messages:
        assert message in only


def test_a_directory_belongs_to_one_run(command: Command) -> None:
    assert command(f"train FILES/test.npz --out run {TINY} --quiet").code == 0
    outcome = command(f"train FILES/test.npz --out run {TINY} --seed 1")
    assert outcome.code == 2
    assert "training.seed (there 0, asked 1)" in outcome.stderr
