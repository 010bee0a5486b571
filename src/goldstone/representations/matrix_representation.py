"""A representation of a finite group by matrices of its generators."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, Group
from goldstone.representations.finite.extension import extend_from_generators
from goldstone.representations.representation import Representation


@dataclass(frozen=True, eq=False)
class MatrixRepresentation(Representation):
    """ρ by its values on generators, extended to the whole finite group.

    That the matrices obey the group's relations is verified: ρ(sg) = ρ(s)ρ(g) for every generator s
    and every element g, from which the law follows.

    Args:
        group: a finite group.
        generators: elements that generate it, as values.
        matrices: one for each, (len(generators), n, n), real or complex.
        tolerance: the largest error of the law, relative to the largest entry.

    Raises:
        InputError: the elements do not generate the group, the matrices have the wrong shape or
            break the law; the message names the elements.
    """

    generators: tuple[Any, ...]
    matrices: Tensor
    tolerance: float = 1e-9
    table: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        group = self.group
        if not isinstance(group, FiniteGroup):
            raise InputError(f"expected a finite group, got {group.name}")
        object.__setattr__(self, "generators", tuple(self.generators))
        count, shape = len(self.generators), tuple(self.matrices.shape)
        if len(shape) != 3 or shape[0] != count or shape[1] != shape[2] or not shape[1]:
            raise InputError(
                f"expected square matrices ({count}, n, n) with n ≥ 1, one for each of the {count} "
                f"generators, got shape {shape}"
            )
        for element in self.generators:
            group.check_contains(element)
        exact = torch.complex128 if self.matrices.is_complex() else torch.float64
        matrices = self.matrices.detach().to(exact).clone()
        steps = group.tensor(self.generators)
        table = extend_from_generators(group, steps, matrices)
        object.__setattr__(self, "matrices", matrices)
        object.__setattr__(self, "table", table)
        _verify(group, steps, matrices, table, self.tolerance)

    @classmethod
    def from_mapping(
        cls, group: Group[Any], matrices: Mapping[Any, Tensor]
    ) -> "MatrixRepresentation":
        """From a mapping of generators, at least one, to their matrices."""
        if not matrices:
            raise InputError(f"expected the matrices of generators of {group.name}, got none")
        return cls(
            group, tuple(matrices), torch.stack([torch.as_tensor(m) for m in matrices.values()])
        )

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, MatrixRepresentation)
            and (self.group, self.generators) == (other.group, other.generators)
            and self.dtype == other.dtype
            and torch.equal(self.matrices, other.matrices)
        )

    def __hash__(self) -> int:
        return hash((self.group, self.generators, self.dimension))

    @property
    def dimension(self) -> int:
        return self.matrices.shape[-1]

    @property
    def dtype(self) -> torch.dtype:
        return self.matrices.dtype

    def _matrices(self, g: Tensor) -> Tensor:
        group: Any = self.group
        return self.table.to(g.device)[group.index(g)]


def _verify(
    group: FiniteGroup[Any], steps: Tensor, matrices: Tensor, table: Tensor, tolerance: float
) -> None:
    elements = group.element_tensor()
    for step, matrix in zip(steps, matrices, strict=True):
        error = (matrix @ table - table[group.index(group.compose(step, elements))]).abs()
        error = error.flatten(1).amax(1) / table.abs().max()
        worst = int(error.argmax())
        if not bool(error[worst] <= tolerance):
            s, g = (group.element_name(group.value(a)) for a in (step, elements[worst]))
            raise InputError(
                f"the matrices are no representation of {group.name}: ρ({s})ρ({g}) and ρ({s}·{g}) "
                f"differ by {float(error[worst]):.1e} (allowed {tolerance:.0e})"
            )
