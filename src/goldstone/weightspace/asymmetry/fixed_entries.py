"""W-asymmetric layers: some entries of each unit's weights are fixed at random, never trained."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils import parametrize

from goldstone.core import InputError, generator


class FixedEntries(nn.Module):
    """W_eff = M⊙W + (1 − M)⊙κF: entries where the mask M is 0 hold fixed random numbers.

    For ``torch.nn.utils.parametrize``. M and F ~ N(0, 1) are buffers, so no optimiser sees them and
    no weight decay shrinks them; the trained tensor is zero under them and gets no gradient there.

    Args:
        shape: of the weight, units first.
        per_unit: how many entries of each unit are fixed, at its own random places.
        scale: κ.
        random: where the places and numbers come from.

    References:
        D. Lim, T. Putterman, R. Walters, H. Maron, S. Jegelka, "The empirical impact of neural
        parameter symmetries, or lack thereof", NeurIPS 2024 (arXiv 2405.20231), section 3.1.
    """

    fixed: Tensor
    values: Tensor

    def __init__(
        self, shape: torch.Size, per_unit: int, scale: float, random: torch.Generator
    ) -> None:
        super().__init__()
        units, inputs = shape[0], shape[1:].numel()
        keys = torch.rand(units, inputs, dtype=torch.float64, generator=random)
        places = keys.argsort(1)[:, :per_unit]
        fixed = torch.zeros(units, inputs, dtype=torch.bool).scatter_(1, places, value=True)
        numbers = scale * torch.randn(units, inputs, dtype=torch.float64, generator=random)
        self.register_buffer("fixed", fixed.reshape(shape))
        self.register_buffer("values", numbers.where(fixed, 0.0).reshape(shape))
        self.per_unit, self.scale = per_unit, scale

    def forward(self, weight: Tensor) -> Tensor:
        return torch.where(self.fixed, self.values, weight)

    def right_inverse(self, weight: Tensor) -> Tensor:
        return weight.masked_fill(self.fixed, 0.0)

    def extra_repr(self) -> str:
        return f"{self.per_unit} of {self.values[0].numel()} per unit, scale={self.scale}"


def w_asymmetric(
    model: nn.Module,
    fixed: float | Mapping[str, float],
    *,
    seed: int,
    scale: float | Mapping[str, float] = 1.0,
) -> nn.Module:
    """Fix some random entries of each unit of linear layers and convolutions.

    No two units then have the same places and numbers, so that exchanging them changes the network:
    its permutation symmetries are gone. Networks that are compared must share the fixed entries:
    the same seed gives the same ones, whatever the weights, by layer name.

    Args:
        model: changed in place and returned. Make the optimiser afterwards.
        fixed: how many entries of each unit (an integer ≥ 1), or what share of them (a float below
            1). A mapping from layer names treats those layers alone; else all ``nn.Linear`` and
            ``nn.Conv…d`` that have enough inputs.
        seed: of places and numbers.
        scale: κ, of the numbers, or a mapping by layer name. The paper takes 1, and ½ and ¼ in the
            last two layers: n fixed entries make outputs √n times κ as large as inputs, so put
            normalisations between or take a smaller κ.

    Raises:
        InputError: there is no such layer, it is no linear layer or convolution, is parametrised
            already, shares its weight, or would have nothing or everything fixed.
    """
    layers = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | _ConvNd) and not isinstance(module, _ConvTransposeNd)
    }
    per_layer: Mapping[str, float] = (
        fixed if isinstance(fixed, Mapping) else dict.fromkeys(layers, fixed)
    )
    if not per_layer:
        raise InputError(f"{type(model).__name__} has no linear layer or convolution")
    scales: Mapping[str, float] = (
        scale if isinstance(scale, Mapping) else dict.fromkeys(per_layer, scale)
    )
    for wrong in [*(set(per_layer) - set(layers)), *(set(scales) - set(per_layer))]:
        raise InputError(
            f"no linear layer or convolution {wrong!r} to treat; there are {list(layers)}"
        )
    counts = {name: _count(name, layers[name], share) for name, share in per_layer.items()}
    _check_own_weights(model, counts)
    for name, count in counts.items():
        layer = layers[name]
        random = generator(seed, "w-asymmetric", name)
        entries = FixedEntries(layer.weight.shape, count, scales.get(name, 1.0), random)
        entries.to(layer.weight.device, layer.weight.dtype)
        parametrize.register_parametrization(layer, "weight", entries)
    return model


def _count(name: str, layer: nn.Module, fixed: float) -> int:
    if parametrize.is_parametrized(layer, "weight"):
        raise InputError(f"the weight of {name!r} has a parametrisation already; remove it first")
    weight: Tensor = layer.get_parameter("weight")
    inputs = weight[0].numel()
    count = fixed if isinstance(fixed, int) else round(fixed * inputs) if 0 < fixed < 1 else 0
    if not 0 < count < inputs:
        raise InputError(
            f"expected to fix 1 to {inputs - 1} of the {inputs} entries of each unit of {name!r} "
            f"(an integer), or a share between 0 and 1, got {fixed}; a mapping gives each layer "
            "its own, or leaves it out"
        )
    return count


def _check_own_weights(model: nn.Module, layers: Iterable[str]) -> None:
    owners: dict[int, list[str]] = {}
    for prefix, module in model.named_modules():
        for parameter in module._parameters.values():
            owners.setdefault(id(parameter), []).append(prefix)
    for name in layers:
        names = owners[id(model.get_submodule(name).get_parameter("weight"))]
        if len(names) > 1:
            raise InputError(
                f"{' and '.join(map(repr, names))} share their weight: fixing entries of one would "
                "change the other; leave the layer out by a mapping, or untie them"
            )
