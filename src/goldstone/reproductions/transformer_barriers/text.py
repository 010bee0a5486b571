"""Text of a seeded grammar: nested clauses, agreement in number, and sums that are right."""

from collections.abc import Sequence

import torch
from torch import Tensor

from goldstone.core import generator

_ADJECTIVES = ("old", "young", "quiet", "bright", "lost", "heavy", "golden", "narrow", "bitter")
_NOUNS = (
    "king", "queen", "sailor", "horse", "river", "teacher", "shadow", "garden", "letter", "bridge",
    "soldier", "winter", "mirror", "captain", "village", "stranger",
)  # fmt: skip
_VERBS = (
    "follow", "find", "remember", "leave", "build", "love", "fear", "watch", "forget", "answer",
    "carry", "visit",
)  # fmt: skip
_PLACES = ("in the north", "by the sea", "before dawn", "at the gate", "without a word")
_NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip

_DEEPEST = 2
"""Relative clauses inside one another, at most."""


class Grammar:
    """Sentences drawn one after another from a generator.

    Args:
        random: where the choices come from.
    """

    def __init__(self, random: torch.Generator) -> None:
        self._random = random

    def text(self, length: int) -> str:
        """Sentences, cut to so many characters."""
        parts: list[str] = []
        total = 0
        while total < length:
            parts.append(self.sentence())
            total += len(parts[-1])
        return "".join(parts)[:length]

    def sentence(self) -> str:
        """A sentence with its end, a full stop and a blank or a line's end."""
        if self._chance(0.15):
            body = self._sum()
        else:
            body = self._clause(0)
            if self._chance(0.2):
                body += f", {self._one(('and', 'but', 'while'))} {self._clause(0)}"
        return body + (".\n" if self._chance(0.25) else ". ")

    def _sum(self) -> str:
        a = self._number(6)
        b = self._number(6)
        return f"{_NUMBERS[a]} and {_NUMBERS[b]} make {_NUMBERS[a + b + 1]}"

    def _clause(self, depth: int) -> str:
        plural = self._chance(0.4)
        place = f" {self._one(_PLACES)}" if self._chance(0.25) else ""
        return f"{self._noun(plural, depth)} {self._predicate(plural, depth)}{place}"

    def _noun(self, plural: bool, depth: int) -> str:
        article = self._one(("the", "some", "all") if plural else ("the", "every", "this"))
        adjective = f" {self._one(_ADJECTIVES)}" if self._chance(0.35) else ""
        noun = self._one(_NOUNS) + ("s" if plural else "")
        inner = ""
        if depth < _DEEPEST and self._chance(0.25):
            inner = f" that {self._predicate(plural, depth + 1)}"
        return f"{article}{adjective} {noun}{inner}"

    def _predicate(self, plural: bool, depth: int) -> str:
        verb = self._one(_VERBS)
        if not plural:
            verb = verb[:-1] + "ies" if verb.endswith("y") else _third(verb)
        return f"{verb} {self._noun(self._chance(0.4), depth + 1)}"

    def _one(self, words: Sequence[str]) -> str:
        return words[self._number(len(words))]

    def _number(self, below: int) -> int:
        return int(torch.randint(below, (), generator=self._random))

    def _chance(self, probability: float) -> bool:
        return float(torch.rand((), generator=self._random)) < probability


def _third(verb: str) -> str:
    return verb + ("es" if verb.endswith(("s", "h", "x")) else "s")


def characters(length: int, held_out: int, seed: int = 0) -> tuple[Tensor, Tensor, str]:
    """Text to train on and text to test with, as indices, and the alphabet they point into."""
    text = Grammar(generator(seed, "grammar")).text(length + held_out)
    alphabet = "".join(sorted(set(text)))
    index = torch.tensor([alphabet.index(c) for c in text])
    return index[:length], index[length:], alphabet


def windows(index: Tensor, context: int) -> tuple[Tensor, Tensor]:
    """The whole text in pieces: inputs (piece, context) and the characters that follow each."""
    count = (len(index) - 1) // context
    end = count * context
    return index[:end].reshape(count, context), index[1 : end + 1].reshape(count, context)
