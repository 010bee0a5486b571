"""Losses and metrics, by name or from the user's own code."""

from typing import Any, cast

from goldstone.auditing.orbit_metrics import Metric
from goldstone.auditing.subject import Loss
from goldstone.cli.python_objects import described, load_object, names_code
from goldstone.core import InputError
from goldstone.systems.losses import loss_by_name


def read_loss(text: str | None) -> Loss | None:
    """The loss of this name, or that MODULE:NAME or FILE.py:NAME names.

    Raises:
        InputError: there is none, or it is no function.
    """
    if text is None:
        return None
    if not names_code(text):
        return cast(Loss, loss_by_name(text))
    return cast(Loss, _callable(text, f"--loss {text!r}"))


def read_metric(text: str | None) -> Metric | None:
    """``accuracy``, or the function, class or object that MODULE:NAME or FILE.py:NAME names.

    A class is called without arguments, as those of torchmetrics can be.

    Raises:
        InputError: there is none.
    """
    if text is None or text == "accuracy":
        return cast(Metric | None, text)
    if not names_code(text):
        raise InputError(f"--metric: expected accuracy, FILE.py:NAME or MODULE:NAME, got {text!r}")
    place = f"--metric {text!r}"
    found = _callable(text, place)
    if isinstance(found, type):
        try:
            found = found()
        except Exception as error:
            raise InputError(f"{place}: making one failed with {described(error)}") from error
    return cast(Metric, found)


def _callable(text: str, place: str) -> Any:
    found = load_object(text, place)
    if not callable(found):
        raise InputError(
            f"{place}: expected a function of prediction and target, got {type(found).__name__}"
        )
    return found
