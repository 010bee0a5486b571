"""Numbers as a reader writes them."""

from math import floor, isfinite, log10

from goldstone.core import Statistic

ABSENT = "–"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 3) -> str:
    """``value`` to ``digits`` significant digits: 0.0213, −1.53, 4.1×10⁻⁷; – if there is none."""
    if value is None or not isfinite(value):
        return ABSENT
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = floor(log10(abs(rounded)))
    if -4 < exponent < 5:
        decimals = digits - 1 - exponent
        text = f"{rounded:.{decimals}f}" if decimals > 0 else f"{value:.0f}"
    else:
        text = f"{rounded / 10**exponent:.{digits - 1}f}×{power_of_ten(exponent)}"
    return text.replace("-", "−")


def power_of_ten(exponent: int) -> str:
    """10⁻⁷ in Unicode superscripts."""
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def interval(statistic: Statistic | None) -> str:
    """The 95 % interval as ``low … high``; empty if there is none."""
    if statistic is None or statistic.low is None or statistic.high is None:
        return ""
    return f"{number(statistic.low)} … {number(statistic.high)}"


def probability(value: float | None) -> str:
    """A p-value; below 10⁻⁴ only its bound is worth reading."""
    if value is None or not isfinite(value):
        return ABSENT
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def percentage(share: float | None) -> str:
    """A share as whole per cent; 100 % only if it is all of them, 0 % if it is none."""
    if share is None or not isfinite(share):
        return ABSENT
    if 0 < share < 0.005:
        return "< 1 %"
    return "> 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def seconds(value: float | None) -> str:
    """A duration: 0.4 s, 12 s, 3 min 20 s."""
    if value is None or not isfinite(value):
        return ABSENT
    if value < 60:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    whole = round(value)
    return f"{whole // 60} min {whole % 60} s"
