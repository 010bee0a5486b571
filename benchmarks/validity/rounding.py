"""Numbers as they are kept in JSON."""

from collections.abc import Iterable
from math import isfinite


def rounded(values: Iterable[float | None], digits: int = 4) -> list[float | None]:
    """To so many significant digits; None for what is not a finite number."""
    return [
        None if v is None or not isfinite(v) else float(f"{float(v):.{digits}g}") for v in values
    ]
