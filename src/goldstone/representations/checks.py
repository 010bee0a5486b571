"""Checks of arguments that representations share."""

from numbers import Integral

from goldstone.core import InputError


def check_whole(name: str, value: object, least: int | None = 0) -> None:
    """Raise unless a number is an integer and at least ``least``.

    Raises:
        InputError: it is not.
    """
    whole = isinstance(value, Integral)
    if isinstance(value, Integral) and (least is None or int(value) >= least):
        return
    bound = "" if least is None else f" ≥ {least}"
    raise InputError(
        f"expected {name}{bound}, got {value!r}{'' if whole else ', which is no integer'}"
    )
