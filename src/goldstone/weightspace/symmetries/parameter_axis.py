"""Where a symmetry acts on a parameter."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class ParameterAxis:
    """The places of blocks of units along one axis of a parameter.

    A unit may own more than one place (all pixels of a channel behind ``flatten``); then the matrix
    acts on the units and leaves the pixels alone.

    Attributes:
        parameter: name in the state_dict.
        axis: which axis; −1 for the whole tensor.
        shape: (copies, units, places per unit).
        places: indices of the axis in row-major order.
        dual: whether the inverse transpose acts.
        exponent: of the factor, for whole tensors.
        frame: parameter D whose diagonal matrix conjugates: D g D⁻¹ acts in place of g, as behind
            the weight of a norm; empty for none.
        frame_places: the units' indices in D, (copies, units) in row-major order.
    """

    parameter: str
    axis: int
    shape: tuple[int, int, int] = (1, 1, 1)
    places: tuple[int, ...] = ()
    dual: bool = False
    exponent: float = 1.0
    frame: str = ""
    frame_places: tuple[int, ...] = ()

    @property
    def index(self) -> NDArray[np.int64]:
        """The places as an array (copies, units, places per unit)."""
        return np.array(self.places, dtype=np.int64).reshape(self.shape)

    def gathered(self, x: Tensor) -> Tensor:
        """The entries of a parameter, (copies, units, places per unit, everything else)."""
        rows = x.movedim(self.axis, 0).reshape(x.shape[self.axis], -1)
        return rows[torch.from_numpy(self.index.ravel()).to(x.device)].reshape(*self.shape, -1)

    def scattered(self, x: Tensor, entries: Tensor) -> Tensor:
        """The parameter x with these entries in place of its own; the inverse of gathered."""
        moved = x.movedim(self.axis, 0)
        rows = moved.reshape(len(moved), -1).clone()
        where = torch.from_numpy(self.index.ravel()).to(x.device)
        rows[where] = entries.reshape(len(where), -1).to(x.dtype)
        return rows.reshape(moved.shape).movedim(0, self.axis).contiguous()

    def permuted(self, x: Tensor, element: Tensor) -> Tensor:
        """Unit i goes to place element[copy, i]; frames go along by themselves."""
        entries = self.gathered(x)
        inverse = element.to(x.device).argsort(-1)
        return self.scattered(x, entries.take_along_dim(inverse[:, :, None, None], 1))

    def transformed(self, x: Tensor, matrices: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """Matrices (copies, units, units), conjugated by the frame, applied along the axis."""
        if x.is_complex():
            matrices = matrices.to(torch.promote_types(matrices.dtype, x.dtype))
        entries = self.gathered(x).to(matrices.dtype)
        moved = torch.einsum("cij,cjrk->cirk", self._framed(matrices, state), entries)
        return self.scattered(x, moved)

    def generated(self, x: Tensor, basis: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """Generators (d, units, units) applied in each copy in turn: (copies·d, *x.shape)."""
        entries = self.gathered(x)
        rows = []
        for copy in range(self.shape[0]):
            for matrix in basis:
                matrices = torch.zeros(self.shape[0], *matrix.shape, dtype=x.dtype, device=x.device)
                matrices[copy] = matrix
                moved = torch.einsum("cij,cjrk->cirk", self._framed(matrices, state), entries)
                rows.append(self.scattered(torch.zeros_like(x), moved))
        return torch.stack(rows)

    def unframed(self, entries: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """Entries as g itself acts on them, without the frame: D⁻¹x, or Dx for what reads."""
        if not self.frame:
            return entries
        d = self._diagonal(state).to(entries.dtype)[..., None, None]
        return entries * d if self.dual else entries / d

    def _framed(self, matrices: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """D g D⁻¹, or D⁻¹ g⁻ᵀ D for what reads."""
        if not self.frame:
            return matrices
        d = self._diagonal(state).to(matrices.dtype)
        d = 1 / d if self.dual else d
        return d[..., :, None] * matrices / d[..., None, :]

    def _diagonal(self, state: Mapping[str, Tensor]) -> Tensor:
        d = state[self.frame].reshape(-1)
        where = torch.tensor(self.frame_places, device=d.device).reshape(self.shape[:2])
        return d[where]
