"""The command line without its extra, and as a module: in processes of their own."""

import os
import subprocess
import sys

import pytest


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, env=environment
    )


@pytest.mark.parametrize("absent", ["typer", "rich"])
def test_says_which_extra_is_missing(absent: str) -> None:
    code = f"import sys; sys.modules[{absent!r}] = None; from goldstone.cli import main; main()"
    outcome = _python("-c", code)
    assert outcome.returncode == 2
    assert outcome.stdout == ""
    (line,) = outcome.stderr.splitlines()
    assert f"'{absent}'" in line
    assert "pip install 'goldstone[cli]'" in line


def test_runs_as_a_module() -> None:
    outcome = _python("-m", "goldstone", "report", "no-such-folder")
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("goldstone: no audit in no-such-folder")
