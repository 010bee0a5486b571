"""``python -m goldstone.reproductions NAME`` runs a reproduction."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from goldstone.core import GoldstoneError
from goldstone.reproductions.catalogue import REPRODUCTIONS, reproduce
from goldstone.reproductions.page import summary
from goldstone.reproductions.terminal import TerminalProgress

DONE, BAD_INPUT, INTERRUPTED = 0, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.list or given.name is None:
        width = max(map(len, REPRODUCTIONS))
        for name, what in REPRODUCTIONS.items():
            sys.stdout.write(f"{name:<{width}}  {what}\n")
        return DONE if given.list else BAD_INPUT
    try:
        found = reproduce(given.name, given.out, quick=given.quick, progress=TerminalProgress())
    except (GoldstoneError, OSError) as error:
        sys.stderr.write(f"goldstone.reproductions: {error}\n")
        return BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("stopped; the same command goes on from here\n")
        return INTERRUPTED
    for k, claim in enumerate(found.claims, 1):
        sys.stdout.write(f"{k:>2}  {claim.outcome:<14}  {claim.statement}\n")
    page = given.out / f"{found.name}.md"
    sys.stdout.write(f"{summary(found)}; claims beside measurements are in {page}\n")
    return DONE


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name}: {what}" for name, what in REPRODUCTIONS.items())
    parser = argparse.ArgumentParser(
        prog="python -m goldstone.reproductions",
        description="Run a published experiment again and set claims beside measurements.",
        epilog=f"reproductions:\n{listed}\n\n"
        "A run that was stopped, however hard, goes on when the same command is given again.\n"
        "Exit codes: 0 done, whatever was found; 2 bad input; 130 interrupted.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="which one")
    parser.add_argument("--list", action="store_true", help="say what there is, and stop")
    parser.add_argument(
        "--quick", action="store_true", help="a form of half a minute; its numbers mean little"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("reproductions"),
        metavar="DIR",
        help="folder for NAME.json, NAME.md, figures and what is kept (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
