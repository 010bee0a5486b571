"""A nonlinearity of band-limited functions on a group, taken at samples."""

from collections import Counter
from collections.abc import Callable
from math import sqrt
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from goldstone.core import InputError, generator
from goldstone.groups import FiniteGroup
from goldstone.groups.integers import is_count
from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.memory_format import in_format_of
from goldstone.nn.parts import check_components, check_unitary, flat_parts
from goldstone.nn.subgroup_inclusion import subgroup_inclusion
from goldstone.representations import Representation, multiple

_DRAWS = 4096


class FourierActivation(Constants):
    """y = c B f(A x) for each field: to samples of a function on the group, f, and back.

    A field x, such as one of each irrep up to some frequency, stands for the function
    s(g) = ⟨ρ(g) v, x⟩ with v fixed, its Fourier sum. A takes its values at the elements of a finite
    subgroup H, B = (AᵀA)⁻¹Aᵀ gives the field whose values are nearest, and c keeps unit variance.
    Elements of H permute the samples, so that the layer commutes with them exactly, and with the
    whole group as far as the samples resolve the frequencies that f adds: :attr:`sampling_error`
    (Cesa, Lang & Weiler 2022, "A program to build E(N)-equivariant steerable CNNs", §4; for finite
    groups and all of their irreps it is the pointwise function of the regular representation).

    Args:
        field: the representation of one field: irreps whose multiplicities are at most their
            dimensions, such as ``DirectSum(SO2, [SO2Irrep(k) for k in range(4)])``.
        copies: number of fields.
        samples: H, such as ``CyclicGroup(16)`` in SO(2), ``DihedralGroup(16)`` in O(2), or
            ``PolyhedralGroup("I")`` in SO(3).
        activation: f, of single numbers; smooth ones add fewer frequencies.
        axis: that of the components.

    Attributes:
        source: ``multiple(field, copies)``; :attr:`target` is the same.
        inclusion: H → the group.
        sampling_error: the relative error (root mean square) of f(g·x) = g·f(x) over the group
            for normal inputs.

    Raises:
        InputError: H is no subgroup, its elements are too few for the field, or a part of the field
            is not unitary or complex.
    """

    _values: Tensor
    _back: Tensor

    @computed_on_cpu
    def __init__(
        self,
        field: Representation,
        copies: int,
        samples: FiniteGroup[Any],
        activation: Callable[[Tensor], Tensor] = functional.silu,
        *,
        axis: int = 1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_unitary(field, "FourierActivation")
        if field.dtype.is_complex:
            raise InputError("expected a real field; take the Realification of its irreps")
        if not is_count(copies):
            raise InputError(f"expected a positive number of fields, got {copies!r}")
        if not isinstance(samples, FiniteGroup):
            raise InputError(f"expected a finite group of samples, got {samples}")
        self.field, self.copies, self.activation, self.axis = field, copies, activation, axis
        self.source = self.target = multiple(field, copies)
        self.inclusion = subgroup_inclusion(samples, field.group)
        rho = field.matrix_unchecked(self.inclusion(samples.element_tensor()))
        values = torch.unique((rho @ _at_the_identity(field)).round(decimals=12), dim=0)
        if torch.linalg.matrix_rank(values) < field.dimension:
            raise InputError(
                f"the {len(values)} samples of {samples.name} do not tell the "
                f"{field.dimension} components of the field; take a larger group of samples, or "
                "fewer irreps, none more often than its dimension"
            )
        back = torch.linalg.pinv(values)
        draws = torch.randn(
            _DRAWS, field.dimension, generator=generator(0, "fourier"), dtype=torch.float64
        )
        found = activation(draws @ values.T) @ back.T
        back = back / sqrt(float(found.square().mean()))
        self.sampling_error = _sampling_error(field, lambda x: activation(x @ values.T) @ back.T)
        self.register_constant("_values", values)
        self.register_constant("_back", back)
        self.cast(device, dtype or torch.get_default_dtype())

    def forward(self, x: Tensor) -> Tensor:
        """Apply to the fields along the axis."""
        size = self._values.shape[1]
        check_components(x, self.source, self.axis, size=self.copies * size)
        axis = self.axis % x.ndim
        fields = x.reshape(*x.shape[:axis], self.copies, size, *x.shape[axis + 1 :])
        fields = fields.movedim(axis + 1, -1)
        samples = functional.linear(fields, self._values.to(x.dtype))
        y = functional.linear(self.activation(samples), self._back.to(x.dtype))
        return in_format_of(x, y.movedim(-1, axis + 1).reshape(x.shape))

    def extra_repr(self) -> str:
        """Shown by print."""
        count, size = self._values.shape
        name = getattr(self.activation, "__name__", "")
        return f"{self.field.group.name}, {self.copies} fields of {size}, {count} samples, {name}"


def _at_the_identity(field: Representation) -> Tensor:
    """v/|v| with ⟨v, x⟩ the value at the identity: √d e_j in the jth copy of an irrep."""
    parts, seen = [], Counter[Representation]()
    for part in flat_parts(field):
        unit = torch.zeros(part.dimension, dtype=torch.float64)
        unit[seen[part] % part.dimension] = sqrt(part.dimension)
        seen[part] += 1
        parts.append(unit)
    v = torch.cat(parts)
    unit_vector: Tensor = v / v.norm()
    return unit_vector


def _sampling_error(field: Representation, layer: Callable[[Tensor], Tensor]) -> float:
    group: Any = field.group
    draw = generator(0, "sampling error")
    x = torch.randn(16, 1, _DRAWS // 16, field.dimension, generator=draw, dtype=torch.float64)
    rho = field.matrix_unchecked(group.sample(draw, (16,)))[:, None]
    y = layer(x) @ rho.mT
    return float((layer(x @ rho.mT) - y).norm() / y.norm())
