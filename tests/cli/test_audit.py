import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goldstone.auditing import AuditResult

Command = Callable[[str], Any]
DATA = "--data FILES/test.npz"
FORWARD = "--metrics none --rollout-steps 0 --replicates 200"
TINY = "--samples 6 --metrics euclidean --rollout-steps 0 --replicates 200"
NETS = "FILES/users_nets.py"


def test_exit_code_0_it_holds(command: Command) -> None:
    outcome = command(f"audit {NETS}:Lagging {DATA} {FORWARD}")
    assert outcome.code == 0, outcome.stderr
    first, *rest = outcome.stdout.splitlines()
    assert first.startswith("d4 is verified: the ground truth commutes with every element")
    for name in ("r", "r²", "r³", "s", "sr", "sr²", "sr³"):
        assert any(line.startswith(f"│ {name} ") and "yes" in line for line in rest)
    assert "The symmetry d4 holds for Lagging: all 7 tested elements" in outcome.stdout


def test_exit_code_1_it_does_not_hold(command: Command) -> None:
    outcome = command(f"audit {NETS}:OneWay {DATA} {FORWARD}")
    assert outcome.code == 1, outcome.stderr
    assert "OneWay has not learned d4" in outcome.stdout


@pytest.mark.parametrize("model", ["torch.nn:Identity", f"{NETS}:Net"])
def test_exit_code_3_undetermined_without_skill(command: Command, model: str) -> None:
    outcome = command(f"audit {model} {DATA} {FORWARD}")
    assert outcome.code == 3, outcome.stderr
    assert "without skill is trivially symmetric" in outcome.stdout


def test_exit_code_2_a_refused_symmetry(command: Command) -> None:
    line = f"audit {NETS}:Lagging {DATA} {FORWARD} --symmetry reversed-d4"
    outcome = command(line)
    assert outcome.code == 2
    assert outcome.stdout == ""
    (message,) = outcome.stderr.splitlines()
    assert "'reversed-d4' is refused" in message
    assert "reverses the velocity" in message
    forced = command(f"{line} --force")
    assert forced.code == 1
    assert forced.stdout.startswith("reversed-d4 is NOT a symmetry as declared")


def test_without_a_solver_it_is_assumed_and_said_first(command: Command) -> None:
    line = f"audit {NETS}:Lagging --data FILES/plain.npz --fields velocity:velocity --dt 0.05"
    outcome = command(f"{line} {FORWARD}")
    assert outcome.code == 0
    assert outcome.stdout.splitlines()[0].startswith("d4 is ASSUMED")
    assert outcome.stdout.count("ASSUMED") == 1
    told = json.loads(command(f"audit {NETS}:Lagging {DATA} {FORWARD} --no-solver --json").stdout)
    assert told["precheck"]["status"] == "assumed"
    assert told["verdict"]["summary"].startswith("d4 is ASSUMED")


def test_json_alone_on_stdout_whatever_the_model_prints(command: Command) -> None:
    outcome = command(f"audit {NETS}:prints {DATA} {FORWARD} --json --out kept")
    told = json.loads(outcome.stdout)
    assert told == json.loads(Path("kept/audit.json").read_text())
    assert "some remark" in outcome.stderr
    assert told["model"]["name"] == "prints"
    assert told["symmetry"]["tested"] == ["r", "r²", "r³", "s", "sr", "sr²", "sr³"]
    assert {"provenance", "precheck", "elements", "controls", "verdict", "history"} <= set(told)


def test_quiet_says_nothing(command: Command) -> None:
    outcome = command(f"audit {NETS}:OneWay {DATA} {FORWARD} --quiet")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (1, "", "")


def test_writes_and_rebuilds_the_page(command: Command) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    outcome = command(f"audit {NETS}:Net {DATA} {TINY} --symmetry c2 --out kept --name mine")
    assert outcome.code == 3, outcome.stderr
    assert outcome.stdout.splitlines()[-3:] == [
        str(Path("kept") / name) for name in ("audit.json", "audit.npz", "audit.html")
    ]
    page = Path("kept/audit.html").read_bytes()
    assert b"mine" in page
    result = AuditResult.load("kept")
    assert result.element("r").pair_coherence["euclidean"].estimate is not None
    # From the saved numbers alone, the same bytes.
    shutil.move("kept", "elsewhere")
    Path("elsewhere/audit.html").unlink()
    rebuilt = command("report elsewhere --json")
    assert json.loads(rebuilt.stdout) == {"report": "elsewhere/audit.html"}
    assert Path("elsewhere/audit.html").read_bytes() == page


def test_models_by_module_by_file_and_built(
    command: Command, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    arguments = "--set share=0.8"
    by_module = command(f"audit users_nets:Lagging {DATA} {FORWARD} {arguments} --json")
    by_file = command(f"audit users_nets.py:Lagging {DATA} {FORWARD} {arguments} --json")
    assert by_module.code == by_file.code == 0
    assert json.loads(by_module.stdout)["elements"] == json.loads(by_file.stdout)["elements"]
    assert command(f"audit users_nets:built {DATA} {FORWARD} -q").code == 0


@pytest.mark.parametrize("weights", ["w.safetensors", "w.pt", "wrapped.pt", "annotated.pt"])
def test_weights_of_every_kind_are_the_same(command: Command, weights: str) -> None:
    line = f"audit {NETS}:Net {DATA} {FORWARD} --symmetry c2 --json --weights FILES"
    told, reference = (
        json.loads(command(f"{line}/{name}").stdout) for name in (weights, "w.safetensors")
    )
    assert told["provenance"]["weights_sha256"] == reference["provenance"]["weights_sha256"]
    assert told["elements"] == reference["elements"]


def test_a_factorys_own_weights_are_said_and_follow_the_seed(command: Command) -> None:
    line = f"audit {NETS}:Net {DATA} {FORWARD} --symmetry c2 --json --seed"
    first, again, other = (command(f"{line} {seed}") for seed in (1, 1, 2))
    assert "no --weights" in first.stderr
    hashes = [json.loads(o.stdout)["provenance"]["weights_sha256"] for o in (first, again, other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_training_directory_brings_its_history(command: Command) -> None:
    train = (
        "train FILES/test.npz --out run --epochs 2 --quiet --set base_channels=4 --set stages=1 "
        "--set blocks_per_stage=1 --set attention=False"
    )
    assert command(train).code == 0
    line = f"audit run {DATA} {TINY} --symmetry c2 --json"
    told = json.loads(command(line).stdout)
    assert told["model"]["name"] == "run"
    assert [entry["epoch"] for entry in told["history"]] == [0, 1, 2]
    assert json.loads(command(f"{line} --no-history").stdout)["history"] == []
    last = "run/checkpoints/epoch-0002.safetensors"
    alone = json.loads(command(f"audit {last} {DATA} {TINY} --symmetry c2 --json").stdout)
    assert alone["history"] == []
    assert alone["elements"] == told["elements"]
    refused = command(f"audit {last} {DATA} --history")
    assert refused.code == 2
    assert "no training checkpoints" in refused.stderr


def test_shifts_come_when_asked_for(command: Command) -> None:
    line = f"audit {NETS}:Lagging {DATA} {FORWARD} --symmetry c2 --out"
    assert command(f"{line} without -q").code == 0
    assert command(f"{line} with --shifts -q").code == 0
    assert AuditResult.load("without").shifts is None
    with np.load("with/audit.npz") as arrays:
        assert arrays["shift_axis_equivariance_error"].shape == (2, 32)


def test_trajectories_are_chosen(command: Command) -> None:
    line = f"audit {NETS}:Lagging {DATA} {FORWARD} --symmetry c2 --json"
    told = json.loads(command(f"{line} --trajectories 1:9").stdout)
    assert told["model"]["loss"]["n"] < json.loads(command(line).stdout)["model"]["loss"]["n"]


def test_a_symmetry_file_says_fields_elements_and_time(command: Command) -> None:
    Path("symmetry.toml").write_text(
        """
        [symmetry]
        name = "d4"
        pivot = "node"
        elements = ["r2", "s"]

        [[fields]]
        name = "wind"
        fibre = "velocity"
        axes = [0, 1]
        signs = [1, 1]

        [data]
        dt = 0.05
        lengths = [1.0, 1.0]
        """
    )
    line = f"audit {NETS}:Lagging --data FILES/plain.npz --symmetry symmetry.toml {FORWARD}"
    told = json.loads(command(f"{line} --json").stdout)
    assert told["symmetry"]["tested"] == ["r²", "s"]
    assert told["symmetry"]["pivot"] == "node"
    assert told["symmetry"]["layout"][0]["name"] == "wind"
    assert told["verdict"]["holds"]["answer"] == "yes"


def test_wrong_axes_in_a_symmetry_file_are_refused(command: Command) -> None:
    Path("swapped.toml").write_text(
        '[symmetry]\nname = "d4"\n[[fields]]\nname = "velocity"\nfibre = "velocity"\n'
        "axes = [1, 0]\n"
    )
    outcome = command(f"audit {NETS}:Lagging {DATA} {FORWARD} --symmetry swapped.toml")
    assert outcome.code == 2
    assert "refused" in outcome.stderr


def test_vectors_of_a_lie_group_in_a_symmetry_file(command: Command) -> None:
    Path("boosts.toml").write_text(
        '[symmetry]\nname = "boosts"\nelements = [[0.5, 0.0], [0.0, 0.25]]\n'
    )
    line = f"audit {NETS}:Lagging {DATA} {FORWARD} --symmetry boosts.toml --loss mse --json"
    told = json.loads(command(line).stdout)
    assert told["symmetry"]["tested"] == ["boost(0.5,0)", "boost(0,0.25)"]
    assert told["symmetry"]["order"] is None
    assert told["model"]["loss_name"] == "mse"
