"""Substitution of tokens by equivalent ones: a relation, not a group."""

from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor

from goldstone.core import InputError


@dataclass(frozen=True)
class SubstitutionRelation:
    """Two sequences are equivalent if at each place they have the same token or two of one class.

    Replacing a token by *some* synonym has no inverse and no product: nothing says which synonym,
    so this is an equivalence relation and no action, and it has no ``act``. Sample from it and
    compare; for a group use a permutation of the vocabulary
    (:class:`goldstone.actions.RelabelAction`), which replaces each token the same way everywhere.

    Attributes:
        classes: disjoint classes of token numbers, each of two or more; other tokens stay.

    Raises:
        InputError: a class has fewer than two tokens, a negative one, or shares one with another.
    """

    classes: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        tokens = [token for members in self.classes for token in members]
        short = [members for members in self.classes if len(set(members)) < 2]
        if not tokens or short or len(set(tokens)) != len(tokens) or min(tokens) < 0:
            raise InputError(
                "expected disjoint classes of two or more token numbers ≥ 0, got "
                f"{short[0] if short else self.classes}"
            )

    @property
    def group(self) -> NoReturn:
        """There is none.

        Raises:
            InputError: always.
        """
        raise InputError(
            "substitution classes are a relation, not a group: 'replace by some synonym' has "
            "neither products nor inverses. Use sample() and equivalent(), or a permutation of the "
            "vocabulary with RelabelAction"
        )

    def sample(self, x: Tensor, generator: torch.Generator, rate: float = 1.0) -> Tensor:
        """Equivalent sequences: tokens in classes, each with probability ``rate``, drawn anew.

        Args:
            x: integer tokens of any shape.
            generator: the source of randomness.
            rate: the probability that a token in a class is drawn anew, uniformly from its class
                (so it may stay).

        Raises:
            InputError: x holds no integers, or the rate is not a probability.
        """
        _check_tokens(x)
        if not 0.0 <= rate <= 1.0:
            raise InputError(f"expected a rate between 0 and 1, got {rate}")
        keys = [
            torch.rand(x.shape, generator=generator, device=generator.device).to(x.device)
            for _ in range(2)
        ]
        starts, sizes, members = self._tables(x)
        number = self._class_of(x)
        size = sizes[number]
        place = (keys[0] * size).long().minimum(size - 1)
        drawn = members[starts[number] + place].to(x.dtype)
        return torch.where((number >= 0) & (keys[1] < rate), drawn, x)

    def equivalent(self, x: Tensor, y: Tensor) -> Tensor:
        """Which sequences of two batches (…, T) are equivalent, as booleans (…).

        Raises:
            InputError: they hold no integers or have different shapes.
        """
        _check_tokens(x)
        _check_tokens(y)
        if x.shape != y.shape:
            raise InputError(
                f"expected sequences of the same shape, got {tuple(x.shape)} and {tuple(y.shape)}"
            )
        return (self.representatives(x) == self.representatives(y)).all(-1)

    def representatives(self, x: Tensor) -> Tensor:
        """Every token replaced by the first of its class: equal exactly for equivalent tokens."""
        starts, _, members = self._tables(x)
        number = self._class_of(x)
        return torch.where(number >= 0, members[starts[number]].to(x.dtype), x)

    def _tables(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where each class starts among all members, its size, and the members."""
        sizes = torch.tensor([len(members) for members in self.classes], device=x.device)
        members = torch.tensor([t for members in self.classes for t in members], device=x.device)
        if int(members.max()) > torch.iinfo(x.dtype).max:
            raise InputError(
                f"the tokens of the classes, up to {int(members.max())}, exceed {x.dtype}; call "
                ".long() first"
            )
        return sizes.cumsum(0) - sizes, sizes, members

    def _class_of(self, x: Tensor) -> Tensor:
        """The number of the class of each token, −1 outside all: one search, however many."""
        _, sizes, members = self._tables(x)
        number = torch.arange(len(sizes), device=x.device).repeat_interleave(sizes)
        ordered, order = members.sort()
        tokens = x.long()
        place = torch.searchsorted(ordered, tokens.contiguous()).clamp(max=len(ordered) - 1)
        return torch.where(ordered[place] == tokens, number[order[place]], -1)


def _check_tokens(x: Any) -> None:
    if x.is_floating_point() or x.is_complex() or x.dtype is torch.bool:
        raise InputError(f"expected integer tokens, got {x.dtype}; substitute before embedding")
