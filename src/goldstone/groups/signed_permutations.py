"""The hyperoctahedral group of signed permutations."""

import re
from dataclasses import dataclass
from math import factorial

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.integers import is_count
from goldstone.groups.permutations import (
    compose_permutations,
    invert_permutations,
    permutation_mask,
)
from goldstone.groups.symmetric_group import SymmetricGroup

SignedPermutation = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class SignedPermutationGroup(FiniteGroup[SignedPermutation]):
    """B_n, the symmetries of the n-dimensional cube, of order 2ⁿ n!.

    The element (images, signs) sends the axis e_i to signs[i]·e_images[i]. Names are in window
    notation, which by custom counts axes from one: ``[-2, 1]`` sends e₁ to −e₂ and e₂ to e₁.
    Elements are numbered for n ≤ 16; composition, inverses and sampling work for any n.
    """

    n: int

    def __post_init__(self) -> None:
        if not is_count(self.n):
            raise InputError(f"signed permutations need n ≥ 1 axes, got {self.n}")

    @property
    def name(self) -> str:
        return f"B{self.n}"

    @property
    def order(self) -> int:
        return factorial(self.n) << self.n

    @property
    def degree(self) -> int:
        """n: the group permutes and reverses the axes of ℝⁿ."""
        return self.n

    def matrices(self, a: Tensor) -> Tensor:
        """M e_i = signs[i]·e_images[i], (*batch, n, n) in float64."""
        one = torch.eye(self.n, dtype=torch.float64, device=a.device)
        # Adding zero makes the −0.0 positive.
        return (one[a[..., 0, :]] * a[..., 1, :, None]).add(0.0).mT

    @property
    def identity(self) -> SignedPermutation:
        return (tuple(range(self.n)), (1,) * self.n)

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (2, self.n)

    def index(self, a: Tensor) -> Tensor:
        """The permutation's number times 2ⁿ, plus the number whose bits mark the minus signs.

        Raises:
            InputError: n > 16, so that the numbers exceed 64 bits.
        """
        self._check_numbered()
        bits = 1 << torch.arange(self.n, device=a.device)
        minus = ((a[..., 1, :] < 0) * bits).sum(-1)
        return (SymmetricGroup(self.n).index(a[..., 0, :]) << self.n) + minus

    def from_index(self, index: Tensor) -> Tensor:
        """The inverse of :meth:`index`; raises as it does."""
        self._check_numbered()
        minus = index[..., None] >> torch.arange(self.n, device=index.device) & 1
        images = SymmetricGroup(self.n).from_index(index >> self.n)
        return torch.stack((images, 1 - 2 * minus), -2)

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        images = compose_permutations(a[..., 0, :], b[..., 0, :])
        signs = compose_permutations(a[..., 1, :], b[..., 0, :]) * b[..., 1, :]
        return torch.stack((images, signs), -2)

    def _inverse(self, a: Tensor) -> Tensor:
        images = invert_permutations(a[..., 0, :])
        return torch.stack((images, a[..., 1, :].gather(-1, images)), -2)

    def member_mask(self, a: Tensor) -> Tensor:
        return permutation_mask(a[..., 0, :]) & (a[..., 1, :].abs() == 1).all(-1)

    def generators(self) -> tuple[SignedPermutation, ...]:
        plus = self.identity[1]
        reversal = (self.identity[0], (-1, *plus[1:]))
        return (reversal, *((a, plus) for a in SymmetricGroup(self.n).generators()))

    def element_name(self, a: SignedPermutation) -> str:
        if a == self.identity:
            return "e"
        window = ", ".join(str(sign * (i + 1)) for i, sign in zip(*a, strict=True))
        return f"[{window}]"

    def parse(self, name: str) -> SignedPermutation:
        """The element in window notation, axes counted from one: ``[-2, 1]``.

        Raises:
            InputError: the name is no such signed permutation.
        """
        if name.strip() == "e":
            return self.identity
        text = name.strip().replace("−", "-")
        readable = re.fullmatch(r"\[?\s*-?\d+(?:[\s,]+-?\d+)*\s*\]?", text)
        window = [int(word) for word in re.findall(r"-?\d+", text)] if readable else []
        a = (
            tuple(abs(entry) - 1 for entry in window),
            tuple(1 if entry > 0 else -1 for entry in window),
        )
        if not self.contains(a):
            raise InputError(
                f"expected a signed permutation of {self.n} axes such as "
                f"{self.element_name(self.generators()[0])}, got {name!r}"
            )
        return a

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        images = SymmetricGroup(self.n).sample(generator, shape)
        bits = torch.randint(
            2, (*shape, self.n), generator=generator, device=generator.device, dtype=torch.int64
        )
        return torch.stack((images, 1 - 2 * bits), -2)
