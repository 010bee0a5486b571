"""Floor 7: the command ``goldstone``."""

import sys

from goldstone.core import MissingExtraError, require

__all__ = ["main"]


def main() -> None:
    """Run the command line; always ends by ``SystemExit`` with one of the codes of its help."""
    try:
        require("typer", "cli")
        require("rich", "cli")
    except MissingExtraError as error:
        sys.stderr.write(f"goldstone: {error}\n")
        raise SystemExit(2) from None
    from goldstone.cli.app import app

    app(prog_name="goldstone")
