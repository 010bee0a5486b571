"""Colours, marks and words of answers and labels, the same on every figure and in every table.

The colours are those of Okabe and Ito (2008), told apart under every common colour blindness;
each also has a mark. A round mark has two halves: the left one is filled when the symmetry holds,
the right one when learning transports along it.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from goldstone.auditing.results import Answer, Label

INK = "#1b2733"
MUTED = "#5b6875"
GRID = "#dfe4e9"
PAPER = "#ffffff"
BLUE = "#0072b2"
GREEN = "#009e73"
ORANGE = "#d98c00"
VERMILLION = "#d55e00"
GREY = "#7a8794"
SERIES = (BLUE, VERMILLION, GREEN, "#cc79a7", ORANGE, "#56b4e9", INK, GREY)
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 2), (1.5, 1.5), (6, 2, 1.5, 2))

LABELS: tuple[Label, ...] = get_args(Label)


@dataclass(frozen=True)
class LabelMark:
    """How a label looks and what it says.

    Attributes:
        fill: which half of the round mark is filled; *square* is the mark of the undetermined.
        meaning: one sentence.
    """

    colour: str
    fill: Literal["full", "left", "right", "none", "square"]
    meaning: str


_LABEL_MARKS: dict[Label, LabelMark] = {
    "internalised": LabelMark(
        BLUE,
        "full",
        "Holds and transports: the transformed data are predicted equally well, and learning one "
        "pose teaches the other. The symmetry is part of how the model computes.",
    ),
    "covered": LabelMark(
        GREEN,
        "left",
        "Holds but does not transport: both poses are predicted well, yet each was learned by "
        "itself. Expect it to fail where the training data did not cover the pose.",
    ),
    "latent": LabelMark(
        ORANGE,
        "right",
        "Transports but does not hold: learning one pose moves the other along, but the answers "
        "still differ. More training or a little augmentation may be enough.",
    ),
    "broken": LabelMark(
        VERMILLION,
        "none",
        "Neither holds nor transports: the model treats the transformed data as another problem.",
    ),
    "undetermined": LabelMark(
        GREY,
        "square",
        "The intervals, the skill of the model or the checks do not allow an answer; the reason "
        "says what would settle it.",
    ),
}

_ANSWER_SIGNS: dict[Answer, str] = {"yes": "✓", "no": "✗", "undetermined": "?"}


def label_mark(label: Label) -> LabelMark:
    """The mark of a label."""
    return _LABEL_MARKS[label]


def answer_sign(answer: Answer) -> str:
    """✓, ✗ or ?."""
    return _ANSWER_SIGNS[answer]


def metric_title(metric: str) -> str:
    """A metric in words."""
    known = {
        "euclidean": "Euclidean metric",
        "galerkin": "Galerkin Gauss–Newton metric",
        "gauss-newton": "Gauss–Newton metric",
        "randomised-gauss-newton": "Randomised Gauss–Newton metric",
        "gauss-newton-diagonal": "Diagonal Gauss–Newton metric",
        "kfac": "K-FAC metric",
        "ekfac": "EK-FAC metric",
        "empirical-fisher": "Empirical Fisher metric",
        "adam": "Metric of Adam’s steps",
    }
    return known.get(metric, f"{metric} metric")
