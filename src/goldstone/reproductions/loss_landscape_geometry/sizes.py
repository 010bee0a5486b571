"""How large the experiments are: the full form of about an hour, and the quick one of seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Arguments = Mapping[str, int | float | bool]


@dataclass(frozen=True)
class Sizes:
    """Every number that decides how long the experiments take.

    Attributes:
        grid: points along each axis.
        trajectories: for training; ``steps`` transitions each.
        held_out: trajectories to measure on.
        epochs: passes of the U-Net over the training pairs; ``vit_epochs`` of the ViT, which learns
            more slowly; ``annealed_epochs`` with a falling learning rate; ``equivariant_epochs``
            of the equivariant U-Net, whose steps take three times as long.
        augmented_share: of the trajectories, all eight poses of which one epoch sees.
        seeds: of initial weights and order of data.
        samples: pairs of gradients a group element, one from a trajectory.
        shifts: points, along the first axis; every one of ``few_shifts`` along the second.
        reference: further trajectories whose outputs define the Gauss–Newton metric.
        unet, vit, equivariant: arguments of the networks.
        checkpoints: epochs at which coherences are followed, 0 the untrained network.
        dampings: λ, relative to the mean curvature of the gradient span.
    """

    grid: int = 32
    trajectories: int = 256
    steps: int = 10
    held_out: int = 48
    epochs: int = 4
    vit_epochs: int = 8
    annealed_epochs: int = 24
    equivariant_epochs: int = 2
    augmented_share: float = 0.5
    seeds: tuple[int, ...] = (0, 1, 2)
    samples: int = 10
    reference: int = 8
    shifts: tuple[int, ...] = tuple(range(1, 17))
    few_shifts: tuple[int, ...] = (1, 2, 4, 8, 12, 16)
    unet: Arguments = field(
        default_factory=lambda: {"base_channels": 8, "stages": 3, "blocks_per_stage": 1}
    )
    vit: Arguments = field(
        default_factory=lambda: {"patch": 4, "width": 64, "heads": 4, "depth": 4}
    )
    equivariant: Arguments = field(default_factory=lambda: {"copies": 2, "stages": 3})
    checkpoints: tuple[int, ...] = (0, 1, 2, 4)
    dampings: tuple[float, ...] = (1e-8, 1e-6, 1e-4, 1e-2, 1.0)

    @property
    def total_stride(self) -> int:
        """Shifts by its multiples commute with the U-Net."""
        return 1 << int(self.unet["stages"])

    @property
    def patch(self) -> int:
        """Shifts by its multiples move the ViT's patches onto patches."""
        return int(self.vit["patch"])


FULL = Sizes()
QUICK = Sizes(
    grid=28,
    trajectories=6,
    steps=2,
    held_out=10,
    epochs=2,
    vit_epochs=2,
    annealed_epochs=1,
    equivariant_epochs=1,
    seeds=(0,),
    samples=6,
    reference=2,
    shifts=(1, 2, 4),
    few_shifts=(4,),
    unet={"base_channels": 4, "stages": 2, "blocks_per_stage": 1},
    vit={"patch": 4, "width": 16, "heads": 2, "depth": 1},
    equivariant={"copies": 1, "stages": 1},
    checkpoints=(0, 2),
    dampings=(1e-6, 1e-2),
)
