"""``goldstone groups``."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console
from typer.main import get_command

from goldstone.cli.app import app
from goldstone.cli.groups_command import HELP, LIST_HELP, SHOW_HELP
from goldstone.cli.groups_output import show_forms, show_group
from goldstone.core import from_json
from goldstone.groups import GROUP_NAME_FORMS, group_named
from goldstone.representations import GroupSummary, summarise_group

Command = Callable[[str], Any]
TEXTS = {"": HELP, "show": SHOW_HELP, "list": LIST_HELP}


def shown(name: str, width: int = 80) -> list[str]:
    console = Console(width=width, highlight=False, color_system=None, force_terminal=False)
    with console.capture() as capture:
        show_group(console, summarise_group(group_named(name)))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_show_prints_order_classes_lattice_characters_irreps(command: Command) -> None:
    outcome = command("groups show D4")
    assert outcome.code == 0
    assert outcome.stderr == ""
    for words in (
        "D4: a group of order 8",
        "Conjugacy classes: 5",
        "Subgroups: 10 in 8 classes",
        "Character table",
        "Irreps over ℝ: 5",
        "⟨r², s⟩",
        "e, r, r², r³, s, sr, sr², sr³",
    ):
        assert words in outcome.stdout


def test_the_character_table_reads_as_in_the_books() -> None:
    lines = shown("D4")
    start = lines.index("Character table")
    rows = [line.split() for line in lines[start + 1 : start + 8]]
    assert rows[0] == ["irrep", "e", "r", "r²", "s", "sr", "type"]
    assert rows[2:] == [
        ["A1", "1", "1", "1", "1", "1", "real"],
        ["A2", "1", "1", "1", "-1", "-1", "real"],
        ["B1", "1", "-1", "1", "1", "-1", "real"],
        ["B2", "1", "-1", "1", "-1", "1", "real"],
        ["E", "2", "0", "-2", "0", "0", "real"],
    ]


def test_letters_in_the_table_are_explained() -> None:
    assert "  φ = (1 + √5)/2" in shown("A5")
    assert "  ζn = exp(2πi/n)" in shown("C5")
    assert not any("exp(2πi/n)" in line for line in shown("D4"))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ["D4", "A5", "Ih", "C16", "p4m(8)", "SU(3)", "S4×C2"])
def test_tables_fit_the_width(name: str, width: int) -> None:
    lines = shown(name, width)
    assert max(map(len, lines)) <= width
    # No value of a character is cut or folded: every row has as many cells as the heading.
    at = [i for i, line in enumerate(lines) if line.startswith("irrep ") and "type" in line]
    heading = next((i for i in at if "dimension" not in lines[i]), None)
    if heading is not None:
        count = len(lines[heading].split())
        rows = lines[heading + 2 :]
        table = rows[: rows.index("")] if "" in rows else rows
        block = [row for row in table if row.split()[-1] in ("real", "complex", "quaternionic")]
        assert block
        assert all(len(row.split()) == count for row in block[:2])


def test_wide_tables_come_in_blocks() -> None:
    headings = [line for line in shown("C16") if line.startswith("irrep ") and "type" in line]
    narrow = [line for line in headings if "dimension" not in line]
    assert len(narrow) > 1
    classes = [word for line in narrow for word in line.split()[1:-1]]
    assert len(classes) == 16


def test_lie_groups() -> None:
    lines = "\n".join(shown("SO(3)"))
    assert "SO(3): a Lie group of dimension 3, compact" in lines
    assert "[Jx, Jy] = Jz" in lines
    assert "0 positive, 3 negative, 0 zero" in lines
    assert "Irreps up to degree 3" in lines
    assert "left out" not in lines.lower()


def test_large_groups_say_what_is_left_out(command: Command) -> None:
    outcome = command("groups show S12")
    assert outcome.code == 0
    assert "order 479,001,600" in outcome.stdout
    assert "subgroup lattice (the order is over 240)" in outcome.stdout


def test_huge_orders_are_short() -> None:
    assert "S100: a group of order 9.33·10^157" in shown("S100")


def test_json_holds_the_summary_and_nothing_else(command: Command) -> None:
    outcome = command('groups show "C2×S3" --json')
    assert outcome.code == 0
    summary = from_json(GroupSummary, json.loads(outcome.stdout))
    assert summary == summarise_group(group_named("C2×S3"))


def test_quiet(command: Command) -> None:
    outcome = command("groups show D4 --quiet")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("D4", ["D4-cayley.svg", "D4-subgroups.svg"]),
        ("C2×S3", ["C2xS3-cayley.svg", "C2xS3-subgroups.svg"]),
        ("p4m(2)", ["p4m-2x2-cayley.svg", "p4m-2x2-subgroups.svg"]),
        ("C200", ["C200-subgroups.svg"]),
    ],
)
def test_plot(command: Command, name: str, expected: list[str]) -> None:
    outcome = command(f'groups show "{name}" --plot pictures')
    assert outcome.code == 0
    assert sorted(path.name for path in Path("pictures").iterdir()) == expected
    for file in expected:
        root = ElementTree.parse(Path("pictures") / file).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert str(Path("pictures") / file) in outcome.stdout


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("groups show SO3", "did you mean one like SO(3)"),
        ("groups show C0", "n ≥ 1"),
        ('groups show "SO(3)" --plot pictures', "--plot: SO(3) has no pictures"),
        ("groups show S12 --plot pictures", "--plot: S12 has no pictures"),
        ("groups show D4 --plot taken", "--plot: cannot write to taken (it is a file)"),
    ],
)
def test_bad_input_is_one_line_and_code_2(command: Command, line: str, message: str) -> None:
    Path("taken").write_text("a file")
    outcome = command(line)
    assert outcome.code == 2
    assert outcome.stdout == ""
    (said,) = outcome.stderr.splitlines()
    assert message in said


def test_list(command: Command) -> None:
    outcome = command("groups list")
    assert outcome.code == 0
    for form in GROUP_NAME_FORMS:
        assert form.example in outcome.stdout
    listed = json.loads(command("groups list --json").stdout)
    assert [entry["form"] for entry in listed] == [form.form for form in GROUP_NAME_FORMS]


def test_list_fits_80_columns() -> None:
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        show_forms(console)
    assert max(map(len, capture.get().splitlines())) <= 80


@pytest.mark.parametrize("name", TEXTS)
def test_help_teaches_by_example(command: Command, name: str) -> None:
    outcome = command(f"groups {name} --help")
    assert outcome.code == 0
    lines = [x for x in TEXTS[name].splitlines() if x.strip() and x.strip() != "\b"]
    shown = [line.rstrip() for line in outcome.stdout.splitlines()]
    assert [line for line in lines if f" {line}".rstrip() not in shown] == []


def test_options_and_names_in_examples_exist() -> None:
    groups = get_command(app).commands["groups"]  # type: ignore[attr-defined]
    for text in TEXTS.values():
        for name, rest in re.findall(r"^  goldstone groups (\w+) ?(.*)$", text, re.MULTILINE):
            known = {o for p in groups.commands[name].params for o in p.opts}
            words = shlex.split(rest)
            assert {word for word in words if word.startswith("--")} <= known
            if name == "show":
                group_named(words[0])
