"""Networks that predict a flow one step later, with normalisers that transform with the group."""

from goldstone.systems.emulators.build import build_emulator, count_parameters
from goldstone.systems.emulators.config import Architecture, EmulatorConfig
from goldstone.systems.emulators.emulator import Emulator
from goldstone.systems.emulators.equivariant_unet import EquivariantUNet
from goldstone.systems.emulators.files import (
    checkpoint_path,
    list_checkpoints,
    load_emulator,
    load_weights,
    read_emulator_config,
    read_tensors,
    read_weights,
    save_emulator,
    write_tensors,
)
from goldstone.systems.emulators.normaliser import Normaliser
from goldstone.systems.emulators.unet import UNet
from goldstone.systems.emulators.vit import VisionTransformer

__all__ = [
    "Architecture",
    "Emulator",
    "EmulatorConfig",
    "EquivariantUNet",
    "Normaliser",
    "UNet",
    "VisionTransformer",
    "build_emulator",
    "checkpoint_path",
    "count_parameters",
    "list_checkpoints",
    "load_emulator",
    "load_weights",
    "read_emulator_config",
    "read_tensors",
    "read_weights",
    "save_emulator",
    "write_tensors",
]
