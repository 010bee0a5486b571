"""Gated nonlinearity: invariant gates scale the parts of a feature."""

from math import sqrt

import torch
from torch import Tensor

from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.parts import along, check_components, flat_parts, is_trivial, parts_by_type
from goldstone.nn.second_moment import second_moment
from goldstone.representations import DirectSum, Representation, TrivialRepresentation


class GatedActivation(Constants):
    """Each part times the sigmoid of a gate: y = x σ(gate), which any representation allows.

    A trivial part is its own gate, x σ(x) (SiLU). Every other part has a gate of its own, one
    trivial component that :attr:`source` has beside the parts of :attr:`target`; so the layer
    before maps to ``source`` (Weiler et al. 2018, "3D steerable CNNs", §4.3). The real part of a
    complex gate decides. Factors 1/√E[…] for normal inputs keep unit variance.

    Args:
        target: representation of the output.
        axis: that of the components.

    Attributes:
        source: representation of the input, ``target`` followed by the gates.
    """

    _gates: Tensor
    _gains: Tensor

    @computed_on_cpu
    def __init__(
        self,
        target: Representation,
        *,
        axis: int = -1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        parts = flat_parts(target)
        trivial = {part for part, _ in parts_by_type(target) if is_trivial(part)}
        # One kind of trivial part, that there be no isomorphic twins.
        gate = next((p for p in parts if p in trivial), TrivialRepresentation(target.group))
        gates, channel, count = [], 0, 0
        for part in parts:
            own = part in trivial
            gates += [channel if own else target.dimension + count] * part.dimension
            channel, count = channel + part.dimension, count + (not own)
        self.target, self.axis = target, axis
        self.source: Representation = DirectSum(target.group, parts + (gate,) * count)
        self.in_channels, self.out_channels = self.source.dimension, target.dimension
        self_gain, gain = _gains(self.source.dtype.is_complex)
        gains = [self_gain if k < target.dimension else gain for k in gates]
        self.register_constant("_gates", torch.tensor(gates))
        self.register_constant("_gains", torch.tensor(gains, dtype=torch.float64))
        self.cast(device, (dtype or torch.get_default_dtype()).to_real())

    def forward(self, x: Tensor) -> Tensor:
        """Map features of ``source`` to features of ``target``."""
        check_components(x, self.source, self.axis, size=self.in_channels)
        gates = x.real if x.is_complex() else x
        factors = gates.index_select(self.axis, self._gates).sigmoid()
        factors = factors * along(self._gains.to(factors.dtype), factors, self.axis)
        return x.narrow(self.axis, 0, self.out_channels) * factors

    def extra_repr(self) -> str:
        """Shown by print."""
        gates = self.source.dimension - self.target.dimension
        return f"{self.target.group.name}, {self.target.dimension}, {gates} gates"


def _gains(is_complex: bool) -> tuple[float, float]:
    """1/√E|z σ(Re z)|² and 1/√E σ(Re z)², z normal with E|z|² = 1."""
    scale = sqrt(0.5) if is_complex else 1.0
    gate = second_moment(lambda z: (scale * z).sigmoid())
    own = second_moment(lambda z: scale * z * (scale * z).sigmoid())
    return 1 / sqrt(own + (0.5 * gate if is_complex else 0.0)), 1 / sqrt(gate)
