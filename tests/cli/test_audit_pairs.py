"""goldstone audit on pairs of inputs and targets, with the user's own symmetry, loss and metric."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

Command = Callable[[str], Any]
QUICK = "--samples 6 --replicates 200 --metrics euclidean"
CODE = '''
import torch
from torch import nn
from goldstone.actions import AxisPermutation, Symmetry, TreeAction, TrivialAction
from goldstone.groups import CyclicGroup, DihedralGroup


class Left(nn.Module):
    """The class is whether the left half is the brighter: no reflection of it holds."""

    def forward(self, x):
        half = x.shape[-1] // 2
        difference = (x[..., :half].sum((1, 2, 3)) - x[..., half:].sum((1, 2, 3)))
        return torch.stack([difference, -difference], 1)


class Bright(nn.Module):
    """The class is whether the sum is positive: every motion of pixels holds."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        total = self.scale * x.sum((1, 2, 3))
        return torch.stack([total, -total], 1)


class Weighted(nn.Module):
    """Takes two arrays by name."""

    def forward(self, x, w):
        return (x * w).sum(1)


class Exchange:
    def act(self, element, x, context):
        return x.flip(1) if element else x


both = Symmetry(
    "exchange", CyclicGroup(2), TreeAction({"x": Exchange(), "w": Exchange()}), TrivialAction()
)


def made():
    return both


def absolute(prediction, target):
    return (prediction - target).abs()


class Wrongness:
    higher_is_better = False

    def __init__(self):
        self.reset()

    def reset(self):
        self.wrong, self.seen = 0, 0

    def update(self, prediction, target):
        self.wrong += int((prediction.argmax(1) != target).sum())
        self.seen += len(target)

    def compute(self):
        return torch.tensor(self.wrong / self.seen)


number = 3
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "code.py").write_text(CODE)
    images = np.random.default_rng(0).normal(size=(40, 1, 8, 8)).astype(np.float32)
    left = images[..., :4].sum((1, 2, 3)) > images[..., 4:].sum((1, 2, 3))
    np.savez(folder / "left.npz", inputs=images, targets=(~left).astype(np.int64))
    bright = images.sum((1, 2, 3)) > 0
    np.savez(folder / "bright.npz", inputs=images, targets=(~bright).astype(np.int64))
    x, w = np.random.default_rng(1).normal(size=(2, 40, 5)).astype(np.float32)
    y = (x * w).sum(1) + 0.01
    np.savez(folder / "named.npz", **{"inputs.x": x, "inputs.w": w, "targets": y})
    np.savez(folder / "lacking.npz", inputs=x)
    np.savez(folder / "uneven.npz", inputs=x, targets=y[:-1])
    np.savez(folder / "words.npz", inputs=np.array(["a"] * 40), targets=y)
    return folder


@pytest.fixture
def run(command: Command, folder: Path) -> Command:
    return lambda line: command(line.replace("HERE", str(folder)))


def test_images_and_labels(run: Command) -> None:
    line = f"audit HERE/code.py:Bright --data HERE/bright.npz {QUICK} --symmetry"
    outcome = run(f"{line} images/turns-and-flips")
    assert outcome.code == 0, outcome.stderr
    assert "images" not in outcome.stderr
    outcome = run(f"audit HERE/code.py:Left --data HERE/left.npz {QUICK} --symmetry images/flips")
    assert outcome.code == 1, outcome.stderr
    assert "has not learned flips" in outcome.stdout


def test_gradients_in_looks_and_a_null_within_classes(run: Command) -> None:
    line = f"audit HERE/code.py:Bright --data HERE/bright.npz {QUICK} --symmetry images/flips"
    outcome = run(f"{line} --samples 20 --adaptive --null 'same class' --json")
    result = json.loads(outcome.stdout)
    assert result["provenance"]["settings"]["null"] == "same class"
    assert result["provenance"]["gradients_saved"] >= 0
    wrong = run(f"{line} --null neighbours")
    assert wrong.code == 2
    assert "same class" in wrong.stderr


def test_probes_and_a_metric_of_ones_own(run: Command) -> None:
    outcome = run(
        f"audit HERE/code.py:Left --data HERE/left.npz {QUICK} --symmetry images/left-right "
        "--probes orbit-metric,equivariance --metric HERE/code.py:Wrongness --json"
    )
    probes = json.loads(outcome.stdout)["probes"]
    assert probes["orbit_metric"]["metric"] == "Wrongness"
    assert probes["orbit_metric"]["value"]["estimate"] == 0.0
    assert probes["orbit_metric"]["elements"][0]["value"]["estimate"] == 1.0
    assert probes["equivariance"]["elements"][0]["error"]["estimate"] == pytest.approx(2, rel=0.01)
    assert probes["landscape"] is None


def test_arrays_by_name_own_symmetry_and_own_loss(run: Command) -> None:
    for symmetry in ("both", "made"):
        outcome = run(
            f"audit HERE/code.py:Weighted --data HERE/named.npz {QUICK} "
            f"--symmetry HERE/code.py:{symmetry} --loss HERE/code.py:absolute --json"
        )
        assert outcome.code == 0, outcome.stderr
        result = json.loads(outcome.stdout)
        assert result["symmetry"]["name"] == "exchange"
        assert result["model"]["loss_name"] == "absolute"
        assert result["verdict"]["holds"]["answer"] == "yes"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("code.py:Weighted --data HERE/lacking.npz", ("no array 'targets'",)),
        ("code.py:Weighted --data HERE/uneven.npz", ("39 for 40",)),
        ("code.py:Weighted --data HERE/words.npz", ("inputs", "numbers")),
        ("code.py:Weighted --data HERE/named.npz --symmetry d4", ("d4", "images/rotations")),
        ("code.py:Weighted --data HERE/named.npz --symmetry images/flips", ("TreeAction",)),
        ("code.py:Left --data HERE/left.npz --symmetry points/so3", ("(40, 1, 8, 8)",)),
        ("code.py:Left --data HERE/left.npz --symmetry HERE/code.py:number", ("Symmetry", "int")),
        ("code.py:Left --data HERE/left.npz --symmetry HERE/code.py:none", ("'none'",)),
        ("code.py:Left --data HERE/left.npz --symmetry images/flips --dt 1", ("--dt", "pairs")),
        ("code.py:Left --data HERE/left.npz --on-output moved", ("invariant", "moved")),
        ("code.py:Left --data HERE/left.npz --probes spectra", ("spectra", "orbit-spectrum")),
        ("code.py:Left --data HERE/left.npz --metric f1", ("accuracy", "f1")),
        ("code.py:Left --data HERE/left.npz --memory lots", ("lots", "2GB")),
        ("code.py:Left --data HERE/left.npz --loss HERE/code.py:number", ("function", "int")),
        (
            "code.py:Left --data HERE/left.npz --symmetry images/flips --optimiser HERE/none.pt",
            ("no file",),
        ),
        (
            "code.py:Left --data HERE/left.npz --symmetry images/flips --probes lie-derivative",
            ("no Lie group",),
        ),
    ],
)
def test_bad_input(run: Command, arguments: str, words: tuple[str, ...]) -> None:
    outcome = run(f"audit HERE/{arguments} {QUICK}")
    assert outcome.code == 2, outcome.stdout
    assert outcome.stdout == ""
    for word in words:
        assert word in outcome.stderr


def test_the_metric_of_adam_from_a_checkpoint(run: Command, folder: Path) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    data = np.load(folder / "bright.npz")
    x, y = torch.from_numpy(data["inputs"]), torch.from_numpy(data["targets"])
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    torch.save(model.state_dict(), folder / "weights.pt")
    torch.save({"optimizer": optimiser.state_dict(), "epoch": 3}, folder / "optimiser.pt")
    (folder / "net.py").write_text(
        "from torch import nn\n\ndef net():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 2))\n"
    )
    line = (
        "audit HERE/net.py:net --weights HERE/weights.pt --data HERE/bright.npz --samples 8 "
        "--replicates 200 --symmetry images/quarter-turns --metrics euclidean,adam --json"
    )
    outcome = run(f"{line} --optimiser HERE/optimiser.pt")
    result = json.loads(outcome.stdout)
    coherence = result["elements"][1]["orbit_coherence"]
    assert coherence["adam"]["estimate"] != pytest.approx(coherence["euclidean"]["estimate"])
    without = run(line)
    assert without.code == 2
    assert "optimiser" in without.stderr
