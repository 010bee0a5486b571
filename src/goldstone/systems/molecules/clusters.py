"""Clusters at a temperature: configurations with energies and forces."""

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from goldstone.core import InputError, Progress, SilentProgress, generator
from goldstone.systems.molecules.potential import ClusterPotential

_SILENT = SilentProgress()


@dataclass(frozen=True, eq=False)
class Clusters:
    """Independent configurations.

    Attributes:
        kinds: (n, atom), 0 or 1.
        positions: (n, atom, 3).
        energies: (n,).
        forces: (n, atom, 3).
    """

    kinds: Tensor
    positions: Tensor
    energies: Tensor
    forces: Tensor


def sample_clusters(
    kinds: tuple[int, ...],
    count: int,
    *,
    potential: ClusterPotential | None = None,
    temperature: float = 0.2,
    steps: int = 2000,
    step: float = 2e-3,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    progress: Progress = _SILENT,
) -> Clusters:
    """Ends of independent Langevin trajectories r ← r + ε F + √(2ε T) ξ from loose random starts.

    Atoms cannot leave: a weak harmonic force of strength T/4 holds each to the centre, and is no
    part of the energies and forces returned.

    Args:
        kinds: of the atoms, 0 or 1; all clusters are made of them.
        count: clusters.
        potential: :class:`ClusterPotential` by default.
        temperature: T, in units of energy.
        steps: of ε = ``step``.
        step: ε.
        seed: of everything.
        dtype: of the result; the sampling is in float64.
        progress: shows the steps.

    Raises:
        InputError: fewer than two atoms, another kind, or a number that is not positive.
    """
    if len(kinds) < 2 or not set(kinds) <= {0, 1}:
        raise InputError(f"expected two atoms or more of kinds 0 and 1, got {kinds}")
    if min(count, steps) < 1 or not (temperature > 0 and step > 0):
        raise InputError("expected a positive count, temperature, step and number of steps")
    potential = potential or ClusterPotential()
    source = generator(seed, "clusters", *kinds)
    which = torch.tensor(kinds).expand(count, -1)
    r = torch.randn(count, len(kinds), 3, generator=source, dtype=torch.float64)
    r = r * len(kinds) ** (1 / 3)
    with progress.task("clusters", steps) as task:
        for _ in range(steps):
            forces = potential.energy_and_forces(which, r)[1] - temperature / 4 * r
            # Atoms that start on top of one another would be thrown away.
            forces = forces.clamp(-0.2 / step, 0.2 / step)
            noise = torch.randn(r.shape, generator=source, dtype=torch.float64)
            r = r + step * forces + sqrt(2 * step * temperature) * noise
            task.advance()
    energies, forces = potential.energy_and_forces(which, r)
    return Clusters(which.contiguous(), r.to(dtype), energies.to(dtype), forces.to(dtype))
