"""syre: a static random bias of the parameters, with a decay of its own strength for each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from goldstone.core import InputError, generator


class StaticBias(nn.Module):
    """θ_eff = θ + θ₀ with θ₀ fixed, for ``torch.nn.utils.parametrize``.

    Decay acts on θ: it draws the weight that is used to θ₀, a random point without symmetry, and
    not to 0, which every mirror symmetry leaves in place.
    """

    bias: Tensor
    strengths: Tensor

    def __init__(self, bias: Tensor, strengths: Tensor) -> None:
        super().__init__()
        self.register_buffer("bias", bias)
        self.register_buffer("strengths", strengths)

    def forward(self, parameter: Tensor) -> Tensor:
        return parameter + self.bias

    def right_inverse(self, value: Tensor) -> Tensor:
        return value - self.bias


def syre(model: nn.Module, *, seed: int, scale: float = 0.01, anisotropy: float = 0.1) -> nn.Module:
    """Remove the parameter symmetries of a model: train ℓ(θ + θ₀) with decay on θ.

    Add λ·:func:`syre_penalty` to the loss, or leave it to the optimiser's ``weight_decay`` = λ
    (isotropic, enough for almost all symmetries: anisotropy also breaks those that leave θ₀ in
    place). The model computes what it did. For models with shared parameters or recurrent layers
    use :func:`syre_optimiser`, which changes no module.

    Args:
        model: changed in place and returned; every floating-point parameter is parametrised. Make
            the optimiser afterwards.
        seed: of θ₀ and D.
        scale: θ₀ ~ N(0, σ₀²), σ₀ = scale/√d, d the number of inputs of a unit (of a vector: its
            entries).
        anisotropy: the strengths D of the decay are uniform on [1 − a, 1 + a].

    Raises:
        InputError: a parameter is shared or parametrised already, the model has recurrent layers or
            no parameters, or a setting is out of range.

    References:
        L. Ziyin, Y. Xu, I. Chuang, "Remove symmetries to control model expressivity and improve
        optimization", ICLR 2025 (arXiv 2408.15495).
    """
    _check_settings(scale, anisotropy)
    places = list(_parameters(model))
    for name, module, leaf in places:
        parameter = module.get_parameter(leaf)
        bias, strengths = _drawn(parameter, seed, name, scale, anisotropy)
        parametrize.register_parametrization(module, leaf, StaticBias(bias, strengths))
    return model


def syre_penalty(model: nn.Module) -> Tensor:
    """½Σ Dᵢθᵢ² of a model that :func:`syre` has changed, differentiable.

    Raises:
        InputError: it was not changed.
    """
    terms = [
        0.5 * (entry[0].strengths * entry.original.square()).sum()
        for module in model.modules()
        if parametrize.is_parametrized(module)
        for entry in cast(Any, module.parametrizations).values()
        if isinstance(entry[0], StaticBias)
    ]
    if not terms:
        raise InputError("the model has no static bias; call syre(model, seed=…) first")
    return torch.stack(terms).sum()


def syre_optimiser(
    optimiser: Optimizer,
    strength: float,
    *,
    seed: int,
    scale: float = 0.01,
    anisotropy: float = 0.1,
    decoupled: bool = False,
) -> RemovableHandle:
    """The same through the optimiser: before each step it adds λD(w − θ₀) to the gradient of w.

    For w = θ + θ₀ that is the gradient of λ·½ΣDᵢθᵢ², so training takes the path that it takes with
    :func:`syre`, :func:`syre_penalty` and the same θ₀ and D. Works for every model. Nothing needs
    to be saved: here θ₀ and D follow from the seed and the parameters' places in the optimiser.

    Args:
        optimiser: whose own ``weight_decay`` is 0.
        strength: λ.
        seed: of θ₀ and D.
        scale: as in :func:`syre`.
        anisotropy: as in :func:`syre`.
        decoupled: shrink the weights by lr·λD(w − θ₀) apart from the gradient, as AdamW does.

    Returns:
        A handle; ``remove()`` ends it.

    Raises:
        InputError: a group has weight decay, which would draw to 0; a setting is out of range; or,
            of ``step``, it was given a closure.
    """
    _check_settings(scale, anisotropy)
    if strength < 0:
        raise InputError(f"expected a strength ≥ 0, got {strength}")
    if any(group.get("weight_decay") for group in optimiser.param_groups):
        raise InputError(
            "expected an optimiser with weight_decay=0: its own decay draws the weights to 0, "
            "where their symmetries are; syre decays them to a random point"
        )
    drawn = {
        parameter: _drawn(parameter, seed, f"{i}/{j}", scale, anisotropy)
        for i, group in enumerate(optimiser.param_groups)
        for j, parameter in enumerate(group["params"])
    }

    @torch.no_grad()
    def decay(current: Optimizer, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        if kwargs.get("closure") is not None or any(one is not None for one in args[1:]):
            raise InputError(
                "expected step() without a closure, which would compute gradients after the decay "
                "was added; use syre and syre_penalty"
            )
        for group in current.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None or parameter not in drawn:
                    continue
                bias, strengths = drawn[parameter]
                pull = strengths * (parameter - bias)
                if decoupled:
                    parameter.sub_(pull, alpha=float(group["lr"]) * strength)
                else:
                    parameter.grad.add_(pull, alpha=strength)

    return optimiser.register_step_pre_hook(decay)


def _drawn(
    parameter: Tensor, seed: int, name: str, scale: float, anisotropy: float
) -> tuple[Tensor, Tensor]:
    """θ₀ and D of one parameter."""
    shape = parameter.shape
    inputs = shape[1:].numel() if len(shape) > 1 else max(shape.numel(), 1)
    random = generator(seed, "syre", name)
    bias = torch.randn(shape, dtype=torch.float64, generator=random) * (scale / inputs**0.5)
    spread = torch.rand(shape, dtype=torch.float64, generator=random)
    strengths = 1 + anisotropy * (2 * spread - 1)
    return bias.to(parameter), strengths.to(parameter)


def _parameters(model: nn.Module) -> Iterator[tuple[str, nn.Module, str]]:
    """Full name, module and name of each floating-point parameter, checked before any change."""
    owners: dict[int, str] = {}
    for prefix, module in model.named_modules():
        if isinstance(module, nn.RNNBase):
            raise InputError(
                f"{prefix!r} is a recurrent layer, whose weights cannot be parametrised; use "
                "syre_optimiser"
            )
        if parametrize.is_parametrized(module):
            raise InputError(
                f"{prefix!r} has a parametrisation already; use syre_optimiser, or remove it"
            )
        for leaf, parameter in module._parameters.items():
            if parameter is None or not parameter.is_floating_point():
                continue
            name = f"{prefix}.{leaf}" if prefix else leaf
            other = owners.setdefault(id(parameter), name)
            if other != name:
                raise InputError(
                    f"{other!r} and {name!r} are one parameter, which a parametrisation would "
                    "make two; use syre_optimiser"
                )
            yield name, module, leaf
    if not owners:
        raise InputError(f"{type(model).__name__} has no floating-point parameters")


def _check_settings(scale: float, anisotropy: float) -> None:
    if not scale > 0:
        raise InputError(f"expected a scale > 0 of the static bias, got {scale}")
    if not 0 <= anisotropy < 1:
        raise InputError(f"expected an anisotropy of 0 or more and below 1, got {anisotropy}")
