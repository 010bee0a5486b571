"""From a config to an emulator."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from goldstone.core import InputError, derive_seed
from goldstone.systems.emulators.config import EmulatorConfig
from goldstone.systems.emulators.emulator import Emulator
from goldstone.systems.emulators.equivariant_unet import EquivariantUNet
from goldstone.systems.emulators.layers import check_divisible
from goldstone.systems.emulators.unet import UNet
from goldstone.systems.emulators.vit import VisionTransformer


def build_emulator(config: EmulatorConfig, seed: int = 0) -> Emulator:
    """A newly initialised emulator with identity normalisers.

    The same seed gives the same weights; torch's global random state is left as found.

    Raises:
        InputError: an argument is unknown to the architecture or not allowed, or the grid cannot be
            halved as often as it has stages.
    """
    channels = config.layout.channels
    # Modules draw their initial weights from the global stream.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "emulator weights"))
        match config.architecture:
            case "unet":
                network = _construct(UNet, config, channels)
            case "vit":
                network = _construct(VisionTransformer, config, channels, config.grid)
            case "equivariant":
                network = _construct(EquivariantUNet, config, config.layout)
    return Emulator(config.layout, network)


def count_parameters(module: nn.Module) -> int:
    """Number of trainable numbers in ``module``."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def _construct(
    network: Callable[..., nn.Module], config: EmulatorConfig, *leading: Any
) -> nn.Module:
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(network).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    unknown = sorted(set(config.arguments) - set(defaults))
    if unknown:
        raise InputError(
            f"the architecture {config.architecture!r} has no argument {', '.join(unknown)}; it "
            f"takes {', '.join(defaults)}"
        )
    for name, value in config.arguments.items():
        if type(value) is not type(defaults[name]):
            raise InputError(
                f"the architecture {config.architecture!r} expects {name} of type "
                f"{type(defaults[name]).__name__}, such as {defaults[name]}, got {value!r}"
            )
    if "stages" in defaults:
        # Before anything is built: each stage doubles the width.
        stages = config.arguments.get("stages", defaults["stages"])
        check_divisible(config.grid, 1 << max(0, int(stages)), f"{stages} stages")
    return network(*leading, **config.arguments)
