"""How gauge transformations move the links of a lattice, loops and matter fields."""

from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor

from goldstone.actions.action import Action
from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_tensor
from goldstone.actions.linear import TrivialAction
from goldstone.actions.symmetry import Symmetry
from goldstone.core import InputError
from goldstone.groups import GaugeGroup, Group, LinearGroup

GaugeKind = Literal["links", "loops", "matter"]


@dataclass(frozen=True)
class GaugeAction:
    """A gauge transformation Ω_x ∈ G of fields on a periodic lattice.

    - ``links`` (batch, axis μ, *lattice, n, n): U_{x,μ} ↦ Ω_x U_{x,μ} Ω†_{x+μ};
    - ``loops`` (batch, channel, *lattice, n, n), such as plaquettes: W_x ↦ Ω_x W_x Ω†_x;
    - ``matter`` (batch, channel, *lattice, n): φ_x ↦ Ω_x φ_x.

    Attributes:
        group: of fields of unitary matrices.
        kind: see above.

    Raises:
        InputError: G is no group of matrices, or the kind is unknown.
    """

    group: GaugeGroup
    kind: GaugeKind = "links"

    def __post_init__(self) -> None:
        if not isinstance(self.group.local, LinearGroup):
            raise InputError(
                "gauge transformations need a group of matrices, such as UnitaryGroup(1) or "
                f"SpecialUnitaryGroup(2), got {self.group.local.name}"
            )
        if self.kind not in get_args(GaugeKind):
            raise InputError(f"expected one of {get_args(GaugeKind)}, got {self.kind!r}")

    @property
    def degree(self) -> int:
        """n, of the matrices."""
        return self._matrices.degree

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """The field moved by Ω.

        Raises:
            InputError: the field has not the shape said above, or is not complex.
        """
        self._check(x)
        field = element_as_tensor(self.group, element, x.device)
        gauge = self._matrices.matrices(field).to(x.dtype)
        if self.kind == "matter":
            return (gauge @ x[..., None])[..., 0]
        if self.kind == "loops":
            return gauge @ x @ gauge.mH
        ends = [gauge.roll(-1, axis) for axis in range(len(self.group.lattice))]
        return gauge @ x @ torch.stack(ends).mH

    @property
    def _matrices(self) -> LinearGroup:
        return cast(LinearGroup, self.group.local)

    def _check(self, x: Tensor) -> None:
        lattice, n = self.group.lattice, self.degree
        ending = (*lattice, n) if self.kind == "matter" else (*lattice, n, n)
        fits = x.dim() == 2 + len(ending) and tuple(x.shape[2:]) == ending and x.is_complex()
        axes = len(lattice) if self.kind == "links" else "channels"
        if not fits or (self.kind == "links" and x.shape[1] != axes):
            raise InputError(
                f"{self.kind}: expected a complex tensor (batch, {axes}, "
                f"{', '.join(map(str, ending))}), got {tuple(x.shape)} of {x.dtype}"
            )


def gauge_symmetry(
    group: Group[Any],
    lattice: tuple[int, ...],
    output: Action | GaugeKind | Literal["invariant"] = "invariant",
    elements: int = 4,
    seed: int = 0,
) -> Symmetry:
    """Local gauge transformations of lattice links, tested on random ones.

    Args:
        group: G, such as ``UnitaryGroup(1)`` or ``SpecialUnitaryGroup(3)``.
        lattice: sites along each axis; periodic.
        output: how the output moves: ``invariant``, one of the kinds of :class:`GaugeAction`, or an
            action of :class:`~goldstone.groups.GaugeGroup`.
        elements: number of random transformations (Haar measure at every site).
        seed: of these.
    """
    gauge = GaugeGroup(group, lattice)
    on_output: Action
    if output == "invariant":
        on_output = TrivialAction()
    else:
        on_output = GaugeAction(gauge, output) if isinstance(output, str) else output
    source = torch.Generator().manual_seed(seed)
    drawn = gauge.values(gauge.sample(source, (elements,)))
    return Symmetry("gauge", gauge, GaugeAction(gauge), on_output, elements=drawn)
