"""``goldstone groups``: what a group looks like."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.markup import escape

from goldstone.cli.audit_output import console_on
from goldstone.cli.groups_output import show_forms, show_group
from goldstone.cli.guard import HOLDS, guarded
from goldstone.cli.options import Json, Quiet
from goldstone.cli.places import writable_directory
from goldstone.core import InputError, replacing, to_json
from goldstone.groups import GROUP_NAME_FORMS, group_named
from goldstone.report.cayley_figure import cayley_figure
from goldstone.report.subgroup_figure import MOST_CLASSES, SubgroupNode, subgroup_figure
from goldstone.representations import GroupSummary, summarise_group

HELP = """Show the groups that have a name: structure and representations.

\b
Examples:
  goldstone groups list
  goldstone groups show D4
  goldstone groups show "C2×S3" --plot pictures
"""

SHOW_HELP = """Show a group: elements, classes, subgroups, characters, irreps.

Of a Lie group: the Lie algebra with its brackets, the Killing form, irreps.
What would take a large group long is left out, and said to be.

\b
Examples:
  goldstone groups show D4
  goldstone groups show C2xS3 --json
  goldstone groups show A5 --plot pictures
  goldstone groups show "SO(3)"

--plot draws the Cayley graph by the generators (up to order 120) and the
lattice of subgroups up to conjugacy, as NAME-cayley.svg and
NAME-subgroups.svg.

\b
Reading the tables:
  conjugates         how many subgroups gHg⁻¹ there are; 1 is normal
  maximal subgroups  by number; 2×3 says two of class 3
  type               real: made of real matrices; complex: the character
                     is not real; quaternionic: the character is real and
                     the matrices cannot be

Exit codes: 0, or 2 if the name is unknown or a picture cannot be made.
"""

LIST_HELP = """List the forms of names that goldstone groups show reads.

\b
Examples:
  goldstone groups list
  goldstone groups list --json
"""


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    groups = typer.Typer(no_args_is_help=True, help=escape(HELP), rich_markup_mode="rich")
    groups.command("show", help=escape(SHOW_HELP))(show)
    groups.command("list", help=escape(LIST_HELP))(list_forms)
    app.add_typer(groups, name="groups")


@guarded
def show(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Such as D4, C2×S3 or SO(3).", show_default=False),
    ],
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Draw pictures into it, as SVG.", show_default=False),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Show a group."""
    group = group_named(name)
    with _one_thread():
        summary = summarise_group(group)
    written = () if plot is None else _draw(summary, writable_directory(plot, "--plot"))
    if as_json:
        print(json.dumps(to_json(summary), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        console = console_on()
        show_group(console, summary)
        for path in written:
            console.print(str(path), soft_wrap=True, markup=False)
    return HOLDS


@guarded
def list_forms(as_json: Json = False) -> int:
    """List the forms of names."""
    if as_json:
        print(json.dumps(to_json(GROUP_NAME_FORMS), ensure_ascii=False))
    else:
        show_forms(console_on())
    return HOLDS


@contextmanager
def _one_thread() -> Iterator[None]:
    """Many operations on small tensors: several threads would only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _draw(summary: GroupSummary, folder: Path) -> tuple[Path, ...]:
    """The pictures that there are data for.

    Raises:
        InputError: there are none.
    """
    pictures: dict[str, str] = {}
    finite = summary.finite
    if finite is not None and finite.cayley_graph is not None and finite.elements is not None:
        graph = finite.cayley_graph
        names = [element.name for element in finite.elements]
        pictures["cayley"] = cayley_figure(
            summary.name, names, graph.generators, graph.targets, graph.rotation
        )
    if finite is not None and finite.lattice is not None:
        classes, coverings = finite.lattice.classes, finite.lattice.coverings
        if len(classes) <= MOST_CLASSES:
            nodes = [SubgroupNode(c.type or c.name, c.name, c.order, c.conjugates) for c in classes]
            edges = [(c.lower, c.upper) for c in coverings]
            pictures["subgroups"] = subgroup_figure(summary.name, nodes, edges)
    if not pictures:
        raise InputError(
            f"--plot: {summary.name} has no pictures; they are drawn of finite groups, the Cayley "
            f"graph up to order 120 and the subgroups up to order 240 and {MOST_CLASSES} classes"
        )
    paths = []
    for kind, picture in pictures.items():
        path = folder / f"{_file_name(summary.name)}-{kind}.svg"
        with replacing(path) as unfinished:
            unfinished.write_text(picture, encoding="utf-8")
        paths.append(path)
    return tuple(paths)


def _file_name(name: str) -> str:
    """A group's name in letters that every file system takes: ``C2xS3``, ``p4m-2x2``."""
    plain = name.replace("×", "x").replace("(", "-").replace(")", "")
    return "".join(letter for letter in plain if letter.isascii()).strip("-")
