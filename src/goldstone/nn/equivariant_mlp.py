"""A multilayer perceptron that is equivariant for any group."""

import copy
from math import sqrt

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.equivariant_linear import EquivariantLinear
from goldstone.nn.gated_activation import GatedActivation
from goldstone.nn.hidden_representation import hidden_representation
from goldstone.nn.parts import check_representation, parts_by_type
from goldstone.nn.pointwise_activation import PointwiseActivation, permutes_components
from goldstone.nn.tensor_product_activation import TensorProductActivation
from goldstone.representations import Representation

_SAMPLE = 512
"""Inputs on which the weights are scaled."""
_LEAST_POWER = 1e-4


class EquivariantMLP(nn.Module):
    """Linear layers with nonlinearities between them, equivariant from end to end.

    Where the hidden representation permutes its components (regular ones of finite groups) a hidden
    layer is :class:`EquivariantLinear` and :class:`PointwiseActivation`; elsewhere it is
    :class:`EquivariantLinear`, :class:`TensorProductActivation`, bounded, and
    :class:`GatedActivation` (Finzi, Welling & Wilson 2021, §5). The last layer is linear. Features
    are the last axis.

    Weights are drawn such that normal inputs of unit variance keep it: each kind of part in each
    layer is measured on a sample of them and scaled (Mishkin & Matas 2016, "All you need is a good
    init"). Products of reducible parts, such as matrices near the identity, would grow from layer
    to layer otherwise.

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
        for representation in (source, target):
            check_representation(representation)
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
            products = TensorProductActivation(wide, bounded=True, device=device, dtype=dtype)
            inner = [products, gated]
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
        """Draw all weights anew, scaled to unit variance on a sample of normal inputs."""
        weight = next(self.parameters())
        origin = torch.device("cpu") if generator is None else generator.device
        x = torch.randn(
            (_SAMPLE, self.source.dimension),
            generator=generator,
            device=origin,
            dtype=weight.dtype,
        ).to(weight.device)
        with torch.no_grad():
            for module in self.layers:
                if isinstance(module, (EquivariantLinear, TensorProductActivation)):
                    module.reset_parameters(generator)
                    if not weight.is_meta:
                        _scale(module, x)
                x = module(x)

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


def _scale(layer: EquivariantLinear | TensorProductActivation, x: Tensor) -> None:
    """Scale the weights of each kind of part for outputs of unit variance, if there are any."""
    if isinstance(layer, EquivariantLinear):
        y, types, wanted = layer(x), parts_by_type(layer.target), 1.0
        columns = len(layer.coefficients) // len(types)
    else:
        y, types, wanted = layer.products(x), parts_by_type(layer.representation), 0.5
        columns = 1
    weights = layer.coefficients if isinstance(layer, EquivariantLinear) else layer.weights
    for t, (part, starts) in enumerate(types):
        channels = [start + k for start in starts for k in range(part.dimension)]
        power = float(y[:, channels].abs().square().mean())
        # Far above rounding: what is zero, as x × x is, must not be scaled up.
        if power > _LEAST_POWER:
            for weight in weights[t * columns : (t + 1) * columns]:
                weight.mul_(sqrt(wanted / power))
