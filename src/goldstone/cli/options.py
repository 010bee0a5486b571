"""Options that several commands share."""

from typing import Annotated

import typer

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing but errors.", show_default=False)
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print the result as JSON, and nothing else, on stdout.", show_default=False
    ),
]
Device = Annotated[
    str, typer.Option(metavar="DEVICE", help="Where to compute: cpu, cuda, cuda:1, mps …")
]
Arguments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Argument of the network, repeatable; the value as in Python or JSON.",
        show_default=False,
    ),
]
