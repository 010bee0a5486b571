"""Galilean boosts: the same flow seen by an observer who moves."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions.checks import check_fields
from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_tensor
from goldstone.actions.fields import FieldLayout
from goldstone.actions.grid import fourier_shift
from goldstone.core import InputError
from goldstone.groups import AdditiveGroup


@dataclass(frozen=True)
class GalileanBoost:
    """The flow plus a uniform velocity c, in physical units, along the two spatial axes.

    u → u + c, m → m + ρc, E → E + c·m + ½ρ|c|²; after a time t since the model's input
    (``context.elapsed``) the whole field has drifted by c·t, so the action on outputs differs
    from that on inputs. Other fibres only drift. The drift is a Fourier shift, exact for
    band-limited fields.

    Raises:
        InputError: the layout has no velocity or momentum, a momentum or energy without the fields
            that a boost mixes with it, or several densities or momenta to choose from.
    """

    layout: FieldLayout

    def __post_init__(self) -> None:
        every: list[str] = [field.fibre for field in self.layout.fields]
        fibres = set(every)
        if not fibres & {"velocity", "momentum"}:
            raise InputError(
                "a boost needs a field of fibre 'velocity' (or 'momentum' with a 'density'), got "
                f"{sorted(fibres)}; declare the velocity as such, not as a 'vector'"
            )
        if "momentum" in fibres and "density" not in fibres:
            raise InputError("a boost of a momentum needs a field of fibre 'density' beside it")
        if "energy" in fibres and not {"momentum", "density"} <= fibres:
            raise InputError("a boost of an energy needs fields of fibres 'momentum' and 'density'")
        mixed = {"momentum": ("density",), "energy": ("momentum", "density")}
        for fibre in (f for mixing in fibres & mixed.keys() for f in mixed[mixing]):
            if every.count(fibre) > 1:
                raise InputError(
                    f"a boost does not know which of the {every.count(fibre)} fields of fibre "
                    f"{fibre!r} belongs to the momentum or energy; one action for each fluid, or "
                    "'scalar' for a density that is only carried along"
                )

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Boost fields of shape (batch, channel, X, Y); differentiable in a tensor element.

        Raises:
            InputError: the element is no pair of numbers, or the channels are not those declared.
        """
        check_fields(x, self.layout.channels, 2)
        velocity = element_as_tensor(_BOOSTS, element, x.device)
        if not isinstance(element, Tensor) and element == (0.0, 0.0):
            return x
        c = velocity.to(x.dtype)
        found = {field.fibre: (field, x[:, channels]) for field, channels in self.layout.slices()}
        parts = []
        for field, channels in self.layout.slices():
            part = x[:, channels]
            if field.fibre == "velocity":
                part = part + self._components(field.name, c)
            elif field.fibre == "momentum":
                part = part + found["density"][1] * self._components(field.name, c)
            elif field.fibre == "energy":
                momentum, m = found["momentum"]
                along = (m * self._components(momentum.name, c)).sum(1, keepdim=True)
                part = part + along + 0.5 * found["density"][1] * (c @ c)
            parts.append(part)
        boosted = torch.cat(parts, 1)
        if context.elapsed == 0.0:
            return boosted
        cells = [
            velocity[i] * context.elapsed * x.shape[i - 2] / context.lengths[i] for i in (0, 1)
        ]
        return fourier_shift(boosted, cells)

    def _components(self, name: str, c: Tensor) -> Tensor:
        """The velocity c in the frame of the named field, shaped (1, 2, 1, 1)."""
        field = next(f for f in self.layout.fields if f.name == name)
        components = torch.stack([field.signs[k] * c[field.axes[k]] for k in (0, 1)])
        return components[None, :, None, None]


_BOOSTS = AdditiveGroup("boost", 2, "velocity")
