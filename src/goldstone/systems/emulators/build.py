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
from goldstone.systems.emulators.unet import UNet
from goldstone.systems.emulators.vit import VisionTransformer


def build_emulator(config: EmulatorConfig, seed: int = 0) -> Emulator:
    """A newly initialised emulator with identity normalisers.

    The same seed gives the same weights; torch's global random state is left as found.

    Raises:
        InputError: an argument is unknown to the architecture or not allowed.
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
    keywords = [
        name
        for name, parameter in inspect.signature(network).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    unknown = sorted(set(config.arguments) - set(keywords))
    if unknown:
        raise InputError(
            f"the architecture {config.architecture!r} has no argument {', '.join(unknown)}; it "
            f"takes {', '.join(keywords)}"
        )
    return network(*leading, **config.arguments)
