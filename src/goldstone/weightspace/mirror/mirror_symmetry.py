"""Mirror symmetries θ ↦ (1 − 2OOᵀ)θ of a model's parameters, and their order parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True)
class MirrorSymmetry:
    """A reflection of some axes' entries: exchange of two units, or change of one unit's sign.

    On the named parameters it acts along one axis each by R = 1 − 2nnᵀ, all with the same n: either
    n = (e_i − e_j)/√2, or n = e_i. So R = 1 − 2OOᵀ on all of θ, with one column of O for each
    remaining entry. Oᵀθ = 0 says that the units i and j are identical, or that unit i is dead.

    Attributes:
        axes: for each parameter that is reflected the axis of the units: 0 for the weight and bias
            that make them, 1 for the weight that reads them.
        units: (i, j) to exchange two, (i,) to change the sign of one.

    References:
        L. Ziyin, arXiv 2309.16932, definition of O-mirror symmetry and theorem 1.
    """

    axes: tuple[tuple[str, int], ...]
    units: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.units) not in (1, 2) or len(set(self.units)) < len(self.units):
            raise InputError(f"expected one unit or two different ones, got {self.units}")
        if not self.axes:
            raise InputError("expected at least one parameter that is reflected, got none")

    def reflect(self, parameters: Parameters) -> dict[str, Tensor]:
        """(1 − 2OOᵀ)θ; parameters that are not named stay.

        Raises:
            InputError: a named parameter is missing, or has no such axis or unit.
        """
        image = dict(parameters)
        for name, axis in self.axes:
            image[name] = _reflected(self._parameter(parameters, name, axis), axis, self.units)
        return image

    def odd_part(self, parameters: Parameters) -> dict[str, Tensor]:
        """OOᵀθ = (θ − Rθ)/2 of the named parameters, what the symmetry's fixed set lacks."""
        image = self.reflect(parameters)
        return {name: (parameters[name] - image[name]) / 2 for name, _ in self.axes}

    def order_parameter(self, parameters: Parameters) -> float:
        """‖Oᵀθ‖ over the norm of the reflected units: 0 in the symmetric phase, at most 1."""
        odd = self.odd_part(parameters)
        size = 0.0
        for name, axis in self.axes:
            units = torch.tensor(self.units, device=parameters[name].device)
            size += float(parameters[name].index_select(axis, units).double().square().sum())
        total = sum(float(part.double().square().sum()) for part in odd.values())
        return (total / size) ** 0.5 if size else 0.0

    def error(self, loss: Callable[[Parameters], Tensor], parameters: Parameters) -> float:
        """|ℓ(Rθ) − ℓ(θ)|: zero up to rounding where it is a symmetry of the loss."""
        with torch.no_grad():
            return float((loss(self.reflect(parameters)) - loss(parameters)).abs())

    def _parameter(self, parameters: Parameters, name: str, axis: int) -> Tensor:
        if name not in parameters:
            raise InputError(f"no parameter {name!r}; there are {sorted(parameters)}")
        tensor = parameters[name]
        if not -tensor.ndim <= axis < tensor.ndim or max(self.units) >= tensor.shape[axis]:
            raise InputError(
                f"expected units {self.units} along axis {axis} of {name!r}, which has shape "
                f"{tuple(tensor.shape)}"
            )
        return tensor


def unit_exchange(
    incoming: Mapping[str, int], outgoing: Mapping[str, int], first: int, second: int
) -> MirrorSymmetry:
    """The exchange of two hidden units, a mirror symmetry of every layer of equal units.

    Args:
        incoming: the parameters that make the units, with their axis: ``{"0.weight": 0,
            "0.bias": 0}``, and those of a normalisation between.
        outgoing: the parameters that read them: ``{"2.weight": 1}``.
        first: one unit.
        second: another.
    """
    return MirrorSymmetry((*incoming.items(), *outgoing.items()), (first, second))


def unit_sign(
    incoming: Mapping[str, int], outgoing: Mapping[str, int], unit: int
) -> MirrorSymmetry:
    """The change of a hidden unit's sign: a mirror symmetry for odd activations such as tanh."""
    return MirrorSymmetry((*incoming.items(), *outgoing.items()), (unit,))


def _reflected(tensor: Tensor, axis: int, units: tuple[int, ...]) -> Tensor:
    index = torch.tensor(units, device=tensor.device)
    moved = tensor.index_select(axis, index)
    return tensor.index_copy(axis, index, moved.flip(axis) if len(units) == 2 else -moved)
