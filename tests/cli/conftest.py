"""Tiny data sets, a user's Python file, weights, and the command line itself."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

USERS_FILE = '''
import torch
from torch import nn
from goldstone.systems.flows import NavierStokes2d


class Net(nn.Module):
    def __init__(self, width=4, channels=2, kernel=3):
        super().__init__()
        self.first = nn.Conv2d(channels, width, kernel, padding=1, padding_mode="circular")
        self.last = nn.Conv2d(width, channels, kernel, padding=1, padding_mode="circular")

    def forward(self, x):
        return x + 0.1 * self.last(torch.tanh(self.first(x)))


class Lagging(nn.Module):
    """The solver, a share of the way: it has skill, every symmetry and no parameters."""

    def __init__(self, share=0.9):
        super().__init__()
        self.share = share
        self.solver = NavierStokes2d(viscosity=2e-3)

    def forward(self, x):
        return x + self.share * (self.solver.advance(x, 0.05) - x)


class OneWay(Lagging):
    """Better on flows that run along the second axis."""

    def forward(self, x):
        energy = x.square().mean((-2, -1))
        good = (energy[:, 1] > energy[:, 0])[:, None, None, None]
        return torch.where(good, super().forward(x), x + 0.3 * (super().forward(x) - x))


def prints():
    print("some remark of the user's model")
    return Lagging()


def in_training():
    return nn.Sequential(Net(), nn.BatchNorm2d(2), nn.Dropout(0.5)).train()


def number():
    return 3


def raises():
    raise RuntimeError("no licence for this model")


class Cropped(Net):
    def forward(self, x):
        return super().forward(x)[..., 1:]


class Pair(Net):
    def forward(self, x):
        return super().forward(x), x


class NotANumber(Net):
    def forward(self, x):
        return super().forward(x) * float("nan")


class Stochastic(Net):
    def forward(self, x):
        return super().forward(x) + torch.randn_like(x)


built = Lagging()
constant = 3
'''


@dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str


Command = Callable[[str], Outcome]


def run_command(line: str) -> Outcome:
    from goldstone.cli.app import app

    result = CliRunner().invoke(app, shlex.split(line), prog_name="goldstone")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good files and bad ones; tests read them and write elsewhere."""
    folder = tmp_path_factory.mktemp("cli")
    users = folder / "users_nets.py"
    users.write_text(USERS_FILE)
    made = run_command(
        f"simulate {folder}/test.npz --trajectories 10 --steps 2 --grid 32 --quiet "
        "--initial-condition anisotropic-turbulence"
    )
    assert made.code == 0, made.stderr
    with np.load(folder / "test.npz") as archive:
        fields, metadata = archive["fields"], archive["metadata"]
    _write_data(folder, fields, metadata)
    _write_weights(folder)
    return folder


def _write_data(folder: Path, fields: np.ndarray, metadata: np.ndarray) -> None:
    def save(name: str, values: np.ndarray) -> None:
        np.savez(folder / name, fields=values, metadata=metadata)

    np.savez(folder / "plain.npz", fields=fields)
    np.savez(folder / "unnamed.npz", u=fields)
    np.savez(folder / "integers.npz", fields=fields.astype(int), metadata=metadata)
    for name, value in (("nan.npz", np.nan), ("inf.npz", np.inf)):
        spoiled = fields.copy()
        spoiled[3, 1, 0, 2, 2] = value
        save(name, spoiled)
    save("three.npz", np.concatenate([fields, fields[:, :, :1]], 2))
    save("oblong.npz", fields[..., :24])
    save("short.npz", fields[:, :1])
    save("few.npz", fields[:5])
    save("one.npz", fields[0])
    whole = (folder / "test.npz").read_bytes()
    (folder / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (folder / "words.npz").write_text("These are no numbers.")


def _write_weights(folder: Path) -> None:
    def state(width: int) -> dict[str, torch.Tensor]:
        return {
            "first.weight": torch.full((width, 2, 3, 3), 0.01),
            "first.bias": torch.zeros(width),
            "last.weight": torch.full((2, width, 3, 3), 0.02),
            "last.bias": torch.zeros(2),
        }

    save_file(state(4), folder / "w.safetensors")
    torch.save(state(4), folder / "w.pt")
    torch.save({"model": state(4), "epoch": 3}, folder / "wrapped.pt")
    torch.save({**state(4), "_metadata": {"width": 4}}, folder / "annotated.pt")
    torch.save(state(8), folder / "wide.pt")
    torch.save([1, 2], folder / "list.pt")
    torch.save(torch.nn.Conv2d(2, 2, 3), folder / "pickled.pt")
    for name in ("w.safetensors", "w.pt"):
        whole = (folder / name).read_bytes()
        (folder / f"cut-{name}").write_bytes(whole[: len(whole) // 2])


@pytest.fixture
def files(session_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the good and bad files; the working directory is an empty one."""
    monkeypatch.chdir(tmp_path)
    return session_folder


@pytest.fixture
def command(files: Path) -> Command:
    """Run a line in which FILES stands for the folder of files, without paying for gradients."""

    def run(line: str) -> Outcome:
        return run_command(line.replace("FILES", str(files)))

    return run
