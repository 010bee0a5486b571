"""One symmetry of a network's parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import Group, OrthogonalGroup, ScalingGroup, SymmetricGroup
from goldstone.groups.matrix.algebra import rotation_generators, stacked
from goldstone.groups.matrix.haar import haar_orthogonal
from goldstone.weightspace.symmetries.general_linear import GeneralLinearGroup, sample_invertible
from goldstone.weightspace.symmetries.parameter_axis import ParameterAxis

StateDict = Mapping[str, Tensor]

Kind = Literal[
    "permutation",
    "scaling",
    "sign",
    "orthogonal",
    "orthogonal keeping ones",
    "general linear",
    "uniform scaling",
]


@dataclass(frozen=True)
class ParameterSymmetry:
    """A group that acts on a state_dict and leaves the network's function as it is.

    ``copies`` independent elements g act, one in each block of units: on every axis of
    ``on_parameters`` by the matrix of g, or by its inverse transpose where the axis is ``dual`` (it
    reads what the others write). An element is a tensor (copies, *group.element_shape), float64 or,
    for permutations, int64.

    Attributes:
        name: of the units, after the first parameter that they lie on.
        kind: ``permutation``: S_n of the units. ``scaling``: ℝ₊ for each unit. ``sign``: {±1} for
            each. ``orthogonal``: O(n). ``orthogonal keeping ones``: the matrices of O(n) that keep
            (1, …, 1), isomorphic to O(n − 1), of what goes into centred norms. ``general linear``:
            GL(n). ``uniform scaling``: ℝ₊, whole parameters by powers of one factor.
        size: n, the number of units in a block.
        copies: number of blocks.
        on_parameters: where it acts.
        exact: false where the ε of a norm breaks the symmetry a little.
        aliases: (name, name under which it is treated) of shared parameters.
        permutes: what it permutes in a block: units, or ``blocks`` of them such as heads.
        gain: the weight of a norm among the parameters that factors or signs act on, if any.
    """

    name: str
    kind: Kind
    size: int
    copies: int
    on_parameters: tuple[ParameterAxis, ...]
    exact: bool = True
    aliases: tuple[tuple[str, str], ...] = ()
    permutes: Literal["units", "blocks"] = "units"
    gain: str = ""

    @property
    def group(self) -> Group[Any]:
        """The group of one copy."""
        if self.kind == "permutation":
            return SymmetricGroup(self.size)
        if self.kind == "sign":
            return OrthogonalGroup(1)
        if self.kind == "orthogonal":
            return OrthogonalGroup(self.size)
        if self.kind == "orthogonal keeping ones":
            return OrthogonalGroup(self.size - 1)
        if self.kind == "general linear":
            return GeneralLinearGroup(self.size)
        return ScalingGroup()

    @property
    def group_name(self) -> str:
        """Such as ``GL(8,ℝ)^4``, without building the group."""
        n = self.size
        name = {
            "permutation": f"S{n}",
            "sign": "O(1)",
            "orthogonal": f"O({n})",
            "orthogonal keeping ones": f"O({n - 1})",
            "general linear": f"GL({n},ℝ)",
        }.get(self.kind, "ℝ₊")
        return name if self.copies == 1 else f"{name}^{self.copies}"

    @property
    def lie_dimension(self) -> int:
        """The dimension of the group, all copies together; 0 where it is discrete."""
        n = self.size - (self.kind == "orthogonal keeping ones")
        one = {
            "permutation": 0,
            "sign": 0,
            "general linear": n * n,
            "scaling": 1,
            "uniform scaling": 1,
        }.get(self.kind, n * (n - 1) // 2)
        return self.copies * one

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters that move."""
        return tuple(dict.fromkeys(axis.parameter for axis in self.on_parameters))

    def random_element(self, generator: torch.Generator) -> Tensor:
        """An element from Haar measure where there is one; else well conditioned."""
        shape = (self.copies,)
        if self.kind == "orthogonal":
            return haar_orthogonal(generator, shape, self.size)
        if self.kind == "orthogonal keeping ones":
            return haar_orthogonal(generator, shape, self.size - 1)
        if self.kind == "general linear":
            return sample_invertible(generator, shape, self.size)
        return self.group.sample(generator, shape)

    def act(self, element: Tensor, state_dict: StateDict) -> dict[str, Tensor]:
        """The state_dict moved by an element: a new one that shares what does not move.

        Raises:
            InputError: the element has another shape, the state_dict lacks a parameter, or the
                weight of a norm that the group acts behind has a zero.
        """
        self._check(element, state_dict)
        if self.kind not in ("permutation", "uniform scaling"):
            return self.act_by_matrices(self.matrices(element), state_dict)
        moved = dict(state_dict)
        for axis in self.on_parameters:
            x = moved[axis.parameter]
            if self.kind == "permutation":
                moved[axis.parameter] = axis.permuted(x, element)
            else:
                moved[axis.parameter] = x * float(element[0]) ** axis.exponent
        return self._shared(moved)

    def act_by_matrices(self, matrices: Tensor, state_dict: StateDict) -> dict[str, Tensor]:
        """The state_dict moved by matrices (copies, size, size), through which gradients flow.

        They are multiplied in their own precision. The function stays as it is where they are
        matrices of the group, which is not checked.
        """
        moved = dict(state_dict)
        inverse = torch.linalg.inv(matrices).mT if any(a.dual for a in self.on_parameters) else None
        for axis in self.on_parameters:
            x = moved[axis.parameter]
            g = matrices if inverse is None or not axis.dual else inverse
            moved[axis.parameter] = axis.transformed(x, g.to(x.device), state_dict)
        return self._shared(moved)

    def _shared(self, moved: dict[str, Tensor]) -> dict[str, Tensor]:
        for name, first in self.aliases:
            if first in self.parameters and name in moved:
                moved[name] = moved[first]
        return moved

    def tangents(self, state_dict: StateDict) -> dict[str, Tensor]:
        """The orbit's tangent vectors at a point: parameter → (lie_dimension, *shape), float64.

        Row k is d/dt exp(t X_k)·θ at t = 0, X_k the basis of the Lie algebra of copy k div d: E_ij
        for GL, E_ba − E_ab for orthogonal groups, the logarithm of the factor for scalings.

        Raises:
            InputError: the state_dict lacks a parameter.
        """
        self._check(None, state_dict)
        if self.lie_dimension == 0:
            return {}
        point = {name: x.double() for name, x in state_dict.items() if x.is_floating_point()}
        rows: dict[str, Tensor] = {}
        for axis in self.on_parameters:
            x = point[axis.parameter]
            if self.kind == "uniform scaling":
                part = axis.exponent * x[None]
            else:
                basis = self._algebra().to(x.device)
                part = axis.generated(x, -basis.mT if axis.dual else basis, point)
            rows[axis.parameter] = rows.get(axis.parameter, 0) + part
        return rows

    def matrices(self, element: Tensor) -> Tensor:
        """An element as matrices (copies, n, n), n the number of units that a matrix mixes."""
        if self.kind == "permutation":
            return torch.nn.functional.one_hot(element.argsort(-1), self.size).double()
        if self.kind == "scaling":
            return element[:, None, None]
        if self.kind != "orthogonal keeping ones":
            return element
        frame = ones_complement(self.size).to(element.device)
        return frame @ element @ frame.T + 1.0 / self.size

    def _algebra(self) -> Tensor:
        """The basis of the Lie algebra of one copy as matrices, (d, n, n)."""
        n = self.size
        if self.kind == "scaling":
            return torch.ones(1, 1, 1, dtype=torch.float64)
        if self.kind == "general linear":
            return torch.eye(n * n, dtype=torch.float64).reshape(-1, n, n)
        keeps = self.kind == "orthogonal keeping ones"
        m = n - 1 if keeps else n
        basis = stacked(rotation_generators(m), m)
        if not keeps:
            return basis
        frame = ones_complement(n)
        return frame @ basis @ frame.T

    def _check(self, element: Tensor | None, state_dict: StateDict) -> None:
        missing = [name for name in self.parameters if name not in state_dict]
        if missing:
            raise InputError(
                f"the state_dict lacks {', '.join(missing)}, on which the symmetry of {self.name} "
                "acts: it belongs to another architecture"
            )
        for frame in {axis.frame for axis in self.on_parameters if axis.frame}:
            if bool((state_dict[frame] == 0).any()):
                raise InputError(
                    f"{frame} has a zero, and {self.group_name} of {self.name} acts behind it by "
                    "D g D⁻¹, D its diagonal matrix: at such weights take the permutations alone"
                )
        if element is None:
            return
        m = self.size - (self.kind == "orthogonal keeping ones")
        shape: tuple[int, ...] = (self.copies, m, m)
        if self.kind == "permutation":
            shape = (self.copies, self.size)
        elif self.kind == "sign":
            shape = (self.copies, 1, 1)
        elif self.kind in ("scaling", "uniform scaling"):
            shape = (self.copies,)
        if tuple(element.shape) != shape:
            raise InputError(
                f"expected an element of {self.group_name} of shape {shape}, got "
                f"{tuple(element.shape)}"
            )


def ones_complement(n: int) -> Tensor:
    """An orthonormal basis of the vectors of sum zero, as columns (n, n − 1): Helmert's."""
    basis = np.zeros((n, n - 1))
    for k in range(1, n):
        basis[:k, k - 1] = 1.0
        basis[k, k - 1] = -k
        basis[:, k - 1] /= np.sqrt(k * (k + 1))
    return torch.from_numpy(basis)
