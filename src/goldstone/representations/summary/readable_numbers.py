"""Values of characters as they are written by hand."""

from cmath import exp, pi
from math import gcd, sqrt

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_CLOSE = 1e-9
_GOLDEN = (1 + sqrt(5)) / 2

GLOSSARY = {
    "ζ": "ζn = exp(2πi/n)",
    "φ": "φ = (1 + √5)/2",
}
"""What the letters in readable numbers mean."""


def readable_number(value: complex, exponent: int) -> str:
    """A sum of roots of unity in short: ``-1``, ``√2``, ``φ``, ``2i``, ``ζ3²``, or three decimals.

    Recognised are integers, ±√2, ±√3, ±√5 and φ = (1 + √5)/2 with its like, multiples of these by
    i, and integer multiples of ζnᵏ = exp(2πik/n) where n divides ``exponent``, a group's exponent.
    """
    if abs(value.imag) < _CLOSE:
        return _real(value.real) or _decimals(value.real)
    if abs(value.real) < _CLOSE:
        size = _real(value.imag)
        if size is not None and size.lstrip("-")[0] in "123456789√":
            return _times_i(size)
    return _root(value, exponent) or _sum(value)


def _real(x: float) -> str | None:
    if abs(x - round(x)) < _CLOSE:
        return str(round(x))
    named = {
        "φ": _GOLDEN,
        "-φ": -_GOLDEN,
        "1-φ": 1 - _GOLDEN,
        "φ-1": _GOLDEN - 1,
        **{f"√{n}": sqrt(n) for n in (2, 3, 5)},
        **{f"-√{n}": -sqrt(n) for n in (2, 3, 5)},
    }
    return next((name for name, number in named.items() if abs(x - number) < _CLOSE), None)


def _times_i(size: str) -> str:
    sign, size = ("-", size[1:]) if size.startswith("-") else ("", size)
    if size.startswith("√"):
        return f"{sign}i{size}"
    return f"{sign}{'' if size == '1' else size}i"


def _root(value: complex, exponent: int) -> str | None:
    size = round(abs(value))
    if size == 0:
        return None
    for k in range(1, exponent):
        if abs(value - size * exp(2j * pi * k / exponent)) < _CLOSE:
            common = gcd(k, exponent)
            power, n = k // common, exponent // common
            raised = "" if power == 1 else str(power).translate(_SUPERSCRIPTS)
            return f"{'' if size == 1 else size}ζ{n}{raised}"
    return None


def _sum(value: complex) -> str:
    imaginary = _decimals(value.imag)
    return f"{_decimals(value.real)}{'' if imaginary.startswith('-') else '+'}{imaginary}i"


def _decimals(x: float) -> str:
    text = f"{x:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
