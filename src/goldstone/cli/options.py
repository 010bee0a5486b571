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
Fields = Annotated[
    str | None,
    typer.Option(
        metavar="NAME:FIBRE,…",
        help="What the channels are, if the data do not say it.",
        show_default=False,
    ),
]
TimeStep = Annotated[
    float | None,
    typer.Option(help="Time between snapshots, if the data do not say it.", show_default=False),
]
Lengths = Annotated[
    str | None,
    typer.Option(metavar="X,Y", help="Size of the domain, if not 1,1.", show_default=False),
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
