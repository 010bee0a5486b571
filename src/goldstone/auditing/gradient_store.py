"""Sets of long vectors such as gradients: kept as they are, or sketched as they come."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.auditing.memory_plan import SKETCHES, MemoryPlan
from goldstone.core import InputError
from goldstone.curvature import CountSketch, inner_products

_COLUMNS = 1 << 18


@dataclass(frozen=True, eq=False)
class VectorSet:
    """n vectors.

    Attributes:
        values: (1, n, length), the vectors themselves, or (R, n, w), R independent sketches of
            each, from every one of which inner products are estimated without bias.
    """

    values: Tensor

    @classmethod
    def dense(cls, rows: Tensor) -> "VectorSet":
        """The rows of a matrix as they are."""
        return cls(rows[None])

    def __len__(self) -> int:
        return int(self.values.shape[1])

    @property
    def sketched(self) -> bool:
        """Whether products are estimates."""
        return self.values.shape[0] > 1

    @property
    def rows(self) -> Tensor:
        """The vectors, (n, length).

        Raises:
            InputError: they were sketched.
        """
        if self.sketched:
            raise InputError(
                "the gradients were sketched to fit the memory, so that they are not at hand "
                "themselves; allow more memory"
            )
        return self.values[0]

    def first(self, count: int) -> "VectorSet":
        """The first of them."""
        return VectorSet(self.values[:, :count])


def cross_products(a: VectorSet, b: VectorSet) -> Tensor:
    """⟨a_i, b_j⟩, (replicates, n, m) float64; vectors sketched by different maps do not go."""
    return torch.stack([inner_products(x, y) for x, y in zip(a.values, b.values, strict=True)])


def joint_products(a: VectorSet, b: VectorSet) -> Tensor:
    """All products of [a₁ … a_n, b₁ … b_m], (replicates, n + m, n + m) float64.

    A slice of columns at a time is joined, so that nothing of the sets' size is copied.
    """
    found = []
    for x, y in zip(a.values, b.values, strict=True):
        total = torch.zeros(len(x) + len(y), len(x) + len(y), dtype=torch.float64, device=x.device)
        for start in range(0, x.shape[1], _COLUMNS):
            part = slice(start, start + _COLUMNS)
            total += inner_products(torch.cat([x[:, part], y[:, part]]))
        found.append(total)
    return torch.stack(found)


def leave_one_out(replicates: Tensor) -> list[Tensor]:
    """The mean of the replicates without one of them, for each; none of a single, exact one."""
    count = len(replicates)
    if count == 1:
        return []
    total = replicates.sum(0)
    return [(total - one) / (count - 1) for one in replicates]


class VectorStore:
    """Room for ``count`` vectors that come one by one, in the form that ``sketch`` says.

    Without a sketch they are kept as they are. Sketches are at least float32.
    """

    def __init__(
        self,
        count: int,
        length: int,
        dtype: torch.dtype,
        device: torch.device,
        sketch: CountSketch | None = None,
    ) -> None:
        self.sketch = sketch
        self.dtype = dtype
        if sketch is None:
            shape = (1, count, length)
        else:
            shape = (sketch.sketches, count, sketch.width)
            self.dtype = torch.promote_types(dtype, torch.float32)
        # Memory is taken as it is written to.
        self._values = torch.empty(shape, dtype=self.dtype, device=device)

    def put_all(self, start: int, rows: Tensor) -> None:
        """Keep ``rows`` (k, length) as the vectors from number ``start`` on."""
        for i, row in enumerate(rows, start):
            if self.sketch is None:
                self._values[0, i] = row
            else:
                self._values[:, i] = self.sketch.apply(row.to(self.dtype))

    def first(self, count: int) -> VectorSet:
        """The first ``count`` vectors, which have been put."""
        return VectorSet(self._values[:, :count])


class Keeping:
    """How an audit keeps vectors: whole, or as sketches by one random map for each length.

    Without a plan, whole. Vectors no longer than all sketches together are kept whole too.
    """

    def __init__(self, plan: MemoryPlan | None, seed: int) -> None:
        self.plan, self._seed = plan, seed
        self._width = plan.width if plan is not None else None
        self._maps: dict[tuple[int, torch.device], CountSketch] = {}

    @property
    def streamed(self) -> bool:
        """Whether long vectors are sketched."""
        return self._width is not None

    def describe(self) -> str:
        """How they are kept, if not whole."""
        return self.plan.describe() if self.plan is not None else ""

    def store(
        self, count: int, length: int, dtype: torch.dtype, device: torch.device
    ) -> VectorStore:
        """Room for ``count`` vectors of ``length``."""
        sketch = None
        if self._width is not None and SKETCHES * self._width < length:
            key = (length, device)
            if key not in self._maps:
                self._maps[key] = CountSketch.make(
                    length, self._width, SKETCHES, self._seed, device
                )
            sketch = self._maps[key]
        return VectorStore(count, length, dtype, device, sketch)

    def keep(self, rows: Tensor) -> VectorSet:
        """The rows of a matrix, in the form in which vectors of their length are kept."""
        store = self.store(len(rows), rows.shape[1], rows.dtype, rows.device)
        if store.sketch is None:
            return VectorSet.dense(rows)
        store.put_all(0, rows)
        return store.first(len(rows))
