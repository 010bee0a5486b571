"""Claims on balanced norms: ReLU units, queries and keys."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import exp, log10
from typing import Any

import torch
from torch import Tensor

from goldstone.core import Statistic
from goldstone.report.lines import Line, line_plot
from goldstone.report.marks import SERIES
from goldstone.reproductions.figures import side_by_side
from goldstone.reproductions.implicit_bias.balance import (
    RELU_CASES,
    attention_ratios,
    relu_ratios,
)
from goldstone.reproductions.implicit_bias.sizes import Sizes
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.parts import Part
from goldstone.reproductions.results import Claim, Comparison, over_seeds

_SOURCE = "arXiv 2601.06597"
_SHORT = ("8 outputs", "1 output", "1, decay", "slow")
_BANDS = 2
_FACTOR = 1.1
"""Ratios count as balanced if their typical distance from 1 is below a factor of this."""


def balance_claims(kept: Kept, sizes: Sizes) -> Part:
    """Train the networks and measure their ratios."""
    relu = {
        name: kept.measure(f"relu-{k}", partial(relu_ratios, case, sizes))
        for k, (name, case) in enumerate(RELU_CASES.items())
    }
    attention = kept.measure("attention", partial(attention_ratios, sizes))
    drawings = {
        "ratios": side_by_side(
            [
                _curves(
                    "relu",
                    "ReLU units, ‖v‖/‖w‖",
                    dict(zip(_SHORT, relu.values(), strict=True)),
                ),
                _curves("attention", "attention, ‖Qe‖/‖Ke‖", {"median": attention}),
            ]
        )
    }
    captions = {
        "ratios": "Ratios of norms over training without and with decay: the median unit of all "
        "seeds, and for the first two the band from the tenth to nine tenths. Slow: the published "
        "learning rate."
    }
    return Part(
        (_relu(relu), _attention(attention)),
        captions,
        drawings,
        {"relu_ratios": relu, "attention_ratios": attention},
        sum(kept.seconds(name) for name in (*(f"relu-{k}" for k in range(len(relu))), "attention")),
    )


def _relu(relu: Mapping[str, dict[str, Any]]) -> Claim:
    rows = [
        Comparison(
            "range of the ratios at the start",
            "0.002 … 3.6",
            words=_range([found["start"] for found in relu.values()]),
        )
    ]
    for name, found in relu.items():
        rows += [
            Comparison(f"{name}: range at the end", "0.94 … 1.005", words=_range([found["end"]])),
            Comparison(f"{name}: geometric mean at the end", "about 1", _typical(found["end"])),
            Comparison(
                f"{name}: typical factor from 1",
                "",
                _distance(found["end"]),
                f"{_factor(found['start']):.2g} at the start",
            ),
            Comparison(
                f"{name}: geometric mean where both gradients' noises are equal",
                "1",
                _typical(found["equilibrium"]),
            ),
        ]
    balanced = [name for name, found in relu.items() if _balanced(found["end"])]
    rest = [name for name in relu if name not in balanced]
    return Claim(
        "Under SGD the ratios ‖v_j‖/‖w_j‖ of the units of a shallow ReLU network approach 1.",
        f"{_SOURCE}, shallow ReLU network, 40,000 steps at a learning rate of 5×10⁻⁵",
        tuple(rows),
        "partly" if balanced and rest else "reproduced" if balanced else "not reproduced",
        _relu_diagnosis(relu, balanced, rest) if rest else "",
        ("ratios",),
    )


def _relu_diagnosis(
    relu: Mapping[str, dict[str, Any]], balanced: Sequence[str], rest: Sequence[str]
) -> str:
    one, decayed = relu["1 output"], relu["1 output, decay 0.05"]
    slow = relu["8 outputs, published learning rate"]
    return (
        f"Balanced: {'; '.join(balanced) or 'none'}. Not: {'; '.join(rest)}. Gradient flow "
        "conserves ‖v_j‖² − ‖w_j‖² exactly; per step SGD changes it by the learning rate squared "
        "times ‖∂ℓ/∂v_j‖² − ‖∂ℓ/∂w_j‖². So the ratio goes to where the two gradients have equal "
        "noise (L. Ziyin et al., arXiv 2402.07193), not to 1: the two agree if there are as many "
        "outputs as inputs and the noise has no direction. With one output of 8 inputs the "
        f"prediction is {_middle(one['equilibrium']):.2f} and the measurement "
        f"{_middle(one['end']):.2f}. Weight decay draws the ratio towards 1 against that noise, to "
        f"a median of {_median(decayed['end']):.2f} here; units that seldom open come late. At a "
        "learning rate of 5×10⁻⁵ and noise of size 1 little moves in 40,000 steps (typical factor "
        f"{_factor(slow['start']):.2g} before, {_factor(slow['end']):.2g} after), as the square of "
        "the rate says: noise must be two hundred times larger for the same effect, or there was "
        "decay. The other settings of the published run are not known to us."
    )


def _attention(found: dict[str, Any]) -> Claim:
    good = _balanced(found["end"])
    return Claim(
        "Under SGD the ratios of the norms of attention's query and key columns approach 1.",
        f"{_SOURCE}, attention",
        (
            Comparison("range at the start", "0.037 … 5.3", words=_range([found["start"]])),
            Comparison("range at the end", "0.935 … 1.012", words=_range([found["end"]])),
            Comparison("geometric mean at the end", "about 1", _typical(found["end"])),
            Comparison(
                "typical factor from 1",
                "",
                _distance(found["end"]),
                f"{_factor(found['start']):.2g} at the start",
            ),
        ),
        "reproduced" if good else "not reproduced",
        ""
        if good
        else "the typical distance from 1 stays above a factor of "
        f"{_FACTOR}: {_factor(found['end']):.3g}",
        ("ratios",),
    )


def _balanced(ratios: Sequence[Sequence[float]]) -> bool:
    return _factor(ratios) < _FACTOR


def _typical(ratios: Sequence[Sequence[float]]) -> Statistic:
    """The geometric mean over units, with its interval over seeds."""
    return _exponential(ratios, lambda logs: logs.mean())


def _distance(ratios: Sequence[Sequence[float]]) -> Statistic:
    """The exponential of the mean |log ratio|: by what factor a typical unit is off balance."""
    return _exponential(ratios, lambda logs: logs.abs().mean())


def _exponential(
    ratios: Sequence[Sequence[float]], summary: Callable[[Tensor], Tensor]
) -> Statistic:
    logs = [float(summary(torch.tensor(seed).clamp(min=1e-6).log())) for seed in ratios]
    found = over_seeds(logs)
    estimate, low, high = (
        None if value is None else exp(value) for value in (found.estimate, found.low, found.high)
    )
    return Statistic(estimate, low, high, found.n)


def _middle(ratios: Sequence[Sequence[float]]) -> float:
    return _typical(ratios).estimate or float("nan")


def _factor(ratios: Sequence[Sequence[float]]) -> float:
    return _distance(ratios).estimate or float("nan")


def _median(ratios: Sequence[Sequence[float]]) -> float:
    return float(torch.tensor(ratios).median())


def _range(ratios: Sequence[Sequence[Sequence[float]]]) -> str:
    values = torch.cat([torch.tensor(some).flatten() for some in ratios])
    low, high = (float(values.quantile(q)) for q in (0.1, 0.9))
    return (
        f"{float(values.min()):.2g} … {float(values.max()):.3g} (a tenth to nine tenths "
        f"{low:.2g} … {high:.3g})"
    )


def _curves(key: str, title: str, found: Mapping[str, dict[str, Any]]) -> str:
    """log₁₀ of the ratios, whose bands a logarithmic axis would not show evenly."""
    lines, steps = [], []
    for k, (name, values) in enumerate(found.items()):
        start = torch.tensor(values["start"])
        curve = [[0, *(float(start.quantile(q)) for q in (0.1, 0.5, 0.9))], *values["curve"]]
        steps = [row[0] for row in curve]
        low, middle, high = (tuple(log10(max(row[c], 1e-6)) for row in curve) for c in range(1, 4))
        bands = (low, high) if k < _BANDS else ((), ())
        dash = () if k < _BANDS else (5.0, 2.0)
        lines.append(Line(name, middle, SERIES[k], dash, *bands))
    return line_plot(
        f"bias-{key}", title, "step", steps, lines,
        unit="log₁₀ of the ratio", width=430, height=300,
    )  # fmt: skip
