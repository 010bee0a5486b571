"""Small flows, and models whose symmetry is known without training."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from goldstone.auditing import AuditSettings
from goldstone.systems.emulators import EmulatorConfig, build_emulator
from goldstone.systems.flows import (
    CompressibleEuler2d,
    NavierStokes2d,
    Trajectories,
    anisotropic_turbulence,
    curved_riemann,
    isotropic_turbulence,
    rollout,
)


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """These grids are tiny: threads would only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def _flows(
    kind: str = "isotropic",
    dtype: torch.dtype = torch.float64,
    grid: tuple[int, int] = (16, 16),
    trajectories: int = 12,
    steps: int = 3,
) -> Trajectories:
    """Turbulence of ``kind`` under Navier–Stokes, or a Riemann problem under Euler."""
    lengths = (1.0, grid[1] / grid[0])
    system: NavierStokes2d | CompressibleEuler2d
    if kind == "riemann":
        system = CompressibleEuler2d(gamma=1.4, lengths=lengths)
        starts = curved_riemann(trajectories, grid, 7, gamma=1.4, dtype=dtype)
    else:
        system = NavierStokes2d(viscosity=5e-3, lengths=lengths)
        draw = isotropic_turbulence if kind == "isotropic" else anisotropic_turbulence
        starts = draw(trajectories, grid, 7, peak=2.0, lengths=lengths, dtype=dtype)
    fields = rollout(system, system.advance(starts, 0.05), 0.05, steps)
    return Trajectories(
        fields, system.layout, 0.05, lengths, system.system, system.parameters, kind, 7
    )


@pytest.fixture(scope="session")
def flows() -> Callable[..., Trajectories]:
    """Simulated flows; the same arguments give the same object."""
    return _flows


class PerturbedSolver(nn.Module):
    """The true step plus a small learned convolution: a model with skill and a known symmetry.

    Its error is κ∗x with a 3×3 kernel κ on each channel, given by the second differences along the
    two axes (``along``) and a shear ∂x∂y (``shear``).
    """

    def __init__(self, dt: float, along: tuple[float, float] = (0.02, 0.02), shear: float = 0.0):
        super().__init__()
        self.solver, self.dt = NavierStokes2d(viscosity=5e-3), dt
        kernel = torch.zeros(2, 1, 3, 3)
        for axis, size in enumerate(along):
            line = torch.tensor([1.0, -2.0, 1.0]) * size
            kernel[:, 0, :, 1] += line if axis == 0 else 0
            kernel[:, 0, 1, :] += line if axis == 1 else 0
        corners = torch.tensor([[1.0, 0.0, -1.0], [0.0, 0.0, 0.0], [-1.0, 0.0, 1.0]])
        self.kernel = nn.Parameter(kernel + shear * corners)

    def forward(self, x: Tensor) -> Tensor:
        padded = nn.functional.pad(x, (1, 1, 1, 1), mode="circular")
        error = nn.functional.conv2d(padded, self.kernel, groups=2)
        return self.solver.advance(x, self.dt) + error


@pytest.fixture(scope="session")
def perturbed_solver() -> Callable[..., PerturbedSolver]:
    def make(data: Trajectories, **arguments: object) -> PerturbedSolver:
        return PerturbedSolver(data.dt, **arguments).to(data.fields.dtype)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def network() -> Callable[..., nn.Module]:
    """A newly initialised emulator for the data, small."""

    def make(architecture: str, data: Trajectories, seed: int = 0, **arguments: object):
        small = {
            "unet": {"base_channels": 4, "stages": 2, "blocks_per_stage": 1, "attention": False},
            "vit": {"patch": 4, "width": 16, "heads": 2, "depth": 1},
            "equivariant": {"copies": 1, "stages": 1},
        }[architecture]
        config = EmulatorConfig(architecture, data.layout, data.grid, small | arguments)
        model = build_emulator(config, seed).to(data.fields.dtype)
        model.fit(*data.transitions()[:2])
        return model.eval()

    return make


@pytest.fixture(scope="session")
def quick() -> Callable[..., AuditSettings]:
    """Settings of a small audit."""

    def make(**changes: object) -> AuditSettings:
        small: dict[str, object] = {
            "trajectories": 8,
            "samples": 8,
            "reference": 2,
            "snapshots": 2,
            "rollout_steps": 2,
            "bootstrap": 300,
            "permutations": 400,
        }
        return AuditSettings(**(small | changes))  # type: ignore[arg-type]

    return make
