import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from typer.main import get_command

from goldstone.cli import (
    audit_command,
    compare_command,
    demo_command,
    report_command,
    simulate_command,
    train_command,
)
from goldstone.cli.app import HELP, app

Command = Callable[[str], Any]
COMMANDS = {
    "demo": demo_command,
    "audit": audit_command,
    "compare": compare_command,
    "report": report_command,
    "simulate": simulate_command,
    "train": train_command,
}


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_teaches_by_example(command: Command, name: str) -> None:
    outcome = command(f"{name} --help")
    assert outcome.code == 0
    assert f"goldstone {name}".strip() in outcome.stdout
    # Markup of the terminal library must not eat brackets, and no line must be torn at 80 columns.
    text = HELP if name == "" else COMMANDS[name].HELP
    lines = [line for line in text.splitlines() if line.strip() and line.strip() != "\b"]
    shown = [line.rstrip() for line in outcome.stdout.splitlines()]
    missing = [line for line in lines if f" {line}".rstrip() not in shown]
    assert missing == []


@pytest.mark.parametrize("name", COMMANDS)
def test_options_in_examples_exist(name: str) -> None:
    known = {
        option
        for parameter in get_command(app).commands[name].params  # type: ignore[attr-defined]
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    text = COMMANDS[name].HELP.replace("\\\n", " ")
    examples = re.findall(rf"^  goldstone {name} (.*)$", text, re.MULTILINE)
    assert examples
    for example in examples:
        words = shlex.split(example.partition("   ")[0])
        assert {word for word in words if word.startswith("--")} <= known


def test_version(command: Command) -> None:
    assert command("--version").stdout.startswith("goldstone 0.")


def test_no_command_shows_help(command: Command) -> None:
    outcome = command("")
    assert "Usage" in outcome.stdout + outcome.stderr
    assert outcome.code in (0, 2)
