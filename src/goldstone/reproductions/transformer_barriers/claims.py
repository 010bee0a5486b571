"""Claims of the papers beside what was measured."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean as mean
from typing import Any

from goldstone.report.numbers import number
from goldstone.reproductions.results import Claim, Comparison, Outcome, over_seeds

VANILLA, ACTIVATIONS = "vanilla", "activation matching"
PERMUTED, LEARNED_PERMUTED = "weight matching, permutations", "learned matching, permutations"
MATCHED, LEARNED = "weight matching, all", "learned matching, all"
METHODS = (VANILLA, ACTIVATIONS, PERMUTED, LEARNED_PERMUTED, MATCHED, LEARNED)
HIDDEN, RECOVERED = "itself, moved", "itself, moved and matched"
CONTROLS = (HIDDEN, RECOVERED)
"""The first network beside its own image under random elements of all its symmetries."""
LONGER = "learned matching, all, from more text"

_PUBLISHED = {
    VANILLA: 2.02,
    ACTIVATIONS: 1.43,
    LEARNED_PERMUTED: 0.63,
    MATCHED: 0.34,
    LEARNED: 0.02,
}
"""Barriers on Tiny Shakespeare, in the order in which they fall."""
_SOURCE = "arXiv 2506.22712, Tiny Shakespeare"

Runs = Mapping[str, Sequence[Mapping[str, Any]]]


def claims(runs: Runs, trained: Sequence[Mapping[str, Any]]) -> tuple[Claim, ...]:
    """All of them."""
    return (_order(runs), _beyond_permutations(runs), _connected(runs, trained), _exact(runs))


def barriers(runs: Runs, method: str) -> list[float]:
    """Of each pair."""
    return [float(run["barrier"]) for run in runs[method]]


def _order(runs: Runs) -> Claim:
    vanilla = mean(barriers(runs, VANILLA))
    rows = []
    for method in METHODS:
        published = f"{_PUBLISHED[method]:g}" if method in _PUBLISHED else ""
        share = mean(barriers(runs, method)) / vanilla
        rows.append(
            Comparison(
                f"{method}: barrier",
                published,
                over_seeds(barriers(runs, method)),
                f"{share:.2g} of vanilla",
            )
        )
    steps = list(pairwise(_PUBLISHED))
    wrong = [f"{b} is not below {a}" for a, b in steps if not _below(runs, b, a, sure=False)]
    unsure = [f"{b} below {a}" for a, b in steps if not _below(runs, b, a, sure=True)]
    outcome: Outcome = "partly" if wrong or unsure else "reproduced"
    diagnosis = ""
    if wrong:
        diagnosis = f"In the means {', '.join(wrong)}. "
    elif unsure:
        diagnosis = (
            "The means are in the published order; over so few pairs the 95 % interval of the "
            f"difference includes zero for: {', '.join(unsure)}. "
        )
    return Claim(
        "The barrier falls from none over activation matching, learned permutations and weight "
        "matching along all symmetries to learned matching along all.",
        _SOURCE,
        tuple(rows),
        outcome,
        diagnosis.strip(),
        ("barriers",),
    )


def _beyond_permutations(runs: Runs) -> Claim:
    pairs = ((MATCHED, PERMUTED), (LEARNED, LEARNED_PERMUTED))
    rows = [
        Comparison(
            f"{a}, less {b}",
            f"{_PUBLISHED[a] - _PUBLISHED[b]:.2f}".replace("-", "−") if b in _PUBLISHED else "",
            over_seeds([x - y for x, y in zip(barriers(runs, a), barriers(runs, b), strict=True)]),
        )
        for a, b in pairs
    ]
    sure = [_below(runs, a, b, sure=True) for a, b in pairs]
    outcome: Outcome = (
        "reproduced" if all(sure) else "partly" if any(sure) else "not reproduced"
    )  # fmt: skip
    return Claim(
        "Permutations are not enough: orthogonal maps of the residual stream and invertible ones "
        "of the attention circuits bring the barrier further down.",
        _SOURCE,
        tuple(rows),
        outcome,
        "" if all(sure) else "The 95 % interval of one of the differences includes zero.",
        ("barriers",),
    )


def _connected(runs: Runs, trained: Sequence[Mapping[str, Any]]) -> Claim:
    vanilla, learned = mean(barriers(runs, VANILLA)), mean(barriers(runs, LEARNED))
    share, published = learned / vanilla, _PUBLISHED[LEARNED] / _PUBLISHED[VANILLA]
    falls = [_late(run["middle"]) for run in runs[LEARNED] if run["middle"]]
    rows = (
        Comparison("barrier, of vanilla", f"{published:.2g}", over_seeds([
            a / b
            for a, b in zip(barriers(runs, LEARNED), barriers(runs, VANILLA), strict=True)
        ])),
        Comparison(
            "barrier from more text and steps, of vanilla",
            "",
            over_seeds([
                a / b
                for a, b in zip(barriers(runs, LONGER), barriers(runs, VANILLA), strict=True)
            ]),
        ),
        Comparison("test loss of the networks", "", over_seeds([t["test loss"] for t in trained])),
        Comparison(
            "share of the gain in the last 15 % of the steps",
            "",
            over_seeds(falls) if falls else None,
            "" if falls else "not measured",
        ),
        Comparison(
            "weight matching of a network and itself, moved: barrier",
            "",
            over_seeds(barriers(runs, RECOVERED)),
        ),
    )  # fmt: skip
    good = share < 0.05
    going, longer = mean(falls) if falls else 0.0, mean(barriers(runs, LONGER)) / vanilla
    return Claim(
        "After learned matching along all symmetries two independently trained transformers are "
        "connected by a straight line with almost no barrier.",
        _SOURCE,
        rows,
        "reproduced" if good else "partly" if share < 0.3 else "not reproduced",
        ""
        if good
        else f"The barrier is {share:.0%} of vanilla, not {published:.0%}. Matching itself is not "
        "at fault: a network is found in its own image under a random element, with a barrier of "
        f"{number(mean(barriers(runs, RECOVERED)))}. The learning has "
        f"{'ended' if going < 0.03 else 'not ended'}; from more text and in more steps it comes to "
        f"{longer:.0%}. Not tested: the width (64, not 256), the depth (2 layers, not 6), longer "
        "training, and a falling learning rate of the matching. Git Re-Basin reports that "
        "barriers of matched networks fall as width grows.",
        ("barriers", "learning"),
    )


def _late(middle: Sequence[tuple[int, float]]) -> float:
    """The share of the fall of the loss that comes in the last 15 % of the steps."""
    before = [value for step, value in middle if step <= 0.85 * middle[-1][0]][-1]
    return (before - middle[-1][1]) / max(middle[0][1] - middle[-1][1], 1e-9)


def _exact(runs: Runs) -> Claim:
    hidden, found = mean(barriers(runs, HIDDEN)), mean(barriers(runs, RECOVERED))
    changes = {
        method: max(float(run["change of logits"]) for run in runs[method])
        for method in (*METHODS, LONGER, *CONTROLS)
    }
    worst = max(changes, key=lambda method: changes[method])
    good = found < 1e-3 * hidden and changes[worst] < 1e-2
    return Claim(
        "The symmetries leave the function unchanged, and matching finds a random element of them "
        "again.",
        "exact",
        (
            Comparison(f"{HIDDEN}: barrier", "", over_seeds(barriers(runs, HIDDEN))),
            Comparison(f"{RECOVERED}: barrier", "0", over_seeds(barriers(runs, RECOVERED))),
            Comparison(
                "largest change of a logit by any alignment",
                "0",
                words=f"{number(changes[worst])} ({worst})",
            ),
        ),
        "reproduced" if good else "not reproduced",
        ""
        if good
        else f"After matching the barrier is {number(found)} of {number(hidden)}, and logits "
        f"change by up to {number(changes[worst])}.",
    )


def _below(runs: Runs, a: str, b: str, *, sure: bool) -> bool:
    """Whether the barrier after a is below that after b, of the same pairs of networks."""
    difference = over_seeds(
        [y - x for x, y in zip(barriers(runs, a), barriers(runs, b), strict=True)]
    )
    bound = difference.low if sure and difference.low is not None else difference.estimate
    return bound is not None and bound > 0
