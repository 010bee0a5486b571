"""Groups from generating permutations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import index

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.permutations import Permutation, Permutations, permutation_mask
from goldstone.groups.stabiliser_chain import StabiliserChain, stabiliser_chain


@dataclass(frozen=True)
class PermutationGroup(Permutations):
    """The group that permutations generate.

    Construction finds a stabiliser chain and lists no elements: it takes milliseconds on a dozen
    points whatever the order, seconds for all permutations of 40. Two groups are equal when
    generators and label are.

    Attributes:
        given: the generators, tuples of the images of the points 0 … n − 1; for the trivial group
            give the identity.
        label: a name; by default the generators.

    Raises:
        InputError: there are no generators, or one is no permutation of the same points.
    """

    given: tuple[Permutation, ...]
    label: str = ""
    _chain: StabiliserChain = field(init=False, compare=False, repr=False)

    def __init__(self, generators: Sequence[Sequence[int]], label: str = "") -> None:
        try:
            given = tuple(tuple(index(i) for i in a) for a in generators)
        except TypeError as error:
            raise InputError(
                f"expected generators as sequences of points 0, 1, …, got {generators!r:.200}"
            ) from error
        if not given:
            raise InputError("expected at least one generator, if only the identity, got none")
        points = len(given[0])
        for a in given:
            if sorted(a) != list(range(points)) or not a:
                raise InputError(
                    f"expected generators that hold each of the points 0 … {points - 1} once, got "
                    f"{a}; parse_cycles reads cycle notation"
                )
        object.__setattr__(self, "given", given)
        object.__setattr__(self, "label", label)
        chain = stabiliser_chain([torch.tensor(a) for a in dict.fromkeys(given)], points)
        object.__setattr__(self, "_chain", chain)

    @property
    def name(self) -> str:
        return self.label or f"⟨{', '.join(map(self.element_name, self.given))}⟩"

    @property
    def points(self) -> int:
        return len(self.given[0])

    @property
    def order(self) -> int:
        return self._chain.order

    def index(self, a: Tensor) -> Tensor:
        """The number whose digits are the places along the stabiliser chain.

        Raises:
            InputError: the order exceeds 64 bits.
        """
        digits, _ = self._chain.digits(a)
        return (digits * self._weights().to(a.device)).sum(-1)

    def from_index(self, index: Tensor) -> Tensor:
        """The inverse of :meth:`index`; raises as it does."""
        weights = self._weights().to(index.device)
        return self._chain.element(index[..., None] // weights % self._lengths().to(index.device))

    def member_mask(self, a: Tensor) -> Tensor:
        permutations = permutation_mask(a)
        safe = torch.where(permutations[..., None], a, torch.arange(self.points, device=a.device))
        return permutations & self._chain.digits(safe)[1]

    def generators(self) -> tuple[Permutation, ...]:
        return tuple(a for a in dict.fromkeys(self.given) if a != self.identity)

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        digits = [
            torch.randint(int(length), shape, generator=generator, device=generator.device)
            for length in self._lengths()
        ]
        empty = torch.zeros((*shape, 0), dtype=torch.int64, device=generator.device)
        return self._chain.element(torch.stack(digits, -1) if digits else empty)

    def _lengths(self) -> Tensor:
        lengths = [len(level.transversal) for level in self._chain.levels]
        return torch.tensor(lengths, dtype=torch.int64)

    def _weights(self) -> Tensor:
        self._check_numbered()
        lengths = self._lengths()
        return lengths.cumprod(0).div(lengths, rounding_mode="floor")
