"""neuraloperator's FNO, trained by its own code and audited through the command line as it is.

Every layer of an FNO commutes with shifts by whole cells, except the grid coordinates that it is
given by default as two more input channels.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.utils.data import DataLoader

for module in ("typer", "rich"):
    pytest.importorskip(module, reason="the command line needs goldstone[cli]")
neuralop = pytest.importorskip("neuralop", reason="needs goldstone[neuraloperator]")

SHAPE = {"n_modes": [20, 20], "in_channels": 2, "out_channels": 2, "hidden_channels": 12}
SHAPE |= {"n_layers": 2}
EMBEDDINGS = ("None", "grid")


def _goldstone(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "goldstone", *line.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
        # Many small transforms: a second thread would only wait for the first.
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def _train(fields: torch.Tensor, embedding: str | None) -> torch.nn.Module:
    from neuralop.data.datasets.tensor_dataset import TensorDataset

    epochs = 12
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: torch.nn.Module = neuralop.models.FNO(**SHAPE, positional_embedding=embedding)
        pairs = TensorDataset(fields[:, :-1].flatten(0, 1), fields[:, 1:].flatten(0, 1))
        optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-4)
        neuralop.Trainer(model=model, n_epochs=epochs, device="cpu").train(
            DataLoader(pairs, batch_size=16, shuffle=True),
            {},
            optimiser,
            torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs),
            training_loss=neuralop.LpLoss(d=2),
        )
    torch.set_num_threads(threads)
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets of ``goldstone simulate`` and the weights of two FNOs."""
    folder = tmp_path_factory.mktemp("fno")
    for part, flows, seed in (("train", 50, 0), ("test", 20, 1)):
        line = f"simulate {part}.npz --trajectories {flows} --steps 5 --grid 32 --seed {seed} -q"
        made = _goldstone(folder, line)
        assert made.returncode == 0, made.stderr
    with np.load(folder / "train.npz") as archive:
        fields = torch.from_numpy(archive["fields"])
    for name, embedding in (("None", None), ("grid", "grid")):
        model = _train(fields, embedding)
        tensors = {k: v for k, v in model.state_dict().items() if isinstance(v, torch.Tensor)}
        save_file(tensors, folder / f"{name}.safetensors")
        torch.save(tensors, folder / f"{name}.pt")
        model.save_checkpoint(folder / "own", name)  # type: ignore[operator]
    return folder


def _audit(folder: Path, embedding: str, weights: str) -> subprocess.CompletedProcess[str]:
    arguments = " ".join(f"--set {k}={v}".replace(", ", ",") for k, v in SHAPE.items())
    # The default is left to neuraloperator.
    arguments += "" if embedding == "grid" else " --set positional_embedding=None"
    return _goldstone(
        folder,
        f"audit neuralop.models:FNO {arguments} --weights {weights} --data test.npz --json "
        "--symmetry shifts --samples 6 --metrics euclidean --rollout-steps 2 --replicates 500",
    )


@pytest.fixture(scope="module")
def audits(folder: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for name in EMBEDDINGS:
        outcome = _audit(folder, name, f"{name}.safetensors")
        assert outcome.returncode in (0, 1, 3), outcome.stderr
        found[name] = json.loads(outcome.stdout) | {"exit_code": outcome.returncode}
    return found


def _moved(audit: dict[str, Any]) -> list[dict[str, Any]]:
    return [element for element in audit["elements"] if element["name"] != "e"]


def test_both_have_skill(audits: dict[str, dict[str, Any]]) -> None:
    for audit in audits.values():
        assert audit["precheck"]["status"] == "verified"
        assert audit["model"]["has_skill"]


def test_without_coordinates_shifts_hold_exactly(audits: dict[str, dict[str, Any]]) -> None:
    audit = audits["None"]
    assert audit["exit_code"] == 0
    for element in _moved(audit):
        assert element["equivariance_error"]["estimate"] < 1e-6
        assert (element["holds"], element["grade"]) == ("yes", "exact")
        for key in ("pair_coherence", "orbit_coherence"):
            assert element[key]["euclidean"]["estimate"] == pytest.approx(1.0, abs=1e-4)


def test_with_coordinates_they_do_not(audits: dict[str, dict[str, Any]]) -> None:
    without, given = _moved(audits["None"]), _moved(audits["grid"])
    largest = max(element["equivariance_error"]["estimate"] for element in without)
    assert 1e-8 < largest < 1e-6
    for element in given:
        assert element["equivariance_error"]["estimate"] > 1e4 * largest
        assert element["grade"] != "exact"
        assert element["orbit_coherence"]["euclidean"]["estimate"] < 1 - 1e-4


def test_weights_in_pt_are_the_same(folder: Path, audits: dict[str, dict[str, Any]]) -> None:
    told = json.loads(_audit(folder, "None", "None.pt").stdout)
    assert told["elements"] == audits["None"]["elements"]


def test_its_own_checkpoint_holds_code_and_is_refused(folder: Path) -> None:
    outcome = _audit(folder, "None", "own/None_state_dict.pt")
    assert outcome.returncode == 2
    assert "could run any code" in outcome.stderr
    assert "save the tensors alone" in outcome.stderr
