"""The HLLC approximate Riemann solver for the compressible Euler equations."""

import torch
from torch import Tensor


def hllc_flux(left: Tensor, right: Tensor, gamma: float, axis: int) -> Tensor:
    """Flux of (ρ, ρu, ρv, E) through faces normal to ``axis``, given both sides' (ρ, u, v, p).

    Toro, Spruce & Speares (*Shock Waves* 4, 1994), with the wave speeds of Einfeldt (*SIAM J.
    Numer. Anal.* 25, 1988), which keep density and pressure of a first-order scheme positive
    (Batten et al., *SIAM J. Sci. Comput.* 18, 1997). Mirroring the two sides mirrors the flux.

    Shapes: ``left`` and ``right`` (batch, 4, …), and so is the flux.
    """
    normal, along = 1 + axis, 2 - axis
    density_l, speed_l, drift_l, pressure_l = (left[:, k] for k in (0, normal, along, 3))
    density_r, speed_r, drift_r, pressure_r = (right[:, k] for k in (0, normal, along, 3))
    slowest, fastest = _einfeldt_speeds(left, right, gamma, normal, along)

    inflow_l = density_l * (slowest - speed_l)
    inflow_r = density_r * (fastest - speed_r)
    contact = (pressure_r - pressure_l + inflow_l * speed_l - inflow_r * speed_r) / (
        inflow_l - inflow_r
    )

    # Only the side that the contact moves away from reaches the face.
    upwind = contact >= 0
    density = torch.where(upwind, density_l, density_r)
    speed = torch.where(upwind, speed_l, speed_r)
    drift = torch.where(upwind, drift_l, drift_r)
    pressure = torch.where(upwind, pressure_l, pressure_r)
    wave = torch.where(upwind, slowest, fastest)
    inflow = torch.where(upwind, inflow_l, inflow_r)
    energy = pressure / (gamma - 1) + 0.5 * density * (speed.square() + drift.square())

    # flux + wave · (star state − state), and the flux alone where the fan has left the face.
    passed = torch.where(upwind, slowest.clamp(max=0), fastest.clamp(min=0))
    star_density = inflow / (wave - contact)
    star_energy = star_density * (
        energy / density + (contact - speed) * (contact + pressure / inflow)
    )
    mass = density * speed
    flux = torch.empty_like(left)
    flux[:, 0] = mass + passed * (star_density - density)
    flux[:, normal] = mass * speed + pressure + passed * (star_density * contact - mass)
    flux[:, along] = drift * flux[:, 0]
    flux[:, 3] = speed * (energy + pressure) + passed * (star_energy - energy)
    return flux


def sound_speed(primitive: Tensor, gamma: float) -> Tensor:
    """The speed of sound √(γ p / ρ) of states (ρ, u, v, p) along axis 1."""
    return _root(gamma * primitive[:, 3] / primitive[:, 0])


def _root(positive: Tensor) -> Tensor:
    # On CPUs `sqrt` starts threads for the smallest arrays, which costs far more than the root.
    return positive * positive.rsqrt()


def _einfeldt_speeds(
    left: Tensor, right: Tensor, gamma: float, normal: int, along: int
) -> tuple[Tensor, Tensor]:
    """The smallest and the largest signal speed, from both sides and their Roe average."""
    sound_l = sound_speed(left, gamma)
    sound_r = sound_speed(right, gamma)
    root_l, root_r = _root(left[:, 0]), _root(right[:, 0])
    total = root_l + root_r
    speed = (root_l * left[:, normal] + root_r * right[:, normal]) / total
    jump = (right[:, normal] - left[:, normal]).square() + (
        right[:, along] - left[:, along]
    ).square()
    # Roe's sound speed: the weighted mean of c² plus the kinetic energy of the velocity jump.
    sound = _root(
        (root_l * sound_l.square() + root_r * sound_r.square()) / total
        + 0.5 * (gamma - 1) * root_l * root_r / total.square() * jump
    )
    return (
        torch.minimum(left[:, normal] - sound_l, speed - sound),
        torch.maximum(right[:, normal] + sound_r, speed + sound),
    )
