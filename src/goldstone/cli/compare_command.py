"""``goldstone compare``: what changed between two audits."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from goldstone.auditing import AuditResult
from goldstone.auditing.comparison import compare_audits
from goldstone.auditing.comparison_results import Outcome
from goldstone.cli.audit_output import console_on
from goldstone.cli.compare_output import show_comparison
from goldstone.cli.guard import DOES_NOT_HOLD, HOLDS, UNDETERMINED, guarded
from goldstone.cli.options import Json, Quiet

_EXIT_CODES: dict[Outcome, int] = {
    "better": HOLDS,
    "same": HOLDS,
    "worse": DOES_NOT_HOLD,
    "undetermined": UNDETERMINED,
}

HELP = """What changed from audit A to audit B: answers, numbers, subgroups.

A and B are folders that goldstone audit wrote, or their audit.json files,
of one symmetry: before and after training further, augmenting, pruning.
Neither model nor data are needed.

\b
Examples:
  goldstone compare audits/before audits/after
  goldstone compare main/audit.json branch/audit.json --json

The interval of a difference is made of those of both audits as if they were
independent: the root of the sum of squares of the half-widths. A number that
changed clearly has an interval that leaves out 0. Changed data, weights,
settings and thresholds are named.

\b
Exit codes: 0 no answer is worse, 1 one became no, 3 one that was yes became
undetermined (and none became no), 2 bad input, such as two symmetries.
"""


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("compare", help=escape(HELP))(compare)


@guarded
def compare(
    first: Annotated[
        Path, typer.Argument(metavar="A", help="The earlier audit.", show_default=False)
    ],
    second: Annotated[
        Path, typer.Argument(metavar="B", help="The later audit.", show_default=False)
    ],
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Compare two audits."""
    found = compare_audits(AuditResult.load_numbers(first), AuditResult.load_numbers(second))
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        show_comparison(console_on(), found)
    return _EXIT_CODES[found.outcome]
