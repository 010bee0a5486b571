"""goldstone align: two files of weights, a factory and pairs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from goldstone.core import generator
from goldstone.weightspace import parameter_symmetries

Command = Callable[[str], Any]
CODE = '''
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(3, width), nn.ReLU(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2)
        )

    def forward(self, x):
        print("a remark of the user's model")
        return self.layers(x)


class Odd(Net):
    """An operation of which nothing is known, half-way."""

    def forward(self, x):
        hidden = self.layers[0](x)
        return self.layers[1:](hidden) + 0 * torch.special.i0(hidden).sum(1, keepdim=True)


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Linear(20, 2)
        )

    def forward(self, x):
        return self.net(x)


class Noisy(Net):
    def forward(self, x):
        return super().forward(x) + torch.rand(2)


class Untraceable(Net):
    def forward(self, x):
        return super().forward(x) if float(x.sum()) > 0 else -super().forward(x)


class TwoInputs(Net):
    def forward(self, x, scale):
        return super().forward(x) * scale


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def loss(prediction, target):
    return (prediction - target).abs().mean(1)
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """B is A after a random element of every symmetry."""
    place = tmp_path_factory.mktemp("align")
    (place / "nets.py").write_text(CODE)
    names: dict[str, Any] = {}
    exec(CODE, names)
    stream = generator(0, "align")
    x = torch.randn(60, 3, generator=stream)
    for name, inputs in (
        ("Net", x),
        ("Normed", torch.randn(60, 1, 4, 4, generator=stream)),
        ("Tied", torch.randn(60, 4, generator=stream)),
    ):
        torch.manual_seed(1)
        a = names[name]().eval()
        with torch.no_grad():
            for parameter in a.parameters():
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=stream))
        targets = a(inputs).detach()
        state = a.state_dict()
        for k, one in enumerate(parameter_symmetries(a, (inputs[:2],)).symmetries):
            state = one.act(one.random_element(generator(3, k)), state)
        save(place / f"{name}-a.safetensors", a.state_dict())
        save(place / f"{name}-b.safetensors", state)
        np.savez(place / f"{name}.npz", inputs=inputs.numpy(), targets=targets.numpy())
    broken = load_file(place / "Net-b.safetensors")
    broken["layers.2.bias"][0] = torch.nan
    save(place / "nan.safetensors", broken)
    np.savez(
        place / "two.npz",
        **{"inputs.x": x.numpy(), "inputs.scale": np.ones((60, 1), np.float32)},
        targets=np.zeros((60, 2), np.float32),
    )
    return place


def save(path: Path, state: Any) -> None:
    save_file({name: x.clone().contiguous() for name, x in state.items()}, path)


def line(folder: Path, name: str, more: str = "", factory: str = "") -> str:
    return (
        f"align {folder}/{name}-a.safetensors {folder}/{name}-b.safetensors "
        f"--model {folder}/nets.py:{factory or name} --data {folder}/{name}.npz {more}"
    )


def test_moved_copy_is_found_and_merged(folder: Path, command: Command, tmp_path: Path) -> None:
    done = command(line(folder, "Net", f"--out {tmp_path}/out --json --fail-over 1e-4"))
    assert done.code == 0
    result = json.loads(done.stdout)
    before, after = (
        result["paths"][name]["barrier"]["estimate"] for name in ("straight", "aligned")
    )
    assert before > 0.05
    assert after < 1e-3 * before
    assert result["distance"] < 1e-3 * result["distance_before"]
    assert result["output_change"] < 1e-4
    assert result == json.loads((tmp_path / "out/align.json").read_text())
    a = load_file(folder / "Net-a.safetensors")
    for file in ("aligned", "merged"):
        found = load_file(tmp_path / f"out/{file}.safetensors")
        for name, x in a.items():
            torch.testing.assert_close(found[name], x, atol=1e-4, rtol=1e-3)
    drawing = (tmp_path / "out/barrier.svg").read_text()
    assert drawing.startswith("<svg")
    assert 'xmlns="http://www.w3.org/2000/svg"' in drawing
    assert "B as given" in drawing
    assert "remark" in done.stderr


def test_table_and_exit_codes(folder: Path, command: Command) -> None:
    done = command(line(folder, "Net", "--points 5"))
    assert done.code == 0
    assert "B moved" in done.stdout
    assert "barrier" in done.stdout
    # Permutations alone do not undo scalings.
    assert command(line(folder, "Net", "--kinds permutation --fail-over 1e-6 --quiet")).code == 1
    quiet = command(line(folder, "Net", "--quiet"))
    assert quiet.stdout == ""


@pytest.mark.parametrize("method", ["activations", "learned"])
def test_other_methods(folder: Path, command: Command, method: str) -> None:
    more = f"--method {method} --steps 5 --points 5 --json --quiet --batch 20"
    result = json.loads(command(line(folder, "Net", more)).stdout)
    before, after = (
        result["paths"][name]["barrier"]["estimate"] for name in ("straight", "aligned")
    )
    assert after < before


def test_curve_and_own_loss(folder: Path, command: Command) -> None:
    more = (
        f"--curve 60 --learning-rate 1e-2 --kinds permutation --loss {folder}/nets.py:loss "
        f"--points 7 --json --train {folder}/Net.npz"
    )
    paths = json.loads(command(line(folder, "Net", more)).stdout)["paths"]
    assert set(paths) == {"straight", "aligned", "curve"}
    assert paths["curve"]["barrier"]["estimate"] < paths["aligned"]["barrier"]["estimate"]


def test_batch_norm_is_reset(folder: Path, command: Command) -> None:
    done = command(line(folder, "Normed", "--points 5 --json"))
    paths = json.loads(done.stdout)["paths"]
    assert paths["aligned"]["reset"]
    # The same network twice: no point of the way differs.
    losses = [one["estimate"] for one in paths["aligned"]["losses"]]
    assert max(losses) == pytest.approx(min(losses), rel=1e-4)
    assert paths["straight"]["losses"][2]["estimate"] != pytest.approx(losses[2], rel=1e-2)


def test_shared_weights_and_unknown_operations_are_named(folder: Path, command: Command) -> None:
    done = command(line(folder, "Tied", "--points 3"))
    assert done.code == 0
    assert "shared weights move as one: second.weight = first.weight" in done.stderr
    odd = command(line(folder, "Net", "--points 3", "Odd"))
    assert odd.code == 0
    assert "operations not understood: special_i0" in odd.stderr
    assert "the rest is aligned" in odd.stderr


def test_several_inputs_and_files(folder: Path, command: Command) -> None:
    files = f"--data {folder}/two.npz --data {folder}/two.npz"
    done = command(
        f"align {folder}/Net-a.safetensors {folder}/Net-b.safetensors "
        f"--model {folder}/nets.py:TwoInputs {files} --points 3 --json"
    )
    assert json.loads(done.stdout)["paths"]["aligned"]["barrier"]["n"] == 120


@pytest.mark.parametrize(
    ("more", "factory", "message"),
    [
        ("--set width=9", "", "do not fit the model Net"),
        ("", "Noisy", "call eval()"),
        ("", "Untraceable", "cannot be traced"),
        ("--kinds rotations", "", "--kinds: expected some of permutation"),
        ("--points 2", "", "--points: expected 3 or more"),
        ("--merge-at 2", "", "--merge-at: expected t between 0 and 1"),
        ("--method activations --kinds sign", "", "only permutes units"),
        ("", "TwoInputs", "missing a required argument"),
    ],
)
def test_bad_input(folder: Path, command: Command, more: str, factory: str, message: str) -> None:
    done = command(line(folder, "Net", more, factory))
    assert done.code == 2
    assert message in done.stderr


def test_bad_weights(folder: Path, command: Command) -> None:
    rest = f"--model {folder}/nets.py:Net --data {folder}/Net.npz"
    nan = command(f"align {folder}/Net-a.safetensors {folder}/nan.safetensors {rest}")
    assert nan.code == 2
    assert "weights that are not finite numbers, in layers.2.bias" in nan.stderr
    other = command(f"align {folder}/Net-a.safetensors {folder}/Normed-a.safetensors {rest}")
    assert other.code == 2
    assert "do not fit the model Net" in other.stderr


def test_learning_keeps_a_checkpoint_while_it_runs(
    folder: Path, command: Command, tmp_path: Path
) -> None:
    more = f"--method learned --steps 3 --points 3 --batch 20 --quiet --out {tmp_path}"
    damaged = tmp_path / "learning.pt"
    damaged.write_bytes(b"half a file")
    stopped = command(line(folder, "Net", more))
    assert stopped.code == 2
    assert "learning.pt: cannot be read as a checkpoint" in stopped.stderr
    damaged.unlink()
    assert command(line(folder, "Net", more)).code == 0
    assert not damaged.exists()
    assert (tmp_path / "merged.safetensors").exists()
