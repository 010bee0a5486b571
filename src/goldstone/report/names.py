"""Names cut to fit a figure, so that they can still be told apart."""

import re
from collections.abc import Sequence
from itertools import product, takewhile


def shorten(name: str, most: int) -> str:
    """``name`` cut to ``most`` characters in its middle: both ends tell names apart."""
    if len(name) <= most:
        return name
    tail = (most - 1) // 2
    return f"{name[: most - 1 - tail]}…{name[len(name) - tail :]}"


def short_names(names: Sequence[str], most: int) -> list[str]:
    """``names`` of at most ``most`` characters each.

    Where one is longer, what all begin or end with is left out first, as little of it as serves,
    up to a full stop, a slash, an underscore or an opening bracket.
    """
    longest = max(map(len, names), default=0)
    if longest <= most or len(set(names)) < 2:
        return [shorten(name, most) for name in names]
    common = _beginning(names)
    heads = [0, *(m.end() for m in re.finditer(r"[./_]|.(?=[(\[])", common))]
    rest = [name[heads[-1] :] for name in names]
    ending = _beginning([name[::-1] for name in rest])
    tails = [0, *(m.end() for m in re.finditer(r"[./_]", ending))]
    cuts = sorted(product(heads, tails), key=sum)
    fitting = (
        (head, tail)
        for head, tail in cuts
        if longest - head - tail + bool(head) + bool(tail) <= most
    )
    head, tail = next(fitting, cuts[-1])
    before, after = "…" if head else "", "…" if tail else ""
    return [shorten(before + name[head : len(name) - tail] + after, most) for name in names]


def _beginning(names: Sequence[str]) -> str:
    """What all of them begin with."""
    columns = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in columns)
