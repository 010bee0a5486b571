"""Young subgroups: permutations that keep every point in its block."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial, prod
from operator import index

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.permutations import Permutation, Permutations, permutation_mask
from goldstone.groups.symmetric_group import MOST_NUMBERED, SymmetricGroup


@dataclass(frozen=True)
class YoungSubgroup(Permutations):
    """S_a × S_b × … inside S_n: the permutations of n points that keep each in its block.

    Composition, inverses, membership and sampling take no more than a sort, whatever the number of
    points. The elements are numbered by their lexicographic numbers within the blocks, the last
    block changing fastest, for blocks of at most 20 points.

    Attributes:
        blocks: for each point the name of its block, an integer.
        label: a name; by default the sizes of the blocks.

    Raises:
        InputError: there are no points, or a block is no integer.
    """

    blocks: tuple[int, ...]
    label: str = ""

    def __init__(self, blocks: Sequence[int] | Tensor, label: str = "") -> None:
        entries = blocks.tolist() if isinstance(blocks, Tensor) else blocks
        try:
            given = tuple(index(block) for block in entries)
        except TypeError as error:
            raise InputError(
                f"expected an integer for each point that names its block, got {blocks!r:.200}"
            ) from error
        if not given:
            raise InputError("expected the blocks of one or more points, got none")
        object.__setattr__(self, "blocks", given)
        object.__setattr__(self, "label", label)

    @property
    def name(self) -> str:
        return self.label or "×".join(f"S{len(members)}" for members in self._members())

    @property
    def points(self) -> int:
        return len(self.blocks)

    @property
    def order(self) -> int:
        return prod(factorial(len(members)) for members in self._members())

    def index(self, a: Tensor) -> Tensor:
        """Σ over blocks of the number within the block, in mixed radix.

        Raises:
            InputError: the order exceeds 64 bits, or a block has more than 20 points.
        """
        self._check_numbers()
        number = torch.zeros(a.shape[:-1], dtype=torch.int64, device=a.device)
        for members in self._members():
            places = torch.tensor(members, device=a.device)
            within = torch.searchsorted(places, a[..., places].contiguous())
            number = number * factorial(len(members)) + SymmetricGroup(len(members)).index(within)
        return number

    def from_index(self, index: Tensor) -> Tensor:
        """The inverse of :meth:`index`; raises as it does."""
        self._check_numbers()
        images = torch.arange(self.points, device=index.device).expand(*index.shape, -1).clone()
        for members in reversed(self._members()):
            places = torch.tensor(members, device=index.device)
            count = factorial(len(members))
            images[..., places] = places[SymmetricGroup(len(members)).from_index(index % count)]
            index = index // count
        return images

    def member_mask(self, a: Tensor) -> Tensor:
        blocks = torch.tensor(self.blocks, device=a.device)
        safe = a.clamp(0, self.points - 1)
        return permutation_mask(a) & (blocks[safe] == blocks).all(-1)

    def generators(self) -> tuple[Permutation, ...]:
        """An exchange of neighbours and a cycle for each block."""
        found = []
        for members in self._members():
            found += [members[:2]] if len(members) > 1 else []
            found += [members] if len(members) > 2 else []
        return tuple(self._cycle(members) for members in found)

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        blocks = torch.tensor(self.blocks, device=generator.device)
        order = blocks.argsort(dim=-1, stable=True)
        keys = torch.rand(
            (*shape, self.points),
            generator=generator,
            device=generator.device,
            dtype=torch.float64,
        )
        # The points in random order, and then stably by blocks.
        random = keys.argsort(-1)
        shuffled = random.gather(-1, blocks[random].argsort(dim=-1, stable=True))
        images = torch.empty_like(shuffled)
        images[..., order] = shuffled
        return images

    def _members(self) -> list[list[int]]:
        """The points of each block, ascending, the blocks by their names."""
        found: dict[int, list[int]] = {block: [] for block in sorted(set(self.blocks))}
        for point, block in enumerate(self.blocks):
            found[block].append(point)
        return list(found.values())

    def _cycle(self, members: list[int]) -> Permutation:
        images = list(range(self.points))
        for i, j in zip(members, members[1:] + members[:1], strict=True):
            images[i] = j
        return tuple(images)

    def _check_numbers(self) -> None:
        self._check_numbered()
        largest = max(map(len, self._members()))
        if largest > MOST_NUMBERED:
            raise InputError(
                f"the elements of {self.name} are numbered for blocks of at most {MOST_NUMBERED} "
                f"points, got one of {largest}; compose, invert and sample them as permutations"
            )
