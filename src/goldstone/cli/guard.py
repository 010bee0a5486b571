"""From exceptions to exit codes and messages of one line."""

import inspect
import sys
import traceback
from collections.abc import Callable
from functools import partial, wraps
from typing import Annotated, Any

import typer

from goldstone.core import GoldstoneError

HOLDS, DOES_NOT_HOLD, BAD_INPUT, UNDETERMINED = 0, 1, 2, 3
BUG, INTERRUPTED = 70, 130

_DEBUG = Annotated[
    bool, typer.Option("--debug", help="Show the traceback of an error.", show_default=False)
]


def guarded(command: Callable[..., int]) -> Callable[..., None]:
    """Run ``command``, whose result is the exit code; errors become one line on stderr.

    What the user can mend exits with 2, a defect with 70 and its traceback, so that neither is
    taken for the answer of an audit.
    """

    @wraps(command)
    def run(*args: Any, debug: bool = False, **options: Any) -> None:
        raise typer.Exit(_code(partial(command, *args, **options), debug))

    # The option --debug belongs to this wrapper and is added to what typer reads.
    plain = inspect.signature(command)
    option = inspect.Parameter(
        "debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_DEBUG
    )
    signature = plain.replace(parameters=[*plain.parameters.values(), option])
    run.__annotations__ = {**command.__annotations__, "debug": _DEBUG}
    run.__dict__["__signature__"] = signature
    return run


def _code(command: Callable[[], int], debug: bool) -> int:
    try:
        return command()
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except (GoldstoneError, OSError) as error:
        if debug:
            traceback.print_exc()
        _say(" ".join(str(error).split()))
        return BAD_INPUT
    except typer.Exit:
        raise
    except Exception:  # noqa: BLE001  (a defect must not exit with 1, which says "does not hold")
        traceback.print_exc()
        _say("this is a defect, in goldstone or in a model of yours; the traceback says where")
        return BUG


def _say(message: str) -> None:
    sys.stderr.write(f"goldstone: {message}\n")
