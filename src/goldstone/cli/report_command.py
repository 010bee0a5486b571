"""``goldstone report``: the page again, from saved results."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from goldstone.cli.guard import HOLDS, guarded
from goldstone.cli.options import Json, Quiet
from goldstone.report import write_report

HELP = """Make audit.html anew from the saved results alone.

It needs audit.json and audit.npz, and no model, data or accelerator.

\b
Examples:
  goldstone report demo/unet-anisotropic
  goldstone report audits/my-model --json
"""


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("report", help=escape(HELP))(report)


@guarded
def report(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of an audit.", show_default=False)
    ],
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Rebuild the page."""
    page = write_report(directory)
    if as_json:
        print(json.dumps({"report": str(page)}))
    elif not quiet:
        print(page)
    return HOLDS
