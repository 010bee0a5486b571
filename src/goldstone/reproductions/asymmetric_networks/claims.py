"""Claims of the paper beside what was measured."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean as mean
from statistics import variance

from goldstone.report.numbers import number
from goldstone.reproductions.asymmetric_networks.bayesian_claims import bayesian_claims
from goldstone.reproductions.asymmetric_networks.found import Found
from goldstone.reproductions.asymmetric_networks.sizes import ALIGNED
from goldstone.reproductions.asymmetric_networks.training_claims import training_claims
from goldstone.reproductions.results import Claim, Comparison, Outcome, over_seeds

_SHORT = "Lim et al. 2024"
_MARGIN = 0.02
"""So much higher a barrier still counts as no higher; losses at the ends are 0.05 to 0.3."""
_PUBLISHED = {
    "standard": "0.188 ± 0.12",
    ALIGNED: "−0.006 ± 0.00",
    "W-asymmetric": "−0.012 ± 0.00",
    "σ-asymmetric": "0.117 ± 0.01",
}
_ZEROS, _WIDE = "W-asymmetric, zeros", "σ-asymmetric, N(0, 1)"


def claims(found: Found) -> tuple[Claim, ...]:
    """All of them, in the paper's order."""
    return (
        _fixed_weights(found, "digits"),
        _fixed_weights(found, "MNIST"),
        _gates(found, "digits"),
        _gates(found, "MNIST"),
        _symmetry_alone(found),
        _distance(found),
        *training_claims(found, _SHORT),
        *bayesian_claims(found, _SHORT),
    )


def _fixed_weights(found: Found, data: str) -> Claim:
    statement = (
        f"{data}: W-asymmetric networks are connected by the straight line without alignment; the "
        f"barrier is lower than of standard networks, and no higher (by {_MARGIN}) than of aligned "
        "ones."
    )
    source = f"{_SHORT}, table 1"
    if not found.has(data):
        return _untested(statement, source)
    standard, aligned, fixed = (
        found.barriers(data, arm) for arm in ("standard", ALIGNED, "W-asymmetric")
    )
    below = lower(fixed, standard)
    no_higher = mean(fixed) <= mean(aligned) + _MARGIN
    outcome: Outcome = "reproduced" if below and no_higher else "partly"
    if not (below or no_higher):
        outcome = "not reproduced"
    diagnosis = ""
    if outcome != "reproduced":
        diagnosis = (
            f"The mean barriers are {_numbers(standard, aligned, fixed)} (standard, aligned, W)."
        )
    elif mean(fixed) > mean(aligned):
        middles = [_middles(found, data, arm) for arm in ("W-asymmetric", ALIGNED)]
        diagnosis = (
            "That the barrier is even lower than of aligned networks is not seen here: halfway "
            f"the rise is {_numbers(*middles)} (W, aligned). Between aligned networks the loss "
            "falls below that of the ends, as of an ensemble; W-asymmetric ones share more."
        )
    return Claim(
        statement,
        source,
        _barrier_rows(found, data, ("standard", ALIGNED, "W-asymmetric")),
        outcome,
        diagnosis,
        ("barriers",),
    )


def _gates(found: Found, data: str) -> Claim:
    statement = (
        f"{data}: σ-asymmetric networks have lower barriers than standard ones, though higher than "
        "aligned ones."
    )
    source = f"{_SHORT}, table 1"
    if not found.has(data):
        return _untested(statement, source)
    standard, aligned, gated = (
        found.barriers(data, arm) for arm in ("standard", ALIGNED, "σ-asymmetric")
    )
    arms = ["standard", ALIGNED, "σ-asymmetric"]
    wide = found.barriers(data, _WIDE)
    arms += [_WIDE] if wide else []
    below, above = lower(gated, standard), lower(aligned, gated)
    outcome: Outcome = "reproduced" if below and above else "partly"
    if mean(gated) >= mean(standard):
        outcome = "not reproduced"
    diagnosis = f"The mean barriers are {_numbers(standard, gated)} (standard, σ)"
    diagnosis += ". " if below else ", a difference smaller than its interval. "
    if wide:
        higher = "higher" if mean(wide) > mean(standard) else "lower"
        outcome = "partly" if higher == "higher" and outcome == "reproduced" else outcome
        diagnosis += (
            f"It is a matter of F: with N(0, 1/width), as in the paper's appendix, σ(Fx) mixes "
            f"gently; with N(0, 1), as in the definition, Fx is {found.sizes.width**0.5:.0f} times "
            "as wide, the gates are open or shut, and the barrier is "
            f"{number(mean(wide))}, {higher} than without any asymmetry."
        )
    return Claim(
        statement,
        source,
        _barrier_rows(found, data, arms),
        outcome,
        "" if outcome == "reproduced" else diagnosis.strip(),
        ("barriers",),
    )


def _symmetry_alone(found: Found) -> Claim:
    standard, zeros, fixed = (
        found.barriers("digits", arm) for arm in ("standard", _ZEROS, "W-asymmetric")
    )
    share = 1 - mean(zeros) / mean(standard)
    good = lower(zeros, standard) and share > 0.5
    arms = ("standard", _ZEROS, "W-asymmetric")
    return Claim(
        "It is the removed symmetry that lowers the barrier (the paper's hypothesis; its theorem "
        "removes all permutations with fixed entries of zero, κ = 0).",
        f"{_SHORT}, section 3 and appendices B.1 and C",
        _barrier_rows(found, "digits", arms, published=False),
        "reproduced" if good else "not reproduced",
        ""
        if good
        else "A control that the paper does not run. The same entries fixed at zero remove the "
        f"same permutations, and the barrier is {number(mean(zeros))} against "
        f"{number(mean(standard))} of standard networks and {number(mean(fixed))} with κ = 1. So "
        "no exact permutation is left, and all of the barrier is: a permuted network fits almost "
        "as well. What connects W-asymmetric networks are fixed entries many times larger than "
        "trained ones (κ = 1 against 1/√inputs at the start): every network begins with the same "
        "random features and trains a perturbation of them. The paper names this as a "
        "limitation (appendix C).",
        ("barriers",),
    )


def _distance(found: Found) -> Claim:
    rows = []
    for data in ("digits", "MNIST"):
        for arm in ("standard", ALIGNED, "W-asymmetric"):
            lines = found.lines(data, arm)
            if lines:
                rows.append(
                    Comparison(
                        f"{data}, {arm}: distance, relative",
                        _per_parameter(arm),
                        over_seeds([line["distance"] for line in lines]),
                    )
                )
    ratios = {
        data: mean([line["distance"] for line in found.lines(data, "W-asymmetric")])
        / mean([line["distance"] for line in found.lines(data, "standard")])
        for data in ("digits", "MNIST")
        if found.has(data)
    }
    far = [ratio > 0.8 for ratio in ratios.values()]
    words = ", ".join(f"{ratio:.2g} times as far on {data}" for data, ratio in ratios.items())
    return Claim(
        "Nearness does not explain it: W-asymmetric networks are about as far apart as standard "
        "ones in what is trained.",
        f"{_SHORT}, appendix A",
        tuple(rows),
        "reproduced" if all(far) else "partly" if any(far) else "not reproduced",
        ""
        if all(far)
        else f"Of the norm of what is trained they are {words} as standard networks. The same "
        "random features lead to more in common; the distances remain of the size of those of "
        "aligned networks, whose barrier on digits is "
        f"{number(mean(found.barriers('digits', ALIGNED)))}.",
    )


def _per_parameter(arm: str) -> str:
    numbers = {"standard": ".000174, .0034", "W-asymmetric": ".000159, .0051"}
    return f"{numbers[arm]} per parameter (GNN, ResNet)" if arm in numbers else ""


def _barrier_rows(
    found: Found, data: str, arms: Sequence[str], *, published: bool = True
) -> tuple[Comparison, ...]:
    rows = []
    for arm in arms:
        middle = mean(_middles(found, data, arm))
        rows.append(
            Comparison(
                f"{arm}: barrier",
                _PUBLISHED.get(arm, "") if published else "",
                over_seeds(found.barriers(data, arm)),
                f"at the midpoint {number(middle)}",
            )
        )
    return tuple(rows)


def _untested(statement: str, source: str) -> Claim:
    return Claim(
        statement,
        source,
        (),
        "not tested",
        "MNIST is not part of goldstone: name a NumPy archive of x_train, y_train, x_test and "
        "y_test in the environment variable GOLDSTONE_MNIST and give the same command again.",
    )


def lower(smaller: Sequence[float], larger: Sequence[float]) -> bool:
    """Whether a mean is below another, by Welch's 95 % interval; of single values, if at all."""
    difference = mean(larger) - mean(smaller)
    if min(len(smaller), len(larger)) < 2 or difference <= 0:
        return difference > 0
    # Here, because scipy.special takes long to import.
    from scipy.special import stdtrit

    parts = [variance(values) / len(values) for values in (smaller, larger)]
    if not sum(parts):
        return True
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (smaller, larger), strict=True)
    )
    half = float(stdtrit(freedom, 0.975)) * sqrt(sum(parts))
    return difference > half


def _middles(found: Found, data: str, arm: str) -> list[float]:
    return [float(line["midpoint"]) for line in found.lines(data, arm)]


def _numbers(*groups: Sequence[float]) -> str:
    return ", ".join(number(mean(group)) for group in groups)
