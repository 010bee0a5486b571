"""Symmetric and alternating groups, their elements numbered by Lehmer codes."""

from dataclasses import dataclass
from math import factorial

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.groups.permutations import Permutation, Permutations, parities, permutation_mask

MOST_NUMBERED = 20
"""20! is the largest factorial below 2⁶³."""


@dataclass(frozen=True)
class SymmetricGroup(Permutations):
    """S_n, all permutations of n points.

    The elements are numbered in lexicographic order of their images, for n ≤ 20; composition,
    inverses and sampling work for any n.
    """

    n: int

    def __post_init__(self) -> None:
        if not is_count(self.n):
            raise InputError(f"a symmetric group needs n ≥ 1 points, got {self.n}")

    @property
    def name(self) -> str:
        return f"S{self.n}"

    @property
    def points(self) -> int:
        return self.n

    @property
    def order(self) -> int:
        return factorial(self.n)

    def index(self, a: Tensor) -> Tensor:
        """The lexicographic number Σ d_i (n − 1 − i)!, d the Lehmer code.

        Raises:
            InputError: n > 20, so that the numbers exceed 64 bits.
        """
        return (lehmer_code(a) * _factorials(self.n, self.name).to(a.device)).sum(-1)

    def from_index(self, index: Tensor) -> Tensor:
        """The inverse of :meth:`index`; raises as it does."""
        weights = _factorials(self.n, self.name).to(index.device)
        radix = torch.arange(self.n, 0, -1, device=index.device)
        return from_lehmer_code(index[..., None] // weights % radix)

    def member_mask(self, a: Tensor) -> Tensor:
        return permutation_mask(a)

    def generators(self) -> tuple[Permutation, ...]:
        transposition = (1, 0, *range(2, self.n))
        cycle = (*range(1, self.n), 0)
        return (transposition, cycle)[: min(self.n - 1, 2)]

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        keys = torch.rand(
            (*shape, self.n), generator=generator, device=generator.device, dtype=torch.float64
        )
        return keys.argsort(-1)


@dataclass(frozen=True)
class AlternatingGroup(Permutations):
    """A_n, the even permutations of n points, numbered in lexicographic order for n ≤ 20."""

    n: int

    def __post_init__(self) -> None:
        if not is_count(self.n):
            raise InputError(f"an alternating group needs n ≥ 1 points, got {self.n}")

    @property
    def name(self) -> str:
        return f"A{self.n}"

    @property
    def points(self) -> int:
        return self.n

    @property
    def order(self) -> int:
        return max(factorial(self.n) // 2, 1)

    def index(self, a: Tensor) -> Tensor:
        """Half the number in S_n: of each two neighbours there, one permutation is even.

        Raises:
            InputError: n > 20, so that the numbers exceed 64 bits.
        """
        return SymmetricGroup(self.n).index(a) // 2

    def from_index(self, index: Tensor) -> Tensor:
        """The inverse of :meth:`index`; raises as it does."""
        return _made_even(SymmetricGroup(self.n).from_index(2 * index))

    def member_mask(self, a: Tensor) -> Tensor:
        return permutation_mask(a) & (parities(a) == 0)

    def generators(self) -> tuple[Permutation, ...]:
        if self.n < 3:
            return ()
        triple = (1, 2, 0, *range(3, self.n))
        # A cycle of all points is even for odd n; for even n it leaves out the first.
        cycle = (*range(1, self.n), 0) if self.n % 2 else (0, *range(2, self.n), 1)
        return (triple, cycle)[: 1 if self.n == 3 else 2]

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        return _made_even(SymmetricGroup(self.n).sample(generator, shape))


def lehmer_code(a: Tensor) -> Tensor:
    """d_i = #{j > i : a(j) < a(i)}, between 0 and n − 1 − i, of images (*batch, n)."""
    return (a[..., :, None] > a[..., None, :]).triu(1).sum(-1)


def from_lehmer_code(code: Tensor) -> Tensor:
    """The inverse of :func:`lehmer_code`."""
    images = code.clone()
    for i in range(code.shape[-1] - 2, -1, -1):
        # The later images are so far numbered without a(i): make room for it.
        images[..., i + 1 :] += images[..., i + 1 :] >= images[..., i : i + 1]
    return images


def _made_even(a: Tensor) -> Tensor:
    """Odd permutations with their last two images exchanged."""
    if a.shape[-1] < 2:
        return a
    swapped = torch.cat((a[..., :-2], a[..., -2:].flip(-1)), -1)
    return torch.where(parities(a)[..., None] == 1, swapped, a)


def _factorials(n: int, name: str) -> Tensor:
    if n > MOST_NUMBERED:
        raise InputError(
            f"the elements of {name} exceed 64-bit numbers; compose, invert and sample them as "
            f"permutations, or use at most {MOST_NUMBERED} points"
        )
    return torch.tensor([factorial(n - 1 - i) for i in range(n)])
