"""``goldstone demo``: everything once, on three emulators whose answers are known."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from goldstone.cli.audit_output import console_on, demo_table
from goldstone.cli.demo import FULL, QUICK, run_demo
from goldstone.cli.guard import HOLDS, guarded
from goldstone.cli.options import Json, Quiet
from goldstone.cli.places import writable_directory
from goldstone.cli.progress import RichProgress
from goldstone.core import SilentProgress, require, to_json

HELP = """Simulate flows, train three emulators, audit them for D4, write reports.

\b
  unet-anisotropic  a U-Net on flows that run along one axis: it can
                    learn the half turn and the axis reflections, and
                    not the quarter turns
  unet-isotropic    the same on isotropic flows: it learns all of D4
  equivariant       D4 built into the weights, trained on the flows
                    that run along one axis

Each gets a folder with audit.json, audit.npz and audit.html; index.html
compares them. Interrupted, the same command goes on where it stopped.

\b
Examples:
  goldstone demo                       under 6 minutes on two cores
  goldstone demo --quick --out quick   the same in small, under 90 seconds
"""


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("demo", help=escape(HELP))(demo)


@guarded
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where everything is written.")] = Path(
        "demo"
    ),
    quick: Annotated[
        bool, typer.Option("--quick", help="Smaller flows, shorter training.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of flows, weights and audits.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Run the demo."""
    for module in ("jinja2", "matplotlib"):
        require(module, "report")
    writable_directory(out)
    progress = SilentProgress() if quiet else RichProgress()
    index, results = run_demo(out, QUICK if quick else FULL, seed, progress)
    if as_json:
        described = {
            "directory": str(out),
            "index": str(index),
            "audits": {name: to_json(result.verdict) for name, result in results.items()},
        }
        print(json.dumps(described, ensure_ascii=False))
    elif not quiet:
        console = console_on()
        console.print(demo_table(results))
        for name in results:
            console.print(str(out / name / "audit.html"), soft_wrap=True, markup=False)
        console.print(str(index), soft_wrap=True, markup=False)
    return HOLDS
