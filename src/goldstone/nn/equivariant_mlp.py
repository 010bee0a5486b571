"""A multilayer perceptron that is equivariant for any group."""

import copy

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.equivariant_linear import EquivariantLinear
from goldstone.nn.gated_activation import GatedActivation
from goldstone.nn.hidden_representation import hidden_representation
from goldstone.nn.parts import parts_by_type
from goldstone.nn.pointwise_activation import PointwiseActivation, permutes_components
from goldstone.nn.tensor_product_activation import TensorProductActivation
from goldstone.representations import Representation


class EquivariantMLP(nn.Module):
    """Linear layers with nonlinearities between them, equivariant from end to end.

    Where the hidden representation permutes its components (regular ones of finite groups) a hidden
    layer is :class:`EquivariantLinear` and :class:`PointwiseActivation`; elsewhere it is
    :class:`EquivariantLinear`, :class:`TensorProductActivation` and :class:`GatedActivation`
    (Finzi, Welling & Wilson 2021, §5). The last layer is linear. Features are the last axis.

    Args:
        source: representation of the input.
        hidden: of the hidden layers; an integer asks for :func:`hidden_representation` of that
            dimension, all kinds of parts evenly.
        target: of the output; trivial for an invariant.
        layers: number of hidden layers, at least 1.
        bias: whether the linear layers have biases.
        device: of the parameters.
        dtype: of the parameters, float32 by default (complex64 where representations are complex).

    Raises:
        InputError: representations of different groups; no hidden layer; a hidden integer for a
            group that has no ready representations; or parts that cannot be reached.
    """

    def __init__(
        self,
        source: Representation,
        hidden: Representation | int,
        target: Representation,
        layers: int = 2,
        *,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if layers < 1:
            raise InputError(
                f"expected at least 1 hidden layer, got {layers}; EquivariantLinear has none"
            )
        if source.group != target.group:
            raise InputError(
                "source and target must be of one group, got "
                f"{source.group.name} and {target.group.name}"
            )
        if isinstance(hidden, int):
            hidden = hidden_representation(source.group, hidden, containing=(source, target))
        pointwise = all(permutes_components(part) for part, _ in parts_by_type(hidden))
        inner: list[nn.Module]
        if pointwise:
            wide, inner = hidden, [PointwiseActivation(hidden)]
        else:
            gated = GatedActivation(hidden, device=device, dtype=dtype)
            wide = gated.source
            inner = [TensorProductActivation(wide, device=device, dtype=dtype), gated]
        first = EquivariantLinear(source, wide, bias, device=device, dtype=dtype)
        modules: list[nn.Module] = [first, *inner]
        if layers > 1:
            block = [EquivariantLinear(hidden, wide, bias, device=device, dtype=dtype), *inner]
            # Copies share the work of making the bases; their weights are drawn below.
            modules += [copy.deepcopy(module) for _ in range(layers - 1) for module in block]
        modules.append(EquivariantLinear(hidden, target, bias, device=device, dtype=dtype))
        super().__init__()
        self.layers = nn.Sequential(*modules)
        self.source, self.hidden, self.target = source, hidden, target
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all weights anew."""
        for module in self.layers:
            if isinstance(module, (EquivariantLinear, TensorProductActivation)):
                module.reset_parameters(generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map (*batch, source dimension) → (*batch, target dimension)."""
        output: Tensor = self.layers(x)
        return output

    def to_plain(self) -> nn.Sequential:
        """The same function with ordinary linear layers, which need not assemble their weights."""
        return nn.Sequential(
            *(
                module.to_plain()
                if isinstance(module, EquivariantLinear)
                else copy.deepcopy(module)
                for module in self.layers
            )
        )
