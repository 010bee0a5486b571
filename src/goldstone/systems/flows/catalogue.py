"""Solvers and initial conditions by name, as data sets and command lines call them."""

from collections.abc import Mapping

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.systems.flows.euler import CompressibleEuler2d
from goldstone.systems.flows.ground_truth import GroundTruth
from goldstone.systems.flows.navier_stokes import NavierStokes2d
from goldstone.systems.flows.riemann_problems import curved_riemann, four_quadrant_riemann
from goldstone.systems.flows.turbulence import anisotropic_turbulence, isotropic_turbulence

INITIAL_CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "navier-stokes": ("isotropic-turbulence", "anisotropic-turbulence"),
    "compressible-euler": ("four-quadrant-riemann", "curved-riemann"),
}
"""The names of the initial conditions of each system."""


def ground_truth(
    system: str,
    parameters: Mapping[str, float],
    lengths: tuple[float, float] = (1.0, 1.0),
) -> GroundTruth:
    """The solver of a system named as in a data set, with its physical parameters.

    Raises:
        InputError: the name is unknown, or a parameter is missing, unknown or out of range.
    """
    match system:
        case "navier-stokes":
            _check_parameters(system, parameters, "viscosity", "viscosity_ratio")
            return NavierStokes2d(lengths=lengths, **parameters)
        case "compressible-euler":
            _check_parameters(system, parameters, "gamma")
            return CompressibleEuler2d(gamma=parameters["gamma"], lengths=lengths)
        case _:
            raise InputError(
                f"system: expected one of {', '.join(INITIAL_CONDITIONS)}, got {system!r}; "
                "for another law, give an object with `layout` and `advance(state, duration)`"
            )


def initial_states(
    system: GroundTruth,
    initial_condition: str,
    samples: int,
    grid: tuple[int, int],
    seed: int,
    *,
    first: int = 0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Samples ``first`` … ``first + samples − 1`` of a named initial condition of a system."""
    allowed = INITIAL_CONDITIONS.get(system.system, ())
    if initial_condition not in allowed:
        raise InputError(
            f"initial_condition: {system.system} has {', '.join(allowed) or 'none'}, "
            f"got {initial_condition!r}"
        )
    match initial_condition:
        case "isotropic-turbulence":
            return isotropic_turbulence(
                samples, grid, seed, first=first, lengths=system.lengths, dtype=dtype
            )
        case "anisotropic-turbulence":
            return anisotropic_turbulence(
                samples, grid, seed, first=first, lengths=system.lengths, dtype=dtype
            )
        case "four-quadrant-riemann":
            return four_quadrant_riemann(
                samples, grid, seed, first=first, gamma=system.parameters["gamma"], dtype=dtype
            )
        case _:
            return curved_riemann(
                samples, grid, seed, first=first, gamma=system.parameters["gamma"], dtype=dtype
            )


def _check_parameters(
    system: str, parameters: Mapping[str, float], needed: str, *optional: str
) -> None:
    if not {needed} <= set(parameters) <= {needed, *optional}:
        also = f"; it takes {', '.join(optional)} too" if optional else ""
        raise InputError(
            f"parameters: {system} needs exactly {needed!r}, got "
            f"{', '.join(sorted(parameters)) or 'none'}{also}"
        )
