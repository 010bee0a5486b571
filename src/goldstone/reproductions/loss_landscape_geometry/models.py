"""The flows and the trained emulators, each made once and kept."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch

from goldstone.actions import EULER_FIELDS, NAVIER_STOKES_FIELDS, PointAction
from goldstone.core import Progress
from goldstone.groups import DihedralGroup
from goldstone.reproductions.loss_landscape_geometry.sizes import Sizes
from goldstone.systems.emulators import Architecture, EmulatorConfig
from goldstone.systems.flows import Trajectories, ground_truth, simulate
from goldstone.training import TrainingConfig, TrainingResult, train_next_step

Flow = Literal["NS", "CE"]
Network = Literal["U-Net", "ViT", "equivariant U-Net"]
Variant = Literal["isotropic", "annealed", "augmented", "anisotropic"]
"""How a model was trained: on the paper's kind of data at a constant learning rate, as there; the
same with the learning rate annealed to zero; on all eight poses of every trajectory; or on flows
whose statistics break quarter turns."""

DT = 0.05
_SYSTEMS = {
    "NS": ("navier-stokes", {"viscosity": 2e-3}),
    "CE": ("compressible-euler", {"gamma": 1.4}),
}
_ARCHITECTURES: dict[Network, Architecture] = {
    "U-Net": "unet",
    "ViT": "vit",
    "equivariant U-Net": "equivariant",
}
LEARNING_RATES: dict[Network, float] = {"U-Net": 4e-3, "ViT": 2e-3, "equivariant U-Net": 2e-3}
"""The paper's 5e-4 times the root of how many times fewer parameters there are (14 M to 0.26 M,
4 M to 0.2 M): a step of Adam then moves the outputs about as far."""
_TRAINING_SEED, _HELD_OUT_SEED = 100, 200


class Laboratory:
    """Makes data sets and models in a folder, or reads those that are there.

    Everything in the folder is complete or can be gone on with: it may be killed at any moment.
    """

    def __init__(self, folder: Path, sizes: Sizes, progress: Progress) -> None:
        self.folder, self.sizes, self.progress = folder, sizes, progress

    def training_data(self, flow: Flow, variant: Variant = "isotropic") -> Trajectories:
        """What models of a variant learn from."""
        data = self._flows(flow, variant, "training", self.sizes.trajectories, _TRAINING_SEED)
        share = round(self.sizes.augmented_share * len(data))
        return _all_poses(data.select(slice(share))) if variant == "augmented" else data

    def held_out(self, flow: Flow, variant: Variant = "isotropic") -> Trajectories:
        """What models are measured on."""
        return self._flows(flow, variant, "held-out", self.sizes.held_out, _HELD_OUT_SEED)

    def train(
        self, flow: Flow, network: Network, seed: int = 0, variant: Variant = "isotropic"
    ) -> TrainingResult:
        """The trained emulator with its checkpoints."""
        sizes = self.sizes
        layout = NAVIER_STOKES_FIELDS if flow == "NS" else EULER_FIELDS
        arguments = {
            "U-Net": sizes.unet, "ViT": sizes.vit, "equivariant U-Net": sizes.equivariant
        }[network]  # fmt: skip
        config = EmulatorConfig(
            _ARCHITECTURES[network], layout, (sizes.grid, sizes.grid), arguments
        )
        how = TrainingConfig(
            epochs={
                "U-Net": sizes.epochs,
                "ViT": sizes.vit_epochs,
                "equivariant U-Net": sizes.equivariant_epochs,
            }[network],
            seed=seed,
            learning_rate=LEARNING_RATES[network],
            schedule="constant",
            warmup=0.0,
        )
        if variant == "augmented":
            how = replace(how, epochs=1)
        if variant == "annealed":
            how = TrainingConfig(epochs=sizes.annealed_epochs, seed=seed)
        name = f"{flow}-{network}-{variant}-{seed}".replace(" ", "-").lower()
        return train_next_step(
            config,
            how,
            self.training_data(flow, variant),
            self.folder / "models" / name,
            self.held_out(flow, variant),
            self.progress,
        )

    def _flows(
        self, flow: Flow, variant: Variant, purpose: str, count: int, seed: int
    ) -> Trajectories:
        """Turbulence, or straight and curved Riemann problems, half of each."""
        system, parameters = _SYSTEMS[flow]
        statistics = "anisotropic" if variant == "anisotropic" else "isotropic"
        names = (
            (f"{statistics}-turbulence",)
            if flow == "NS"
            else ("four-quadrant-riemann", "curved-riemann")
        )
        share = count // len(names)
        parts = [
            simulate(
                ground_truth(system, parameters),
                name,
                trajectories=share,
                steps=self.sizes.steps,
                grid=(self.sizes.grid, self.sizes.grid),
                dt=DT,
                seed=seed,
                path=self.folder / "data" / f"{name}-{purpose}.npz",
                progress=self.progress,
            )
            for name in names
        ]
        if len(parts) == 1:
            return parts[0]
        # In turns, so that the first ones hold as many of each kind.
        fields = torch.stack([part.fields for part in parts], 1).flatten(0, 1)
        return replace(parts[0], fields=fields, initial_condition=" and ".join(names))


def _all_poses(data: Trajectories) -> Trajectories:
    action = PointAction(DihedralGroup(4), data.layout)
    flat = data.fields.flatten(0, 1)
    moved = [
        action.act(g, flat, data.context).reshape(data.fields.shape)
        for g in DihedralGroup(4).elements()
    ]
    return replace(data, fields=torch.cat(moved))
