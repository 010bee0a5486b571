"""The command ``goldstone`` and its sub-commands."""

from importlib.metadata import version
from typing import Annotated

import typer

from goldstone.cli import (
    align_command,
    audit_command,
    compare_command,
    demo_command,
    groups_command,
    report_command,
    simulate_command,
    train_command,
)

app = typer.Typer(
    name="goldstone",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    demo_command,
    audit_command,
    compare_command,
    report_command,
    simulate_command,
    train_command,
    groups_command,
    align_command,
):
    module.register(app)


HELP = """Has a PyTorch model learned a symmetry, and where does it break?

Start with the demo: it simulates flows, trains emulators, audits them and
writes reports.

\b
  goldstone demo --quick --out demo

Then audit your own model on your own data.

\b
  goldstone audit mymodel.py:build --weights weights.pt --data test.npz \\
      --symmetry d4 --out audit

Or look at the algebra of a group: goldstone groups show D4

Or move two trained networks together: goldstone align --help

Every command explains itself by examples: goldstone audit --help
"""


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"goldstone {version('goldstone')}")
        raise typer.Exit


@app.callback(help=HELP)
def goldstone(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Has a PyTorch model learned a symmetry, and where does it break?"""
