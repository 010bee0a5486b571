"""Everything a new user may get wrong with ``goldstone audit``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[[str], Any]
NETS = "FILES/users_nets.py"
NET = f"audit {NETS}:Net"
DATA = "--data FILES/test.npz"

# Each message names what came and what was expected or how to mend it.
CASES = {
    "no data": (f"{NET} --data absent.npz", ("absent.npz", "no such file", "goldstone simulate")),
    "data of another kind": (f"{NET} --data {NETS}", ("users_nets.py", ".npz, .h5")),
    "truncated npz": (f"{NET} --data FILES/cut.npz", ("cut.npz", "damaged, cut short", "again")),
    "words for npz": (f"{NET} --data FILES/words.npz", ("words.npz", "no .npz archive")),
    "no array of fields": (
        f"{NET} --data FILES/unnamed.npz --fields u:velocity --dt 0.05",
        ("'fields', got u",),
    ),
    "NaN": (f"{NET} --data FILES/nan.npz", ("1 NaN or infinite", "(3, 1, 0, 2, 2)", "repair")),
    "infinity": (f"{NET} --data FILES/inf.npz", ("1 NaN or infinite", "remove")),
    "integers": (f"{NET} --data FILES/integers.npz", ("float32", "int64", "convert")),
    "one trajectory": (
        f"{NET} --data FILES/one.npz",
        ("(trajectory, time, channel, X, Y)", "(3, 2, 32, 32)"),
    ),
    "another number of channels": (
        f"{NET} --data FILES/three.npz",
        ("2 channels (velocity 1, velocity 2)", "got 3", "declare"),
    ),
    "a model of other channels": (
        f"{NET} {DATA} --set channels=4",
        ("(3, 2, 32, 32)", "4 channels", "build it for this shape"),
    ),
    "not square": (f"{NET} --data FILES/oblong.npz", ("square grid", "32×24", "'d2'")),
    "shorter than a step": (f"{NET} --data FILES/short.npz", ("two snapshots or more", "got 1")),
    "too few trajectories": (f"{NET} --data FILES/few.npz", ("at least 8", "got 5", "simulate")),
    "too few chosen": (f"{NET} {DATA} --trajectories 0:7", ("at least 8", "got 7")),
    "none chosen": (f"{NET} {DATA} --trajectories 40:50", ("40:50", "fewer")),
    "no range": (f"{NET} {DATA} --trajectories 5", ("FIRST:LAST", "'5'")),
    "undeclared data": (
        f"{NET} --data FILES/plain.npz",
        ("--fields and --dt",),
    ),
    "no time step": (
        f"{NET} --data FILES/plain.npz --fields velocity:velocity",
        ("give --dt",),
    ),
    "unknown fibre": (
        f"{NET} {DATA} --fields velocity:velocty",
        ("'velocty'", "scalar, pseudoscalar"),
    ),
    "no fibre": (f"{NET} {DATA} --fields velocity", ("NAME:FIBRE", "'velocity'")),
    "negative time step": (f"{NET} {DATA} --dt -1", ("positive time", "-1")),
    "unknown symmetry": (f"{NET} {DATA} --symmetry d5", ("'d5'", ".toml", "d4 (quarter turns")),
    "no symmetry file": (f"{NET} {DATA} --symmetry absent.toml", ("no file absent.toml",)),
    "weights that do not fit": (
        f"{NET} {DATA} --weights FILES/wide.pt",
        ("wide.pt", "first.weight has shape (8, 2, 3, 3)", "(4, 2, 3, 3)", "Build the model"),
    ),
    "truncated pt": (f"{NET} {DATA} --weights FILES/cut-w.pt", ("cut-w.pt", "truncated")),
    "truncated safetensors": (
        f"{NET} {DATA} --weights FILES/cut-w.safetensors",
        ("not a complete safetensors file", "again"),
    ),
    "pickled weights": (
        f"{NET} {DATA} --weights FILES/pickled.pt",
        ("could run any code", "state_dict()"),
    ),
    "a list for weights": (f"{NET} {DATA} --weights FILES/list.pt", ("state_dict", "got list")),
    "no weights": (f"{NET} {DATA} --weights absent.pt", ("absent.pt", "found none")),
    "a folder for weights": (f"{NET} {DATA} --weights FILES", ("found a directory",)),
    "an output of another shape": (
        f"audit {NETS}:Cropped {DATA}",
        ("(3, 2, 32, 32)", "(3, 2, 32, 31)", "wrap the model"),
    ),
    "an output of two parts": (f"audit {NETS}:Pair {DATA}", ("got tuple", "wrap the model")),
    "an output of NaN": (f"audit {NETS}:NotANumber {DATA}", ("NaN", "check its weights")),
    "a stochastic model": (f"audit {NETS}:Stochastic {DATA}", ("two calls", "stochastic")),
    "no factory": (f"audit {NETS}:Absent {DATA}", ("no 'Absent'", "it defines Net")),
    "no file": (f"audit absent.py:Net {DATA}", ("no file absent.py",)),
    "no module": (f"audit no_such_module:Net {DATA}", ("no module 'no_such_module'",)),
    "no submodule": (f"audit torch.absent:Net {DATA}", ("no module 'torch.absent'",)),
    "no model": (f"audit absent {DATA}", ("no such file or directory", "MODULE:NAME")),
    "a Python file alone": (f"audit {NETS} {DATA}", ("users_nets.py:NAME",)),
    "weights alone": (f"audit FILES/w.pt {DATA}", ("MODULE:NAME --weights", "w.pt")),
    "foreign safetensors alone": (f"audit FILES/w.safetensors {DATA}", ("with --weights",)),
    "truncated checkpoint": (
        f"audit FILES/cut-w.safetensors {DATA}",
        ("not a complete safetensors file",),
    ),
    "a folder of something else": (f"audit FILES {DATA}", ("epoch-NNNN.safetensors", "found none")),
    "a factory of a number": (f"audit {NETS}:number {DATA}", ("torch.nn.Module", "got int")),
    "a number": (f"audit {NETS}:constant {DATA}", ("torch.nn.Module", "got int")),
    "a factory that fails": (f"audit {NETS}:raises {DATA}", ("RuntimeError: no licence",)),
    "a wrong argument": (
        f"{NET} {DATA} --set widht=3",
        ("'widht'", "(width=4, channels=2, kernel=3)", "--set"),
    ),
    "an argument without value": (f"{NET} {DATA} --set width", ("KEY=VALUE", "'width'")),
    "an unknown loss": (f"{NET} {DATA} --loss mae", ("'mae'", "scaled_mse")),
    "an unknown metric": (f"{NET} {DATA} --metrics fisher", ("euclidean", "'fisher'")),
    "too few samples": (f"{NET} {DATA} --samples 2", ("samples ≥ 6", "2 and 8")),
    "no tolerance": (f"{NET} {DATA} --delta 0", ("tolerance > 0",)),
    "an unknown device": (f"{NET} {DATA} --device tpu", ("--device", "use cpu")),
    "a solver for unknown data": (
        f"{NET} --data FILES/plain.npz --fields u:velocity --dt 0.05 --solver",
        ("'unknown'", "--no-solver"),
    ),
    "a file for a folder": (f"{NET} {DATA} --out FILES/w.pt", ("--out", "it is a file")),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input(command: Command, case: str) -> None:
    line, messages = CASES[case]
    outcome = command(line)
    assert outcome.code == 2
    assert outcome.stdout == ""
    (only,) = outcome.stderr.splitlines()
    assert only.startswith("goldstone: ")
    for message in messages:
        assert message in only


TOML_CASES = {
    "cut short": ('[symmetry\nname = "d4"', ("no valid TOML", "line 1")),
    "no name": ('[symmetry]\npivot = "cell"', ("expected a name",)),
    "a wrong name": ('[symmetry]\nname = "d5"', ("'d5'",)),
    "a wrong pivot": ('[symmetry]\nname = "d4"\npivot = "centre"', ("'cell'", "'centre'")),
    "a pivot of shifts": ('[symmetry]\nname = "shifts"\npivot = "cell"', ("turns nothing",)),
    "a wrong element": ('[symmetry]\nname = "d4"\nelements = ["q"]', ("'q'", "r, r²")),
    "the identity": ('[symmetry]\nname = "d4"\nelements = ["e"]', ("leave it out",)),
    "a number for an element": ('[symmetry]\nname = "d4"\nelements = [1]', ("'r'", "got 1")),
    "a name for a vector": ('[symmetry]\nname = "boosts"\nelements = ["r"]', ("[0.5, 0.0]",)),
    "a wrong dimension": ('[symmetry]\nname = "boosts"\nelements = [[1.0]]', ("(1.0,)",)),
    "a wrong key": ('[symmetry]\nname = "d4"\nelement = ["r"]', ("unknown element", "elements")),
    "a wrong table": ('[symmetri]\nname = "d4"', ("unknown symmetri", "[symmetry]")),
    "a wrong fibre": (
        '[symmetry]\nname = "d4"\n[[fields]]\nname = "u"\nfibre = "arrow"',
        ("'arrow'", "pseudoscalar"),
    ),
    "a wrong axis": (
        '[symmetry]\nname = "d4"\n[[fields]]\nname = "u"\nfibre = "vector"\naxes = [1, 2]',
        ("axes must be",),
    ),
    "one table of fields": (
        '[symmetry]\nname = "d4"\n[fields]\nname = "u"\nfibre = "vector"',
        ("[[fields]]",),
    ),
    "a word for a time": ('[symmetry]\nname = "d4"\n[data]\ndt = "fast"', ("dt", "'fast'")),
    "one length": ('[symmetry]\nname = "d4"\n[data]\nlengths = [1.0]', ("[1.0, 1.0]",)),
}


@pytest.mark.parametrize("case", TOML_CASES)
def test_bad_symmetry_file(command: Command, case: str) -> None:
    text, messages = TOML_CASES[case]
    Path("symmetry.toml").write_text(text)
    outcome = command(f"{NET} {DATA} --symmetry symmetry.toml")
    assert outcome.code == 2
    assert outcome.stdout == ""
    (only,) = outcome.stderr.splitlines()
    for message in messages:
        assert message in only


def test_a_model_in_training_mode_is_put_into_evaluation_mode(command: Command) -> None:
    line = f"audit {NETS}:in_training {DATA} --symmetry c2 --metrics none --rollout-steps 0"
    outcome = command(line)
    assert outcome.code == 3, outcome.stderr


def test_debug_shows_the_traceback(command: Command) -> None:
    outcome = command(f"audit {NETS}:raises {DATA} --debug")
    assert outcome.code == 2
    assert "Traceback" in outcome.stderr
    assert "in raises" in outcome.stderr


@pytest.mark.parametrize("line", ["audit", "audit x", "frobnicate", "report", "audit x --seed y"])
def test_usage_errors(command: Command, line: str) -> None:
    outcome = command(line)
    assert outcome.code == 2
    assert "Usage" in outcome.stderr


def test_a_defect_is_told_from_an_answer(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("goldstone.cli.audit_command.audit", broken)
    outcome = command(f"{NET} {DATA}")
    assert outcome.code == 70
    assert "Traceback" in outcome.stderr
    assert "defect" in outcome.stderr


DAMAGE = {
    "no audit": (None, "audit.json is missing"),
    "truncated": ('{"schema_version": 1, "prov', "damaged"),
    "empty": ("{}", "none of goldstone's"),
    "newer": ('{"schema_version": 99}', "newer goldstone"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_report_of_a_damaged_audit(command: Command, case: str) -> None:
    text, message = DAMAGE[case]
    line = f"audit torch.nn:Identity {DATA} --symmetry c2 --metrics none --out kept -q"
    assert command(line).code == 3
    if text is None:
        Path("kept/audit.json").unlink()
    else:
        Path("kept/audit.json").write_text(text)
    outcome = command("report kept")
    assert outcome.code == 2
    (only,) = outcome.stderr.splitlines()
    assert message in only
