"""Changes of the units of length and time: the scaling symmetries of physical laws."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from goldstone.actions.checks import check_numbers
from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_tensor
from goldstone.actions.fields import FieldLayout
from goldstone.core import InputError
from goldstone.groups import ScalingGroup


@dataclass(frozen=True)
class PowerAction:
    """λ·x = λʷ x, one weight w for all of x or one for each entry along an axis.

    For conditioning inputs such as viscosity (w of a scaling is given by its dimension) and for the
    channels of a state.

    Attributes:
        weights: the powers w.
        axis: where they lie; not read when there is a single weight.
    """

    weights: tuple[float, ...]
    axis: int = -1

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Multiply by the powers.

        Raises:
            InputError: the element is no positive number, x holds integers, or the axis has another
                size.
        """
        check_numbers(x, "states")
        factor = element_as_tensor(ScalingGroup(), element, x.device)
        if len(self.weights) == 1:
            return x * (factor ** self.weights[0]).to(x.dtype)
        if not -x.ndim <= self.axis < x.ndim or x.shape[self.axis] != len(self.weights):
            raise InputError(
                f"expected {len(self.weights)} entries along axis {self.axis}, one for "
                f"each weight, got a tensor of shape {tuple(x.shape)}"
            )
        powers = factor ** factor.new_tensor(self.weights)
        after = x.ndim - 1 - self.axis % x.ndim
        return x * powers.to(x.dtype)[(...,) + (None,) * after]


@dataclass(frozen=True)
class FlowScaling:
    """The scaling symmetry of the Navier–Stokes equations, λ > 0.

    With ``grid="moves"``: x → λ x, t → λ² t, u → u/λ, ν stays. The numbers on the grid are those
    of a domain λ times as large, so ``context.lengths`` grow.
    With ``grid="stays"``: u → λ u, ν → λ ν, t → t/λ on the same domain.
    Both are changes of units, for the dimensions of length L and time T: a quantity of dimension
    Lᵃ Tᵇ is multiplied by ℓᵃ τᵇ, (ℓ, τ) = (λ, λ²) or (1, 1/λ).

    A model that sees the fields alone has Δt and ν built in: it can have this symmetry only if
    they are inputs, which move by :meth:`conditioning`. :meth:`context` gives the frame that the
    moved states live in, for solvers.

    Attributes:
        layout: what the channels are; velocities have dimension L/T.
        grid: which of the two.
        dimensions: (a, b) of fields by name and of parameters by name; by default L/T for vectors
            and velocities, L²/T for the parameter ``viscosity``, 1/T for pseudoscalars (vorticity).
            Scalars and other parameters have to be declared.

    Raises:
        InputError: a field without a known dimension.
    """

    layout: FieldLayout
    grid: str = "stays"
    dimensions: Mapping[str, tuple[float, float]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.grid not in ("stays", "moves"):
            raise InputError(f"expected grid='stays' or grid='moves', got {self.grid!r}")
        for part in self.layout.fields:
            self._dimension(part.name, part.fibre)

    @property
    def group(self) -> ScalingGroup:
        """The positive numbers."""
        return ScalingGroup()

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Scale fields (batch, channel, …)."""
        weights: list[float] = []
        for part in self.layout.fields:
            weights += [self.weight(part.name, part.fibre)] * part.channels
        if x.ndim < 2 or x.shape[1] != len(weights):
            raise InputError(
                f"expected fields (batch, {len(weights)}, …) as declared, got a tensor of shape "
                f"{tuple(x.shape)}"
            )
        return PowerAction(tuple(weights), 1).act(element, x, context)

    def weight(self, name: str, fibre: str = "") -> float:
        """The w such that the named field or parameter is multiplied by λʷ; ``dt`` is known too.

        Raises:
            InputError: its dimension is not known.
        """
        length, time = self._dimension(name, fibre)
        return length + 2 * time if self.grid == "moves" else -time

    def conditioning(self, *names: str) -> PowerAction:
        """How a tensor (…, condition) of the named parameters moves, such as viscosity and dt.

        Raises:
            InputError: the dimension of one is not known.
        """
        return PowerAction(tuple(self.weight(name) for name in names))

    def context(self, element: float, context: Context) -> Context:
        """The frame of the moved states: Δt, lengths and parameters scaled.

        Raises:
            InputError: the dimension of a parameter is not known.
        """
        self.group.check_contains(element)
        grown = element if self.grid == "moves" else 1.0
        return replace(
            context,
            dt=context.dt * element ** self.weight("dt"),
            lengths=(context.lengths[0] * grown, context.lengths[1] * grown),
            parameters={
                name: value * element ** self.weight(name)
                for name, value in context.parameters.items()
            },
        )

    def _dimension(self, name: str, fibre: str = "") -> tuple[float, float]:
        known = {"viscosity": (2.0, -1.0), "dt": (0.0, 1.0)} | dict(self.dimensions)
        by_fibre = {
            "velocity": (1.0, -1.0),
            "vector": (1.0, -1.0),
            "pseudoscalar": (0.0, -1.0),
        }
        found = known.get(name) or by_fibre.get(fibre)
        if found is None:
            raise InputError(
                f"declare the dimension of {name!r}: dimensions={{{name!r}: (a, b)}} for "
                "length^a · time^b, (0, 0) for a pure number"
            )
        return found
