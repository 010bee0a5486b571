"""``goldstone compare``, and the limits of ``goldstone audit``."""

import json
import re
import sys
from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import pytest

from goldstone.auditing import AuditResult
from goldstone.auditing.comparison import compare_audits
from goldstone.auditing.comparison_results import AuditComparison
from goldstone.auditing.limits import LimitCheck

Command = Callable[[str], Any]
DATA = "--data FILES/test.npz"
FORWARD = "--metrics none --rollout-steps 0 --replicates 200"
TINY = "--samples 6 --metrics euclidean --rollout-steps 0 --replicates 200"
NETS = "FILES/users_nets.py"


@pytest.fixture
def audits(command: Command) -> None:
    """good: the symmetry holds; bad: it does not; net: no skill."""
    assert command(f"audit {NETS}:Lagging {DATA} {FORWARD} --out good -q").code == 0
    assert command(f"audit {NETS}:OneWay {DATA} {FORWARD} --out bad -q").code == 1
    assert command(f"audit {NETS}:Net {DATA} {FORWARD} --out net -q").code == 3


def test_exit_codes_and_what_is_said(command: Command, audits: None) -> None:
    same = command("compare good good/audit.json")
    assert (same.code, same.stderr) == (0, "")
    assert "Every answer is as it was" in same.stdout
    worse = command("compare good bad")
    assert worse.code == 1
    assert "A: Lagging, audited" in worse.stdout
    assert re.search(r"│ r +│ yes → no +│", worse.stdout)
    assert "Worse: an answer became no. Holds: yes → no; residual" in worse.stdout
    assert "loss factor exp(T)" in worse.stdout
    better = command("compare bad good")
    assert better.code == 0
    assert "Better: answers only rose" in better.stdout
    unsure = command("compare good net")
    assert unsure.code == 3
    assert "the second model has no skill" in unsure.stdout


def test_json_and_quiet(command: Command, audits: None) -> None:
    outcome = command("compare good bad --json")
    assert outcome.code == 1
    found = AuditComparison.from_json(json.loads(outcome.stdout))
    assert found == compare_audits(AuditResult.load("good"), AuditResult.load("bad"))
    silent = command("compare good bad --quiet")
    assert (silent.code, silent.stdout, silent.stderr) == (1, "", "")


def test_with_gradients_and_without_parameters(command: Command) -> None:
    """One table of ρ, that of the deciding metric; none where there are no gradients to take."""
    both = TINY.replace("euclidean", "euclidean,galerkin")
    assert command(f"audit {NETS}:Net {DATA} {both} --symmetry c2 --out net -q").code == 3
    shown = command("compare net net")
    assert shown.code == 0
    assert "orbit coherence ρ (euclidean)" in shown.stdout
    assert "orbit coherence ρ (galerkin)" not in shown.stdout
    assert command(f"audit {NETS}:Lagging {DATA} {TINY} --symmetry c2 --out none -q").code == 0
    shown = command("compare none none")
    assert (shown.code, shown.stderr) == (0, "")
    assert "orbit coherence" not in shown.stdout


def test_tables_fit_80_columns(
    command: Command, audits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from goldstone.cli import compare_command
    from goldstone.cli.audit_output import Console

    narrow = lambda: Console(file=sys.stdout, highlight=False, width=80)  # noqa: E731
    monkeypatch.setattr(compare_command, "console_on", narrow)
    lines = command("compare good bad").stdout.splitlines()
    rows = [line for line in lines if line.startswith(("│", "┃", "└", "┏", "┡"))]
    assert len(rows) > 30
    assert max(map(len, rows)) <= 80
    # No number is cut or folded: every row of the tables of numbers begins with its element.
    assert not any("…" in row for row in rows)
    firsts = [row.split("│")[1].strip() for row in rows if row.startswith("│")]
    assert all(firsts)


def test_bad_input(command: Command, audits: None) -> None:
    Path("cut").mkdir()
    text = Path("good/audit.json").read_text()
    Path("cut/audit.json").write_text(text[: len(text) // 2])
    Path("newer.json").write_text(json.dumps(json.loads(text) | {"schema_version": 99}))
    Path("other.json").write_text("[1, 2]")
    Path("empty").mkdir()
    assert command(f"audit {NETS}:Lagging {DATA} {FORWARD} --symmetry c2 --out half -q").code == 0
    cases = {
        "compare absent good": "absent/audit.json is missing",
        "compare good empty": "empty/audit.json is missing",
        "compare good absent.json": "absent.json is missing",
        "compare cut good": "cut/audit.json is damaged",
        "compare good newer.json": "newer goldstone",
        "compare good other.json": "other.json in . is none of goldstone's",
        "compare good good/audit.npz": "damaged",
        "compare good half": "expected two audits of one symmetry, got d4 (group D4) and c2",
    }
    for line, message in cases.items():
        outcome = command(line)
        assert (outcome.code, outcome.stdout) == (2, "")
        (only,) = outcome.stderr.splitlines()
        assert message in only
    assert command("compare good").code == 2


def test_fail_over(command: Command) -> None:
    """OneWay breaks the symmetry, but by less than a factor of 1000."""
    line = f"audit {NETS}:OneWay {DATA} {FORWARD}"
    found = json.loads(command(f"{line} --json").stdout)["elements"][1:]
    uppers = [e["log_loss_ratio"]["high"] for e in found]
    assert max(uppers) < log(1000)
    kept = command(f"{line} --fail-over 1000 --json")
    assert kept.code == 0
    assert kept.stderr.splitlines()[-1] == (
        "--fail-over: loss factor ≤ 1000: kept by all 7 tested elements"
    )
    json.loads(kept.stdout)
    broken = command(f"{line} --fail-over 1.1 -q")
    assert (broken.code, broken.stdout, broken.stderr) == (1, "", "")
    assert "broken by" in command(f"{line} --fail-over 1.1").stderr


def test_fail_under(command: Command) -> None:
    line = f"audit {NETS}:Net {DATA} {TINY} --symmetry c2"
    outcome = command(f"{line} --fail-under 0.2 --fail-over 3")
    # Without skill neither can be shown.
    assert outcome.code == 3
    assert outcome.stderr.count("no skill") == 2


@pytest.mark.parametrize(
    ("under", "over", "code"),
    [
        ("yes", "yes", 0),
        ("yes", "undetermined", 3),
        ("no", "yes", 1),
        ("no", "undetermined", 1),
        ("undetermined", "no", 1),
    ],
)
def test_both_limits_must_be_kept(
    command: Command, monkeypatch: pytest.MonkeyPatch, under: str, over: str, code: int
) -> None:
    for name, answer in (("least_coherence", under), ("largest_loss_factor", over)):
        found = LimitCheck(answer, (), (), "said")  # type: ignore[arg-type]
        monkeypatch.setattr(f"goldstone.cli.limits.check_{name}", lambda *_, found=found: found)
    line = f"audit {NETS}:Net {DATA} {TINY} --symmetry c2 --fail-under 0.2 --fail-over 2"
    outcome = command(line)
    assert outcome.code == code
    assert outcome.stderr.splitlines()[-2:] == ["--fail-under: said", "--fail-over: said"]


def test_bad_limits_are_refused_before_any_work(command: Command) -> None:
    cases = {
        f"{FORWARD} --fail-under 0.3": "--fail-under: ρ needs gradients",
        "--fail-under 1.5": "--fail-under: expected an orbit coherence between 0 and 1, got 1.5",
        "--fail-over 0.5": "--fail-over: expected a loss factor of 1 or more, got 0.5",
        "--fail-over nan": "--fail-over: expected a loss factor of 1 or more, got nan",
    }
    for options, message in cases.items():
        outcome = command(f"audit absent.py:Net --data absent.npz {options}")
        assert outcome.code == 2
        (only,) = outcome.stderr.splitlines()
        assert message in only
